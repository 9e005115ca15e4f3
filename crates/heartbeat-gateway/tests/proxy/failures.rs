use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get as answer_get;
use futures_util::future::try_join_all;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::client::{AnyBody, empty, exchange, fetch, full, get, h2, text};
use crate::passthrough::metrics_page;
use crate::proxying::{Proxying, SOON};
use crate::support::address_in;
use crate::upstream::{in_pieces, listener, read_head, serve, serve_raw};

fn grpc_request() -> Request<AnyBody> {
    Request::post("http://front.example/package.Service/Method")
        .header(CONTENT_TYPE, "application/grpc+proto")
        .body(full(Bytes::from_static(&[0; 5])))
        .expect("a request")
}

/// Asserts the error response, as text and as gRPC.
async fn expect_error(proxy: &Proxying, status: u16, reason: &str) {
    let response = fetch(proxy, get("/")).await;
    assert_eq!(response.status(), status, "{}", proxy.log());
    assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    let status = StatusCode::from_u16(status).expect("a status");
    assert_eq!(text(response).await, format!("{status}: {reason}\n"));

    let response = h2(proxy).await.send_request(grpc_request()).await.expect("a response");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc+proto");
    assert_eq!(response.headers()["grpc-status"], "14");
    assert_eq!(response.headers()["grpc-message"], reason);
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn an_unreachable_upstream_is_502_until_it_listens() {
    let (listener, address) = listener().await;
    drop(listener);
    let proxy = Proxying::start(format_args!("http://{address}"), "");
    expect_error(&proxy, 502, "cannot connect to the upstream").await;
    proxy.wait_for_log("Connection refused").await;

    let listener = TcpListener::bind(address).await.expect("still free");
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/", answer_get(async || "here"))).await
    });
    assert_eq!(text(fetch(&proxy, get("/")).await).await, "here");
}

#[tokio::test]
async fn a_closed_connection_or_an_invalid_response_is_502() {
    for pieces in [&[""][..], &["HTTP/1.1 2"], &["SSH-2.0-OpenSSH_9.2p1\r\n\r\n"]] {
        let proxy = Proxying::start(in_pieces(Duration::ZERO, pieces).await, "");
        expect_error(
            &proxy,
            502,
            "the upstream closed the connection or sent an invalid response head",
        )
        .await;
    }
}

#[tokio::test]
async fn a_connect_timeout_is_504() {
    // The upstream accepts the connection, and never answers the TLS handshake.
    let (_listener, address) = listener().await;
    let upstream = format!("https://{address}");
    let proxy = Proxying::start(upstream, "--connect-timeout 300ms");
    expect_error(&proxy, 504, "timed out while connecting to the upstream").await;
}

#[tokio::test]
async fn a_response_timeout_is_504() {
    let upstream = serve_raw(|_, connection| async move {
        sleep(SOON).await;
        drop(connection);
    })
    .await;
    let proxy = Proxying::start(upstream, "--response-timeout 300ms");
    expect_error(&proxy, 504, "timed out while waiting for the upstream's response").await;
}

#[tokio::test]
async fn requests_for_events_have_no_response_timeout() {
    let upstream = serve_raw(|_, mut connection| async move {
        sleep(Duration::from_millis(900)).await;
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\n";
        connection.write_all(format!("{head}event").as_bytes()).await.expect("written");
        sleep(SOON).await;
    })
    .await;
    let proxy = Proxying::start(upstream, "--response-timeout 300ms");
    let mut request = get("/");
    request
        .headers_mut()
        .insert("accept", "text/html, Text/Event-Stream;q=0.9".parse().expect("text"));
    assert_eq!(text(fetch(&proxy, request).await).await, "event");

    // As the SDKs of OpenAI and Anthropic request a stream.
    for content_type in ["application/json", "Application/JSON ; charset=utf-8"] {
        let request = Request::post("http://front.example/v1/messages")
            .header(CONTENT_TYPE, content_type)
            .header("accept", "application/json")
            .body(full("{\"stream\":true}"))
            .expect("a request");
        assert_eq!(text(fetch(&proxy, request).await).await, "event", "{content_type}");
    }
}

