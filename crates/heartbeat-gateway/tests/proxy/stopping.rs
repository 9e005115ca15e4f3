use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::routing::get as answer_get;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::client::{fetch, get, h2, text};
use crate::proxying::Proxying;
use crate::upstream::serve;

/// `/slow` takes a second, `/quiet` never ends.
fn answers() -> Router {
    let slow = async || {
        let pieces = stream::iter(["first ", "second"]).then(|piece| async move {
            sleep(Duration::from_millis(500)).await;
            Ok::<_, Infallible>(piece)
        });
        Body::from_stream(pieces)
    };
    let quiet = async || Body::from_stream(stream::pending::<Result<&str, Infallible>>());
    Router::new().route("/slow", answer_get(slow)).route("/quiet", answer_get(quiet))
}

#[tokio::test]
async fn a_shutdown_drains_open_requests_and_accepts_no_others() {
    let mut proxy = Proxying::start(serve(answers()).await, "--shutdown-within 10s");
    let over_http1 = fetch(&proxy, get("/slow")).await;
    let over_http2 = h2(&proxy).await.send_request(get("/slow")).await.expect("a response");
    proxy.terminate();
    while TcpStream::connect(proxy.address).await.is_ok() {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(text(over_http1).await, "first second");
    assert_eq!(text(over_http2).await, "first second");
    assert_eq!(proxy.wait_for_exit().await.code(), Some(0));
    proxy.wait_for_log("all requests have ended").await;
}

#[tokio::test]
async fn open_responses_are_cut_after_the_grace_period() {
    let mut proxy = Proxying::start(serve(answers()).await, "--shutdown-within 1s");
    let over_http1 = fetch(&proxy, get("/quiet")).await;
    let over_http2 = h2(&proxy).await.send_request(get("/quiet")).await.expect("a response");
    let since = Instant::now();
    proxy.terminate();
    for response in [over_http1, over_http2] {
        response.into_body().collect().await.expect_err("cut");
    }
    assert_eq!(proxy.wait_for_exit().await.code(), Some(0));
    assert!(since.elapsed() >= Duration::from_secs(1), "{:?}", since.elapsed());
    proxy.wait_for_log("closing the remaining requests").await;
}

#[tokio::test]
async fn a_hangup_does_not_end_the_process() {
    let mut proxy = Proxying::start(serve(answers()).await, "--shutdown-within 10s");
    let slow = fetch(&proxy, get("/slow")).await;
    proxy.hang_up();
    proxy.wait_for_log("SIGHUP ignored").await;
    assert_eq!(text(slow).await, "first second");
    assert_eq!(text(fetch(&proxy, get("/slow")).await).await, "first second");

    let slow = fetch(&proxy, get("/slow")).await;
    proxy.terminate();
    proxy.wait_for_log("shutting down").await;
    proxy.hang_up(); // not a second signal
    assert_eq!(text(slow).await, "first second");
    assert_eq!(proxy.wait_for_exit().await.code(), Some(0));
    proxy.wait_for_log("all requests have ended").await;
}

#[tokio::test]
async fn a_second_signal_skips_the_grace_period() {
    let mut proxy = Proxying::start(serve(answers()).await, "--shutdown-within 1h");
    let quiet = fetch(&proxy, get("/quiet")).await;
    proxy.terminate();
    proxy.wait_for_log("shutting down").await;
    proxy.terminate();
    assert_eq!(proxy.wait_for_exit().await.code(), Some(0));
    quiet.into_body().collect().await.expect_err("cut");
    proxy.wait_for_log("closing the remaining requests").await;
}
