//! The URL of the upstream.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};

/// The URL of the server behind a [`Proxy`](crate::Proxy): `http` or `https`, a host, and an optional path, which is put
/// before the path of each request.
///
/// # Example
///
/// ```
/// use heartbeat_proxy::Upstream;
///
/// assert!("https://example.org/app".parse::<Upstream>().is_ok());
/// assert!("127.0.0.1:3000".parse::<Upstream>().is_err(), "no scheme");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    scheme: Scheme,
    authority: Authority,
    /// The path of the URL, without a slash at its end.
    prefix: String,
}

impl Upstream {
    /// Whether the scheme is `https`.
    pub(crate) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The `Host` header that names the upstream.
    pub(crate) fn host(&self) -> HeaderValue {
        host(&self.authority)
    }

    /// The URI on the upstream for a request to `uri`. `None` if it exceeds the maximum length of a URI.
    pub(crate) fn target(&self, uri: &Uri) -> Option<Uri> {
        let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let path = match path {
            "*" => path.parse(), // OPTIONS of the server, not of a path
            _ => format!("{}{path}", self.prefix).parse(),
        };
        let target = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query::<PathAndQuery>(path.ok()?);
        target.build().ok()
    }
}

/// The `Host` header for `authority`, without user information.
pub(crate) fn host(authority: &Authority) -> HeaderValue {
    let (_, host) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    HeaderValue::from_str(host).expect("an authority is ASCII without control characters")
}

impl FromStr for Upstream {
    type Err = InvalidUpstream;

    fn from_str(text: &str) -> Result<Self, InvalidUpstream> {
        let invalid = |reason: String| {
            InvalidUpstream(format!("{reason}: expected a URL like http://127.0.0.1:3000/path"))
        };
        let uri: Uri = text.parse().map_err(|error| invalid(format!("{error}")))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(invalid("no scheme or no host".to_owned()));
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(invalid(format!("unsupported scheme {scheme}")));
        }
        if authority.host().is_empty() {
            return Err(invalid("no host".to_owned()));
        }
        if authority.as_str().contains('@') {
            return Err(InvalidUpstream("user information is not supported".to_owned()));
        }
        if text.contains(['?', '#']) {
            return Err(InvalidUpstream("query and fragment are not supported".to_owned()));
        }
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
        Ok(Self { scheme, authority, prefix: path.trim_end_matches('/').to_owned() })
    }
}

/// A text is not the URL of an upstream. The text of the error has the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidUpstream(String);

impl fmt::Display for InvalidUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for InvalidUpstream {}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_put_before_the_path() {
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
    fn asterisk_form_has_no_prefix() {
        let upstream: Upstream = "http://up/app".parse().expect("a URL");
        let target = upstream.target(&Uri::from_static("*")).expect("short");
        assert_eq!(target.path_and_query().map(PathAndQuery::as_str), Some("*"));
    }

    #[test]
    fn a_target_that_is_too_long_is_rejected() {
        let upstream: Upstream =
            format!("http://up/{}", "x".repeat(40_000)).parse().expect("a URL");
        let uri = format!("/{}", "y".repeat(40_000)).parse().expect("a URI");
        assert_eq!(upstream.target(&uri), None);
    }

    #[test]
    fn an_invalid_upstream_is_rejected_with_a_reason() {
        for (text, reason) in [
            ("", "empty string"),
            ("127.0.0.1:3000", "expected a URL like"),
            ("localhost", "no scheme"),
            ("/path", "no scheme"),
            ("http:///path", "expected a URL like"),
            ("http://:80", "no host"),
            ("http://a b", "invalid uri character"),
            ("ftp://up", "unsupported scheme ftp"),
            ("http://user:word@up", "user information"),
            ("http://up/?a=b", "query and fragment"),
            ("http://up/#a", "query and fragment"),
        ] {
            let error = text.parse::<Upstream>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
