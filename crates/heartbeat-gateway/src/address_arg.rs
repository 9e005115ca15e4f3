//! The parser for the addresses to listen on.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};

/// Parses an address like `127.0.0.1:8080` or `localhost:8080`. A port alone, as `8080` or `:8080`, is a port of
/// 127.0.0.1.
///
/// A name with IPv4 and IPv6 addresses stands for its first IPv4 address.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: u16 = port.parse().map_err(|_| expected())?;
    if host.is_empty() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    if !is_name(host) {
        return Err(expected());
    }
    let resolved = (host, port).to_socket_addrs();
    let addresses: Vec<_> =
        resolved.map_err(|error| format!("cannot resolve {host}: {error}"))?.collect();
    let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    first.copied().ok_or_else(|| format!("{host} has no address"))
}

fn expected() -> String {
    "expected an address like 127.0.0.1:8080, localhost:8080 or 8080".to_owned()
}

/// Whether this may be the name of a host. A last part of digits is that of an IPv4 address, which is invalid then.
fn is_name(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    host.chars().all(|char| char.is_alphanumeric() || "-._".contains(char))
        && !last.chars().all(|char| char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_is_an_address() {
        for (text, address) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::1]:8080", "[::1]:8080"),
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
            ("localhost:8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(parse_address(text), Ok(address.parse().expect("an address")), "{text}");
        }
    }

    #[test]
    fn anything_else_is_rejected_without_a_lookup() {
        for text in [
            "",
            ":",
            "nowhere",
            "localhost",
            "localhost:",
            "localhost:http",
            "65536",
            ":65536",
            "-1",
            "256.0.0.1:1",
            "1.2.3:1",
            "::1:8080",
            "[::1]",
            "http://localhost:1",
            "*:8080",
            "a b:1",
        ] {
            assert_eq!(parse_address(text), Err(expected()), "{text}");
        }
    }
}
