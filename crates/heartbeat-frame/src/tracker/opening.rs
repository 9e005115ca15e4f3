use std::mem;

use bytes::{Buf, Bytes};

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The start of a stream of text: a byte order mark, or none, cut anywhere.
///
/// A client skips the mark at offset 0 only. Behind a heartbeat it would be taken for text, so there it
/// is taken out. As long as it may still be one, nothing is passed on; what turns out to be none is
/// given back, and as the mark is a constant nobody has to keep it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Opening {
    /// As much of the mark as was seen, less than all.
    Mark {
        seen: u8,
        /// Whether a heartbeat stands before it.
        overtaken: bool,
    },
    Past,
}

impl Opening {
    pub(super) const START: Self = Self::Mark { seen: 0, overtaken: false };

    /// Whether what was seen may become a mark.
    pub(super) fn is_cut(self) -> bool {
        matches!(self, Self::Mark { seen: 1.., .. })
    }

    pub(super) fn on_heartbeat(&mut self) {
        if let Self::Mark { seen: 0, overtaken } = self {
            *overtaken = true;
        }
    }

    /// Takes the mark out, if it is to go. What of it was fed and passed on before and now turns out to
    /// be text is answered, and how many of the bytes that are left are no text.
    #[inline]
    pub(super) fn feed(&mut self, bytes: &mut Bytes) -> (&'static [u8], usize) {
        match *self {
            Self::Past => (&[], 0),
            Self::Mark { seen, overtaken } => {
                // By value: so the caller may keep them in registers.
                let (text, skipped);
                (*self, *bytes, text, skipped) = Self::compare(mem::take(bytes), seen, overtaken);
                (text, skipped)
            }
        }
    }

    fn compare(mut bytes: Bytes, seen: u8, overtaken: bool) -> (Self, Bytes, &'static [u8], usize) {
        let (before, due) = MARK.split_at(seen.into());
        let come = due.iter().zip(bytes.iter()).take_while(|(due, come)| due == come).count();

        if come < due.len() && come < bytes.len() {
            if !overtaken || before.is_empty() {
                return (Self::Past, bytes, before, 0);
            }
            // The one copy, of a piece that nobody sends.
            return (Self::Past, [before, &bytes].concat().into(), &[], 0);
        }
        let now = match seen + u8::try_from(come).unwrap_or(0) {
            seen if usize::from(seen) == MARK.len() => Self::Past,
            seen => Self::Mark { seen, overtaken },
        };
        if overtaken {
            bytes.advance(come);
            return (now, bytes, &[], 0);
        }
        (now, bytes, &[], come)
    }
}
