use std::mem;

use bytes::{Buf, Bytes};

/// The byte order mark of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The start of a stream of text: a byte order mark, or none, cut anywhere.
///
/// A client skips the mark at offset 0 only. Behind a heartbeat it would be taken for text, so there it
/// is taken out. As long as it may still be one, nothing is passed on; what turns out to be none is
/// given back, and as the mark is a constant nobody has to keep it.
#[derive(Debug, Clone, Copy)]
pub(super) enum BomFilter {
    /// As much of the mark as was seen, less than all.
    Matching {
        seen: u8,
        /// Whether a heartbeat stands before it.
        heartbeat_first: bool,
    },
    Done,
}

impl BomFilter {
    pub(super) const START: Self = Self::Matching { seen: 0, heartbeat_first: false };

    /// Whether what was seen may become a mark.
    pub(super) fn is_partial(self) -> bool {
        matches!(self, Self::Matching { seen: 1.., .. })
    }

    pub(super) fn on_heartbeat(&mut self) {
        if let Self::Matching { seen: 0, heartbeat_first } = self {
            *heartbeat_first = true;
        }
    }

    /// Takes the mark out, if it is to go. What of it was fed and passed on before and now turns out to
    /// be text is answered, and how many of the bytes that are left are no text.
    #[inline]
    pub(super) fn feed(&mut self, bytes: &mut Bytes) -> (&'static [u8], usize) {
        match *self {
            Self::Done => (&[], 0),
            Self::Matching { seen, heartbeat_first } => {
                // By value: so the caller may keep them in registers.
                let (text, skipped);
                (*self, *bytes, text, skipped) =
                    Self::matching(mem::take(bytes), seen, heartbeat_first);
                (text, skipped)
            }
        }
    }

    fn matching(
        mut bytes: Bytes,
        seen: u8,
        heartbeat_first: bool,
    ) -> (Self, Bytes, &'static [u8], usize) {
        let (before, expected) = BOM.split_at(seen.into());
        let matched = expected
            .iter()
            .zip(bytes.iter())
            .take_while(|(expected, matched)| expected == matched)
            .count();

        if matched < expected.len() && matched < bytes.len() {
            if !heartbeat_first || before.is_empty() {
                return (Self::Done, bytes, before, 0);
            }
            // The one copy, of a piece that nobody sends.
            return (Self::Done, [before, &bytes].concat().into(), &[], 0);
        }
        let now = match seen + u8::try_from(matched).unwrap_or(0) {
            seen if usize::from(seen) == BOM.len() => Self::Done,
            seen => Self::Matching { seen, heartbeat_first },
        };
        if heartbeat_first {
            bytes.advance(matched);
            return (now, bytes, &[], 0);
        }
        (now, bytes, &[], matched)
    }
}