#[tokio::test]
async fn an_ambiguous_target_is_rejected() {
    let proxy = Proxying::start(serve(Router::new()).await, "");
    for head in [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nhost: one\r\nhost: two\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n",
        "GET evil.example:80 HTTP/1.1\r\nhost: here\r\n",
    ] {
        let (answer, _) = exchange(&proxy, &format!("{head}connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head}{answer}");
    }
}

#[tokio::test]
async fn unsupported_transfer_codings_are_rejected() {
    let coded = "transfer-encoding: gzip, chunked\r\n\r\n2\r\n\x1f\x7f\r\n0\r\n\r\n";
    let upstream = in_pieces(Duration::ZERO, &[&format!("HTTP/1.1 200 OK\r\n{coded}")]).await;
    let proxy = Proxying::start(upstream, "");
    let head = "POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n";
    let (answer, _) = exchange(&proxy, &format!("{head}{coded}")).await;
    assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
    let (answer, _) = exchange(&proxy, &format!("{head}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    proxy.wait_for_log("sent an unsupported Transfer-Encoding").await;
}

#[tokio::test]
async fn a_failure_of_head_has_no_body() {
    let proxy = Proxying::start("http://127.0.0.1:1", "");
    let request = || {
        let mut request = get("/");
        *request.method_mut() = Method::HEAD;
        request
    };
    let http1 = fetch(&proxy, request()).await;
    let http2 = h2(&proxy).await.send_request(request()).await.expect("a response");
    for response in [http1, http2] {
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        let body = timeout(SOON, response.into_body().collect()).await.expect("soon");
        assert_eq!(body.expect("no error").to_bytes(), "");
    }
    for line in proxy.request_logs(2).await {
        assert!(line.contains("end=\"complete\""), "{line}");
    }
}

#[tokio::test]
async fn slow_uploads_and_slow_responses_do_not_time_out() {
    let upstream = serve_raw(|_, mut connection| async move {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        // Waits for the last byte of the upload.
        while timeout(SOON, connection.readable()).await.is_ok() {
            let mut piece = [0; 100];
            let length = connection.try_read(&mut piece).unwrap_or_default();
            if piece[..length].ends_with(b"0\r\n\r\n") {
                break;
            }
        }
        for piece in [head, "a", "b"] {
            connection.write_all(piece.as_bytes()).await.expect("written");
            sleep(Duration::from_millis(700)).await;
        }
    })
    .await;
    let proxy = Proxying::start(upstream, "--response-timeout 1s");
    let pieces = stream::iter(0..5).then(|_| async {
        sleep(Duration::from_millis(400)).await;
        Ok::<_, std::convert::Infallible>(hyper::body::Frame::data(Bytes::from_static(b"piece")))
    });
    let body = http_body_util::StreamBody::new(pieces).map_err(|never| match never {});
    let request = Request::post("http://front.example/").body(AnyBody::new(body));
    let since = Instant::now();
    let response = fetch(&proxy, request.expect("a request")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "ab");
    assert!(since.elapsed() > Duration::from_millis(2700), "{:?}", since.elapsed());
}

#[tokio::test]
async fn an_aborted_response_does_not_look_complete() {
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                   transfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n";
    let upstream = in_pieces(Duration::ZERO, &[chunked]).await;
    let proxy = Proxying::start(upstream, "");
    let response = h2(&proxy).await.send_request(get("/")).await.expect("a response");
    timeout(SOON, response.into_body().collect()).await.expect("soon").expect_err("broken");
    let response = fetch(&proxy, get("/")).await;
    timeout(SOON, response.into_body().collect()).await.expect("soon").expect_err("broken");
    for line in proxy.request_logs(2).await {
        assert!(line.contains("status=200 bytes=6") && line.contains("end=\"failed\""), "{line}");
        assert!(line.contains("error=\"error reading a body from connection: "), "{line}");
    }
}

#[tokio::test]
async fn an_aborted_request_body_does_not_end_upstream() {
    let (listener, address) = listener().await;
    let proxy = Proxying::start(format_args!("http://{address}"), "");
    let mut client = proxy.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
    client.write_all(head.as_bytes()).await.expect("written");
    let (mut upstream, _) = listener.accept().await.expect("a connection");
    read_head(&mut upstream).await;
    client.write_all(b"not a chunk\r\n").await.expect("written");
    let mut rest = Vec::new();
    let reading = tokio::io::AsyncReadExt::read_to_end(&mut upstream, &mut rest);
    let _ = timeout(SOON, reading).await.expect("closed");
    assert_eq!(String::from_utf8_lossy(&rest), "3\r\nabc\r\n", "without the last chunk");
}

#[tokio::test]
async fn connect_is_rejected() {
    let proxy = Proxying::start("http://127.0.0.1:1", "");
    let request =
        "CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere:443\r\nconnection: close\r\n\r\n";
    let (head, body) = exchange(&proxy, request).await;
    assert!(head.starts_with("HTTP/1.1 501 Not Implemented\r\n"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("CONNECT is not supported"), "{body:?}");
}

#[tokio::test]
async fn requests_beyond_the_limit_are_rejected() {
    let quiet = async || Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let upstream = serve(Router::new().route("/", answer_get(quiet))).await;
    let proxy = Proxying::start(upstream, "--max-streams 1");
    let first = fetch(&proxy, get("/")).await;
    let rejected = fetch(&proxy, get("/")).await;
    assert_eq!(rejected.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(rejected).await.contains("too many open requests"));
    let rejected = h2(&proxy).await.send_request(grpc_request()).await.expect("a response");
    assert_eq!(rejected.headers()["grpc-status"], "8");
    drop(first);
    proxy.request_logs(3).await;
    assert_eq!(fetch(&proxy, get("/")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn requests_beyond_the_limit_of_upstream_connections_are_rejected() {
    let quiet = async || Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let upstream = serve(Router::new().route("/", answer_get(quiet))).await;
    for (arguments, fit) in [("", 1), ("--upstream-http2", 100)] {
        let limit = "--max-upstream-connections 1 --metrics 127.0.0.1:0";
        let mut proxy = Proxying::start(&upstream, &format!("{limit} {arguments}"));
        let metrics = address_in(&mut proxy.stdout, "metrics on http://");
        let client = h2(&proxy).await;
        let send = |request| client.clone().send_request(request);
        let open = try_join_all((0..fit).map(|_| send(get("/")))).await.expect("responses");

        assert!(open.iter().all(|response| response.status() == StatusCode::OK));
        let rejected = try_join_all((0..5).map(|_| send(get("/")))).await.expect("responses");
        for response in rejected {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(text(response).await.contains("too many connections to the upstream"));
        }
        let rejected = send(grpc_request()).await.expect("a response");
        assert_eq!(rejected.headers()["grpc-status"], "8");
        proxy.wait_for_log("too many connections to the upstream").await;
        let page = metrics_page(metrics).await;
        assert!(page.contains("\nheartbeat_proxy_connection_rejections_total 6\n"), "{page}");

        drop((open, client));
        let again = async {
            while fetch(&proxy, get("/")).await.status() != StatusCode::OK {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, again).await.expect("soon");
    }
}

#[tokio::test]
async fn a_connection_closed_by_the_upstream_is_not_reused() {
    let upstream = serve_raw(|_, mut connection: TcpStream| async move {
        let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"; // without `Connection: close`
        connection.write_all(response.as_bytes()).await.expect("written");
    })
    .await;
    let proxy = Proxying::start(upstream, "");
    for _ in 0..5 {
        let response: Response<_> = fetch(&proxy, get("/")).await;
        assert_eq!(text(response).await, "ok");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Answers one request per connection, and closes the connection at the second request.
async fn respond_once(request_count: &Arc<AtomicUsize>) -> String {
    let request_count = Arc::clone(request_count);
    serve_raw(move |_, mut connection: TcpStream| {
        let request_count = Arc::clone(&request_count);
        async move {
            request_count.fetch_add(1, Relaxed);
            let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            connection.write_all(response.as_bytes()).await.expect("written");
            if !read_head(&mut connection).await.is_empty() {
                request_count.fetch_add(1, Relaxed);
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_idempotent_request_is_retried_if_its_pooled_connection_closes() {
    let request_count = Arc::new(AtomicUsize::new(0));
    let upstream = respond_once(&request_count).await;
    let send_twice = async |second: &dyn Fn() -> Request<AnyBody>| {
        let proxy = Proxying::start(&upstream, "");
        for _ in 0..20 {
            assert_eq!(text(fetch(&proxy, get("/")).await).await, "ok");
            sleep(Duration::from_millis(50)).await; // until the connection is back in the pool
            let before = request_count.load(Relaxed);
            let status = fetch(&proxy, second()).await.status();
            let times = request_count.load(Relaxed) - before;
            if times > 1 || status != StatusCode::OK {
                return (status, times);
            }
        }
        panic!("no connection was used again");
    };
    let (status, times) = send_twice(&|| get("/")).await;
    assert!(status == StatusCode::OK && times > 1, "{status}, {times} times");
    let post = || Request::post("http://front.example/").body(empty()).expect("a request");
    assert_eq!(send_twice(&post).await, (StatusCode::BAD_GATEWAY, 1));
    let put = || Request::put("http://front.example/").body(full("body")).expect("a request");
    assert_eq!(send_twice(&put).await, (StatusCode::BAD_GATEWAY, 1));
}

#[tokio::test]
async fn a_request_on_a_new_connection_is_not_retried() {
    let request_count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&request_count);
    let upstream = serve_raw(move |_, connection: TcpStream| {
        counter.fetch_add(1, Relaxed);
        async move { drop(connection) }
    })
    .await;
    let proxy = Proxying::start(upstream, "");
    assert_eq!(fetch(&proxy, get("/")).await.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(request_count.load(Relaxed), 1);
}
