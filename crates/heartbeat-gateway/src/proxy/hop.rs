//! Headers that concern one connection, and not the one behind it (RFC 9110, 7.6.1).

use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRANSFER_ENCODING, UPGRADE,
};

/// Those that need not be named by `Connection`. `Trailer` is none of them: it tells of the message.
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Removes what must not be passed on, and what `Connection` names besides. `Host` it cannot name.
pub(super) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = members(headers, &CONNECTION)
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    for name in named.iter().filter(|&name| name != HOST).chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// [Strips](strip) the headers of a request. That trailers are welcome is true of the proxy too, and is
/// said again: `http1` tells whether in the way of HTTP/1.1.
pub(super) fn strip_request(headers: &mut HeaderMap, http1: bool) {
    let trailers = members(headers, &TE).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
    strip(headers);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if http1 {
            headers.insert(CONNECTION, HeaderValue::from_static("te"));
        }
    }
}

/// The members of a list, which may stand in several lines.
pub(super) fn members<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).into_iter();
    lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = &'static [(&'static str, &'static str)];

    fn headers(lines: Lines) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn what_concerns_the_connection_is_not_passed_on() {
        let table: &[(&str, Lines, Lines)] = &[
            ("nothing", &[("accept", "*/*")], &[("accept", "*/*")]),
            (
                "all that are known",
                &[
                    ("connection", "keep-alive"),
                    ("keep-alive", "timeout=5"),
                    ("proxy-connection", "keep-alive"),
                    ("proxy-authenticate", "Basic"),
                    ("proxy-authorization", "Basic eDp5"),
                    ("te", "gzip"),
                    ("transfer-encoding", "chunked"),
                    ("upgrade", "websocket"),
                    ("trailer", "digest"),
                ],
                &[("trailer", "digest")],
            ),
            (
                "those that are named, in any case, on any line",
                &[
                    ("connection", "X-One,\tx-two ,"),
                    ("connection", "close, X-THREE"),
                    ("x-one", "1"),
                    ("x-two", "2"),
                    ("x-two", "and again"),
                    ("x-three", "3"),
                    ("x-four", "4"),
                ],
                &[("x-four", "4")],
            ),
            (
                "the host, which is for the server",
                &[("connection", "host, x-one"), ("host", "here"), ("x-one", "1")],
                &[("host", "here")],
            ),
            (
                "what is named and is no name",
                &[("connection", "x y, \"z\", x-one"), ("x-one", "1"), ("x", "kept")],
                &[("x", "kept")],
            ),
        ];
        for (what, before, after) in table {
            let mut passed = headers(before);
            strip(&mut passed);
            assert_eq!(passed, headers(after), "{what}");
        }
    }

    #[test]
    fn trailers_are_as_welcome_as_they_were() {
        for (before, http1, after) in [
            ("trailers", false, &[("te", "trailers")][..]),
            ("trailers", true, &[("te", "trailers"), ("connection", "te")]),
            ("gzip;q=0.5, Trailers", false, &[("te", "trailers")]),
            ("gzip", true, &[]),
        ] {
            let mut passed = HeaderMap::new();
            passed.insert(TE, HeaderValue::from_static(before));
            passed.insert(CONNECTION, HeaderValue::from_static("TE"));
            strip_request(&mut passed, http1);
            assert_eq!(passed, headers(after), "{before}");
        }
    }
}
