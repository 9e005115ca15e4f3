//! The command line.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

use crate::cost::{self, CostOptions};
use crate::demo::{self, DemoOptions};
use crate::log;
use crate::proxy::{self, ProxyOptions};
use crate::serve::{self, ServeOptions};
use crate::shutdown::ServeError;

/// The exit code for an invalid command line, and for addresses and files that cannot be used.
const USAGE: u8 = 2;

/// Keep quiet server-streaming responses alive with heartbeats
///
/// Runs the demo if no command is given. Logs to standard error; `RUST_LOG` sets the level, for
/// example `RUST_LOG=debug`.
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
    /// Show that heartbeats keep quiet streams alive through an idle-cutting proxy
    ///
    /// Each stream has its own server, client and idle-cutting proxy, on free loopback ports. It is
    /// opened without protection, with HTTP/2 PINGs (gRPC only), and with heartbeats. The protocols are
    /// gRPC over HTTP/2, and gRPC-Web, Connect, SSE and NDJSON over HTTP/1.1. Servers run on tokio, smol
    /// and async-std (the latter two for gRPC and SSE only), clients and proxies on tokio. All streams
    /// run at the same time.
    ///
    /// Exits with 0 if exactly the streams with heartbeats survived and received every event once and
    /// in order, else with 1. With `--idle-counts bytes` the streams with PINGs have to survive too.
    #[command(after_help = "Example:\n  heartbeat-gateway demo --interval 500ms --idle-cut 2s")]
    Demo(DemoOptions),

    /// Serve events over gRPC, gRPC-Web, Connect, SSE and NDJSON until a signal
    ///
    /// All protocols share one port, over HTTP/1.1 and HTTP/2, with or without TLS; gRPC requires HTTP/2:
    ///
    ///   gRPC, gRPC-Web, Connect  galaxy.gateway.v1.GatewayService/Subscribe
    ///   SSE                      GET /events
    ///   NDJSON                   GET /events.ndjson
    ///
    /// A heartbeat is a message, a comment or a blank line. The server keeps the last 1,000 events. A
    /// client resumes after its `last_event_id`: a field of the request in gRPC, gRPC-Web and Connect,
    /// the header Last-Event-ID or the query `?last_event_id=ID` for SSE and NDJSON. An unknown id is
    /// rejected with `INVALID_ARGUMENT` or 400, an id whose next events are no longer kept with
    /// `OUT_OF_RANGE` or 410; a browser's `EventSource` then stops.
    ///
    /// Ids start again at 1 when the server restarts: a client then has to subscribe without an id, or
    /// it can miss events. A call ends at the deadline of its client. At a signal all streams end with a
    /// success status.
    ///
    /// Exits with 0 after a signal, and with 2 if an address or a TLS file cannot be used.
    ///
    /// `--runtime` selects the runtime of the server. Signals, the proxy of `--idle-cut`, the pages of
    /// `--metrics` and the publisher of events run on tokio.
    ///
    /// With `--metrics`, /metrics is for Prometheus, and /healthz responds with 200 while the server
    /// runs and with 503 during shutdown. docs/metrics.md in the repository lists the metrics.
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

    /// Print the cost of heartbeats on the wire, by protocol and transport
    ///
    /// Prints bytes per heartbeat by layer, bytes per day for one stream and for all streams, and the
    /// bandwidth. Sends nothing. TCP/IP and acknowledgements are estimates, the rest is exact.
    #[command(
        after_help = "Example:\n  heartbeat-gateway cost --interval 30s --streams 50000 --ipv6"
    )]
    Cost(CostOptions),

    /// Run a reverse proxy that adds heartbeats to quiet responses
    ///
    /// Forwards requests over HTTP/1.1 and HTTP/2 to a server in any language, until Ctrl-C or SIGTERM.
    /// Adds heartbeats to server-sent events; to newline-delimited JSON with `--ndjson`; to gRPC,
    /// gRPC-Web and Connect with `--method` and `--message`. Forwards everything else, including
    /// WebSocket and trailers. If the server does not respond, clients get 502 or 504, and gRPC clients
    /// UNAVAILABLE. Each request is logged when it ends.
    ///
    /// Exits with 0 after a signal, and with 2 if an address or a file cannot be used.
    ///
    /// docs/proxy.md in the repository describes how requests are rewritten, and the cost of the proxy.
    #[command(
        after_help = "Example:\n  heartbeat-gateway proxy --upstream http://127.0.0.1:3000 --listen 127.0.0.1:8080 --interval 15s"
    )]
    Proxy(Box<ProxyOptions>),
}

