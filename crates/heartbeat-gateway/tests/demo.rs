//! The command, run as a user would run it. Over real sockets and in real time, since that is what it
//! is there to show; each test takes some seconds.

use std::process::{Command, Output};

fn gateway(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heartbeat-gateway"))
        .args(arguments.split_whitespace())
        .output()
        .expect("the command can be run")
}

fn streams(output: &Output) -> Vec<serde_json::Value> {
    let json: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else");
    json["streams"].as_array().expect("an array").clone()
}

const NAMES: [&str; 3] = ["nothing", "HTTP/2 PINGs", "heartbeats"];
const RUNTIMES: [&str; 3] = ["tokio", "smol", "async-std"];

fn survived(streams: &[serde_json::Value]) -> Vec<Option<bool>> {
    streams.iter().map(|stream| stream["survived"].as_bool()).collect()
}

#[test]
fn only_heartbeats_keep_a_stream_alive_on_any_runtime() {
    let output = gateway("demo --json --interval 400ms --idle-cut 1s --duration 5s");
    assert!(output.status.success(), "{output:?}");
    let streams = streams(&output);
    assert_eq!(streams.len(), 9, "{streams:?}");
    for (streams, runtime) in streams.chunks(3).zip(RUNTIMES) {
        assert!(streams.iter().all(|stream| stream["runtime"] == runtime), "{streams:?}");
        assert!(streams.iter().all(|stream| stream["protocol"] == "grpc"), "{streams:?}");
        let names = [0, 1, 2].map(|place| streams[place]["name"].as_str());
        assert_eq!(names, NAMES.map(Some));
        let beating = [0, 1, 2].map(|place| streams[place]["heartbeat"].as_bool());
        assert_eq!(beating, [Some(false), Some(false), Some(true)]);
        assert_eq!(survived(streams), [Some(false), Some(false), Some(true)]);

        let number = |place: usize, key: &str| streams[place][key].as_u64().expect(key);
        assert!(number(0, "lifetime_ms") >= 1000 && number(0, "lifetime_ms") < 4000);
        assert!(number(2, "lifetime_ms") >= 5000);
        // Events at 0.3, 2.3 and 4.3 s; the first is all that the others live to see.
        assert_eq!([0, 1, 2].map(|place| number(place, "real_events")), [1, 1, 3]);
        assert_eq!([0, 1].map(|place| number(place, "heartbeats")), [0, 0]);
        assert!((6..=12).contains(&number(2, "heartbeats")), "{streams:?}");
        assert!(number(1, "wire_bytes") > number(0, "wire_bytes"), "its PINGs were sent");
    }
}

#[test]
fn without_an_interval_the_cure_is_missing_and_the_demo_fails() {
    let output = gateway("demo --interval 0s --idle-cut 1s --duration 5s");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let table = String::from_utf8(output.stdout).expect("text");
    assert_eq!(table.matches("WRONG: cut, but should have lived").count(), 3, "{table}");
}

#[test]
fn pings_help_against_a_proxy_that_counts_any_byte() {
    let output =
        gateway("demo --json --interval 400ms --idle-cut 1s --duration 3s --idle-counts bytes");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for streams in streams(&output).chunks(3) {
        assert_eq!(survived(streams), [Some(false), Some(true), Some(true)], "{streams:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_an_error_and_no_panic() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return }; // only Linux has it
    let output = Command::new(env!("CARGO_BIN_EXE_heartbeat-gateway"))
        .args(["demo", "--duration", "900ms", "--idle-cut", "300ms", "--interval", "100ms"])
        .stdout(full)
        .output()
        .expect("the command can be run");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let log = String::from_utf8(output.stderr).expect("text");
    assert!(log.ends_with("error: No space left on device (os error 28)\n"), "{log}");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
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
    assert_eq!(output.stderr, b"error: the duration is too long to be measured\n");
}
