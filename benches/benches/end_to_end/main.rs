//! Events per second through servers on loopback, with and without heartbeats. README.md describes the tables that
//! are printed at the end.

mod events;
mod grpc;
mod sse;

use std::error::Error;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use heartbeat_benches::{Run, is_test, runs_table, write};
use tokio::runtime::{self, Runtime};

/// The interval of all lines. No silence in this bench lasts as long.
const INTERVAL: Duration = Duration::from_secs(15);

const ROUNDS: u32 = 11;

/// A server.
struct ServerLine {
    id: &'static str,
    label: String,
    address: SocketAddr,
}

struct ServerSection {
    name: &'static str,
    title: &'static str,
    /// The number of events in each run.
    events: u32,
    /// The first line has no heartbeats.
    lines: Vec<ServerLine>,
    fetch: fn(SocketAddr, u32) -> Result<u32, Box<dyn Error>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let servers = runtime()?;
    let mut sections = Vec::new();
    for (name, title, events, in_a_row) in [
        ("sse", "axum's Sse, the next event is always ready", 2_000_000, u32::MAX),
        ("sse-singly", "the same, and each event is followed by a poll that pends", 200_000, 1),
    ] {
        let lines = servers.block_on(sse::lines(in_a_row))?;
        sections.push(ServerSection { name, title, events, lines, fetch: sse::fetch });
    }
    for (name, title, events, in_a_row) in [
        ("grpc", "tonic, the next event is always ready", 1_000_000, u32::MAX),
        ("grpc-singly", "the same, and each event is followed by a poll that pends", 100_000, 1),
    ] {
        let lines = servers.block_on(grpc::lines(in_a_row))?;
        sections.push(ServerSection { name, title, events, lines, fetch: grpc::fetch });
    }
    thread::spawn(move || servers.block_on(std::future::pending::<()>()));

    let (rounds, share) = if is_test() { (1, 1000) } else { (ROUNDS, 1) };
    let mut all = Vec::new();
    for section in &sections {
        let runs = run_rounds(section, rounds, section.events / share)?;
        println!("\n{}: {}\n{}", section.name, section.title, runs_table(&runs));
        all.extend(runs);
    }
    if is_test() { Ok(()) } else { write("end_to_end", &all) }
}

/// One such runtime serves, another requests; each has a thread of its own.
fn runtime() -> Result<Runtime, Box<dyn Error>> {
    Ok(runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Requests events from all servers in each round. The order is reversed in every second round.
fn run_rounds(
    section: &ServerSection,
    rounds: u32,
    events: u32,
) -> Result<Vec<Run>, Box<dyn Error>> {
    for line in &section.lines {
        (section.fetch)(line.address, events / 10)?; // to warm up
    }
    let mut runs = Vec::new();
    for round in 0..rounds {
        let mut lines: Vec<&ServerLine> = section.lines.iter().collect();
        if round % 2 == 1 {
            lines.reverse();
        }
        for line in lines {
            let start = Instant::now();
            let received = (section.fetch)(line.address, events)?;
            let elapsed = start.elapsed();
            if received != events {
                return Err(format!("{}: {received} of {events} events", line.label).into());
            }
            runs.push(Run {
                section: section.name.into(),
                title: section.title.into(),
                line: line.id.into(),
                label: line.label.clone(),
                round,
                events_per_second: f64::from(events) / elapsed.as_secs_f64(),
            });
        }
    }
    // In the order of the lines, so that the first is the baseline.
    runs.sort_by_key(|run| section.lines.iter().position(|line| line.id == run.line));
    Ok(runs)
}
