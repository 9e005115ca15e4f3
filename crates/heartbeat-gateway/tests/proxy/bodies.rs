use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::{any, get as answer_get, post};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::client::{AnyBody, exchange, fetch, get, h1, h2, text};
use crate::proxying::{Proxying, SOON};
use crate::upstream::{in_pieces, listener, read_head, serve, serve_raw};

#[tokio::test]
async fn a_response_passes_unchanged() {
    let json = "{\"a\":\t1,\r\n\"b\": [\u{1}, \"\u{fffd}\"] }\n\n";
    let response = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\netag: \"x\"\r\n\
         date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n{json}",
        json.len()
    );
    let proxy = Proxying::start(in_pieces(Duration::ZERO, &[&response]).await, "--interval 50ms");
    let (head, body) =
        exchange(&proxy, "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await;
    assert_eq!(body, json.as_bytes());
    let (before, _) = response.split_once("\r\n\r\n").expect("a head");
    let mut lines: Vec<&str> = head.trim_end().split("\r\n").collect();
    lines.retain(|line| *line != "connection: close");
    assert_eq!(lines, before.split("\r\n").collect::<Vec<_>>());
}

#[tokio::test]
async fn responses_without_a_body_keep_their_length() {
    let head_only = "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n";
    let no_content = "HTTP/1.1 204 No Content\r\n\r\n";
    let not_modified = "HTTP/1.1 304 Not Modified\r\ncontent-length: 1234\r\netag: \"x\"\r\n\r\n";
    let nothing = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    for (method, response, length) in [
        ("HEAD", head_only, Some("1234")),
        ("GET", no_content, None),
        ("GET", not_modified, None), // hyper omits it, and it is optional
        ("GET", nothing, Some("0")),
    ] {
        let proxy = Proxying::start(in_pieces(Duration::ZERO, &[response]).await, "");
        let request = format!("{method} / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
        let (head, body) = exchange(&proxy, &request).await;
        let status = response.split_once("\r\n").expect("lines").0;
        assert!(head.starts_with(status), "{head}");
        let value = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        assert_eq!(value, length, "{method} {head}");
        assert!(!head.contains("transfer-encoding"), "{method} {head}");
        assert_eq!(body, b"", "{method} {head}");
    }
}

#[tokio::test]
async fn a_conflicting_content_length_is_removed() {
    let chunks = "transfer-encoding: chunked\r\n";
    for (status, headers, body, passed) in [
        ("200 OK", format!("content-length: 3\r\n{chunks}"), "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("200 OK", format!("{chunks}content-length: 30\r\n"), "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("200 OK", format!("{chunks}content-length: x\r\n"), "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("204 No Content", "content-length: 5\r\n".to_owned(), "", ""),
    ] {
        let response = format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}");
        let proxy = Proxying::start(in_pieces(Duration::ZERO, &[&response]).await, "");
        let http1 = fetch(&proxy, get("/")).await;
        let http2 = h2(&proxy).await.send_request(get("/")).await.expect("a response");
        for response in [http1, http2] {
            assert!(!response.headers().contains_key("content-length"), "{headers}");
            assert_eq!(text(response).await, passed, "{headers}");
        }
    }
}

#[tokio::test]
async fn bodies_pass_with_any_method() {
    let echo = any(async |body: Bytes| body);
    let proxy = Proxying::start(serve(Router::new().fallback(echo)).await, "");
    for method in ["GET", "DELETE", "POST", "QUERY"] {
        let request = format!(
            "{method} / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\
             transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        );
        assert_eq!(exchange(&proxy, &request).await.1, b"hello", "{method}");
        let pieces = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"hello")))]);
        let body = AnyBody::new(StreamBody::new(pieces).map_err(|never| match never {}));
        let request = Request::builder().method(method).uri("http://front.example/").body(body);
        let response = h2(&proxy).await.send_request(request.expect("a request")).await;
        let body =
            response.expect("a response").into_body().collect().await.expect("a complete body");
        assert_eq!(body.to_bytes(), "hello", "{method} by HTTP/2");
    }
}

const LARGE: usize = 100 * 1024 * 1024;

/// The repeated part of a large body. Its length is not a multiple of a buffer size.
fn pattern() -> Bytes {
    (0_u32..60_001).map(|place| (place ^ (place >> 8)).to_le_bytes()[0]).collect()
}

