//! Headers that promise exact bytes. A heartbeat changes the bytes.

use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, ETAG, TRAILER};
use http::{HeaderMap, HeaderValue};

use crate::PassthroughReason;
use crate::headers::list_members;

const SIGNATURE_INPUT: &str = "signature-input";

/// Digests of the body, in the headers or in the trailers.
const DIGESTS: [&str; 4] = ["content-digest", "repr-digest", "digest", "content-md5"];

/// Headers that the layer changes.
const CHANGED: [&str; 4] = ["cache-control", "x-accel-buffering", "etag", "accept-ranges"];

/// Whether a client can check the bytes, so that the response must pass through unchanged.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), PassthroughReason> {
    if headers.contains_key(CONTENT_LENGTH) {
        return Err(PassthroughReason::Length);
    }
    if headers.contains_key("grpc-status") {
        return Err(PassthroughReason::RpcStatus); // no message follows
    }
    let has_digest = DIGESTS.iter().any(|digest| headers.contains_key(*digest));
    if has_digest || list_members(headers, &TRAILER).any(is_digest_or_signature) {
        return Err(PassthroughReason::Digest);
    }
    if headers.get_all(SIGNATURE_INPUT).iter().any(covers_changes) {
        return Err(PassthroughReason::Signature);
    }
    Ok(())
}

/// Whether a trailer has this name. A signature in the trailers covers a digest in the trailers.
fn is_digest_or_signature(trailer: &[u8]) -> bool {
    let mut names = DIGESTS.into_iter().chain([SIGNATURE_INPUT]);
    names.any(|name| trailer.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether a signature covers a digest, or a header that the layer changes. Its input names what it covers, in lower
/// case and in quotes (RFC 9421, section 2). Other strings that are equal to a name are taken for it.
fn covers_changes(signature_input: &HeaderValue) -> bool {
    let mut strings = signature_input.as_bytes().split(|byte| *byte == b'"').skip(1).step_by(2);
    let names = || DIGESTS.into_iter().chain(CHANGED);
    strings.any(|string| names().any(|name| name.as_bytes() == string))
}

/// Removes or weakens promises that do not need the bytes: offers to send ranges of them, and strong entity tags, with which a client
/// may join ranges. Layers that compress do the same.
pub(crate) fn drop_byte_promises(headers: &mut HeaderMap) {
    if list_members(headers, &ACCEPT_RANGES).any(|unit| !unit.eq_ignore_ascii_case(b"none")) {
        headers.remove(ACCEPT_RANGES);
    }
    let Some(etag) = headers.get(ETAG).filter(|etag| !etag.as_bytes().starts_with(b"W/")) else {
        return;
    };
    let is_strong = etag.as_bytes().starts_with(b"\"");
    match HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat()) {
        Ok(weak) if is_strong => headers.insert(ETAG, weak),
        _ => headers.remove(ETAG), // not an entity tag
    };
}
