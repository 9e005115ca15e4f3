//! Requests that the upstream has not processed, and that the proxy sends again.

use std::future::ready;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use hyper::{Method, Request, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::client::{AnyBody, empty, fetch, full, get, h2};
use crate::proxying::{Proxying, SOON};
use crate::raw_http2::{RawHttp2, Received};
use crate::upstream::{listener, read_head, serve_raw};

/// Serves each connection with `serve`, which gets the number of heads to count, and returns the URL and this number.
async fn serve<F>(
    max_streams: u32,
    serve: impl Fn(RawHttp2, Arc<AtomicUsize>) -> F + Send + 'static,
) -> (String, Arc<AtomicUsize>)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let heads = Arc::new(AtomicUsize::new(0));
    let (listener, address) = listener().await;
    let counter = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            if let Ok(connection) = RawHttp2::accept(connection, max_streams).await {
                tokio::spawn(serve(connection, Arc::clone(&counter)));
            }
        }
    });
    (format!("http://{address}"), heads)
}

fn post(body: AnyBody) -> Request<AnyBody> {
    Request::post("http://front.example/").body(body).expect("a request")
}

/// Responds to 50 requests per connection. The next one is answered with a GOAWAY that excludes it.
async fn respond_50_times(mut connection: RawHttp2, heads: Arc<AtomicUsize>) -> io::Result<()> {
    let mut last = 0;
    for _ in 0..50 {
        if let Received::Head { stream, .. } = connection.receive().await? {
            heads.fetch_add(1, Relaxed);
            connection.respond(stream).await?;
            last = stream;
        }
    }
    connection.receive().await?;
    connection.go_away(last).await?;
    loop {
        connection.receive().await?; // requests that were on their way
    }
}

/// Sends GET requests, 40 at a time, and returns how many did not get status 200.
async fn failures(proxy: &Proxying, count: usize) -> usize {
    let client = h2(proxy).await;
    let statuses = (0..count).map(|_| {
        let response = client.clone().send_request(get("/"));
        async { response.await.expect("a response").status() }
    });
    let failures = stream::iter(statuses)
        .buffer_unordered(40)
        .filter(|&status| ready(status != StatusCode::OK));
    failures.count().await
}

#[tokio::test]
async fn requests_above_the_last_stream_of_a_goaway_are_sent_again() {
    let (upstream, heads) = serve(1000, respond_50_times).await;
    let proxy = Proxying::start_with_log("warn", upstream, "--upstream-http2");
    assert_eq!(failures(&proxy, 2000).await, 0);
    assert_eq!(heads.load(Relaxed), 2000, "no request was processed twice");
}

#[tokio::test]
async fn a_post_above_the_last_stream_of_a_goaway_is_sent_again() {
    let (upstream, heads) = serve(100, async |mut connection: RawHttp2, heads| {
        while let Received::Head { stream, .. } = connection.receive().await? {
            match heads.fetch_add(1, Relaxed) {
                0 => connection.go_away(0).await?,
                _ => connection.respond(stream).await?,
            }
        }
        Ok(())
    })
    .await;
    let proxy = Proxying::start(upstream, "--upstream-http2");
    assert_eq!(fetch(&proxy, post(empty())).await.status(), StatusCode::OK);
    assert_eq!(heads.load(Relaxed), 2);
}

#[tokio::test]
async fn requests_on_http1_connections_that_close_when_reused_are_sent_again() {
    let upstream = serve_raw(|_, mut connection: TcpStream| async move {
        for _ in 0..5 {
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            let _ = connection.write_all(response).await;
            read_head(&mut connection).await;
        }
    })
    .await;
    let proxy = Proxying::start_with_log("warn", upstream, "");
    assert_eq!(failures(&proxy, 2000).await, 0);
}

#[tokio::test]
async fn a_refused_request_is_sent_again_if_its_body_was_not_read() {
    let retried = Arc::new(Notify::new());
    let notify = Arc::clone(&retried);
    let (upstream, heads) = serve(100, move |mut connection, heads| {
        let retried = Arc::clone(&notify);
        async move {
            loop {
                match connection.receive().await? {
                    Received::Head { stream, .. } if heads.fetch_add(1, Relaxed) == 0 => {
                        connection.refuse(stream).await?;
                    }
                    Received::Head { .. } => retried.notify_one(),
                    Received::Data { stream, data, end } if end && data.is_empty() => {
                        connection.respond(stream).await?;
                    }
                    Received::Data { data, .. } => assert_eq!(data, b"late"),
                }
            }
        }
    })
    .await;
    let proxy = Proxying::start(upstream, "--upstream-http2");
    let late = stream::once(async move {
        retried.notified().await;
        Ok(Frame::data(Bytes::from_static(b"late")))
    });
    let response = fetch(&proxy, post(AnyBody::new(StreamBody::new(late)))).await;
    assert_eq!(response.status(), StatusCode::OK, "{}", proxy.log());
    assert_eq!(heads.load(Relaxed), 2);
}

