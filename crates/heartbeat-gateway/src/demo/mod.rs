//! The demonstration: the same quiet stream on each runtime, in several protocols, with heartbeats and
//! without, through an idle-cutting proxy; and only those with heartbeats live.

mod client;
mod lane;
mod progress;
mod protocol;
mod report;

use std::io;
use std::time::Duration;

use clap::Args;
use futures_util::future::try_join_all;
use heartbeat_async::Config;
use heartbeat_frame::GatewayEvent;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::feed::Feed;
use crate::flags;
use crate::idle_proxy::IdleCounts;
use crate::runtime::Runtime;

pub use protocol::Protocol;
pub use report::{Report, StreamReport};

use lane::Lane;
use progress::Progress;

/// What can be set about the demonstration.
#[derive(Debug, Clone, Copy, Args)]
pub struct DemoOptions {
    /// Send a heartbeat after this much silence; 0s sends none
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = flags::time, allow_hyphen_values = true)]
    pub interval: Duration,

    /// Let the proxy cut a connection that was idle for this long
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = flags::time, allow_hyphen_values = true)]
    pub idle_cut: Duration,

    /// What keeps a connection from being idle: HEADERS and DATA frames (as Envoy counts), or any
    /// byte of the server's (as nginx does; PINGs then keep their stream alive, and the demo fails)
    #[arg(long, value_name = "WHAT", default_value = "data")]
    pub idle_counts: IdleCounts,

    /// How long a stream must live to have survived
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = flags::time, allow_hyphen_values = true)]
    pub duration: Duration,

    /// Print one JSON object to standard output, and nothing else
    #[arg(long)]
    pub json: bool,
}

/// When the first real event comes, after all streams have been opened.
const FIRST_EVENT: Duration = Duration::from_millis(300);

/// How long before the end the last real event may come: time enough to arrive.
const ARRIVAL: Duration = Duration::from_millis(500);

/// Something that happened on a stream.
#[derive(Debug, Clone, Copy)]
enum Happened {
    RealEvent,
    Heartbeat,
    /// The stream was cut, or its time is over.
    Ended {
        survived: bool,
    },
}

/// Runs the demonstration. What happens meanwhile is told on standard error.
///
/// # Errors
///
/// If a listener cannot be bound or a stream cannot be opened, or if the duration is too long to
/// be measured.
pub async fn run(options: DemoOptions) -> io::Result<Report> {
    let lanes = lanes(&options);
    let feed = Feed::new(1000);
    let streams = try_join_all(lanes.iter().map(|lane| lane.open(&feed, &options))).await?;

    let start = Instant::now();
    let end = start.checked_add(options.duration).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the duration is too long to be measured")
    })?;
    let mut progress = Progress::new(&lanes, start);
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut watched = Vec::new();
    for (place, stream) in streams.into_iter().enumerate() {
        let told = told.clone();
        let tell = move |happened| {
            let _ = told.send((place, happened)); // who hears it outlives the streams
        };
        watched.push(tokio::spawn(stream.watch(start, end, tell)));
    }
    drop(told);

    // A real event now and then: so seldom that in between every stream is silent for too long.
    let pause = options.idle_cut.saturating_mul(2).max(Duration::from_secs(1));
    let mut published = 0;
    let mut next_event = Some(start + FIRST_EVENT);
    loop {
        let due = next_event.filter(|&at| at + ARRIVAL <= end);
        tokio::select! {
            happened = heard.recv() => match happened {
                Some((place, happened)) => progress.tell(place, happened),
                None => break, // all streams have ended
            },
            () = sleep_until(due.unwrap_or(end)), if due.is_some() => {
                published = feed.publish(real_event());
                next_event = due.and_then(|at| at.checked_add(pause));
            }
        }
    }
    drop(progress);

    let mut streams = Vec::new();
    for stream in watched {
        streams.push(stream.await.map_err(io::Error::other)?);
    }
    Ok(Report::new(streams, published, options.idle_cut))
}

/// In each protocol one stream that heartbeats keep alive, and one that nothing does; over HTTP/2 one more
/// that PINGs cannot. On tokio all protocols, on the others one of messages and one of text.
fn lanes(options: &DemoOptions) -> Vec<Lane> {
    use Protocol::{Connect, Grpc, GrpcWeb, Ndjson, Sse};

    let mut lanes = Vec::new();
    for runtime in Runtime::ALL {
        let protocols = match runtime {
            Runtime::Tokio => &[Grpc, GrpcWeb, Connect, Sse, Ndjson][..],
            Runtime::Smol | Runtime::AsyncStd => &[Grpc, Sse],
        };
        for &protocol in protocols {
            let nothing = Lane {
                runtime,
                protocol,
                name: "nothing",
                must_live: false,
                heartbeat: Config::every(Duration::ZERO),
                pings: None,
            };
            lanes.push(nothing);
            if protocol == Grpc {
                let every = (options.idle_cut / 3).max(Duration::from_millis(1));
                lanes.push(Lane { name: "HTTP/2 PINGs", pings: Some(every), ..nothing });
            }
            let heartbeat = Config::every(options.interval);
            lanes.push(Lane { name: "heartbeats", must_live: true, heartbeat, ..nothing });
        }
    }
    lanes
}

fn real_event() -> GatewayEvent {
    GatewayEvent { event_type: "demo.tick".to_owned(), ..GatewayEvent::default() }
}
