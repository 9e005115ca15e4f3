//! tower-http's compression outside and inside the layer, on tokio's paused clock.

use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzDecoder;
use futures_util::{StreamExt, stream};
use heartbeat_tokio::{HeartbeatLayer, HeartbeatPolicy, NdjsonHeartbeat};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;

const INTERVAL: Duration = Duration::from_secs(15);

fn layer() -> HeartbeatLayer {
    HeartbeatLayer::new(HeartbeatPolicy::new(INTERVAL).with_ndjson(NdjsonHeartbeat::BlankLine))
}

fn request() -> Request<()> {
    Request::get("/").header("accept-encoding", "gzip").body(()).expect("a request")
}

/// A response with one line of JSON that never ends.
async fn one_line(
    _: Request<()>,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let line = Frame::data(Bytes::from_static(b"{\"n\":1}\n"));
    let lines = stream::iter([Ok(line)]).chain(stream::pending());
    let response = Response::builder().header("content-type", "application/x-ndjson");
    Ok(response.body(StreamBody::new(lines)).expect("a response"))
}

#[tokio::test(start_paused = true)]
async fn compression_outside_the_layer_does_not_delay_heartbeats() {
    let service = CompressionLayer::new().layer(layer().layer(service_fn(one_line)));
    let response = service.oneshot(request()).await.expect("infallible");
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let mut body = Box::pin(response.into_body());
    let mut plain = GzDecoder::new(Vec::new());
    for heartbeats in 0..5 {
        let began = Instant::now();
        let expected = format!("{{\"n\":1}}\n{}", "\n".repeat(heartbeats));
        while plain.get_ref().len() < expected.len() {
            let frame = body.frame().await.expect("no end").expect("no error");
            plain.write_all(&frame.into_data().expect("data")).expect("valid gzip");
            plain.flush().expect("writing to a vector cannot fail");
        }
        assert_eq!(String::from_utf8_lossy(plain.get_ref()), expected);
        let waited = if heartbeats == 0 { Duration::ZERO } else { INTERVAL };
        let late = began.elapsed().checked_sub(waited).expect("not early");
        assert!(late <= Duration::from_millis(1), "{late:?}"); // tokio's timer rounds up to milliseconds
    }
}

#[tokio::test(start_paused = true)]
async fn responses_compressed_inside_the_layer_pass_unchanged() {
    let service = layer().layer(CompressionLayer::new().layer(service_fn(one_line)));
    let response = service.oneshot(request()).await.expect("infallible");
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(!response.headers().contains_key("x-accel-buffering"));
    assert!(!response.body().is_kept_alive());
}

#[tokio::test(start_paused = true)]
async fn uncompressed_responses_have_heartbeats_in_either_order() {
    let service = layer().layer(CompressionLayer::new().layer(service_fn(one_line)));
    let plain = Request::get("/").body(()).expect("a request");
    let response = service.oneshot(plain).await.expect("infallible");
    assert!(response.body().is_kept_alive());
}
