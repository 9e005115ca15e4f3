//! The report of the `cost` command, as a table and as JSON.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use heartbeat_frame::cost::{Cost, Http, Ip, Rate, Transport};
use indicatif::HumanCount;
use serde::{Serialize, Serializer};
use unit_prefix::NumberPrefix;

use super::{CostOptions, protocol};

/// The cost of heartbeats in each protocol, over each transport.
#[derive(Debug, Clone, Serialize)]
pub struct CostReport {
    #[serde(rename = "interval_seconds", serialize_with = "as_seconds")]
    interval: Duration,
    streams: u64,
    costs: Vec<CostRow>,
}

/// The cost of a heartbeat in one protocol, over one transport.
#[derive(Debug, Clone, Serialize)]
pub struct CostRow {
    /// The protocol and the kind of heartbeat; in JSON in lower case.
    #[serde(serialize_with = "as_key")]
    pub protocol: &'static str,
    /// The version of HTTP.
    pub http: &'static str,
    /// Whether the connection uses TLS.
    pub tls: bool,
    /// Bytes of the message or the text.
    pub payload_bytes: u64,
    /// Bytes that the protocol adds.
    pub envelope_bytes: u64,
    /// Bytes that HTTP adds.
    pub http_bytes: u64,
    /// Bytes that TLS adds.
    pub tls_bytes: u64,
    /// Bytes of the headers of the TCP segment.
    pub tcp_ip_bytes: u64,
    /// Bytes of the segment with the Pong that answers a WebSocket Ping.
    pub answer_bytes: u64,
    /// Bytes of the acknowledgement.
    pub ack_bytes: u64,
    /// Bytes of a heartbeat in total.
    pub total_bytes: u64,
    /// Bytes per day for one stream.
    pub stream_bytes_per_day: u64,
    /// Bytes per day for all streams.
    pub all_streams_bytes_per_day: u64,
    /// Bandwidth of all streams, in bits per second.
    pub all_streams_bits_per_second: u64,
}

fn as_key<S: Serializer>(name: &&str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&name.to_lowercase().replace(' ', "-"))
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl CostReport {
    /// Calculates the cost.
    #[must_use]
    pub fn new(options: &CostOptions) -> Self {
        let &CostOptions { interval, streams, message, ipv6, json: _ } = options;
        let ip = if ipv6 { Ip::V6 } else { Ip::V4 };
        let all_streams = Rate { interval, streams };
        let mut costs = Vec::new();
        for protocol in protocol::all(message) {
            for &http in protocol.over {
                for tls in [false, true] {
                    let cost = Cost::new(protocol.form, Transport { http, tls, ip });
                    costs.push(CostRow::new(protocol.name, http, tls, &cost, all_streams));
                }
            }
        }
        Self { interval, streams, costs }
    }

    /// The cost in each protocol, over each transport.
    #[must_use]
    pub fn costs(&self) -> &[CostRow] {
        &self.costs
    }
}

impl CostRow {
    fn new(protocol: &'static str, http: Http, tls: bool, cost: &Cost, all_streams: Rate) -> Self {
        let total_bytes = cost.total_bytes();
        let stream = Rate { streams: 1, ..all_streams };
        Self {
            protocol,
            http: match http {
                Http::Http1 => "HTTP/1.1",
                Http::Http2 => "HTTP/2",
            },
            tls,
            payload_bytes: cost.payload_bytes,
            envelope_bytes: cost.envelope_bytes,
            http_bytes: cost.http_bytes,
            tls_bytes: cost.tls_bytes,
            tcp_ip_bytes: cost.tcp_ip_bytes,
            answer_bytes: cost.answer_bytes,
            ack_bytes: cost.ack_bytes,
            total_bytes,
            stream_bytes_per_day: stream.bytes_per_day(total_bytes),
            all_streams_bytes_per_day: all_streams.bytes_per_day(total_bytes),
            all_streams_bits_per_second: all_streams.bits_per_second(total_bytes),
        }
    }
}

impl fmt::Display for CostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header([
            "protocol",
            "over",
            "heartbeat",
            "HTTP",
            "TLS",
            "TCP/IP",
            "ACK",
            "total",
            "one\nstream,\na day",
            "all\nstreams,\na day",
            "all\nstreams,\nbandwidth",
        ]);
        let (mut protocol, mut http) = (None, None);
        for row in &self.costs {
            let same_protocol = protocol.replace(row.protocol) == Some(row.protocol);
            let same_http = http.replace(row.http) == Some(row.http);
            table.add_row([
                if same_protocol { String::new() } else { row.protocol.to_owned() },
                if same_protocol && same_http { String::new() } else { row.http.to_owned() },
                sum([row.payload_bytes, row.envelope_bytes]),
                row.http_bytes.to_string(),
                row.tls_bytes.to_string(),
                row.tcp_ip_bytes.to_string(),
                sum([row.answer_bytes, row.ack_bytes]),
                row.total_bytes.to_string(),
                short(row.stream_bytes_per_day, "B"),
                short(row.all_streams_bytes_per_day, "B"),
                short(row.all_streams_bits_per_second, "bit/s"),
            ]);
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{table}")?;

        let streams = HumanCount(self.streams);
        if self.interval.is_zero() {
            writeln!(f, "Bytes per heartbeat; an interval of 0s sends none, which costs nothing.")?;
        } else {
            let interval = humantime::format_duration(self.interval);
            writeln!(
                f,
                "Bytes per heartbeat; one every {interval} on each of {streams} streams, silent all day."
            )?;
        }
        write!(
            f,
            "The parts TCP/IP and ACK are estimated, the others exact. The first ACK of a Ping is its Pong."
        )
    }
}

/// Formats a sum without its zeros.
fn sum(parts: [u64; 2]) -> String {
    let parts = parts.into_iter().filter(|&part| part > 0);
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(" + ")
}

/// Formats an amount with three digits and a unit.
fn short(amount: u64, unit: &str) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    match NumberPrefix::decimal(amount as f64) {
        NumberPrefix::Standalone(amount) => format!("{amount} {unit}"),
        NumberPrefix::Prefixed(prefix, amount) => {
            let decimals = match amount {
                ..10.0 => 2,
                ..100.0 => 1,
                _ => 0,
            };
            format!("{amount:.decimals$} {}{unit}", prefix.symbol())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_and_a_unit() {
        for (amount, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (12_340, "12.3 kB"),
            (789_120, "789 kB"),
            (1_198_080_000_000, "1.20 TB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(short(amount, "B"), text);
        }
    }

    #[test]
    fn sums_omit_zeros() {
        assert_eq!([sum([19, 5]), sum([2, 0]), sum([0, 2])], ["19 + 5", "2", "2"]);
    }
}
