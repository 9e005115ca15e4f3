//! The headers that describe the path of a request: `X-Forwarded-…` and `Via`.

use hyper::Version;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, VIA};

use crate::http_server::Peer;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Removes the headers with which a client could pretend to be another client. Some servers treat an underscore as a
/// hyphen.
pub(crate) fn strip_forwarded(headers: &mut HeaderMap) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| is_forwarded_header(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

fn is_forwarded_header(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    name.starts_with("x-forwarded-") || ["forwarded", "x-real-ip"].contains(&name.as_str())
}

/// Adds the client's address, scheme and host, and the proxy's entry in `Via`.
///
/// The address is appended to a list. Scheme and host are set only if no earlier proxy did: servers read one value, and
/// need the one that the user sees.
pub(crate) fn append_forwarded(
    headers: &mut HeaderMap,
    version: Version,
    peer: Peer,
    proxy_name: &str,
) {
    let address = peer.address.ip().to_canonical().to_string();
    let mut chain: Vec<&[u8]> = headers.get_all(FOR).iter().map(HeaderValue::as_bytes).collect();
    chain.push(address.as_bytes());
    if let Ok(chain) = HeaderValue::from_bytes(&chain.join(&b", "[..])) {
        headers.insert(FOR, chain); // one line: some servers read only the first
    }
    let scheme = if peer.tls { "https" } else { "http" };
    headers.entry(PROTO).or_insert(HeaderValue::from_static(scheme));
    if let Some(host) = headers.get(HOST).cloned() {
        headers.entry(ORIGINAL_HOST).or_insert(host);
    }
    if let Ok(via) = HeaderValue::from_str(&format!("{} {proxy_name}", via_version(version))) {
        headers.append(VIA, via);
    }
}

/// The version of the received request in `Via` (RFC 9110, section 7.6.3).
fn via_version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::FORWARDED;

    use super::*;

    fn forwarded(lines: &[(HeaderName, &'static str)], address: &str, tls: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        let address = address.parse().expect("an address");
        append_forwarded(&mut headers, Version::HTTP_11, Peer { address, tls }, "inner-proxy");
        headers
    }

    #[test]
    fn the_first_proxy_sets_all_headers() {
        let headers = forwarded(&[(HOST, "example.org:8080")], "192.0.2.1:4711", true);
        assert_eq!(headers[FOR], "192.0.2.1");
        assert_eq!(headers[PROTO], "https");
        assert_eq!(headers[ORIGINAL_HOST], "example.org:8080");
        assert_eq!(headers[VIA], "1.1 inner-proxy");
    }

    #[test]
    fn a_later_proxy_appends_the_address_and_keeps_scheme_and_host() {
        let before = [
            (HOST, "inner"),
            (FOR, "203.0.113.7, 198.51.100.2"),
            (FOR, "198.51.100.3"),
            (PROTO, "https"),
            (ORIGINAL_HOST, "example.org"),
            (VIA, "2 edge"),
        ];
        let headers = forwarded(&before, "[::ffff:192.0.2.1]:4711", false);
        let chain = "203.0.113.7, 198.51.100.2, 198.51.100.3, 192.0.2.1";
        assert_eq!(headers.get_all(FOR).iter().collect::<Vec<_>>(), [chain]);
        assert_eq!(headers[PROTO], "https");
        assert_eq!(headers[ORIGINAL_HOST], "example.org");
        let via: Vec<_> = headers.get_all(VIA).iter().collect();
        assert_eq!(via, ["2 edge", "1.1 inner-proxy"]);
    }

    #[test]
    fn ipv6_has_no_brackets_and_a_missing_host_stays_missing() {
        let headers = forwarded(&[], "[2001:db8::1]:4711", false);
        assert_eq!(headers[FOR], "2001:db8::1");
        assert_eq!(headers[PROTO], "http");
        assert!(!headers.contains_key(ORIGINAL_HOST));
    }

    #[test]
    fn forwarded_headers_of_a_client_can_be_removed() {
        let mut headers = HeaderMap::new();
        let name = HeaderName::from_static;
        for header in [
            FOR,
            PROTO,
            ORIGINAL_HOST,
            FORWARDED,
            VIA,
            name("x_forwarded_for"),
            name("x-forwarded-port"),
            name("x-real-ip"),
        ] {
            headers.append(&header, HeaderValue::from_static("spoofed"));
            headers.append(header, HeaderValue::from_static("twice"));
        }
        strip_forwarded(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), [VIA]);
    }
}
