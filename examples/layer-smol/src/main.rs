//! Server-sent events with hyper on smol, and heartbeats from a layer.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use heartbeat_smol::HeartbeatLayer;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use smol::Timer;
use smol::net::TcpListener;
use smol_hyper::rt::{FuturesIo, SmolTimer};
use tower::{ServiceBuilder, service_fn};

fn events() -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    let later = stream::once(async {
        Timer::after(Duration::from_millis(2500)).await;
        "still here"
    });
    let events = stream::iter(["hello"]).chain(later).chain(stream::pending());
    events.map(|text| Ok(Frame::data(Bytes::from(format!("data: {text}\n\n")))))
}

fn main() -> io::Result<()> {
    let handler = service_fn(|_: Request<Incoming>| async {
        let response = Response::builder().header("content-type", "text/event-stream");
        response.body(StreamBody::new(events()))
    });
    let interval = Duration::from_millis(500); // 15 s in production
    let service = ServiceBuilder::new().layer(HeartbeatLayer::new(interval)).service(handler);
    let service = TowerToHyperService::new(service);

    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("curl -N http://{}/events", listener.local_addr()?);
        loop {
            let (connection, _) = listener.accept().await?;
            let service = service.clone();
            smol::spawn(async move {
                let mut http = http1::Builder::new();
                http.timer(SmolTimer::new());
                let result = http.serve_connection(FuturesIo::new(connection), service).await;
                if let Err(error) = result {
                    eprintln!("connection failed: {error}");
                }
            })
            .detach();
        }
    })
}
