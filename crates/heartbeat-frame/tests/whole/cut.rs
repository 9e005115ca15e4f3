//! Streams fed to a tracker in pieces, once as they are and once with a heartbeat wherever one may
//! stand, and compared with the whole. With the heartbeats, the messages must be as they were.

use bytes::Bytes;
use heartbeat_frame::{
    Boundary, BoundaryTracker, EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage,
    NdjsonHeartbeat, NdjsonTracker, Passed, SseHeartbeat, SseTracker, Tracker,
};

use super::{MARK, Protocol, Whole};

/// What went out.
#[derive(Debug, Default)]
pub(crate) struct Out {
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
    protocol: Protocol,
    beat: &HeartbeatMessage,
    stream: &[u8],
    cuts: &[usize],
) -> Out {
    let tracker = match protocol {
        Protocol::Grpc => EnvelopeTracker::grpc(beat),
        Protocol::GrpcWeb => EnvelopeTracker::grpc_web(beat),
        Protocol::Connect => EnvelopeTracker::connect(beat),
    };
    let read = |_, stream: &[u8]| super::envelopes(protocol, &beat.envelope(), stream);
    let out = compare(&tracker.into(), read, stream, cuts, &beat.envelope());
    let messages =
        |stream| without(super::envelope_messages(protocol, stream), &(0, beat.raw().to_vec()));
    assert_eq!(messages(&out.bytes), messages(stream));
    out
}

/// A stream of envelopes in base64.
pub(crate) fn grpc_web_text(beat: &HeartbeatMessage, text: &[u8], cuts: &[usize]) -> Out {
    let tracker = GrpcWebTextTracker::new(beat).into();
    let read = |_, text: &[u8]| super::grpc_web_text(&beat.envelope(), text);
    let out = compare(&tracker, read, text, cuts, &beat.envelope_base64());
    let messages = |text| without(super::text_messages(text), &(0, beat.raw().to_vec()));
    assert_eq!(messages(&out.bytes), messages(text));
    out
}

/// A stream of server-sent events.
pub(crate) fn sse(beat: &SseHeartbeat, stream: &[u8], cuts: &[usize]) -> Out {
    let ends_events = beat.bytes().ends_with(b"\n\n");
    let tracker = SseTracker::new(beat).into();
    let read = |marked, stream: &[u8]| super::sse(ends_events, marked, stream);
    let out = compare(&tracker, read, stream, cuts, &beat.bytes());
    let beats = super::sse_messages(&beat.bytes());
    let messages = |stream| {
        let is_beat = |[name, data, _]: &[Vec<u8>; 3]| {
            beats.iter().any(|[its_name, its_data, _]| (name, data) == (its_name, its_data))
        };
        let mut messages = super::sse_messages(stream);
        messages.retain(|message| !is_beat(message));
        messages
    };
    assert_eq!(messages(&out.bytes), messages(stream));
    out
}

/// A stream of lines of JSON.
pub(crate) fn ndjson(beat: NdjsonHeartbeat, stream: &[u8], cuts: &[usize]) -> Out {
    let tracker = NdjsonTracker::new().into();
    let out = compare(&tracker, super::ndjson, stream, cuts, &beat.bytes());
    if !out.withheld {
        assert_eq!(super::ndjson_messages(&out.bytes), super::ndjson_messages(stream));
    }
    out
}

fn without<T: PartialEq>(messages: Vec<T>, beat: &T) -> Vec<T> {
    messages.into_iter().filter(|message| message != beat).collect()
}

/// Feeds a stream, cut at these places. `read` reads it whole; it is told whether a byte order mark at
/// the start is one.
///
/// # Panics
///
/// When the tracker and the reader differ.
fn compare(
    tracker: &Tracker,
    read: impl Fn(bool, &[u8]) -> Whole,
    stream: &[u8],
    cuts: &[usize],
    beat: &[u8],
) -> Out {
    feed(tracker.clone(), &read, stream, cuts, None);
    feed(tracker.clone(), &read, stream, cuts, Some(beat))
}

fn feed(
    mut tracker: Tracker,
    read: impl Fn(bool, &[u8]) -> Whole,
    stream: &[u8],
    cuts: &[usize],
    beat: Option<&[u8]>,
) -> Out {
    let is_text = matches!(tracker, Tracker::Sse(_) | Tracker::Ndjson(_));
    let overtaken = is_text && beat.is_some();
    let dropped = if overtaken && stream.starts_with(MARK) { MARK.len() } else { 0 };
    let whole = read(!overtaken, &stream[dropped..]);
    assert_eq!(whole.places.len(), whole.real.len() + 1, "the reader has read everything");
    let is_withheld = |seen: usize| {
        overtaken && (1..MARK.len()).contains(&seen) && MARK.starts_with(&stream[..seen])
    };
    let sent_of = |seen: usize| if is_withheld(seen) { 0 } else { seen.saturating_sub(dropped) };

    let mut out = Out::default();
    let put_in = |tracker: &mut Tracker, bytes: &mut Vec<u8>| {
        if let Some(beat) = beat.filter(|_| tracker.boundary() == Boundary::Here) {
            bytes.extend(beat);
            tracker.on_heartbeat();
        }
    };
    assert_eq!(tracker.boundary(), Boundary::Here, "before everything");
    put_in(&mut tracker, &mut out.bytes);

    let mut start = 0;
    for end in cuts.iter().copied().chain([stream.len()]) {
        let end = end.clamp(start, stream.len());
        let mut piece = Bytes::copy_from_slice(&stream[start..end]);
        let passed = tracker.feed(&mut piece);
        let told =
            || format!("after {} of {:?}, cut at {start}", end, stream.escape_ascii().to_string());

        let sent = sent_of(start)..sent_of(end);
        assert_eq!(piece, stream[dropped..][sent.clone()], "what is left {}", told());
        let expected = match &whole.real[sent] {
            [] => Passed::Nothing,
            bytes if bytes.contains(&true) => Passed::Real,
            _ => Passed::Bytes,
        };
        assert_eq!(passed, expected, "what it was {}", told());
        let place = if is_withheld(end) { Boundary::Within } else { whole.places[sent_of(end)] };
        assert_eq!(tracker.boundary(), place, "the boundary {}", told());

        out.bytes.extend(&piece);
        out.boundaries += usize::from(place == Boundary::Here && end > 0);
        put_in(&mut tracker, &mut out.bytes);
        start = end;
    }
    out.end = Some(tracker.boundary());
    out.withheld = is_withheld(stream.len());
    out
}
