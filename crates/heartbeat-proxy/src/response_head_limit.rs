//! The maximum size of a response head.

use hyper::header::HeaderMap;

/// Maximum size of a response head in bytes, as HTTP/2 counts them: 64 KiB, of which 512 bytes are left for the status and
/// the headers that the proxy adds. Many HTTP/2 clients accept no more than 64 KiB. Some close the connection with all its
/// streams when a head is larger.
const MAX_SIZE: usize = 64 * 1024 - 512;

/// What HTTP/2 counts for each header beyond name and value (RFC 9113, section 6.5.2).
const HEADER_OVERHEAD: usize = 32;

/// Whether these headers of a response are too large to forward. HTTP/1.1 clients get no larger ones either: hyper's own
/// limit for the head of an HTTP/1.1 response depends on how the head arrives.
pub(crate) fn is_too_large(headers: &HeaderMap) -> bool {
    let sizes =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER_OVERHEAD);
    sizes.sum::<usize>() > MAX_SIZE
}
