//! Checks that a request names its target unambiguously.

use hyper::header::HOST;
use hyper::http::uri::{Authority, Uri};
use hyper::{Method, Request, Version};

/// Whether `Host` and request target are unambiguous (RFC 9112, section 3.2). The upstream could interpret an ambiguous
/// request differently from the proxy.
pub(crate) fn has_unambiguous_target<B>(request: &Request<B>) -> bool {
    has_unambiguous_host(request) && is_valid_target(request.method(), request.uri())
}

fn has_unambiguous_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => false,
        (Some(host), None) => {
            let host = host.as_bytes();
            host.is_empty() || (Authority::try_from(host).is_ok() && !host.contains(&b'@'))
        }
        (None, _) => request.version() != Version::HTTP_11 || request.uri().authority().is_some(),
    }
}

fn is_valid_target(method: &Method, uri: &Uri) -> bool {
    match (uri.scheme(), uri.authority()) {
        _ if uri.path() == "*" => method == Method::OPTIONS,
        (Some(_), _) => true,
        (None, Some(_)) => false, // the form for CONNECT
        (None, None) => uri.path().starts_with('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_needs_one_host_and_a_path_or_uri() {
        for (method, target, version, hosts, unambiguous) in [
            ("GET", "/", Version::HTTP_11, &["here"][..], true),
            ("GET", "/", Version::HTTP_11, &["here:80"], true),
            ("GET", "/", Version::HTTP_11, &["[::1]:80"], true),
            ("GET", "/", Version::HTTP_11, &[""], true),
            ("GET", "http://here/", Version::HTTP_11, &["there"], true),
            ("GET", "http://here/", Version::HTTP_11, &[], true),
            ("OPTIONS", "*", Version::HTTP_11, &["here"], true),
            ("GET", "/", Version::HTTP_10, &[], true),
            ("GET", "http://here/", Version::HTTP_2, &[], true),
            ("GET", "/", Version::HTTP_11, &[], false),
            ("GET", "/", Version::HTTP_11, &["here", "here"], false),
            ("GET", "/", Version::HTTP_11, &["a b/c@x"], false),
            ("GET", "/", Version::HTTP_11, &["user@here"], false),
            ("GET", "here:80", Version::HTTP_11, &["here"], false),
            ("GET", "*", Version::HTTP_11, &["here"], false),
        ] {
            let mut request = Request::builder().method(method).uri(target).version(version);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            let request = request.body(()).expect("a request");
            assert_eq!(has_unambiguous_target(&request), unambiguous, "{request:?}");
        }
    }
}