#[tokio::test]
async fn a_refused_request_is_not_sent_again_if_its_body_was_read() {
    let (upstream, heads) = serve(100, async |mut connection: RawHttp2, heads| {
        loop {
            match connection.receive().await? {
                Received::Head { .. } => _ = heads.fetch_add(1, Relaxed),
                Received::Data { stream, .. } => connection.refuse(stream).await?,
            }
        }
    })
    .await;
    let proxy = Proxying::start(upstream, "--upstream-http2");
    let response = fetch(&proxy, post(full("body"))).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(heads.load(Relaxed), 1);
    proxy.wait_for_log("refused stream before processing any application logic").await;
}

#[tokio::test]
async fn a_request_that_is_always_refused_is_sent_three_times() {
    let (upstream, heads) = serve(100, async |mut connection: RawHttp2, heads| {
        loop {
            if let Received::Head { stream, .. } = connection.receive().await? {
                heads.fetch_add(1, Relaxed);
                connection.refuse(stream).await?;
            }
        }
    })
    .await;
    let proxy = Proxying::start(upstream, "--upstream-http2");
    assert_eq!(fetch(&proxy, get("/")).await.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(heads.load(Relaxed), 3);
}

/// Responds to the first request. At the second one it sends a GOAWAY that includes it, and closes the connection.
async fn close_at_the_second(mut connection: RawHttp2, heads: Arc<AtomicUsize>) -> io::Result<()> {
    loop {
        let Received::Head { stream, .. } = connection.receive().await? else { continue };
        heads.fetch_add(1, Relaxed);
        if stream > 1 {
            return connection.go_away(stream).await;
        }
        connection.respond(stream).await?;
    }
}

#[tokio::test]
async fn a_request_that_the_upstream_may_have_processed_is_sent_again_only_if_idempotent() {
    for (method, status, count) in
        [(Method::POST, StatusCode::BAD_GATEWAY, 1), (Method::GET, StatusCode::OK, 2)]
    {
        let (upstream, heads) = serve(100, close_at_the_second).await;
        let proxy = Proxying::start(upstream, "--upstream-http2");
        assert_eq!(fetch(&proxy, get("/")).await.status(), StatusCode::OK);
        let mut request = get("/");
        *request.method_mut() = method;
        assert_eq!(fetch(&proxy, request).await.status(), status);
        assert_eq!(heads.load(Relaxed) - 1, count);
    }
}

#[tokio::test]
async fn a_request_that_waits_for_a_free_stream_is_sent_after_a_goaway() {
    let first = Arc::new(Notify::new());
    let notify = Arc::clone(&first);
    let (upstream, _) = serve(1, move |mut connection, heads| {
        let first = Arc::clone(&notify);
        async move {
            let Received::Head { stream, .. } = connection.receive().await? else { return Ok(()) };
            if heads.fetch_add(1, Relaxed) == 0 {
                first.notify_one();
                sleep(Duration::from_millis(300)).await; // the second request comes meanwhile
                connection.go_away(stream).await?;
            }
            connection.respond(stream).await?;
            connection.receive().await.map(drop)
        }
    })
    .await;
    let proxy = Proxying::start(upstream, "--upstream-http2");
    let second = async {
        first.notified().await;
        fetch(&proxy, get("/")).await
    };
    let (first, second) = tokio::join!(fetch(&proxy, get("/")), second);
    assert_eq!(
        (first.status(), second.status()),
        (StatusCode::OK, StatusCode::OK),
        "{}",
        proxy.log()
    );
}

#[tokio::test]
async fn a_request_opens_its_own_connection_if_the_client_that_was_opening_one_disconnects() {
    // The upstream accepts connections, and never answers the TLS handshake.
    let (listener, address) = listener().await;
    let upstream = format!("https://{address}");
    let proxy = Proxying::start(upstream, "--upstream-http2 --connect-timeout 1s");
    let first = tokio::spawn(h2(&proxy).await.send_request(get("/")));
    let connecting = listener.accept().await.expect("a connection");
    let second = async {
        let response = fetch(&proxy, get("/")).await;
        response.status()
    };
    let disconnect = async {
        sleep(Duration::from_millis(300)).await; // the second request waits for the connection
        first.abort();
        timeout(SOON, listener.accept()).await.expect("a second connection")
    };
    let (status, _connection) = tokio::join!(second, disconnect);
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{}", proxy.log());
    drop(connecting);
}
