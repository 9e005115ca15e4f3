//! Where requests go.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};

/// The server behind the proxy, by its URL. The path of the URL goes before that of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    prefix: String,
}

impl Upstream {
    /// Whether it is spoken to over TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// What it is called in a `Host` header.
    pub(super) fn host(&self) -> HeaderValue {
        host(&self.authority)
    }

    /// Where the request for `uri` goes. None if that is longer than a URI may be.
    pub(super) fn target(&self, uri: &Uri) -> Option<Uri> {
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let path = match path {
            "*" => path.parse(), // the server as such
            _ => format!("{}{path}", self.prefix).parse(),
        };
        let target = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query::<PathAndQuery>(path.ok()?);
        target.build().ok()
    }
}

/// What stands in a `Host` header for `authority`.
pub(super) fn host(authority: &Authority) -> HeaderValue {
    let (_, host) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    HeaderValue::from_str(host).expect("an authority is ASCII without control characters")
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "give a URL such as http://127.0.0.1:3000 or https://example.org/app";
        let uri: Uri = text.parse().map_err(|error| format!("{error}: {example}"))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(example.to_owned());
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(format!("{scheme} is not spoken here: {example}"));
        }
        if authority.host().is_empty() {
            return Err(format!("there is no host in it: {example}"));
        }
        if authority.as_str().contains('@') {
            return Err("a user's name cannot be sent along: leave it out".to_owned());
        }
        if text.contains(['?', '#']) {
            return Err("query and fragment come with each request: leave them out".to_owned());
        }
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
        Ok(Self { scheme, authority, prefix: path.trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_goes_before_the_path() {
        for (upstream, path, target) in [
            ("http://up:3000", "/", "http://up:3000/"),
            ("http://up:3000/", "/a?b=c&d", "http://up:3000/a?b=c&d"),
            ("https://up/app", "/a?b", "https://up/app/a?b"),
            ("https://up/app//", "/a//b/", "https://up/app/a//b/"),
            ("http://up/app", "http://elsewhere/a%2Fb?c", "http://up/app/a%2Fb?c"),
            ("http://up/app", "http://elsewhere", "http://up/app/"),
            ("http://[::1]:3000", "/", "http://[::1]:3000/"),
        ] {
            let upstream: Upstream = upstream.parse().expect("a URL");
            let uri = path.parse().expect("a URI");
            assert_eq!(upstream.target(&uri).expect("short").to_string(), target);
        }
    }

    #[test]
    fn the_server_as_such_has_no_prefix() {
        let upstream: Upstream = "http://up/app".parse().expect("a URL");
        let target = upstream.target(&Uri::from_static("*")).expect("short");
        assert_eq!(target.path_and_query().map(PathAndQuery::as_str), Some("*"));
    }

    #[test]
    fn what_is_too_long_is_no_target() {
        let upstream: Upstream =
            format!("http://up/{}", "x".repeat(40_000)).parse().expect("a URL");
        let uri = format!("/{}", "y".repeat(40_000)).parse().expect("a URI");
        assert_eq!(upstream.target(&uri), None);
    }

    #[test]
    fn what_is_no_upstream_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "give a URL such as"),
            ("127.0.0.1:3000", "give a URL such as"),
            ("localhost", "give a URL such as"),
            ("/path", "give a URL such as"),
            ("http:///path", "give a URL such as"),
            ("http://:80", "no host"),
            ("http://a b", "invalid uri character"),
            ("ftp://up", "ftp is not spoken here"),
            ("http://user:word@up", "user's name"),
            ("http://up/?a=b", "query and fragment"),
            ("http://up/#a", "query and fragment"),
        ] {
            let refused = text.parse::<Upstream>().expect_err(text);
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
