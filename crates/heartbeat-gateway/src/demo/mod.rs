//! The `demo` command: a quiet stream on each runtime and in several protocols, with and without heartbeats, through an
//! idle-cutting proxy. Only the streams with heartbeats survive.

mod client;
mod progress;
mod protocol;
mod report;
mod scenario;

use std::io;
use std::time::Duration;

use clap::Args;
use futures_util::future::try_join_all;
use heartbeat_async::Config;
use heartbeat_frame::GatewayEvent;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::duration_arg;
use crate::event_log::EventLog;
use crate::idle_proxy::ActivityRule;
use crate::runtime::RuntimeKind;

pub use protocol::DemoProtocol;
pub use report::{DemoReport, StreamReport};

use progress::ProgressDisplay;
use scenario::Scenario;

/// Flags of the `demo` command.
#[derive(Debug, Clone, Copy, Args)]
pub struct DemoOptions {
    /// Send a heartbeat after this much silence; 0s sends none
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub interval: Duration,

    /// Cut connections that were idle for this long
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub idle_cut: Duration,

    /// Count this traffic as activity
    ///
    /// With bytes, HTTP/2 PINGs keep their stream alive too.
    #[arg(long, value_name = "WHAT", default_value = "data")]
    pub idle_counts: ActivityRule,

    /// Run the demo for this long: a stream that is then open has survived
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration_arg::parse_duration, allow_hyphen_values = true)]
    pub duration: Duration,

    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Time of the first event after all streams are open.
const FIRST_EVENT: Duration = Duration::from_millis(300);

/// Minimum time between the last event and the end, so that the event arrives.
const ARRIVAL: Duration = Duration::from_millis(500);

/// The name of the streams that HTTP/2 PINGs are to keep alive.
const HTTP2_PINGS: &str = "HTTP/2 PINGs";

/// A change on the stream of a scenario.
#[derive(Debug, Clone, Copy)]
enum ScenarioEvent {
    Event,
    Heartbeat,
    /// The stream was cut, or the demo has ended.
    Ended {
        survived: bool,
    },
}

/// Runs the demo, and prints its progress to standard error.
///
/// # Errors
///
/// If a listener or a stream cannot be opened, or if the duration exceeds the range of the clock.
pub async fn run(options: DemoOptions) -> io::Result<DemoReport> {
    let scenarios = scenarios(&options);
    let log = EventLog::new(1000);
    let opening = scenarios.iter().map(|scenario| scenario.open(&log, &options));
    let streams = try_join_all(opening).await?;

    let start = Instant::now();
    let end = start
        .checked_add(options.duration)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "--duration is too long"))?;
    let mut progress = ProgressDisplay::new(&scenarios, start);
    let (sender, mut changes) = mpsc::unbounded_channel();
    let mut watched = Vec::new();
    for (index, stream) in streams.into_iter().enumerate() {
        let sender = sender.clone();
        let report = move |change| {
            let _ = sender.send((index, change)); // the receiver outlives the streams
        };
        watched.push(tokio::spawn(stream.watch(start, end, report)));
    }
    drop(sender);

    // Events are so rare that without heartbeats every stream is idle for too long between them.
    let pause = options.idle_cut.saturating_mul(2).max(Duration::from_secs(1));
    let mut published = 0;
    let mut next_event = Some(start + FIRST_EVENT);
    loop {
        let due = next_event.filter(|&at| at + ARRIVAL <= end);
        tokio::select! {
            change = changes.recv() => match change {
                Some((index, change)) => progress.update(index, change),
                None => break, // all streams have ended
            },
            () = sleep_until(due.unwrap_or(end)), if due.is_some() => {
                published = log.publish(event());
                next_event = due.and_then(|at| at.checked_add(pause));
            }
        }
    }
    drop(progress);

    let mut streams = Vec::new();
    for stream in watched {
        streams.push(stream.await.map_err(io::Error::other)?);
    }
    Ok(DemoReport::new(streams, published, options.idle_cut))
}

/// For each protocol a stream with heartbeats and one without, and over HTTP/2 one with PINGs. tokio runs all protocols, the
/// other runtimes one of messages and one of text.
fn scenarios(options: &DemoOptions) -> Vec<Scenario> {
    use DemoProtocol::{Connect, Grpc, GrpcWeb, Ndjson, Sse};

    let mut scenarios = Vec::new();
    for runtime in RuntimeKind::ALL {
        let protocols = match runtime {
            RuntimeKind::Tokio => &[Grpc, GrpcWeb, Connect, Sse, Ndjson][..],
            RuntimeKind::Smol | RuntimeKind::AsyncStd => &[Grpc, Sse],
        };
        for &protocol in protocols {
            let nothing = Scenario {
                runtime,
                protocol,
                name: "nothing",
                must_survive: false,
                heartbeat: Config::every(Duration::ZERO),
                ping_interval: None,
            };
            scenarios.push(nothing);
            if protocol == Grpc {
                let interval = (options.idle_cut / 3).max(Duration::from_millis(1));
                scenarios.push(Scenario {
                    name: HTTP2_PINGS,
                    must_survive: options.idle_counts == ActivityRule::Bytes,
                    ping_interval: Some(interval),
                    ..nothing
                });
            }
            let heartbeat = Config::every(options.interval);
            scenarios.push(Scenario {
                name: "heartbeats",
                must_survive: true,
                heartbeat,
                ..nothing
            });
        }
    }
    scenarios
}

fn event() -> GatewayEvent {
    GatewayEvent { event_type: "demo.tick".to_owned(), ..GatewayEvent::default() }
}
