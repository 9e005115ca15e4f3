//! The command line.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::causes::in_one_line;
use crate::cost::{self, CostOptions};
use crate::demo::{self, DemoOptions};
use crate::proxy::{self, ProxyOptions};
use crate::running::ServeError;
use crate::serve::{self, ServeOptions};

/// The exit code for a command line that makes no sense, or that this machine cannot follow.
const USAGE: u8 = 2;

/// Keeps quiet server-streaming responses alive, and shows how.
///
/// Without a command it runs the demo. What goes on is logged to standard error; `RUST_LOG` sets
/// the level, as in `RUST_LOG=debug`.
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
    /// Send the same quiet stream through a proxy that cuts what is idle, with heartbeats and without
    ///
    /// A real server, a real client and an idle-cutting proxy between them, on loopback ports that the
    /// system picks; for each stream a set of its own. With nothing to keep the stream alive, with
    /// HTTP/2 PINGs from the server where there is HTTP/2, and with heartbeats. In each protocol: gRPC
    /// over HTTP/2; gRPC-Web, Connect, SSE and NDJSON over HTTP/1.1. And on each runtime: tokio, smol
    /// and async-std drive their servers (the latter two gRPC and SSE), while clients and proxies are
    /// the outside world and run on tokio. All at the same time. Exits with 0 if only the heartbeats
    /// kept their streams alive and every event arrived once and in order, else with 1.
    #[command(after_help = "Example:\n  heartbeat-gateway demo --interval 500ms --idle-cut 2s")]
    Demo(DemoOptions),

    /// Serve events over gRPC, gRPC-Web, Connect, SSE and NDJSON until Ctrl-C or SIGTERM
    ///
    /// All on one port, over HTTP/1.1 and HTTP/2, in plain text or TLS; gRPC itself needs HTTP/2:
    ///
    ///   gRPC, gRPC-Web, Connect  galaxy.gateway.v1.GatewayService/Subscribe
    ///   SSE                      GET /events
    ///   NDJSON                   GET /events.ndjson
    ///
    /// Every client has a stream of its own, with heartbeats in its silence: a message, a comment, a
    /// blank line. The last 1,000 events are kept: a client that was cut off resumes after its
    /// `last_event_id`, which SSE and NDJSON take as the header Last-Event-ID or as `?last_event_id=ID`
    /// in the address. An id that never was is refused (`INVALID_ARGUMENT`, 400), and so is one after
    /// which events were missed (`OUT_OF_RANGE`, 410); a browser's `EventSource` then gives up.
    /// The ids are those of one run of the server: after a restart they begin again at 1, and mean other
    /// events. A client that comes back then has to begin anew, without an id, or it may miss some.
    /// A call ends at its deadline. When the server is stopped, all streams end well. Exits with 0
    /// then, and with 2 if it cannot listen or has no TLS by the files that were given.
    ///
    /// The server runs on the `--runtime` that is chosen; what stands around it (signals, the proxy
    /// of `--idle-cut`, the pages of `--metrics`, the publishing of events) runs on tokio.
    ///
    /// With `--metrics` it shows what its streams do: /metrics is for Prometheus, and /healthz answers
    /// 200 while it serves and 503 once it was told to stop. docs/metrics.md lists what there is.
    #[command(
        verbatim_doc_comment,
        after_help = "Examples:\n  \
            heartbeat-gateway serve --interval 2s --event-every 10s --idle-cut 5s\n  \
            curl -N http://127.0.0.1:50051/events\n  \
            printf '\\0\\0\\0\\0\\2{}' | curl -N --data-binary @- \\\n    \
            -H 'Content-Type: application/connect+json' \\\n    \
            http://127.0.0.1:50051/galaxy.gateway.v1.GatewayService/Subscribe"
    )]
    Serve(ServeOptions),

    /// Say what heartbeats cost on the wire, by protocol and transport
    ///
    /// Bytes per heartbeat, part by part, what they come to in a day on one stream and on all, and as
    /// bandwidth. Nothing is sent. docs/wire-cost.md says what of it is exact, and how that was shown.
    #[command(
        after_help = "Example:\n  heartbeat-gateway cost --interval 30s --streams 50000 --ipv6"
    )]
    Cost(CostOptions),

    /// Pass requests on to a server, and keep what it streams alive, until Ctrl-C or SIGTERM
    ///
    /// A reverse proxy over HTTP/1.1 and HTTP/2 for servers in any language, which need not change.
    /// Server-sent events get heartbeats in their silence; newline-delimited JSON with `--ndjson`;
    /// gRPC, gRPC-Web and Connect with `--method` and `--message`. All else passes as it is, WebSocket
    /// and trailers too. Where the server cannot be reached or does not answer clients get 502 or 504,
    /// and those of gRPC UNAVAILABLE. Each request is logged once it is over. When the proxy is stopped,
    /// requests under way may end. Exits with 0 then, and with 2 if it cannot listen.
    ///
    /// With `--metrics` it shows what becomes of the heartbeats, as `serve` does. docs/proxy.md has all
    /// that it does to a request, and what it costs.
    #[command(
        after_help = "Example:\n  heartbeat-gateway proxy --upstream http://127.0.0.1:3000 --listen 127.0.0.1:8080 --interval 15s"
    )]
    Proxy(Box<ProxyOptions>),
}

/// Runs what the command line asks for, and says how it went in the exit code: 0 if well, 1 if not,
/// 2 if the command line makes no sense.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    // The demo tells its story itself.
    let level = match cli.command {
        Some(Command::Serve(_) | Command::Proxy(_)) => LevelFilter::INFO,
        Some(Command::Demo(_) | Command::Cost(_)) | None => LevelFilter::WARN,
    };
    let filter = EnvFilter::builder().with_default_directive(level.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let ran = match cli.command {
        Some(Command::Demo(options)) => demo(options),
        Some(Command::Serve(options)) => serve(options),
        Some(Command::Proxy(options)) => proxy(*options),
        Some(Command::Cost(options)) => cost(&options),
        None => demo(cli.demo),
    };
    ran.unwrap_or_else(|error| {
        say(&format!("error: {}", in_one_line(&*error)));
        match error.downcast_ref() {
            Some(ServeError::Front(_)) => ExitCode::from(USAGE),
            _ => ExitCode::FAILURE,
        }
    })
}

fn demo(options: DemoOptions) -> Result<ExitCode, Box<dyn Error>> {
    let report = tokio::runtime::Runtime::new()?.block_on(demo::run(options))?;
    let text = if options.json { serde_json::to_string(&report)? } else { report.to_string() };
    writeln!(io::stdout(), "{text}")?;
    Ok(if report.proves_it() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve(options: ServeOptions) -> Result<ExitCode, Box<dyn Error>> {
    tokio::runtime::Runtime::new()?.block_on(serve::run(options))?;
    Ok(ExitCode::SUCCESS)
}

fn cost(options: &CostOptions) -> Result<ExitCode, Box<dyn Error>> {
    let report = cost::Report::new(options);
    let text = if options.json { serde_json::to_string(&report)? } else { report.to_string() };
    writeln!(io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn proxy(options: ProxyOptions) -> Result<ExitCode, Box<dyn Error>> {
    tokio::runtime::Runtime::new()?.block_on(proxy::run(options))?;
    Ok(ExitCode::SUCCESS)
}

/// Says in one line what is wrong with the command line; help and version go out whole.
fn refuse(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        let text = error.to_string();
        let what: Vec<&str> =
            text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        say(&format!("{} (see --help)", what.join(" ")));
        return ExitCode::from(USAGE);
    }
    match error.print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Writes a line to standard error. Should nobody read that, there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
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
