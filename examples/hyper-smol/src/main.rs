//! Server-sent events with hyper on smol, and heartbeats in a quiet stream.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use heartbeat_frame::SseHeartbeat;
use heartbeat_smol::HeartbeatStreamExt;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use smol::Timer;
use smol::net::TcpListener;
use smol_hyper::rt::{FuturesIo, SmolTimer};

fn events() -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    let later = stream::once(async {
        Timer::after(Duration::from_millis(2500)).await;
        "still here"
    });
    let events = stream::iter(["hello"]).chain(later).chain(stream::pending());
    let events = events.map(|text| Bytes::from(format!("data: {text}\n\n")));

    let interval = Duration::from_millis(500); // 15 s in production
    let events = events.heartbeat(interval, || SseHeartbeat::default().bytes());
    events.map(|bytes| Ok(Frame::data(bytes)))
}

fn main() -> io::Result<()> {
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("curl -N http://{}/events", listener.local_addr()?);
        loop {
            let (connection, _) = listener.accept().await?;
            let service = service_fn(|_: Request<_>| async {
                // Without this header nginx buffers small responses, and heartbeats with them.
                let response = Response::builder().header("x-accel-buffering", "no");
                let response = response.header("content-type", "text/event-stream");
                response.body(StreamBody::new(events()))
            });
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
