use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::routing::get as answer_get;
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::{fetch, get, text};
use crate::proxying::{Proxying, SOON};
use crate::support::address_in;
use crate::upstream::serve;

/// `/` is a page, `/encoded` server-sent events that are encoded.
fn upstream() -> Router {
    let encoded = async || {
        let headers = [(CONTENT_TYPE, "text/event-stream"), (CONTENT_ENCODING, "br")];
        (headers, Body::from_stream(stream::empty::<Result<&str, Infallible>>()))
    };
    Router::new().route("/", answer_get(async || "a page")).route("/encoded", answer_get(encoded))
}

#[tokio::test]
async fn the_log_says_why_a_response_has_no_heartbeats() {
    let proxy = Proxying::start_with_log("heartbeat=debug", serve(upstream()).await, "");
    text(fetch(&proxy, get("/?secret=1")).await).await;
    text(fetch(&proxy, get("/encoded")).await).await;
    for line in [
        "DEBUG heartbeat: response without heartbeats path=\"/\" status=200 \
         content_type=Some(\"text/plain; charset=utf-8\") reason=\"content_type\"",
        "DEBUG heartbeat: response without heartbeats path=\"/encoded\" status=200 \
         content_type=Some(\"text/event-stream\") reason=\"content_encoding\"",
    ] {
        proxy.wait_for_log(line).await;
    }
    assert!(!proxy.log().contains("secret"), "{}", proxy.log());
}

pub(crate) async fn metrics_page(address: SocketAddr) -> String {
    let mut connection = TcpStream::connect(address).await.expect("connected");
    connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await.expect("written");
    let mut page = String::new();
    connection.read_to_string(&mut page).await.expect("text");
    page
}

#[tokio::test]
async fn the_metrics_say_why_a_response_has_no_heartbeats() {
    let mut proxy = Proxying::start(serve(upstream()).await, "--metrics 127.0.0.1:0");
    let metrics = address_in(&mut proxy.stdout, "metrics on http://");
    for path in ["/", "/encoded", "/encoded"] {
        text(fetch(&proxy, get(path)).await).await;
    }
    let counted = async {
        loop {
            let page = metrics_page(metrics).await;
            if page.contains("heartbeat_passthrough_total{reason=\"content_type\"} 1\n")
                && page.contains("heartbeat_passthrough_total{reason=\"content_encoding\"} 2\n")
            {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, counted).await.expect("soon");
}
