use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get as answer_get, post};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::Request;
use hyper::body::Frame;
use tokio::io::{AsyncWriteExt, sink};
use tokio::time::{sleep, timeout};

use crate::client::{AnyBody, fetch, get, h2, text};
use crate::proxying::{Proxying, SOON};
use crate::upstream::{Alive, serve, serve_at_most};

/// `/unanswered` never responds, `/quiet` responds with one event.
fn quiet(alive: &Alive) -> Router {
    let (unanswered, quiet) = (alive.clone(), alive.clone());
    let unanswered = async move || {
        let _one = unanswered.one();
        pending::<()>().await;
    };
    let quiet = async move || {
        let one = quiet.one();
        let event = stream::iter([Ok::<_, Infallible>("data: 1\n\n")]);
        let nothing = stream::pending().map(move |never| {
            let _ = &one;
            never
        });
        ([("content-type", "text/event-stream")], Body::from_stream(event.chain(nothing)))
    };
    Router::new().route("/unanswered", answer_get(unanswered)).route("/quiet", answer_get(quiet))
}

#[tokio::test]
async fn the_upstream_request_ends_with_the_client() {
    for arguments in ["--interval 0s", "--interval 0s --upstream-http2", "--interval 100ms"] {
        let alive = Alive::default();
        let proxy = Proxying::start(serve(quiet(&alive)).await, arguments);
        for path in ["/unanswered", "/quiet"] {
            let answer = |request| {
                let fetching = fetch(&proxy, request);
                async move {
                    let _response = fetching.await;
                    pending::<()>().await;
                }
            };
            let mut asking = Box::pin(answer(get(path)));
            tokio::select! {
                () = &mut asking => unreachable!("it goes on"),
                () = alive.becomes(1) => {}
            }
            drop(asking); // closes the connection
            alive.becomes(0).await;

            let mut client = h2(&proxy).await;
            let mut asking = Box::pin(async {
                let _response = client.send_request(get(path)).await;
                pending::<()>().await;
            });
            tokio::select! {
                () = &mut asking => unreachable!("it goes on"),
                () = alive.becomes(1) => {}
            }
            drop(asking); // resets the stream only
            alive.becomes(0).await;
        }
        for line in proxy.request_logs(4).await {
            assert!(line.contains("end=\"dropped\""), "{line}");
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_upstream_request_ends_with_a_client_whose_bytes_are_unread() {
    let alive = Alive::default();
    let proxy = Proxying::start(serve(quiet(&alive)).await, "--interval 0s");
    let request = "GET /quiet HTTP/1.1\r\nhost: front.example\r\n\r\n";
    let unanswered = request.replace("quiet", "unanswered");
    let mut requests = 0;
    for first in [request, &unanswered] {
        for unread in [request.to_owned(), "x".repeat(100_000)] {
            let mut client = proxy.connect().await;
            let bytes = [first, &unread].concat();
            client.write_all(bytes.as_bytes()).await.expect("written");
            alive.becomes(1).await;
            drop(client);
            alive.becomes(0).await;
            requests += 1;
        }
    }
    for line in proxy.request_logs(requests).await {
        assert!(line.contains("end=\"dropped\""), "{line}");
    }
}

const PIECE: usize = 64 * 1024;
/// Far more than all buffers on the path can hold, which is about 10 MB per socket.
const TOO_MUCH: usize = 256 * 1024 * 1024;

/// Waits until a number has stopped growing, and returns it.
async fn settled(number: &AtomicUsize) -> usize {
    let mut before = 0;
    loop {
        sleep(Duration::from_millis(500)).await;
        let now = number.load(Relaxed);
        if now == before && now > 0 {
            return now;
        }
        before = now;
    }
}

/// Frames of a body, counted when they are polled.
fn counted(
    taken: Arc<AtomicUsize>,
) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    let piece = Bytes::from(vec![b'x'; PIECE]);
    stream::iter(0..TOO_MUCH / PIECE).map(move |_| {
        taken.fetch_add(PIECE, Relaxed);
        Ok(piece.clone())
    })
}

#[tokio::test]
async fn a_slow_client_applies_back_pressure_to_the_upstream() {
    for arguments in ["", "--upstream-http2"] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&taken);
        let flood = async move || {
            ([("content-type", "text/event-stream")], Body::from_stream(counted(counting)))
        };
        let upstream = serve(Router::new().route("/", answer_get(flood))).await;
        let proxy = Proxying::start(upstream, arguments);
        let response = fetch(&proxy, get("/")).await;
        let held = timeout(SOON, settled(&taken)).await.expect("a constant value");
        assert!(held < TOO_MUCH / 4, "{held}");
        // The transfer continues. It is long, for a busy machine.
        let body = timeout(10 * SOON, response.into_body().collect()).await.expect("soon");
        assert_eq!(body.expect("a complete body").to_bytes().len(), TOO_MUCH);
    }
}

