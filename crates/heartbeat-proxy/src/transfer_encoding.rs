//! `Transfer-Encoding` and `Content-Length` (RFC 9112, section 6).

use hyper::body::Body;
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, Response, StatusCode};

use crate::hop_by_hop;

/// Whether the body has a transfer coding other than `chunked`. Such a coding is hop-by-hop, and the proxy decodes none.
pub(crate) fn is_unsupported(headers: &HeaderMap) -> bool {
    let mut codings =
        hop_by_hop::list_members(headers, &TRANSFER_ENCODING).filter(|coding| !coding.is_empty());
    match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(only), None) => !only.eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => true,
    }
}

/// Sets the framing headers of an HTTP/1.1 request where hyper does not: for some methods hyper drops a body of unknown
/// length, and for an empty body it sends no `Content-Length`, which some servers reject with status 411.
pub(crate) fn set_body_length(headers: &mut HeaderMap, method: &Method, body: &impl Body) {
    let may_have_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    if !body.is_end_stream() && body.size_hint().exact().is_none() {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    } else if body.is_end_stream() && may_have_body {
        headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
    }
}

/// Removes `Content-Length` from a response where it conflicts with `Transfer-Encoding` or with status 204.
pub(crate) fn drop_conflicting_length<B>(response: &mut Response<B>) {
    let has_coding = response.headers().contains_key(TRANSFER_ENCODING);
    if has_coding || response.status() == StatusCode::NO_CONTENT {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
}

/// Replaces several equal values of `Content-Length` by a single one. Returns `false` if they differ, or if one is not a
/// number.
pub(crate) fn unify_length(headers: &mut HeaderMap) -> bool {
    let mut lengths = hop_by_hop::list_members(headers, &CONTENT_LENGTH).map(parse_length);
    let Some(first) = lengths.next() else { return true };
    let Some(length) = first.filter(|_| lengths.all(|length| length == first)) else {
        return false;
    };
    drop(lengths);
    headers.insert(CONTENT_LENGTH, length.into());
    true
}

fn parse_length(value: &[u8]) -> Option<u64> {
    let value = std::str::from_utf8(value).ok()?;
    value.parse().ok().filter(|_| !value.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chunked_is_supported() {
        for (lines, unsupported) in [
            (&[][..], false),
            (&["chunked"], false),
            (&["Chunked ,"], false),
            (&["gzip, chunked"], true),
            (&["gzip", "chunked"], true),
            (&["chunked, chunked"], true),
            (&["identity"], true),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(TRANSFER_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(is_unsupported(&headers), unsupported, "{lines:?}");
        }
    }
}
