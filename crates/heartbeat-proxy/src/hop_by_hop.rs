//! Hop-by-hop headers, which a proxy does not forward (RFC 9110, section 7.6.1).

use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRANSFER_ENCODING, UPGRADE,
};

/// Headers that are hop-by-hop even if `Connection` does not name them. `Trailer` describes the message, and is
/// forwarded.
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

/// Removes the hop-by-hop headers and those that `Connection` names. `Host` stays, even if it is named.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = list_members(headers, &CONNECTION)
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    for name in named.iter().filter(|&name| name != HOST).chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// [Strips](strip) the headers of a request, and keeps `TE: trailers`, since the proxy forwards trailers. `http1`: the
/// upstream connection uses HTTP/1.1, where `Connection` must name `TE`.
pub(crate) fn strip_request(headers: &mut HeaderMap, http1: bool) {
    let trailers =
        list_members(headers, &TE).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
    strip(headers);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if http1 {
            headers.insert(CONNECTION, HeaderValue::from_static("te"));
        }
    }
}

/// Iterates over the members of a list header, which may have several lines.
pub(crate) fn list_members<'a>(
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
    fn hop_by_hop_headers_are_removed() {
        let table: &[(&str, Lines, Lines)] = &[
            ("other headers", &[("accept", "*/*")], &[("accept", "*/*")]),
            (
                "the known hop-by-hop headers",
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
                "headers that Connection names, in any case, on any line",
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
                "Host, which stays",
                &[("connection", "host, x-one"), ("host", "here"), ("x-one", "1")],
                &[("host", "here")],
            ),
            (
                "invalid header names",
                &[("connection", "x y, \"z\", x-one"), ("x-one", "1"), ("x", "kept")],
                &[("x", "kept")],
            ),
        ];
        for (case, before, after) in table {
            let mut stripped = headers(before);
            strip(&mut stripped);
            assert_eq!(stripped, headers(after), "{case}");
        }
    }

    #[test]
    fn te_trailers_is_kept() {
        for (before, http1, after) in [
            ("trailers", false, &[("te", "trailers")][..]),
            ("trailers", true, &[("te", "trailers"), ("connection", "te")]),
            ("gzip;q=0.5, Trailers", false, &[("te", "trailers")]),
            ("gzip", true, &[]),
        ] {
            let mut stripped = HeaderMap::new();
            stripped.insert(TE, HeaderValue::from_static(before));
            stripped.insert(CONNECTION, HeaderValue::from_static("TE"));
            strip_request(&mut stripped, http1);
            assert_eq!(stripped, headers(after), "{before}");
        }
    }
}
