//! What a request tells the upstream of the way that it came.

use hyper::Version;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, VIA};

use crate::front::Peer;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST_BEFORE: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Drops what a client says of the way that it came itself. Some servers take an underscore for a hyphen.
pub(super) fn forget(headers: &mut HeaderMap) {
    let said: Vec<HeaderName> =
        headers.keys().filter(|name| tells_of_the_way(name)).cloned().collect();
    for name in said {
        headers.remove(name);
    }
}

fn tells_of_the_way(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    name.starts_with("x-forwarded-") || ["forwarded", "x-real-ip"].contains(&name.as_str())
}

/// Tells who asks, by which scheme, and for which host.
///
/// Who asks is appended to those before. Scheme and host are those of the first proxy that told them:
/// servers read one value, and want the one that the user sees.
pub(super) fn tell(headers: &mut HeaderMap, version: Version, peer: Peer) {
    let address = peer.address.ip().to_canonical().to_string();
    let mut chain: Vec<&[u8]> = headers.get_all(FOR).iter().map(HeaderValue::as_bytes).collect();
    chain.push(address.as_bytes());
    if let Ok(chain) = HeaderValue::from_bytes(&chain.join(&b", "[..])) {
        headers.insert(FOR, chain); // in one line: not everybody reads a second one
    }
    let scheme = if peer.tls { "https" } else { "http" };
    headers.entry(PROTO).or_insert(HeaderValue::from_static(scheme));
    if let Some(host) = headers.get(HOST).cloned() {
        headers.entry(HOST_BEFORE).or_insert(host);
    }
    headers.append(VIA, HeaderValue::from_static(via(version)));
}

/// The proxy's own entry (RFC 9110, 7.6.3), by the version in which it was asked.
fn via(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0 heartbeat-gateway",
        Version::HTTP_2 => "2 heartbeat-gateway",
        _ => "1.1 heartbeat-gateway",
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::FORWARDED;

    use super::*;

    fn told(lines: &[(HeaderName, &'static str)], address: &str, tls: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        let address = address.parse().expect("an address");
        tell(&mut headers, Version::HTTP_11, Peer { address, tls });
        headers
    }

    #[test]
    fn the_first_proxy_tells_all() {
        let headers = told(&[(HOST, "example.org:8080")], "192.0.2.1:4711", true);
        assert_eq!(headers[FOR], "192.0.2.1");
        assert_eq!(headers[PROTO], "https");
        assert_eq!(headers[HOST_BEFORE], "example.org:8080");
        assert_eq!(headers[VIA], "1.1 heartbeat-gateway");
    }

    #[test]
    fn a_further_one_appends_the_address_and_leaves_scheme_and_host() {
        let before = [
            (HOST, "inner"),
            (FOR, "203.0.113.7, 198.51.100.2"),
            (FOR, "198.51.100.3"),
            (PROTO, "https"),
            (HOST_BEFORE, "example.org"),
            (VIA, "2 edge"),
        ];
        let headers = told(&before, "[::ffff:192.0.2.1]:4711", false);
        let chain = "203.0.113.7, 198.51.100.2, 198.51.100.3, 192.0.2.1";
        assert_eq!(headers.get_all(FOR).iter().collect::<Vec<_>>(), [chain]);
        assert_eq!(headers[PROTO], "https");
        assert_eq!(headers[HOST_BEFORE], "example.org");
        let via: Vec<_> = headers.get_all(VIA).iter().collect();
        assert_eq!(via, ["2 edge", "1.1 heartbeat-gateway"]);
    }

    #[test]
    fn ipv6_stands_without_brackets_and_no_host_is_made_up() {
        let headers = told(&[], "[2001:db8::1]:4711", false);
        assert_eq!(headers[FOR], "2001:db8::1");
        assert_eq!(headers[PROTO], "http");
        assert!(!headers.contains_key(HOST_BEFORE));
    }

    #[test]
    fn what_a_client_says_of_its_way_can_be_dropped() {
        let mut headers = HeaderMap::new();
        let by_another_name = HeaderName::from_static;
        for name in [
            FOR,
            PROTO,
            HOST_BEFORE,
            FORWARDED,
            VIA,
            by_another_name("x_forwarded_for"),
            by_another_name("x-forwarded-port"),
            by_another_name("x-real-ip"),
        ] {
            headers.append(&name, HeaderValue::from_static("spoofed"));
            headers.append(name, HeaderValue::from_static("twice"));
        }
        forget(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), [VIA]);
    }
}
