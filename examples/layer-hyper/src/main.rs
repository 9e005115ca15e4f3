//! NDJSON with hyper, and heartbeats from a layer.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use heartbeat_tokio::{HeartbeatLayer, HeartbeatPolicy, NdjsonHeartbeat};
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tower::{ServiceBuilder, service_fn};

fn events() -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    let later = stream::once(async {
        sleep(Duration::from_millis(2500)).await;
        "still here"
    });
    let events = stream::iter(["hello"]).chain(later).chain(stream::pending());
    events.map(|text| Ok(Frame::data(Bytes::from(format!("\"{text}\"\n")))))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The first argument is the interval in milliseconds. Zero disables heartbeats.
    let millis = std::env::args().nth(1).map_or(Ok(500), |millis| millis.parse())?;
    let interval = Duration::from_millis(millis); // 15 s in production
    let handler = service_fn(|_: Request<Incoming>| async {
        let response = Response::builder().header("content-type", "application/x-ndjson");
        response.body(StreamBody::new(events()))
    });
    let policy = HeartbeatPolicy::new(interval).with_ndjson(NdjsonHeartbeat::BlankLine);
    let service = ServiceBuilder::new().layer(HeartbeatLayer::new(policy)).service(handler);
    let service = TowerToHyperService::new(service);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("curl -N http://{}", listener.local_addr()?);
    loop {
        let (connection, _) = listener.accept().await?;
        let service = service.clone();
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new());
            if let Err(error) = http.serve_connection(TokioIo::new(connection), service).await {
                eprintln!("connection failed: {error}");
            }
        });
    }
}