/// Runs the command. The exit code is 0 after success, 1 after a failure, and 2 for an invalid command line or an address or
/// file that cannot be used.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return report_usage(&error),
    };
    // The demo prints its progress itself.
    let level = match cli.command {
        Some(Command::Serve(_) | Command::Proxy(_)) => LevelFilter::INFO,
        Some(Command::Demo(_) | Command::Cost(_)) | None => LevelFilter::WARN,
    };
    let log = match log::init(level) {
        Ok(log) => log,
        Err(error) => {
            print_error(&format!("error: cannot start the log: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let ran = match cli.command {
        Some(Command::Demo(options)) => demo(options),
        Some(Command::Serve(options)) => serve(options),
        Some(Command::Proxy(options)) => proxy(*options),
        Some(Command::Cost(options)) => cost(&options),
        None => demo(cli.demo),
    };
    drop(log);
    ran.unwrap_or_else(|error| {
        print_error(&format!("error: {}", to_line(&*error)));
        match error.downcast_ref() {
            Some(ServeError::Server(_)) => ExitCode::from(USAGE),
            _ => ExitCode::FAILURE,
        }
    })
}

fn demo(options: DemoOptions) -> Result<ExitCode, Box<dyn Error>> {
    let report = tokio::runtime::Runtime::new()?.block_on(demo::run(options))?;
    let text = if options.json { serde_json::to_string(&report)? } else { report.to_string() };
    writeln!(io::stdout(), "{text}")?;
    Ok(if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve(options: ServeOptions) -> Result<ExitCode, Box<dyn Error>> {
    tokio::runtime::Runtime::new()?.block_on(serve::run(options))?;
    Ok(ExitCode::SUCCESS)
}

fn cost(options: &CostOptions) -> Result<ExitCode, Box<dyn Error>> {
    let report = cost::CostReport::new(options);
    let text = if options.json { serde_json::to_string(&report)? } else { report.to_string() };
    writeln!(io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn proxy(options: ProxyOptions) -> Result<ExitCode, Box<dyn Error>> {
    tokio::runtime::Runtime::new()?.block_on(proxy::run(options))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints an error of the command line in one line. Help and version are printed unchanged.
fn report_usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        print_error(&usage_line(error));
        return ExitCode::from(USAGE);
    }
    match error.print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Formats an error of the command line in one line: its text and its tips, without the usage.
fn usage_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut parts = text.split("\n\n").map(|part| {
        let lines: Vec<&str> = part.lines().map(str::trim).collect();
        lines.join(" ")
    });
    let mut line = parts.next().unwrap_or_default();
    for tip in parts.filter(|part| part.starts_with("tip:")) {
        line.extend(["; ", &tip]);
    }
    line.push_str(" (see --help)");
    line
}

/// Formats an error and its sources in one line.
fn to_line(error: &dyn Error) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Prints a line to standard error. Errors are ignored.
fn print_error(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_address_flag_takes_a_port_and_a_name() {
        let mut command = Cli::command();
        command.build();
        let mut flags = Vec::new();
        for command in command.get_subcommands() {
            let is_address = |arg: &&clap::Arg| {
                arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "ADDR"))
            };
            let addresses = command.get_arguments().filter(is_address);
            flags.extend(addresses.map(|arg| format!("{} --{}", command.get_name(), arg.get_id())));
        }
        assert_eq!(
            flags,
            ["serve --listen", "serve --metrics", "proxy --listen", "proxy --metrics"]
        );
        for flag in flags {
            for address in ["8080", ":8080", "localhost:8080", "[::1]:8080"] {
                let line = format!("heartbeat-gateway {flag} {address}");
                let mut line: Vec<&str> = line.split(' ').collect();
                if line[1] == "proxy" {
                    line.extend(["--upstream", "http://localhost"]);
                }
                Cli::try_parse_from(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
            }
        }
    }

    #[test]
    fn an_error_of_the_command_line_has_its_tips() {
        for (line, expected) in [
            (
                "serve --listne 1",
                "error: unexpected argument '--listne' found; \
                 tip: a similar argument exists: '--listen' (see --help)",
            ),
            (
                "serve --runtime toko",
                "error: invalid value 'toko' for '--runtime <RUNTIME>' \
                 [possible values: tokio, smol, async-std]; \
                 tip: a similar value exists: 'tokio' (see --help)",
            ),
            (
                "prxy",
                "error: unrecognized subcommand 'prxy'; \
                 tip: a similar subcommand exists: 'proxy' (see --help)",
            ),
            (
                "proxy",
                "error: the following required arguments were not provided: \
                 --upstream <URL> (see --help)",
            ),
        ] {
            let line = ["heartbeat-gateway"].into_iter().chain(line.split(' '));
            let error = Cli::try_parse_from(line).expect_err("invalid");
            assert_eq!(usage_line(&error), expected);
        }
    }

    #[test]
    fn without_a_command_the_demo_runs() {
        let Cli { command, demo } = Cli::parse_from(["heartbeat-gateway", "--json"]);
        assert!(command.is_none() && demo.json);
    }
}
