//! Memory, CPU time and wake-ups of many idle streams, on each runtime, with heartbeats of this project and of other
//! crates. Prints a table as CSV; each line is measured in a process of its own.

mod child;
mod heartbeat_count;
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
use scale::{Opening, Scale};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measure memory, CPU time and wake-ups of idle streams, and print a table as CSV
#[derive(Debug, Parser)]
struct Options {
    /// Measure only lines whose name starts with this, such as `tokio/`
    #[arg(long, value_delimiter = ',', default_value = "")]
    line: Vec<String>,

    /// Number of streams
    #[arg(long, value_delimiter = ',', value_parser = value_parser!(u32).range(1..), default_value = "1000000")]
    streams: Vec<u32>,

    /// Heartbeat interval
    #[arg(long, value_parser = positive_duration, default_value = "15s")]
    interval: Duration,

    /// Duration of the measurement after the first heartbeats
    #[arg(long = "for", value_name = "TIME", value_parser = positive_duration, default_value = "30s")]
    window: Duration,

    /// How the streams are opened
    #[arg(long, value_enum, value_delimiter = ',', default_value = "spread")]
    opening: Vec<Opening>,

    /// Measure in this process instead of one process per line
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
            self.opening.iter().map(move |&opening| Scale { streams, interval, opening, window })
        })
    }
}

fn positive_duration(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    match humantime::parse_duration(text)? {
        Duration::ZERO => Err("the duration must not be zero".into()),
        time => Ok(time),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let lines: Vec<Line> = lines::all().filter(|line| options.chooses(&line.name())).collect();
    if lines.is_empty() {
        let names: Vec<String> = lines::all().map(|line| line.name()).collect();
        return Err(format!("no line has this name; the lines are {}", names.join(", ")).into());
    }

    let mut table = csv::Writer::from_writer(io::stdout());
    for scale in options.scales() {
        let mut rows: Vec<Row> = Vec::new();
        for line in &lines {
            let row = if options.here {
                measure::measure(line, &scale)?
            } else {
                child::measure(line, &scale)?.compared_with(&rows)
            };
            table.serialize(&row)?;
            table.flush()?;
            rows.push(row);
        }
    }
    Ok(())
}
