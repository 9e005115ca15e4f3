//! The command line.

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::demo::{self, DemoOptions};

/// Shows what heartbeats do for quiet server-streaming responses.
///
/// Without a command it runs the demo.
#[derive(Debug, Parser)]
#[command(name = "heartbeat-gateway", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    demo: DemoOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send the same quiet stream three times through a proxy that cuts what is idle
    ///
    /// A real gRPC server, a real client and an idle-cutting proxy between them, on loopback ports
    /// that the system picks; three times: with nothing to keep the stream alive, with HTTP/2 PINGs
    /// from the server, with heartbeats. Exits with 0 if only the heartbeats kept their stream
    /// alive and every event arrived once and in order, else with 1.
    #[command(after_help = "Example:\n  heartbeat-gateway demo --interval 500ms --idle-cut 2s")]
    Demo(DemoOptions),
}

/// Runs what the command line asks for, and says how it went in the exit code: 0 if well, 1 if not,
/// 2 if the command line makes no sense.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ran = match cli.command {
        Some(Command::Demo(options)) => demo(options),
        None => demo(cli.demo),
    };
    ran.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn demo(options: DemoOptions) -> io::Result<ExitCode> {
    let report = tokio::runtime::Runtime::new()?.block_on(demo::run(options))?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{report}");
    }
    Ok(if report.proves_it() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn demo_is_what_runs_without_a_command() {
        let Cli { command, demo } = Cli::parse_from(["heartbeat-gateway", "--json"]);
        assert!(command.is_none() && demo.json);
    }
}
