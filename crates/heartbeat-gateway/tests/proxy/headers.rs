use std::time::Duration;

use axum::Router;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Uri};
use axum::routing::any;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::{empty, exchange, fetch, get, h2, text};
use crate::proxying::{Proxying, SOON};
use crate::upstream::{in_pieces, read_head, serve, serve_raw};

/// An upstream that responds with the URI and the headers of the request, one per line.
fn echo_headers() -> Router {
    let describe = async |uri: Uri, headers: HeaderMap| {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}\n", value.to_str().expect("text"))
        };
        let lines: Vec<String> = headers.iter().map(header).collect();
        format!("uri: {uri}\n{}", lines.concat())
    };
    Router::new().fallback(any(describe))
}

/// The values of a header that the upstream received.
fn received<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(header, _)| *header == name).map(|(_, value)| value).collect()
}

fn with(headers: &[(&str, &str)]) -> Request<crate::client::AnyBody> {
    let mut request = get("/path?query=1");
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a name");
        request.headers_mut().append(name, HeaderValue::from_str(value).expect("a value"));
    }
    request
}

#[tokio::test]
async fn a_request_has_forwarded_headers_and_no_hop_by_hop_headers() {
    let proxy = Proxying::start(serve(echo_headers()).await, "");
    let request = with(&[
        ("host", "front.example"),
        ("connection", "X-One, close"),
        ("x-one", "1"),
        ("x-two", "2"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("te", "gzip, trailers"),
        ("trailer", "x-checksum"),
        ("x-forwarded-for", "203.0.113.7"),
        ("cookie", "a=b"),
    ]);
    let request_text = text(fetch(&proxy, request).await).await;
    for (name, values) in [
        ("uri", &["/path?query=1"][..]),
        ("host", &["front.example"]),
        ("x-forwarded-for", &["203.0.113.7, 127.0.0.1"]),
        ("x-forwarded-host", &["front.example"]),
        ("x-forwarded-proto", &["http"]),
        ("via", &["1.1 heartbeat-gateway"]),
        ("connection", &["te"]),
        ("te", &["trailers"]),
        ("trailer", &["x-checksum"]),
        ("cookie", &["a=b"]),
        ("x-two", &["2"]),
        ("x-one", &[]),
        ("keep-alive", &[]),
        ("proxy-connection", &[]),
    ] {
        assert_eq!(received(&request_text, name), values, "{name}: {request_text}");
    }
}

#[tokio::test]
async fn the_host_of_http2_is_forwarded_to_http1_and_http2() {
    let upstream = serve(echo_headers()).await;
    let own = upstream.strip_prefix("http://").expect("its address").to_owned();
    for (arguments, uri, host) in [
        ("", "/path?query=1".to_owned(), "front.example"),
        ("--own-host", "/path?query=1".to_owned(), own.as_str()),
        ("--upstream-http2", format!("{upstream}/path?query=1"), ""),
    ] {
        let proxy = Proxying::start(&upstream, arguments);
        let response = h2(&proxy).await.send_request(with(&[])).await.expect("a response");
        let request_text = text(response).await;
        assert_eq!(received(&request_text, "uri"), [uri], "{request_text}");
        assert_eq!(received(&request_text, "host").join(""), host, "{arguments}: {request_text}");
        assert_eq!(
            received(&request_text, "x-forwarded-host"),
            ["front.example"],
            "{request_text}"
        );
        assert_eq!(received(&request_text, "via"), ["2 heartbeat-gateway"], "{request_text}");
    }
}

#[tokio::test]
async fn the_cookies_of_http2_are_joined() {
    let proxy = Proxying::start(serve(echo_headers()).await, "");
    let request = with(&[("cookie", "a=b"), ("cookie", "c=d; e=f")]);
    let request_text =
        text(h2(&proxy).await.send_request(request).await.expect("a response")).await;
    assert_eq!(received(&request_text, "cookie"), ["a=b; c=d; e=f"]);
}

#[tokio::test]
async fn a_request_has_no_accept_encoding() {
    let proxy = Proxying::start(serve(echo_headers()).await, "");
    for accept in ["text/event-stream", "application/json", "*/*"] {
        let request = with(&[("accept", accept), ("accept-encoding", "gzip, br")]);
        let request_text = text(fetch(&proxy, request).await).await;
        assert_eq!(received(&request_text, "accept-encoding"), [""; 0], "{request_text}");
    }
}

#[tokio::test]
async fn forwarded_headers_of_clients_are_kept_or_removed() {
    let upstream = serve(echo_headers()).await;
    let client_headers = [
        ("host", "front.example"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "edge.example"),
        ("forwarded", "for=203.0.113.7"),
    ];
    for (arguments, expected) in [
        ("", ["203.0.113.7, 127.0.0.1", "https", "edge.example", "for=203.0.113.7"]),
        ("--drop-forwarded", ["127.0.0.1", "http", "front.example", ""]),
    ] {
        let proxy = Proxying::start(&upstream, arguments);
        let request_text = text(fetch(&proxy, with(&client_headers)).await).await;
        for ((name, _), value) in client_headers[1..].iter().zip(expected) {
            assert_eq!(received(&request_text, name).join("|"), value, "{name}: {request_text}");
        }
    }
}

#[tokio::test]
async fn the_path_of_the_upstream_is_a_prefix() {
    let upstream = serve(echo_headers()).await;
    let proxy = Proxying::start(format_args!("{upstream}/app/"), "");
    let request_text = text(fetch(&proxy, get("/a%2Fb//c?d=e/f")).await).await;
    assert_eq!(received(&request_text, "uri"), ["/app/a%2Fb//c?d=e/f"]);
}

#[tokio::test]
async fn an_absolute_target_sets_the_host() {
    let proxy = Proxying::start(serve(echo_headers()).await, "");
    let request = "GET http://named.example/a HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n";
    let (head, body) = exchange(&proxy, request).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let body = String::from_utf8(body).expect("text");
    assert_eq!(received(&body, "host"), ["named.example"], "{body}");
    assert_eq!(received(&body, "uri"), ["/a"], "{body}");
}

#[tokio::test]
async fn an_asterisk_is_rejected_for_other_methods() {
    let proxy = Proxying::start(serve(echo_headers()).await, "");
    let path = PathAndQuery::from_static("*");
    let uri = Uri::builder().scheme("http").authority("here").path_and_query(path).build();
    let mut request = get("/");
    *request.uri_mut() = uri.expect("a URI");
    let response = h2(&proxy).await.send_request(request).await.expect("a response");
    assert_eq!(response.status(), 400, "{}", text(response).await);
}

#[tokio::test]
async fn options_with_an_asterisk_is_forwarded() {
    let upstream = serve_raw(|head, mut connection| async move {
        let line = head.lines().next().unwrap_or_default();
        let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{line}", line.len());
        connection.write_all(response.as_bytes()).await.expect("written");
    })
    .await;
    let proxy = Proxying::start(upstream, "");
    let request = "OPTIONS * HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    let (_, body) = exchange(&proxy, request).await;
    assert_eq!(String::from_utf8(body).expect("text"), "OPTIONS * HTTP/1.1");
}

#[tokio::test]
async fn a_response_has_no_hop_by_hop_headers() {
    let response = "HTTP/1.1 200 Very well\r\n\
        Server: upstream/1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
        Connection: X-One, keep-alive\r\nX-One: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n\
        Proxy-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\
        Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nX-Two: 2\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    let upstream = in_pieces(Duration::ZERO, &[response]).await;
    let proxy = Proxying::start(upstream, "");
    let request = "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    let (head, body) = exchange(&proxy, request).await;
    let (status, headers) = head.split_once("\r\n").expect("lines");
    assert_eq!(status, "HTTP/1.1 200 Very well");
    let mut headers: Vec<&str> = headers.trim_end().split("\r\n").collect();
    headers.sort_unstable();
    let mut expected = [
        "server: upstream/1",
        "date: Sun, 06 Nov 1994 08:49:37 GMT",
        "set-cookie: a=b",
        "set-cookie: c=d",
        "x-two: 2",
        "connection: close",
        "transfer-encoding: chunked",
    ];
    expected.sort_unstable();
    assert_eq!(headers, expected);
    assert_eq!(String::from_utf8_lossy(&body), "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
}

/// The responses to a client over HTTP/1.1, and to one over HTTP/2 that accepts heads of 64 KiB, as many do by default.
async fn fetch_over_both(proxy: &Proxying) -> [Response<Incoming>; 2] {
    let mut http2 = http2::Builder::new(TokioExecutor::new());
    http2.max_header_list_size(64 * 1024);
    let io = TokioIo::new(proxy.connect().await);
    let (mut client, connection) = http2.handshake(io).await.expect("HTTP/2");
    tokio::spawn(connection);
    let over_http2 = timeout(SOON, client.send_request(get("/"))).await.expect("soon");
    [fetch(proxy, get("/")).await, over_http2.expect("a response")]
}

#[tokio::test]
async fn a_response_head_is_limited_to_64_kib() {
    for (length, status) in [(64_500, 200), (66_000, 502), (100_000, 502), (300_000, 502)] {
        let answer = async move || ([("x-long", "x".repeat(length))], "answer");
        let upstream = serve(Router::new().fallback(any(answer))).await;
        for arguments in ["", "--upstream-http2"] {
            let proxy = Proxying::start(&upstream, arguments);
            for response in fetch_over_both(&proxy).await {
                let version = response.version();
                assert_eq!(response.status(), status, "{version:?} {arguments}: {}", proxy.log());
                let forwarded = response.headers().get("x-long").map(HeaderValue::len);
                assert_eq!(forwarded, (status == 200).then_some(length));
            }
            if status == 502 && arguments.is_empty() {
                proxy
                    .wait_for_log(
                        "the upstream sent a response head of more than 64 KiB or 1,000 lines",
                    )
                    .await;
            }
        }
    }
}

#[tokio::test]
async fn a_response_can_have_many_header_lines() {
    let lines = "x-line: value\r\n".repeat(500);
    let response = format!("HTTP/1.1 200 OK\r\n{lines}content-length: 0\r\n\r\n");
    let proxy = Proxying::start(in_pieces(Duration::ZERO, &[&response]).await, "");
    let request = "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    let (head, _) = exchange(&proxy, request).await;
    assert!(head.contains(&lines), "{head}");
}

#[tokio::test]
async fn an_http1_0_upstream_is_forwarded_as_http1_1() {
    let upstream =
        in_pieces(Duration::ZERO, &["HTTP/1.0 200 OK\r\nx-old: 1\r\n\r\nuntil the end"]).await;
    let proxy = Proxying::start(upstream, "");
    let response = fetch(&proxy, get("/")).await;
    assert_eq!(response.version(), hyper::Version::HTTP_11);
    assert_eq!(response.headers()["x-old"], "1");
    assert_eq!(text(response).await, "until the end");
}

#[tokio::test]
async fn an_http1_0_client_gets_an_http1_0_response() {
    let proxy = Proxying::start(serve(echo_headers()).await, "");
    let (head, body) = exchange(&proxy, "GET /a HTTP/1.0\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    let body = String::from_utf8(body).expect("text");
    assert_eq!(received(&body, "via"), ["1.0 heartbeat-gateway"]);
    assert_eq!(received(&body, "x-forwarded-host"), [""; 0], "the client has sent none");
}

#[tokio::test]
async fn an_http1_0_connection_stays_open_only_after_a_response_with_a_length() {
    for (head, body, keep_alive) in [
        ("content-length: 2", "ok", true),
        ("transfer-encoding: chunked", "2\r\nok\r\n0\r\n\r\n", false),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
        let proxy = Proxying::start(in_pieces(Duration::ZERO, &[&response]).await, "");
        let mut client = proxy.connect().await;
        for number in 1..=2 {
            let request = b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
            client.write_all(request).await.expect("written");
            let head = read_head(&mut client).await;
            assert_eq!(head.contains("connection: keep-alive"), keep_alive, "{number}: {head}");
            if !keep_alive {
                let mut body = String::new();
                client.read_to_string(&mut body).await.expect("closed");
                assert_eq!(body, "ok");
                break;
            }
            let mut body = [0; 2];
            client.read_exact(&mut body).await.expect("a body");
            assert_eq!(&body, b"ok");
        }
    }
}

#[tokio::test]
async fn a_response_has_one_content_length() {
    for (lengths, forwarded) in [
        ("content-length: 5, 5", Some("5")),
        ("content-length: 5\r\ncontent-length: 05", Some("5")),
        ("content-length: 5, 6", None),
        ("content-length: 5\r\ncontent-length: 6", None),
        ("content-length: five", None),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\n");
        let upstream = serve_raw(move |request, mut connection| {
            let body = if request.starts_with("HEAD") { "" } else { "event" };
            let response = format!("{head}{body}");
            async move { connection.write_all(response.as_bytes()).await.expect("written") }
        });
        let proxy = Proxying::start(upstream.await, "");
        for method in [Method::GET, Method::HEAD] {
            let mut request = get("/");
            *request.method_mut() = method.clone();
            let response = fetch(&proxy, request).await;
            let status = if forwarded.is_some() { 200 } else { 502 };
            assert_eq!(response.status(), status, "{method} {lengths}: {}", proxy.log());
            if let Some(length) = forwarded {
                let lengths: Vec<_> = response.headers().get_all("content-length").iter().collect();
                assert_eq!(lengths, [length], "{method}");
            }
        }
    }
}

#[tokio::test]
async fn a_large_request_head_is_rejected() {
    let proxy = Proxying::start(serve(echo_headers()).await, "--max-header-size 8192");
    let mut request = Request::get("http://front.example/").body(empty()).expect("a request");
    let long = HeaderValue::from_str(&"x".repeat(16_000)).expect("a value");
    request.headers_mut().insert("x-long", long);
    assert_eq!(fetch(&proxy, request).await.status(), 431);
}
