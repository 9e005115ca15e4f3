//! Responses that promise exact bytes: they pass through unchanged, or lose the promise.

mod support;

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_http::{HeartbeatLayer, HeartbeatPolicy, ResponseBody};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap,
};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body::Body;
use http_body_util::{Empty, Full};
use support::FrameSource;
use tower::{Layer, ServiceExt, service_fn};

fn policy() -> HeartbeatPolicy {
    HeartbeatPolicy::new(Duration::from_secs(10))
}

/// A response through a layer.
fn through<B: Body<Data = Bytes>>(
    policy: HeartbeatPolicy,
    method: Method,
    response: Response<B>,
) -> Response<ResponseBody<B, VirtualTime>> {
    let layer = HeartbeatLayer::with_scheduler(VirtualTime::new(), policy);
    let mut response = Some(response);
    let service = layer.layer(service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(response.take().expect("one request")))
    }));
    let request = Request::builder().method(method).body(()).expect("a request");
    let Ok(response) = VirtualTime::new().block_on(service.oneshot(request));
    response
}

/// A response with server-sent events and these headers.
fn events<B>(headers: &[(HeaderName, &[u8])], body: B) -> Response<B> {
    let mut response = Response::new(body);
    let event_stream = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, event_stream);
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value).expect("a value");
        response.headers_mut().append(name, value);
    }
    response
}

/// The headers of a kept-alive response; `None` if it passes through unchanged.
fn kept_alive(headers: &[(HeaderName, &[u8])]) -> Option<HeaderMap> {
    let response = events(headers, FrameSource::new());
    let before = response.headers().clone();
    let response = through(policy(), Method::GET, response);
    let changed = response.body().is_kept_alive();
    assert_eq!(changed, *response.headers() != before);
    changed.then(|| response.headers().clone())
}

fn named(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

#[test]
fn a_digest_that_is_announced_for_the_trailers_passes() {
    let trailer = |value: &'static [u8]| kept_alive(&[(named("trailer"), value)]);
    for value in [
        &b"content-digest"[..],
        b"Repr-Digest",
        b"Digest",
        b"Content-MD5",
        b"server-timing , Content-Digest",
        b"signature-input, signature",
    ] {
        assert_eq!(trailer(value), None, "{}", value.escape_ascii());
    }
    assert!(trailer(b"server-timing, grpc-status").is_some());
    let lines = [(named("trailer"), &b"server-timing"[..]), (named("trailer"), b"digest")];
    assert_eq!(kept_alive(&lines), None);
}

#[test]
fn a_signature_over_what_would_change_passes() {
    let signature = |value: &'static [u8]| kept_alive(&[(named("signature-input"), value)]);
    for value in [
        &b"sig1=(\"@status\" \"content-digest\");created=1618884473;keyid=\"key\""[..],
        b"a=(\"date\"), b=(\"content-digest\";req \"etag\")",
        b"sig1=(\"cache-control\")",
        b"sig1=(\"x-accel-buffering\")",
        b"sig1=(\"accept-ranges\")",
        b"sig1=(\"etag\")",
    ] {
        assert_eq!(signature(value), None, "{}", value.escape_ascii());
    }
    assert!(signature(b"sig1=(\"@status\" \"content-type\");keyid=\"key\"").is_some());
}

#[test]
fn a_strong_etag_becomes_weak() {
    for (before, after) in [
        (&b"\"abc\""[..], Some(&b"W/\"abc\""[..])),
        (b"W/\"abc\"", Some(b"W/\"abc\"")),
        (b"\"\xe9\"", Some(b"W/\"\xe9\"")),
        (b"abc", None), // not an entity tag
    ] {
        let headers = kept_alive(&[(ETAG, before)]).expect("kept alive");
        assert_eq!(headers.get(ETAG).map(HeaderValue::as_bytes), after);
    }
}

#[test]
fn ranges_are_no_longer_offered() {
    for (before, left) in [("bytes", false), ("Bytes, lines", false), ("none", true)] {
        let headers = kept_alive(&[(ACCEPT_RANGES, before.as_bytes())]).expect("kept alive");
        assert_eq!(headers.contains_key(ACCEPT_RANGES), left, "{before}");
    }
}

#[test]
fn the_promise_is_removed_without_proxy_headers_too() {
    let response = events(&[(ETAG, b"\"abc\""), (ACCEPT_RANGES, b"bytes")], FrameSource::new());
    let response = through(policy().with_proxy_headers(false), Method::GET, response);
    assert_eq!(response.headers()[ETAG], "W/\"abc\"");
    assert!(!response.headers().contains_key(ACCEPT_RANGES));
    assert_eq!(response.headers().len(), 2);
}

#[test]
fn an_encoding_is_a_list() {
    for identity in [&b""[..], b" ", b"identity, identity", b"identity,,none", b" Identity ,"] {
        assert!(kept_alive(&[(CONTENT_ENCODING, identity)]).is_some(), "{identity:?}");
    }
    for encoded in [&b"gzip"[..], b"identity, br", b"gzip, identity", b"\xe9"] {
        assert!(kept_alive(&[(CONTENT_ENCODING, encoded)]).is_none(), "{encoded:?}");
    }
}

#[test]
fn bytes_above_0x7f_are_no_obstacle() {
    let mut response =
        events(&[(CACHE_CONTROL, b"note=\"\xc3\xa9\", no-transform")], FrameSource::new());
    let content_type = HeaderValue::from_bytes(b"text/event-stream; note=\"\xc3\xa9\"");
    response.headers_mut().insert(CONTENT_TYPE, content_type.expect("a value"));
    let response = through(policy(), Method::GET, response);
    assert!(response.body().is_kept_alive());
    assert_eq!(response.headers()[CACHE_CONTROL].as_bytes(), b"note=\"\xc3\xa9\", no-transform");
}

#[test]
fn a_comma_in_quotes_separates_nothing() {
    let headers = kept_alive(&[(CACHE_CONTROL, b"private=\"a, no-transform, b\"")]);
    assert_eq!(
        headers.expect("kept alive")[CACHE_CONTROL],
        "private=\"a, no-transform, b\", no-transform"
    );
}

#[test]
fn head_has_the_headers_of_get() {
    let headers: &[(HeaderName, &[u8])] =
        &[(CACHE_CONTROL, b"no-cache"), (ETAG, b"\"abc\""), (ACCEPT_RANGES, b"bytes")];
    let get = through(policy(), Method::GET, events(headers, FrameSource::new()));
    assert_eq!(get.headers()[CACHE_CONTROL], "no-cache, no-transform");
    let with_body = through(policy(), Method::HEAD, events(headers, FrameSource::new()));
    assert_eq!(with_body.headers(), get.headers());
    assert!(!with_body.body().is_kept_alive());
    let without_body = through(policy(), Method::HEAD, events(headers, Empty::new()));
    assert_eq!(without_body.headers(), get.headers());
}

#[test]
fn head_passes_where_get_passes() {
    let unchanged = |response: Response<Full<Bytes>>, policy| {
        let before = response.headers().clone();
        before == *through(policy, Method::HEAD, response).headers()
    };
    let empty = Full::default;
    assert!(unchanged(events(&[(CONTENT_LENGTH, b"9")], empty()), policy()));
    assert!(unchanged(events(&[(CONTENT_ENCODING, b"gzip")], empty()), policy()));
    assert!(unchanged(events(&[], Full::from("data: 1\n\n")), policy()));
    assert!(unchanged(events(&[], empty()), HeartbeatPolicy::new(Duration::ZERO)));
    assert!(!unchanged(events(&[], empty()), policy()));
}