async fn download() -> impl IntoResponse {
    let (pattern, mut left) = (pattern(), LARGE);
    let pieces = std::iter::from_fn(move || {
        let piece = pattern.slice(..left.min(pattern.len()));
        left -= piece.len();
        (!piece.is_empty()).then_some(Ok::<_, Infallible>(piece))
    });
    Body::from_stream(stream::iter(pieces))
}

async fn is_the_large_one(mut body: Incoming) {
    let (pattern, mut place) = (pattern(), 0);
    while let Some(frame) = body.frame().await {
        let mut data = frame.expect("a complete body").into_data().expect("data");
        while !data.is_empty() {
            let expected = &pattern[place % pattern.len()..];
            let piece = data.split_to(data.len().min(expected.len()));
            assert!(expected.starts_with(&piece), "at {place}");
            place += piece.len();
        }
    }
    assert_eq!(place, LARGE);
}

#[tokio::test]
async fn a_large_download_passes_unchanged() {
    let upstream = serve(Router::new().route("/", answer_get(download))).await;
    let proxy = Proxying::start(&upstream, "");
    is_the_large_one(fetch(&proxy, get("/")).await.into_body()).await;
    let proxy = Proxying::start(&upstream, "--upstream-http2");
    let response = h2(&proxy).await.send_request(get("/")).await.expect("a response");
    is_the_large_one(response.into_body()).await;
}

/// Echoes each chunk as it arrives.
fn echo() -> Router {
    Router::new().route("/", post(async |body: Body| body))
}

#[tokio::test]
async fn both_bodies_stream_at_once() {
    let upstream = serve(echo()).await;
    for arguments in ["", "--upstream-http2"] {
        let proxy = Proxying::start(&upstream, arguments);
        let (pieces, receiver) = mpsc::channel::<&str>(1);
        let body = stream::unfold(receiver, async |mut receiver| {
            let piece = receiver.recv().await?;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from(piece))), receiver))
        });
        let body = StreamBody::new(body).map_err(|never| match never {});
        let request = Request::post("http://front.example/").body(AnyBody::new(body));
        let mut client = h2(&proxy).await;
        let sending = client.send_request(request.expect("a request"));
        let conversing = async {
            let response = sending.await.expect("a response before the end of the request");
            let mut body = response.into_body();
            for piece in ["one", "two", "three"] {
                pieces.send(piece).await.expect("an open channel");
                let echoed = body.frame().await.expect("no end").expect("no error");
                assert_eq!(echoed.into_data().expect("data"), piece);
            }
            drop(pieces);
            let rest = body.collect().await.expect("the end after the end of the request");
            assert_eq!(rest.to_bytes(), "");
        };
        timeout(SOON, conversing).await.unwrap_or_else(|_| panic!("{arguments}"));
    }
}

#[tokio::test]
async fn a_chunked_upload_is_forwarded_as_it_arrives() {
    let (listener, address) = listener().await;
    let proxy = Proxying::start(format_args!("http://{address}"), "");
    let mut client = proxy.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n";
    client.write_all(head.as_bytes()).await.expect("written");
    let uploading = async {
        let (mut upstream, _) = listener.accept().await.expect("a connection");
        let head = read_head(&mut upstream).await;
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
        for (piece, passed) in [("3\r\nabc\r\n", "3\r\nabc\r\n"), ("0\r\n\r\n", "0\r\n\r\n")] {
            client.write_all(piece.as_bytes()).await.expect("written");
            let mut read = vec![0; passed.len()];
            upstream.read_exact(&mut read).await.expect("more");
            assert_eq!(read, passed.as_bytes());
        }
    };
    timeout(SOON, uploading).await.expect("soon");
}

#[tokio::test]
async fn an_upload_of_known_length_keeps_it() {
    let describe = async |headers: HeaderMap, body: Bytes| {
        let length = headers["content-length"].to_str().expect("text");
        assert!(!headers.contains_key("transfer-encoding"));
        format!("{length} {}", body.len())
    };
    let upstream = serve(Router::new().route("/", post(describe))).await;
    let proxy = Proxying::start(upstream, "");
    for (length, body, answer) in [
        ("content-length: 3\r\n", "abc", "3 3"),
        ("content-length: 0\r\n", "", "0 0"),
        ("", "", "0 0"), // a length of zero, which some servers require
    ] {
        let request =
            format!("POST / HTTP/1.1\r\nhost: here\r\n{length}connection: close\r\n\r\n{body}");
        let (head, body) = exchange(&proxy, &request).await;
        assert_eq!(String::from_utf8_lossy(&body), answer, "{head}");
    }
}

