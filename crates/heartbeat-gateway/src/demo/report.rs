//! The report of the demo, as a table and as JSON.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::{Serialize, Serializer};

use super::HTTP2_PINGS;
use super::protocol::DemoProtocol;

/// The results of all streams.
#[derive(Debug, Clone, Serialize)]
pub struct DemoReport {
    streams: Vec<StreamReport>,
    #[serde(skip)]
    published: u64,
    #[serde(skip)]
    idle_cut: Duration,
}

/// The result of one stream.
#[derive(Debug, Clone, Serialize)]
pub struct StreamReport {
    /// The means to keep the stream alive.
    pub name: &'static str,
    /// The runtime of the server.
    pub runtime: &'static str,
    /// The protocol of the stream.
    pub protocol: DemoProtocol,
    /// Whether the server sent heartbeats.
    pub heartbeat: bool,
    /// Whether the stream was open at the end of the demo.
    pub survived: bool,
    /// Time from opening to the cut or the end of the demo; in JSON `lifetime_ms`, in milliseconds.
    #[serde(rename = "lifetime_ms", serialize_with = "as_millis")]
    pub lifetime: Duration,
    /// Number of received events.
    pub real_events: u64,
    /// Number of received heartbeats.
    pub heartbeats: u64,
    /// Bytes that the server sent, above TCP.
    pub wire_bytes: u64,
    #[serde(skip)]
    pub(super) must_survive: bool,
    /// Number of cuts by the proxy.
    #[serde(skip)]
    pub(super) cuts: u64,
    /// Number of events that were duplicated or out of order.
    #[serde(skip)]
    pub(super) misplaced: u64,
}

fn as_millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

impl DemoReport {
    pub(super) fn new(streams: Vec<StreamReport>, published: u64, idle_cut: Duration) -> Self {
        Self { streams, published, idle_cut }
    }

    /// The result of each stream.
    #[must_use]
    pub fn streams(&self) -> &[StreamReport] {
        &self.streams
    }

    /// Whether all streams without heartbeats were cut, and all streams with heartbeats survived and delivered every event
    /// once and in order. HTTP/2 PINGs count as heartbeats if the proxy counts them as activity.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.streams.iter().all(|stream| stream.fault(self.published).is_none())
    }
}

impl StreamReport {
    /// The deviation from the expected result.
    fn fault(&self, published: u64) -> Option<String> {
        let lost = published.saturating_sub(self.real_events);
        match (self.must_survive, self.survived) {
            (false, true) => Some("alive, expected a cut".to_owned()),
            (_, false) if self.cuts == 0 => Some("ended without a cut".to_owned()),
            (true, false) => Some("cut, expected to survive".to_owned()),
            _ if published == 0 => Some("no event was sent".to_owned()),
            _ if self.misplaced > 0 => Some("events duplicated or out of order".to_owned()),
            (true, true) if lost > 0 => Some(format!("{lost} events lost")),
            _ => None,
        }
    }

    fn verdict(&self, published: u64) -> String {
        let expected = if self.survived { "alive, all events in order" } else { "cut" };
        self.fault(published).map_or(expected.to_owned(), |fault| format!("WRONG: {fault}"))
    }
}

