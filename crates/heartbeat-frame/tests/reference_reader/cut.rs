//! Feeds streams to a tracker in pieces, once unchanged and once with a heartbeat at each boundary, and
//! compares with the reference reader. The messages must not change.

use bytes::Bytes;
use heartbeat_frame::{
    Boundary, BoundaryTracker, Content, EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage,
    LineEnd, NdjsonHeartbeat, NdjsonTracker, SseHeartbeat, SseTracker, Tracker,
};

use super::{BOM, EnvelopeFlags, Reference};

/// The output.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// The forwarded bytes and the heartbeats.
    pub(crate) bytes: Vec<u8>,
    /// The number of pieces that ended at a boundary, without the start of the stream.
    pub(crate) boundaries: usize,
    /// The boundary at the end.
    pub(crate) end: Option<Boundary>,
    /// Whether the stream ended inside a byte order mark that was not forwarded.
    withheld: bool,
}

/// A stream of envelopes.
pub(crate) fn envelopes(
    protocol: EnvelopeFlags,
    heartbeat: &HeartbeatMessage,
    stream: &[u8],
    cuts: &[usize],
) -> Output {
    let tracker = match protocol {
        EnvelopeFlags::Grpc => EnvelopeTracker::grpc(heartbeat),
        EnvelopeFlags::GrpcWeb => EnvelopeTracker::grpc_web(heartbeat),
        EnvelopeFlags::Connect => EnvelopeTracker::connect(heartbeat),
    };
    let read = |_, stream: &[u8]| super::envelopes(protocol, &heartbeat.envelope(), stream);
    let envelope = |_: &Tracker, _: &[u8]| heartbeat.envelope();
    let out = compare(&tracker.into(), read, stream, cuts, &envelope);
    let messages = |stream| {
        without(super::envelope_messages(protocol, stream), &(0, heartbeat.raw().to_vec()))
    };
    assert_eq!(messages(&out.bytes), messages(stream));
    out
}

/// A stream of envelopes in base64.
pub(crate) fn grpc_web_text(heartbeat: &HeartbeatMessage, text: &[u8], cuts: &[usize]) -> Output {
    let tracker = GrpcWebTextTracker::new(heartbeat).into();
    let read = |_, text: &[u8]| super::grpc_web_text(&heartbeat.envelope(), text);
    let envelope = |_: &Tracker, _: &[u8]| heartbeat.envelope_base64();
    let out = compare(&tracker, read, text, cuts, &envelope);
    let messages = |text| without(super::text_messages(text), &(0, heartbeat.raw().to_vec()));
    assert_eq!(messages(&out.bytes), messages(text));
    out
}

/// A stream of server-sent events.
pub(crate) fn sse(heartbeat: &SseHeartbeat, stream: &[u8], cuts: &[usize]) -> Output {
    let breaks_event = heartbeat.bytes().ends_with(b"\n\n");
    let tracker = SseTracker::new(heartbeat).into();
    let read = |bom_allowed, stream: &[u8]| super::sse(breaks_event, bom_allowed, stream);
    let bytes = |tracker: &Tracker, sent: &[u8]| {
        let Tracker::Sse(tracker) = tracker else { panic!("another tracker") };
        let expected = if super::sse_uses_cr_lf(sent) { LineEnd::CrLf } else { LineEnd::Lf };
        assert_eq!(tracker.line_end(), expected, "after {}", sent.escape_ascii());
        heartbeat.bytes_with(expected)
    };
    let out = compare(&tracker, read, stream, cuts, &bytes);
    let heartbeats = super::sse_messages(&heartbeat.bytes());
    let messages = |stream| {
        let is_heartbeat = |[name, data, _]: &[Vec<u8>; 3]| {
            heartbeats.iter().any(|[its_name, its_data, _]| (name, data) == (its_name, its_data))
        };
        let mut messages = super::sse_messages(stream);
        messages.retain(|message| !is_heartbeat(message));
        messages
    };
    assert_eq!(messages(&out.bytes), messages(stream));
    out
}

