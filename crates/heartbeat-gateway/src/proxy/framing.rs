//! What a message says of the way in which its body comes (RFC 9112, 6).

use hyper::body::Body;
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, Response, StatusCode};

use super::hop;

/// Whether a body comes in another coding than in chunks. That is for one connection alone, and nobody here
/// undoes it.
pub(super) fn is_coded(headers: &HeaderMap) -> bool {
    let mut codings = hop::members(headers, &TRANSFER_ENCODING).filter(|coding| !coding.is_empty());
    match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(only), None) => !only.eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => true,
    }
}

/// Tells a server in HTTP/1.1 how the body of a request comes, where hyper would not: it sends none of unknown
/// length with some methods, and with none leaves open whether there is one, which some servers refuse (411).
pub(super) fn tell(headers: &mut HeaderMap, method: &Method, body: &impl Body) {
    let may_have_one = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    if !body.is_end_stream() && body.size_hint().exact().is_none() {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    } else if body.is_end_stream() && may_have_one {
        headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
    }
}

/// Removes the length of a response where it does not count: beside a coding, or of nothing.
pub(super) fn drop_false_length<B>(response: &mut Response<B>) {
    let is_coded = response.headers().contains_key(TRANSFER_ENCODING);
    if is_coded || response.status() == StatusCode::NO_CONTENT {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunked_alone_is_known() {
        for (lines, coded) in [
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
            assert_eq!(is_coded(&headers), coded, "{lines:?}");
        }
    }
}