impl fmt::Display for DemoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header([
            "runtime",
            "protocol",
            "kept alive by",
            "lifetime",
            "real events",
            "heartbeats",
            "wire bytes",
            "verdict",
        ]);
        let mut last: Option<&StreamReport> = None;
        for stream in &self.streams {
            let before = last.replace(stream).filter(|last| last.runtime == stream.runtime);
            let runtime = if before.is_some() { "" } else { stream.runtime };
            let same = before.is_some_and(|before| before.protocol == stream.protocol);
            let protocol = if same { String::new() } else { stream.protocol.to_string() };
            table.add_row([
                runtime.to_owned(),
                protocol,
                stream.name.to_owned(),
                format!("{:.1} s", stream.lifetime.as_secs_f64()),
                format!("{} of {}", stream.real_events, self.published),
                stream.heartbeats.to_string(),
                stream.wire_bytes.to_string(),
                stream.verdict(self.published),
            ]);
        }
        for column in table.column_iter_mut().skip(3).take(4) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{table}")?;

        let idle_cut = humantime::format_duration(self.idle_cut);
        if self.is_success() {
            let mut streams = self.streams.iter();
            let prevent = if streams.any(|stream| stream.survived && stream.name == HTTP2_PINGS) {
                "Heartbeats prevent it, and so do HTTP/2 PINGs, which this proxy counts as activity"
            } else {
                "Only heartbeats prevent it"
            };
            write!(f, "The proxy cuts after {idle_cut} of silence. {prevent}.")
        } else {
            write!(
                f,
                "The proxy cuts after {idle_cut} of silence. At least one stream had another result than expected."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &'static str, must_survive: bool) -> StreamReport {
        StreamReport {
            name,
            runtime: "tokio",
            protocol: DemoProtocol::Grpc,
            heartbeat: must_survive,
            survived: must_survive,
            lifetime: Duration::from_millis(9500),
            real_events: if must_survive { 2 } else { 1 },
            heartbeats: 7,
            wire_bytes: 999,
            must_survive,
            cuts: u64::from(!must_survive),
            misplaced: 0,
        }
    }

    fn report(change: impl FnOnce(&mut [StreamReport; 2])) -> DemoReport {
        let mut streams = [stream("nothing", false), stream("heartbeats", true)];
        change(&mut streams);
        DemoReport::new(streams.into(), 2, Duration::from_secs(3))
    }

    #[test]
    fn the_expected_results_are_a_success() {
        let report = report(|_| {});
        assert!(report.is_success());
        let text = report.to_string();
        assert!(
            text.contains("9.5 s") && text.contains("2 of 2") && !text.contains("WRONG"),
            "{text}"
        );
    }

    #[test]
    fn the_table_names_runtimes_and_protocols_once_in_120_columns() {
        let mut rows = Vec::new();
        for runtime in ["smol", "async-std"] {
            for protocol in [DemoProtocol::GrpcWeb, DemoProtocol::Ndjson] {
                for (name, must_survive) in [(HTTP2_PINGS, false), ("heartbeats", true)] {
                    rows.push(StreamReport { runtime, protocol, ..stream(name, must_survive) });
                }
            }
        }
        let report = DemoReport::new(rows, 2, Duration::from_secs(3));
        let text = report.to_string();
        for (name, count) in [("smol", 1), ("async-std", 1), ("gRPC-Web", 2), ("NDJSON", 2)] {
            assert_eq!(text.matches(name).count(), count, "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    }

    #[test]
    fn pings_that_are_expected_to_survive_are_a_success() {
        let report = report(|streams| streams[0] = stream(HTTP2_PINGS, true));
        assert!(report.is_success());
        assert!(report.to_string().contains("and so do HTTP/2 PINGs"), "{report}");
    }

    #[test]
    fn any_deviation_is_a_failure_and_is_named() {
        type Change = fn(&mut [StreamReport; 2]);
        let faults: [(Change, &str); 7] = [
            (|streams| streams[0].survived = true, "alive, expected a cut"),
            (
                |streams| (streams[1].survived, streams[1].cuts) = (false, 1),
                "cut, expected to survive",
            ),
            (|streams| streams[1].survived = false, "ended without a cut"),
            (|streams| streams[0].cuts = 0, "ended without a cut"),
            (|streams| streams[1].real_events = 1, "1 events lost"),
            (|streams| streams[1].misplaced = 1, "events duplicated or out of order"),
            (|streams| streams[0].misplaced = 1, "events duplicated or out of order"),
        ];
        for (change, name) in faults {
            let report = report(change);
            assert!(!report.is_success(), "{name}");
            assert!(report.to_string().contains(name), "{name}: {report}");
        }
    }

    #[test]
    fn a_run_without_events_is_a_failure() {
        let mut report = report(|streams| streams[1].real_events = 0);
        report.published = 0;
        assert!(!report.is_success());
        assert!(report.to_string().contains("no event was sent"), "{report}");
    }

    #[test]
    fn the_keys_in_json() {
        let json = serde_json::to_value(report(|_| {})).expect("plain data");
        let stream = &json["streams"][1];
        assert_eq!(
            *stream,
            serde_json::json!({
                "name": "heartbeats", "runtime": "tokio", "protocol": "grpc", "heartbeat": true,
                "survived": true, "lifetime_ms": 9500, "real_events": 2, "heartbeats": 7,
                "wire_bytes": 999,
            })
        );
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(1));
    }
}