/// A stream of JSON lines.
pub(crate) fn ndjson(heartbeat: NdjsonHeartbeat, stream: &[u8], cuts: &[usize]) -> Output {
    let tracker = NdjsonTracker::new().into();
    let bytes = |tracker: &Tracker, sent: &[u8]| {
        let Tracker::Ndjson(tracker) = tracker else { panic!("another tracker") };
        let bytes = tracker.heartbeat_here(heartbeat).bytes();
        let expected = super::ndjson_heartbeat(heartbeat.bytes()[0], sent);
        assert_eq!(bytes[..], [expected], "after {}", sent.escape_ascii());
        bytes
    };
    let out = compare(&tracker, super::ndjson, stream, cuts, &bytes);
    if !out.withheld {
        assert_eq!(super::ndjson_messages(&out.bytes), super::ndjson_messages(stream));
        match heartbeat {
            NdjsonHeartbeat::BlankLine => {
                assert_eq!(super::ndjson_lines(&out.bytes), super::ndjson_lines(stream));
            }
            NdjsonHeartbeat::Space => {
                let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count();
                assert_eq!(lines(&out.bytes), lines(stream));
            }
        }
    }
    out
}

fn without<T: PartialEq>(messages: Vec<T>, heartbeat: &T) -> Vec<T> {
    messages.into_iter().filter(|message| message != heartbeat).collect()
}

/// The bytes of a heartbeat that is inserted after these bytes.
type Heartbeat<'a> = &'a dyn Fn(&Tracker, &[u8]) -> Bytes;

/// Feeds a stream, cut at these offsets. `read` is the reference reader; its first argument
/// is whether a byte order mark is allowed.
///
/// # Panics
///
/// If the tracker and the reader differ.
fn compare(
    tracker: &Tracker,
    read: impl Fn(bool, &[u8]) -> Reference,
    stream: &[u8],
    cuts: &[usize],
    heartbeat: Heartbeat<'_>,
) -> Output {
    feed(tracker.clone(), &read, stream, cuts, None);
    feed(tracker.clone(), &read, stream, cuts, Some(heartbeat))
}

fn feed(
    mut tracker: Tracker,
    read: impl Fn(bool, &[u8]) -> Reference,
    stream: &[u8],
    cuts: &[usize],
    heartbeat: Option<Heartbeat<'_>>,
) -> Output {
    let is_text = matches!(tracker, Tracker::Sse(_) | Tracker::Ndjson(_));
    let heartbeat_first = is_text && heartbeat.is_some();
    let removed = if heartbeat_first && stream.starts_with(BOM) { BOM.len() } else { 0 };
    let reference = read(!heartbeat_first, &stream[removed..]);
    assert_eq!(
        reference.boundaries.len(),
        reference.is_event.len() + 1,
        "one boundary per byte, and the start"
    );
    let is_withheld = |seen: usize| {
        heartbeat_first && (1..BOM.len()).contains(&seen) && BOM.starts_with(&stream[..seen])
    };
    let sent_of = |seen: usize| if is_withheld(seen) { 0 } else { seen.saturating_sub(removed) };

    let mut out = Output::default();
    let insert = |tracker: &mut Tracker, bytes: &mut Vec<u8>| {
        if let Some(heartbeat) = heartbeat.filter(|_| tracker.boundary() == Boundary::Open) {
            bytes.extend(heartbeat(tracker, bytes));
            tracker.on_heartbeat();
        }
    };
    assert_eq!(tracker.boundary(), Boundary::Open, "at the start");
    insert(&mut tracker, &mut out.bytes);

    let mut start = 0;
    for end in cuts.iter().copied().chain([stream.len()]) {
        let end = end.clamp(start, stream.len());
        let mut piece = Bytes::copy_from_slice(&stream[start..end]);
        let content = tracker.feed(&mut piece);
        let location =
            || format!("after {} of {:?}, cut at {start}", end, stream.escape_ascii().to_string());

        let sent = sent_of(start)..sent_of(end);
        assert_eq!(piece, stream[removed..][sent.clone()], "forwarded bytes {}", location());
        let expected = match &reference.is_event[sent] {
            [] => Content::Empty,
            bytes if bytes.contains(&true) => Content::Event,
            _ => Content::NonEvent,
        };
        assert_eq!(content, expected, "content {}", location());
        let boundary = if is_withheld(end) {
            Boundary::InsideMessage
        } else {
            reference.boundaries[sent_of(end)]
        };
        assert_eq!(tracker.boundary(), boundary, "boundary {}", location());

        out.bytes.extend(&piece);
        out.boundaries += usize::from(boundary == Boundary::Open && end > 0);
        insert(&mut tracker, &mut out.bytes);
        start = end;
    }
    out.end = Some(tracker.boundary());
    out.withheld = is_withheld(stream.len());
    out
}