#[tokio::test]
async fn expect_100_continue_is_answered_once_the_upstream_is_connected() {
    let whole = async |headers: HeaderMap, whole: Bytes| {
        assert!(!headers.contains_key("expect"), "the proxy answers it itself");
        whole
    };
    let upstream = serve(Router::new().route("/", post(whole))).await;
    let proxy = Proxying::start(&upstream, "");
    let mut client = proxy.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\
                connection: close\r\n\r\n";
    client.write_all(head.as_bytes()).await.expect("written");
    let asking = async {
        assert_eq!(read_head(&mut client).await, "HTTP/1.1 100 Continue\r\n\r\n");
        client.write_all(b"abc").await.expect("written");
        assert!(read_head(&mut client).await.starts_with("HTTP/1.1 200 OK\r\n"));
        let mut body = String::new();
        client.read_to_string(&mut body).await.expect("closed");
        assert_eq!(body, "abc");
    };
    timeout(SOON, asking).await.expect("soon");

    let unreachable = Proxying::start("http://127.0.0.1:1", "");
    let (head, _) = exchange(&unreachable, head).await;
    assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}");
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let answer = async |request: Request<Body>| {
        let body = request.into_body().collect().await.expect("a complete body");
        let sum = body.trailers().expect("trailers")["x-sum"].clone();
        let trailers = HeaderMap::from_iter([("x-sum".parse().expect("a name"), sum)]);
        let frames = [Frame::data(body.to_bytes()), Frame::trailers(trailers)];
        let body = StreamBody::new(stream::iter(frames).map(Ok::<_, Infallible>));
        Response::builder().header("trailer", "x-sum").body(Body::new(body)).expect("a response")
    };
    let upstream = serve(Router::new().route("/", any(answer))).await;
    for arguments in ["", "--upstream-http2"] {
        let proxy = Proxying::start(&upstream, arguments);
        let request = || {
            let sum = "42".parse().expect("a value");
            let trailers = HeaderMap::from_iter([("x-sum".parse().expect("a name"), sum)]);
            let frames = [Frame::data(Bytes::from("body")), Frame::trailers(trailers)];
            let body = StreamBody::new(stream::iter(frames).map(Ok::<_, Infallible>));
            let body = AnyBody::new(body.map_err(|never| match never {}));
            Request::post("http://front.example/")
                .header("te", "trailers")
                .header("trailer", "x-sum")
                .body(body)
                .expect("a request")
        };
        let http1 = h1(&proxy).await.send_request(request()).await;
        let http2 = h2(&proxy).await.send_request(request()).await;
        for response in [http1, http2] {
            let response = response.expect("a response");
            let version = response.version();
            let body = timeout(SOON, response.into_body().collect()).await.expect("soon");
            let body = body.expect("a complete body");
            let trailers = body.trailers().unwrap_or_else(|| panic!("{version:?} {arguments}"));
            assert_eq!(trailers["x-sum"], "42");
            assert_eq!(body.to_bytes(), "body");
        }
    }
}

#[tokio::test]
async fn a_response_of_a_server_that_stops_reading_passes() {
    let upstream = serve_raw(|_, mut connection| async move {
        let response = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 4\r\n\r\nless";
        connection.write_all(response.as_bytes()).await.expect("written");
    })
    .await;
    let proxy = Proxying::start(upstream, "");
    for _ in 0..20 {
        let (mut reader, mut writer) = proxy.connect().await.into_split();
        let uploading = tokio::spawn(async move {
            let head = "POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 30000000\r\n\r\n";
            writer.write_all(head.as_bytes()).await.expect("written");
            while writer.write_all(&[b'x'; 10_000]).await.is_ok() {}
        });
        let head = timeout(SOON, read_head(&mut reader)).await.expect("soon");
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}{}", proxy.log());
        drop(reader);
        timeout(SOON, uploading).await.expect("closed").expect("no panic");
    }
}

#[tokio::test]
async fn a_response_before_the_end_of_the_upload_passes() {
    let upstream = serve_raw(|_, mut connection| async move {
        let response = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 4\r\n\r\nless";
        connection.write_all(response.as_bytes()).await.expect("written");
        sleep(SOON).await;
    })
    .await;
    let proxy = Proxying::start(upstream, "");
    let mut client = proxy.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000000\r\n\r\nand no more";
    client.write_all(head.as_bytes()).await.expect("written");
    let head = timeout(SOON, read_head(&mut client)).await.expect("soon");
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
}
