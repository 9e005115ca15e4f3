//! The `demo` command, run as a process. It uses real sockets and real time; each test takes some seconds.

use std::process::{Command, Output};
use std::sync::LazyLock;

use heartbeat_frame::cost::{Cost, Frame, Http, Ip, Transport};
use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};

fn gateway(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heartbeat-gateway"))
        .args(arguments.split_whitespace())
        .output()
        .expect("the command can be run")
}

/// A run that several tests read.
static RUN: LazyLock<Output> =
    LazyLock::new(|| gateway("demo --json --interval 400ms --idle-cut 1s --duration 5s"));

fn streams(output: &Output) -> Vec<serde_json::Value> {
    let json: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else");
    json["streams"].as_array().expect("an array").clone()
}

/// The expected streams: runtime, protocol and name.
const STREAMS: [(&str, &str, &[&str]); 9] = [
    ("tokio", "grpc", &["nothing", "HTTP/2 PINGs", "heartbeats"]),
    ("tokio", "grpc-web", &["nothing", "heartbeats"]),
    ("tokio", "connect", &["nothing", "heartbeats"]),
    ("tokio", "sse", &["nothing", "heartbeats"]),
    ("tokio", "ndjson", &["nothing", "heartbeats"]),
    ("smol", "grpc", &["nothing", "HTTP/2 PINGs", "heartbeats"]),
    ("smol", "sse", &["nothing", "heartbeats"]),
    ("async-std", "grpc", &["nothing", "HTTP/2 PINGs", "heartbeats"]),
    ("async-std", "sse", &["nothing", "heartbeats"]),
];

#[test]
fn only_heartbeats_keep_a_stream_alive_in_any_protocol_on_any_runtime() {
    assert!(RUN.status.success(), "{:?}", *RUN);
    let mut streams = streams(&RUN).into_iter();
    for (runtime, protocol, names) in STREAMS {
        let mut wire_bytes = Vec::new();
        for &name in names {
            let stream = streams.next().expect("one more");
            assert_eq!(stream["runtime"], runtime, "{stream}");
            assert_eq!(stream["protocol"], protocol, "{stream}");
            assert_eq!(stream["name"], name, "{stream}");
            let lives = name == "heartbeats";
            assert_eq!(stream["heartbeat"], lives, "{stream}");
            assert_eq!(stream["survived"], lives, "{stream}");

            let number = |key: &str| stream[key].as_u64().expect(key);
            // ResponseStream at 0.3, 2.3 and 4.3 s. Streams without heartbeats only receive the first.
            if lives {
                assert!(number("lifetime_ms") >= 5000, "{stream}");
                assert_eq!(number("real_events"), 3, "{stream}");
                assert!((6..=12).contains(&number("heartbeats")), "{stream}");
            } else {
                assert!((1000..4000).contains(&number("lifetime_ms")), "{stream}");
                assert_eq!((number("real_events"), number("heartbeats")), (1, 0), "{stream}");
            }
            wire_bytes.push(number("wire_bytes"));
        }
        assert!(
            wire_bytes.is_sorted_by(|less, more| less < more),
            "PINGs and heartbeats were sent"
        );
    }
    assert_eq!(streams.next(), None);
}

/// A stream of the demo, as the table in the README shows it.
struct Shown {
    protocol: String,
    name: String,
    events: u64,
    heartbeats: u64,
    wire_bytes: u64,
}

fn readme() -> Vec<Shown> {
    let text = include_str!("../../../README.md");
    let rows = text.lines().filter(|line| line.starts_with('│') && line.contains('┆'));
    let mut protocol = String::new();
    let mut shown = Vec::new();
    for row in rows.skip(1) {
        let cells: Vec<&str> = row.trim_matches('│').split('┆').map(str::trim).collect();
        if !cells[1].is_empty() {
            cells[1].clone_into(&mut protocol);
        }
        let number = |cell: &str| cell.parse().unwrap_or_else(|_| panic!("{cell}"));
        shown.push(Shown {
            protocol: protocol.clone(),
            name: cells[2].to_owned(),
            events: number(cells[4].split(' ').next().expect("a number")),
            heartbeats: number(cells[5]),
            wire_bytes: number(cells[6]),
        });
    }
    shown
}

