//! Server-sent events from a broadcast channel with axum, heartbeats with metrics, and a graceful shutdown.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::stream::{Stream, StreamExt};
use heartbeat_otel::OtelObserver;
use heartbeat_tokio::{HeartbeatLayer, HeartbeatPolicy};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::time::sleep;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError::Lagged;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
struct App {
    events: broadcast::Sender<Arc<str>>,
    shutdown: CancellationToken,
    metrics: Registry,
}

async fn events(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = BroadcastStream::new(app.events.subscribe()).map(|event| match event {
        Ok(text) => Event::default().data(text),
        // The channel has overwritten events: the client has to fetch the state again.
        Err(Lagged(missed)) => Event::default().event("lagged").data(missed.to_string()),
    });
    // The shutdown waits for open responses: without this line, until the last client disconnects.
    Sse::new(events.map(Ok).take_until(app.shutdown.cancelled_owned()))
}

async fn publish(State(app): State<App>, body: String) -> StatusCode {
    for line in body.lines() {
        let _ = app.events.send(line.into()); // fails if there is no client
    }
    StatusCode::NO_CONTENT
}

async fn metrics(State(app): State<App>) -> Result<String, StatusCode> {
    let text = TextEncoder::new().encode_to_string(&app.metrics.gather());
    text.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whether the request comes from a client that cannot handle comments.
fn is_legacy(request: &Parts) -> bool {
    let path = request.extensions.get::<MatchedPath>();
    path.is_some_and(|path| path.as_str() == "/legacy/{client}/events")
}

/// Completes on SIGTERM, which Kubernetes and systemd send, and on Ctrl-C.
#[cfg(unix)]
fn termination() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn termination() -> io::Result<impl Future<Output = ()>> {
    Ok(async { tokio::signal::ctrl_c().await.expect("Ctrl-C can be handled") })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = App {
        events: broadcast::channel(16).0, // a client that is further behind misses events
        shutdown: CancellationToken::new(),
        metrics: Registry::new(),
    };
    let exporter =
        opentelemetry_prometheus::exporter().with_registry(app.metrics.clone()).build()?;
    let provider = SdkMeterProvider::builder().with_reader(exporter).build(); // dropping it ends the metrics
    let observer = OtelObserver::new(&provider.meter("example"));

    let interval = Duration::from_millis(500); // 15 s in production
    let policy = HeartbeatPolicy::new(interval).with_observer(observer);
    let heartbeats = HeartbeatLayer::new(policy).without_heartbeats(is_legacy);
    let shutdown = app.shutdown.clone();
    let router = Router::new()
        .route("/events", get(events).post(publish))
        .route("/legacy/{client}/events", get(events))
        .layer(heartbeats) // for the routes above; around the router, there would be no `MatchedPath`
        .route("/metrics", get(metrics))
        .with_state(app);

    let termination = termination()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("curl -N http://{}/events", listener.local_addr()?);
    let stop = shutdown.clone();
    let serve = axum::serve(listener, router).with_graceful_shutdown(async move {
        termination.await;
        stop.cancel();
    });
    let time_limit = async {
        shutdown.cancelled().await;
        sleep(Duration::from_secs(10)).await; // a client that does not read never receives the end of its stream
    };
    tokio::select! {
        result = serve => result?,
        () = time_limit => println!("closed the remaining connections"),
    }
    println!("stopped");
    Ok(())
}