#[tokio::test]
async fn a_slow_upstream_applies_back_pressure_to_the_client() {
    for arguments in ["", "--upstream-http2"] {
        let unread_upload = async |_body: Body| pending::<()>().await;
        let upstream = serve(Router::new().route("/", post(unread_upload))).await;
        let proxy = Proxying::start(upstream, arguments);
        let taken = Arc::new(AtomicUsize::new(0));
        let body = counted(Arc::clone(&taken)).map(|piece| piece.map(Frame::data));
        let body = AnyBody::new(StreamBody::new(body).map_err(|never| match never {}));
        let request = Request::post("http://front.example/").body(body).expect("a request");
        tokio::select! {
            _ = fetch(&proxy, request) => panic!("unexpected response"),
            held = settled(&taken) => assert!(held < TOO_MUCH / 4, "{held}"),
        }
    }
}

#[tokio::test]
async fn unread_responses_do_not_block_other_streams() {
    let flood = async || Body::from_stream(counted(Arc::default()));
    let routes = Router::new()
        .route("/flood", answer_get(flood))
        .route("/short", answer_get(async || "short"));
    let proxy = Proxying::start(serve(routes).await, "--upstream-http2");
    let unread = join_all((0..40).map(|_| fetch(&proxy, get("/flood")))).await;
    sleep(Duration::from_millis(500)).await; // they fill their receive windows
    assert_eq!(text(fetch(&proxy, get("/short")).await).await, "short");
    drop(unread);
}

#[tokio::test]
async fn a_low_limit_of_open_files_causes_a_warning() {
    let proxy = Proxying::start("http://127.0.0.1:1", "--max-connections 4000000000");
    proxy.wait_for_log("too few open files").await;
    assert!(proxy.log().contains("needed=8000000000"), "{}", proxy.log());
}

#[tokio::test]
async fn more_requests_than_streams_per_connection_succeed() {
    let alive = Alive::default();
    let upstream = serve_at_most(Some(100), quiet(&alive)).await;
    let proxy = Proxying::start(upstream, "--upstream-http2");
    let streams = join_all((0..250).map(|_| fetch(&proxy, get("/quiet")))).await;
    assert_eq!(alive.count(), 250);
    drop(streams);
    alive.becomes(0).await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), data].concat()
}

/// Requests for `/unanswered`, on these streams.
fn unanswered(streams: impl Iterator<Item = u32>) -> Vec<u8> {
    let head = b"\x82\x86\x01\x04here\x04\x0b/unanswered"; // GET, http, authority and path
    streams.flat_map(|stream| frame(1, 5, stream, head)).collect()
}

#[tokio::test]
async fn a_client_that_cancels_too_many_requests_is_disconnected() {
    const CANCEL: [u8; 4] = [0, 0, 0, 8];
    let alive = Alive::default();
    let proxy = Proxying::start(serve(quiet(&alive)).await, "");
    let (mut reader, mut writer) = proxy.connect().await.into_split();
    let reading = tokio::spawn(async move { tokio::io::copy(&mut reader, &mut sink()).await });
    let streams = || (0..600).map(|number| 2 * number + 1);
    let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
    writer.write_all(&[preface, unanswered(streams())].concat()).await.expect("written");
    alive.becomes(600).await;
    let resets: Vec<u8> = streams().flat_map(|stream| frame(3, 0, stream, &CANCEL)).collect();
    writer.write_all(&resets).await.expect("written");
    proxy.wait_for_log("the client cancels too many requests").await;

    let ignoring = unanswered(streams().map(|stream| stream + 1200));
    let _ = writer.write_all(&ignoring).await; // while the proxy closes the connection
    let _ = timeout(SOON, reading).await.expect("closed soon");
    alive.becomes(0).await;
}