/// The bytes of one heartbeat of the demo, with HTTP.
fn heartbeat_bytes(protocol: &str) -> u64 {
    let message = Frame::envelope(&HeartbeatMessage::gateway_event());
    let (frame, http) = match protocol {
        "gRPC" => (message, Http::Http2),
        "gRPC-Web" | "Connect" => (message, Http::Http1),
        "SSE" => (Frame::sse(&SseHeartbeat::default()), Http::Http1),
        "NDJSON" => (Frame::ndjson(NdjsonHeartbeat::BlankLine), Http::Http1),
        other => panic!("{other}"),
    };
    Cost::new(frame, Transport { http, tls: false, ip: Ip::V4 }).application_bytes()
}

/// The bytes of the headers that a response with heartbeats has in addition.
fn header_bytes(protocol: &str) -> u64 {
    match protocol {
        "SSE" | "NDJSON" => "x-accel-buffering: no\r\n, no-transform".len() as u64,
        _ => 0,
    }
}

#[test]
fn the_wire_bytes_in_the_readme_are_those_of_the_demo() {
    let streams = streams(&RUN);
    let readme = readme();
    assert_eq!(readme.len(), 11, "five protocols on tokio");
    let mut bare = (0, 0);
    for shown in &readme {
        let Shown { protocol, name, .. } = shown;
        let key = protocol.to_lowercase();
        let is_shown = |stream: &&serde_json::Value| {
            stream["runtime"] == "tokio" && stream["protocol"] == key && stream["name"] == *name
        };
        let measured = streams.iter().find(is_shown).expect("the demo has it");
        let number = |key: &str| measured[key].as_u64().expect(key);
        let wire_bytes = number("wire_bytes");
        match name.as_str() {
            "nothing" => {
                // Over HTTP/2 the length of the header `date` depends on the date.
                let tolerance = if key == "grpc" { 5 } else { 0 };
                assert_eq!((shown.events, shown.heartbeats), (1, 0));
                assert!(wire_bytes.abs_diff(shown.wire_bytes) <= tolerance, "{measured}");
                bare = (shown.wire_bytes, wire_bytes);
            }
            "HTTP/2 PINGs" => {
                assert_eq!(shown.wire_bytes - bare.0, 3 * 17, "one per second until the cut");
                assert_eq!((wire_bytes - bare.1) % 17, 0, "{measured}");
            }
            _ => {
                let heartbeat = heartbeat_bytes(protocol);
                let headers = header_bytes(protocol);
                let events = shown.wire_bytes - bare.0 - headers - shown.heartbeats * heartbeat;
                let event = events / (shown.events - 1);
                let received = headers
                    + (number("real_events") - 1) * event
                    + number("heartbeats") * heartbeat;
                // A heartbeat may be on its way at the end.
                let expected = [received, received + heartbeat];
                assert!(expected.contains(&(wire_bytes - bare.1)), "{expected:?} {measured}");
            }
        }
    }
}

#[test]
fn without_heartbeats_the_demo_fails() {
    let output = gateway("demo --interval 0s --idle-cut 1s --duration 5s");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let table = String::from_utf8(output.stdout).expect("text");
    assert_eq!(table.matches("WRONG: cut, expected to survive").count(), STREAMS.len(), "{table}");
}

#[test]
fn pings_prevent_a_cut_if_bytes_count_as_activity() {
    let output =
        gateway("demo --json --interval 400ms --idle-cut 1s --duration 3s --idle-counts bytes");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for stream in streams(&output) {
        assert_eq!(stream["survived"], stream["name"] != "nothing", "{stream}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_an_error_without_a_panic() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return }; // exists on Linux only
    let output = Command::new(env!("CARGO_BIN_EXE_heartbeat-gateway"))
        .args(["demo", "--duration", "2s", "--idle-cut", "1s", "--interval", "300ms"])
        .stdout(full)
        .output()
        .expect("the command can be run");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let log = String::from_utf8(output.stderr).expect("text");
    assert!(log.ends_with("error: No space left on device (os error 28)\n"), "{log}");
}

#[test]
fn an_invalid_command_line_is_rejected_with_a_reason() {
    for arguments in [
        "demo --interval banana",
        "demo --interval -5s",
        "demo --idle-counts pings",
        "demo --unknown",
        "nonsense",
    ] {
        let output = gateway(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {output:?}");
        assert!(output.stdout.is_empty(), "{arguments}");
        assert!(output.stderr.starts_with(b"error: "), "{arguments}: {output:?}");
    }
    let output = gateway("demo --duration 500000000000years");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stderr, b"error: --duration is too long\n");
}
