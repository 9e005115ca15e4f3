//! What a great many idle streams take, on each runtime, with heartbeats of ours and of the peers: memory,
//! CPU and wake-ups. Prints a table in CSV; each line of it is measured in a process of its own.

mod beats;
mod child;
mod lines;
mod measure;
mod process;
mod row;
mod runtime;
mod scale;

use std::alloc::System;
use std::error::Error;
use std::io;
use std::time::Duration;

use clap::{Parser, value_parser};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use lines::Line;
use row::Row;
use scale::{Births, Scale};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measures what a great many idle streams take, and prints a table in CSV.
#[derive(Debug, Parser)]
struct Options {
    /// Only the lines whose name begins so, such as `tokio/` or `smol/timer`
    #[arg(long, value_delimiter = ',', default_value = "")]
    line: Vec<String>,

    /// How many streams there are
    #[arg(long, value_delimiter = ',', value_parser = value_parser!(u32).range(1..), default_value = "1000000")]
    streams: Vec<u32>,

    /// How long a stream is quiet before it beats
    #[arg(long, value_parser = some_time, default_value = "15s")]
    interval: Duration,

    /// How long to look, once all streams have beaten
    #[arg(long = "for", value_name = "TIME", value_parser = some_time, default_value = "30s")]
    window: Duration,

    /// Whether streams are opened one after the other within an interval, or all at once
    #[arg(long, value_enum, value_delimiter = ',', default_value = "spread")]
    births: Vec<Births>,

    /// Measure here, and not in a process for each line
    #[arg(long, hide = true)]
    here: bool,
}

impl Options {
    fn chooses(&self, name: &str) -> bool {
        self.line.iter().any(|line| name.starts_with(line))
    }

    fn scales(&self) -> impl Iterator<Item = Scale> {
        let &Self { interval, window, .. } = self;
        self.streams.iter().flat_map(move |&streams| {
            self.births.iter().map(move |&births| Scale { streams, interval, births, window })
        })
    }
}

fn some_time(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    match humantime::parse_duration(text)? {
        Duration::ZERO => Err("it must not be zero".into()),
        time => Ok(time),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let lines: Vec<Line> = lines::all().filter(|line| options.chooses(&line.name())).collect();
    if lines.is_empty() {
        let names: Vec<String> = lines::all().map(|line| line.name()).collect();
        return Err(format!("no such line; there are {}", names.join(", ")).into());
    }

    let mut table = csv::Writer::from_writer(io::stdout());
    for scale in options.scales() {
        let mut rows: Vec<Row> = Vec::new();
        for line in &lines {
            let row = if options.here {
                measure::measure(line, &scale)?
            } else {
                child::measure(line, &scale)?.beside(&rows)
            };
            table.serialize(&row)?;
            table.flush()?;
            rows.push(row);
        }
    }
    Ok(())
}
