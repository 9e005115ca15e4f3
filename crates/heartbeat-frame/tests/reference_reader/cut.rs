//! Streams fed to a tracker in pieces, once as they are and once with a heartbeat wherever one may
//! stand, and compared with the whole. With the heartbeats, the messages must be as they were.

use bytes::Bytes;
use heartbeat_frame::{
    Boundary, BoundaryTracker, Content, EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage,
    NdjsonHeartbeat, NdjsonTracker, SseHeartbeat, SseTracker, Tracker,
};

use super::{BOM, EnvelopeFlags, Reference};

/// What went out.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// What was passed on, and the heartbeats.
    pub(crate) bytes: Vec<u8>,
    /// How many pieces ended where a heartbeat may stand, the start of the stream not counted.
    pub(crate) boundaries: usize,
    /// Where the stream ended.
    pub(crate) end: Option<Boundary>,
    /// Whether it ended within a byte order mark that was not passed on.
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
    let out = compare(&tracker.into(), read, stream, cuts, &heartbeat.envelope());
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
    let out = compare(&tracker, read, text, cuts, &heartbeat.envelope_base64());
    let messages = |text| without(super::text_messages(text), &(0, heartbeat.raw().to_vec()));
    assert_eq!(messages(&out.bytes), messages(text));
    out
}

/// A stream of server-sent events.
pub(crate) fn sse(heartbeat: &SseHeartbeat, stream: &[u8], cuts: &[usize]) -> Output {
    let breaks_event = heartbeat.bytes().ends_with(b"\n\n");
    let tracker = SseTracker::new(heartbeat).into();
    let read = |bom_allowed, stream: &[u8]| super::sse(breaks_event, bom_allowed, stream);
    let out = compare(&tracker, read, stream, cuts, &heartbeat.bytes());
    let heartbeats = super::sse_messages(&heartbeat.bytes());
    let messages = |stream| {
        let is_beat = |[name, data, _]: &[Vec<u8>; 3]| {
            heartbeats.iter().any(|[its_name, its_data, _]| (name, data) == (its_name, its_data))
        };
        let mut messages = super::sse_messages(stream);
        messages.retain(|message| !is_beat(message));
        messages
    };
    assert_eq!(messages(&out.bytes), messages(stream));
    out
}

/// A stream of lines of JSON.
pub(crate) fn ndjson(heartbeat: NdjsonHeartbeat, stream: &[u8], cuts: &[usize]) -> Output {
    let tracker = NdjsonTracker::new().into();
    let out = compare(&tracker, super::ndjson, stream, cuts, &heartbeat.bytes());
    if !out.withheld {
        assert_eq!(super::ndjson_messages(&out.bytes), super::ndjson_messages(stream));
    }
    out
}

fn without<T: PartialEq>(messages: Vec<T>, heartbeat: &T) -> Vec<T> {
    messages.into_iter().filter(|message| message != heartbeat).collect()
}

/// Feeds a stream, cut at these places. `read` reads it whole; it is told whether a byte order mark at
/// the start is one.
///
/// # Panics
///
/// When the tracker and the reader differ.
fn compare(
    tracker: &Tracker,
    read: impl Fn(bool, &[u8]) -> Reference,
    stream: &[u8],
    cuts: &[usize],
    heartbeat: &[u8],
) -> Output {
    feed(tracker.clone(), &read, stream, cuts, None);
    feed(tracker.clone(), &read, stream, cuts, Some(heartbeat))
}

fn feed(
    mut tracker: Tracker,
    read: impl Fn(bool, &[u8]) -> Reference,
    stream: &[u8],
    cuts: &[usize],
    heartbeat: Option<&[u8]>,
) -> Output {
    let is_text = matches!(tracker, Tracker::Sse(_) | Tracker::Ndjson(_));
    let heartbeat_first = is_text && heartbeat.is_some();
    let dropped = if heartbeat_first && stream.starts_with(BOM) { BOM.len() } else { 0 };
    let reference = read(!heartbeat_first, &stream[dropped..]);
    assert_eq!(
        reference.boundaries.len(),
        reference.real.len() + 1,
        "the reader has read everything"
    );
    let is_withheld = |seen: usize| {
        heartbeat_first && (1..BOM.len()).contains(&seen) && BOM.starts_with(&stream[..seen])
    };
    let sent_of = |seen: usize| if is_withheld(seen) { 0 } else { seen.saturating_sub(dropped) };

    let mut out = Output::default();
    let insert = |tracker: &mut Tracker, bytes: &mut Vec<u8>| {
        if let Some(heartbeat) = heartbeat.filter(|_| tracker.boundary() == Boundary::Open) {
            bytes.extend(heartbeat);
            tracker.on_heartbeat();
        }
    };
    assert_eq!(tracker.boundary(), Boundary::Open, "before everything");
    insert(&mut tracker, &mut out.bytes);

    let mut start = 0;
    for end in cuts.iter().copied().chain([stream.len()]) {
        let end = end.clamp(start, stream.len());
        let mut piece = Bytes::copy_from_slice(&stream[start..end]);
        let content = tracker.feed(&mut piece);
        let context =
            || format!("after {} of {:?}, cut at {start}", end, stream.escape_ascii().to_string());

        let sent = sent_of(start)..sent_of(end);
        assert_eq!(piece, stream[dropped..][sent.clone()], "what is left {}", context());
        let expected = match &reference.real[sent] {
            [] => Content::Empty,
            bytes if bytes.contains(&true) => Content::Event,
            _ => Content::NonEvent,
        };
        assert_eq!(content, expected, "what it was {}", context());
        let place = if is_withheld(end) {
            Boundary::InsideMessage
        } else {
            reference.boundaries[sent_of(end)]
        };
        assert_eq!(tracker.boundary(), place, "the boundary {}", context());

        out.bytes.extend(&piece);
        out.boundaries += usize::from(place == Boundary::Open && end > 0);
        insert(&mut tracker, &mut out.bytes);
        start = end;
    }
    out.end = Some(tracker.boundary());
    out.withheld = is_withheld(stream.len());
    out
}
