//! What heartbeats cost: a table for people, an object for programs.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use heartbeat_frame::cost::{Cost, Http, Ip, Rate, Transport};
use indicatif::HumanCount;
use serde::{Serialize, Serializer};
use unit_prefix::NumberPrefix;

use super::{CostOptions, protocol};

/// What heartbeats cost in each protocol, over each transport.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    #[serde(rename = "interval_seconds", serialize_with = "as_seconds")]
    interval: Duration,
    streams: u64,
    costs: Vec<Row>,
}

/// What they cost in one protocol, over one transport.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The protocol, and which of its heartbeats; in JSON in lower case.
    #[serde(serialize_with = "as_key")]
    pub protocol: &'static str,
    /// The version of HTTP that it is spoken over.
    pub http: &'static str,
    /// Whether that goes over TLS.
    pub tls: bool,
    /// The message or the text.
    pub payload_bytes: u64,
    /// What the protocol puts around it.
    pub envelope_bytes: u64,
    /// What HTTP puts around that.
    pub http_bytes: u64,
    /// What TLS puts around that.
    pub tls_bytes: u64,
    /// The headers of its segment.
    pub tcp_ip_bytes: u64,
    /// The segment in which a client answers a Ping.
    pub answer_bytes: u64,
    /// The acknowledgement.
    pub ack_bytes: u64,
    /// All of it.
    pub total_bytes: u64,
    /// What one stream costs in a day.
    pub stream_bytes_per_day: u64,
    /// What all streams cost in a day.
    pub fleet_bytes_per_day: u64,
    /// The bandwidth that they take.
    pub fleet_bits_per_second: u64,
}

fn as_key<S: Serializer>(name: &&str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&name.to_lowercase().replace(' ', "-"))
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Report {
    /// Counts.
    #[must_use]
    pub fn new(options: &CostOptions) -> Self {
        let &CostOptions { interval, streams, message, ipv6, json: _ } = options;
        let ip = if ipv6 { Ip::V6 } else { Ip::V4 };
        let fleet = Rate { interval, streams };
        let mut costs = Vec::new();
        for protocol in protocol::all(message) {
            for &http in protocol.over {
                for tls in [false, true] {
                    let cost = Cost::new(protocol.form, Transport { http, tls, ip });
                    costs.push(Row::new(protocol.name, http, tls, &cost, fleet));
                }
            }
        }
        Self { interval, streams, costs }
    }

    /// What they cost in each protocol, over each transport.
    #[must_use]
    pub fn costs(&self) -> &[Row] {
        &self.costs
    }
}

impl Row {
    fn new(protocol: &'static str, http: Http, tls: bool, cost: &Cost, fleet: Rate) -> Self {
        let total_bytes = cost.total_bytes();
        let stream = Rate { streams: 1, ..fleet };
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
            fleet_bytes_per_day: fleet.bytes_per_day(total_bytes),
            fleet_bits_per_second: fleet.bits_per_second(total_bytes),
        }
    }
}

impl fmt::Display for Report {
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
            "in all",
            "a stream\na day",
            "the fleet\na day",
            "the fleet's\nbandwidth",
        ]);
        let (mut protocol, mut http) = (None, None);
        for row in &self.costs {
            let goes_on = protocol.replace(row.protocol) == Some(row.protocol);
            let still = http.replace(row.http) == Some(row.http);
            table.add_row([
                if goes_on { String::new() } else { row.protocol.to_owned() },
                if goes_on && still { String::new() } else { row.http.to_owned() },
                sum([row.payload_bytes, row.envelope_bytes]),
                row.http_bytes.to_string(),
                row.tls_bytes.to_string(),
                row.tcp_ip_bytes.to_string(),
                sum([row.answer_bytes, row.ack_bytes]),
                row.total_bytes.to_string(),
                short(row.stream_bytes_per_day, "B"),
                short(row.fleet_bytes_per_day, "B"),
                short(row.fleet_bits_per_second, "bit/s"),
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

/// What of it there is, with a plus between.
fn sum(parts: [u64; 2]) -> String {
    let parts = parts.into_iter().filter(|&part| part > 0);
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(" + ")
}

/// Three digits and a unit.
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
    fn an_amount_has_three_digits_and_a_unit() {
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
    fn a_sum_names_what_there_is() {
        assert_eq!([sum([19, 5]), sum([2, 0]), sum([0, 2])], ["19 + 5", "2", "2"]);
    }
}
