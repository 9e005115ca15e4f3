//! The `cost` command, run as a process.

use std::process::{Command, Output};

use serde_json::{Value, json};

fn cost(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heartbeat-gateway"))
        .arg("cost")
        .args(arguments.split_whitespace())
        .output()
        .expect("the command can be run")
}

fn json_of(arguments: &str) -> Value {
    let output = cost(&format!("--json {arguments}"));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else")
}

fn costs(json: &Value) -> &[Value] {
    json["costs"].as_array().expect("an array")
}

/// The cost of a protocol over a transport.
fn row<'a>(json: &'a Value, protocol: &str, http: &str, tls: bool) -> &'a Value {
    let mut rows = costs(json).iter();
    rows.find(|row| row["protocol"] == protocol && row["http"] == http && row["tls"] == tls)
        .unwrap_or_else(|| panic!("{protocol} over {http} is missing"))
}

#[test]
fn the_keys_in_json() {
    let json = json_of("");
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(3));
    assert_eq!([&json["interval_seconds"], &json["streams"]], [&json!(15.0), &json!(1_000_000)]);
    assert_eq!(
        *row(&json, "grpc", "HTTP/2", true),
        json!({
            "protocol": "grpc", "http": "HTTP/2", "tls": true,
            "payload_bytes": 19, "envelope_bytes": 5, "http_bytes": 9, "tls_bytes": 22,
            "tcp_ip_bytes": 52, "answer_bytes": 0, "ack_bytes": 52, "total_bytes": 159,
            "stream_bytes_per_day": 915_840, "all_streams_bytes_per_day": 915_840_000_000_u64,
            "all_streams_bits_per_second": 84_800_000,
        })
    );
}

#[test]
fn every_protocol_is_listed_over_its_transports() {
    let json = json_of("");
    let anywhere = [
        "grpc-web",
        "grpc-web-text",
        "connect-proto",
        "connect-json",
        "sse-comment",
        "sse-block",
        "sse-event",
        "ndjson-line",
        "ndjson-space",
    ];
    let mut expected = vec![("grpc", "HTTP/2")];
    expected.extend(anywhere.iter().flat_map(|&name| [(name, "HTTP/1.1"), (name, "HTTP/2")]));
    expected.push(("websocket-ping", "HTTP/1.1"));
    for &(protocol, http) in &expected {
        let [plain, tls] = [false, true]
            .map(|tls| row(&json, protocol, http, tls)["total_bytes"].as_u64().expect("a number"));
        // The Pong has its own TLS record.
        let records = if protocol == "websocket-ping" { 2 } else { 1 };
        assert_eq!(tls - plain, records * 22, "{protocol}");
    }
    assert_eq!(costs(&json).len(), 2 * expected.len());
}

#[test]
fn flags_change_the_result() {
    let json = json_of("--interval 30s --streams 10 --message empty --ipv6");
    let grpc = row(&json, "grpc", "HTTP/2", false);
    assert_eq!([&grpc["payload_bytes"], &grpc["total_bytes"]], [&json!(0), &json!(5 + 9 + 144)]);
    assert_eq!(grpc["stream_bytes_per_day"], 2880 * 158);
    assert_eq!(grpc["all_streams_bytes_per_day"], 28_800 * 158);
    assert_eq!(grpc["all_streams_bits_per_second"], 421); // 421.3
    assert_eq!(row(&json, "connect-json", "HTTP/2", false)["payload_bytes"], 2);
}

#[test]
fn an_interval_of_zero_costs_nothing() {
    let json = json_of("--interval 0s");
    assert_eq!(json["interval_seconds"], 0.0);
    for row in costs(&json) {
        for sum in
            ["stream_bytes_per_day", "all_streams_bytes_per_day", "all_streams_bits_per_second"]
        {
            assert_eq!(row[sum], 0, "{row}");
        }
    }
    let output = cost("--interval 0s");
    let table = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && table.contains("an interval of 0s sends none"), "{table}");
}

#[test]
fn extreme_values_do_not_panic() {
    let flood = json_of(&format!("--interval 1ns --streams {}", u64::MAX));
    for row in costs(&flood) {
        assert_eq!(row["all_streams_bytes_per_day"], u64::MAX, "{row}");
    }
    let never = json_of(&format!("--interval 500000000000years --streams {}", u64::MAX));
    for row in costs(&never) {
        assert_eq!(row["all_streams_bytes_per_day"], 0, "{row}");
    }
    for arguments in ["--interval 1ns --streams 18446744073709551615", "--streams 0"] {
        assert!(cost(arguments).status.success(), "{arguments}");
    }
}

#[test]
fn the_table_has_120_columns_and_names_each_protocol_once() {
    let output = cost("--interval 1s --streams 18446744073709551615 --ipv6");
    let table = String::from_utf8(output.stdout).expect("text");
    assert!(table.lines().all(|line| line.chars().count() <= 120), "{table}");
    for protocol in ["│ gRPC  ", "│ Connect JSON ", "│ SSE comment ", "│ WebSocket Ping "] {
        assert_eq!(table.matches(protocol).count(), 1, "{protocol}: {table}");
    }
}

#[test]
fn an_invalid_command_line_is_rejected_with_a_reason() {
    for arguments in [
        "--interval banana",
        "--streams -5",
        "--streams 18446744073709551616",
        "--message large",
        "--ipv6 yes",
    ] {
        let output = cost(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {output:?}");
        assert!(output.stdout.is_empty(), "{arguments}");
        assert!(output.stderr.starts_with(b"error: "), "{arguments}: {output:?}");
    }
}
