//! A stream fed to a tracker in pieces, with heartbeats put in, and compared with the whole.

use bytes::Bytes;
use heartbeat_frame::{Boundary, BoundaryTracker, Passed};

use super::{MARK, Whole};

/// What went out.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// What was passed on, and the heartbeats.
    pub(crate) bytes: Vec<u8>,
    /// How many pieces ended where a heartbeat may stand, the start of the stream not counted.
    pub(crate) boundaries: usize,
    /// Whether the stream ended within a byte order mark that was not passed on.
    pub(crate) withheld: bool,
}

/// Feeds a stream, cut at these places, and puts `beat` in wherever it may stand. `read` reads the whole
/// stream: it is told whether a byte order mark at the start is one, which streams of `text` have.
///
/// # Panics
///
/// When the tracker and the reader differ.
pub(crate) fn compare(
    tracker: &mut impl BoundaryTracker,
    text: bool,
    read: impl Fn(bool, &[u8]) -> Whole,
    stream: &[u8],
    cuts: impl IntoIterator<Item = usize>,
    beat: Option<&[u8]>,
) -> Out {
    let overtaken = text && beat.is_some();
    let dropped = if overtaken && stream.starts_with(MARK) { MARK.len() } else { 0 };
    let whole = read(!overtaken, &stream[dropped..]);
    assert_eq!(whole.places.len(), whole.real.len() + 1, "the reader has read everything");
    let is_withheld = |seen: usize| {
        overtaken && (1..MARK.len()).contains(&seen) && MARK.starts_with(&stream[..seen])
    };
    let sent_of = |seen: usize| if is_withheld(seen) { 0 } else { seen.saturating_sub(dropped) };

    let mut out = Out::default();
    let put_in = |tracker: &mut dyn BoundaryTracker, bytes: &mut Vec<u8>| {
        if let Some(beat) = beat {
            if tracker.boundary() == Boundary::Here {
                bytes.extend(beat);
                tracker.on_heartbeat();
            }
        }
    };
    assert_eq!(tracker.boundary(), Boundary::Here, "before everything");
    put_in(tracker, &mut out.bytes);

    let mut start = 0;
    for end in cuts.into_iter().chain([stream.len()]) {
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
        put_in(tracker, &mut out.bytes);
        start = end;
    }
    out.withheld = is_withheld(stream.len());
    out
}
