use std::mem;

use bytes::{Buf, Bytes};

/// The byte order mark of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Removes the byte order mark at the start of a text stream if a heartbeat was inserted before it.
///
/// A client skips the mark at offset 0 only; after a heartbeat it would be text. While the bytes may
/// still become a mark they are withheld. If they do not, they are added to the next piece; the mark is
/// a constant, so no buffer is needed.
#[derive(Debug, Clone, Copy)]
pub(super) enum BomFilter {
    /// The bytes so far are a prefix of the mark.
    Matching {
        /// The length of the prefix, less than the whole mark.
        seen: u8,
        /// Whether a heartbeat was inserted before the mark.
        heartbeat_first: bool,
    },
    /// The start has passed.
    Done,
}

impl BomFilter {
    pub(super) const START: Self = Self::Matching { seen: 0, heartbeat_first: false };

    /// Whether a non-empty prefix of the mark was seen.
    pub(super) fn is_partial(self) -> bool {
        matches!(self, Self::Matching { seen: 1.., .. })
    }

    pub(super) fn on_heartbeat(&mut self) {
        if let Self::Matching { seen: 0, heartbeat_first } = self {
            *heartbeat_first = true;
        }
    }

    /// Removes the mark from `bytes` if necessary. Returns the bytes that were fed and forwarded before
    /// and now turn out to be text, and how many of the remaining bytes belong to a mark.
    #[inline]
    pub(super) fn feed(&mut self, bytes: &mut Bytes) -> (&'static [u8], usize) {
        match *self {
            Self::Done => (&[], 0),
            Self::Matching { seen, heartbeat_first } => {
                // By value, so that the caller can keep them in registers.
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
            // The only copy: the withheld prefix and the piece.
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
