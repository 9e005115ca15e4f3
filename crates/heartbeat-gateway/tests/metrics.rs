//! The pages of `serve --metrics`, requested over a real socket.
#![cfg(unix)]
#![expect(clippy::float_cmp, reason = "counts are exact")]

mod support;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use prometheus_parse::{LineInfo, Scrape, Value};
use support::{Serving, address_in, on_each_runtime, subscribe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

on_each_runtime![
    every_documented_metric_is_exported_and_changes,
    during_shutdown_health_is_503_and_metrics_remain,
];

/// The parts of a response.
struct Answer {
    status: u16,
    content_type: String,
    body: String,
}

async fn send(address: SocketAddr, path: &str) -> Answer {
    let response = async {
        let mut connection = TcpStream::connect(address).await?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        connection.read_to_string(&mut response).await?;
        io::Result::Ok(response)
    };
    let response =
        timeout(Duration::from_secs(20), response).await.expect("soon").expect("a response");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    let content_type = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    Answer {
        status: head.split(' ').nth(1).expect("a status").parse().expect("a number"),
        content_type: content_type.map(|(_, value)| value.to_owned()).unwrap_or_default(),
        body: body.to_owned(),
    }
}

/// A parsed scrape. The parser accepts every line.
struct Metrics {
    scrape: Scrape,
    types: HashMap<String, String>,
}

impl Metrics {
    async fn scrape(address: SocketAddr) -> Self {
        let response = send(address, "/metrics").await;
        assert_eq!(response.status, 200, "{}", response.body);
        assert!(response.content_type.starts_with("text/plain; version=0.0.4"));
        let mut types = HashMap::new();
        for line in response.body.lines() {
            match LineInfo::parse(line) {
                LineInfo::Ignored => panic!("what is this? {line:?}"),
                LineInfo::Type { metric_name, metric_alias, sample_type } => {
                    let kind = format!("{sample_type:?}").to_lowercase();
                    types.insert(metric_alias.unwrap_or(metric_name), kind);
                }
                _ => {}
            }
        }
        let lines = response.body.lines().map(|line| Ok(line.to_owned()));
        Self { scrape: Scrape::parse(lines).expect("text"), types }
    }

    fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<&Value> {
        let samples = &mut self.scrape.samples.iter();
        let sample = samples.find(|sample| {
            let has = |(name, value): &(&str, &str)| sample.labels.get(name) == Some(value);
            sample.metric == name && labels.iter().all(has)
        });
        sample.map(|sample| &sample.value)
    }

    /// The value of a counter or a gauge.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        match self.get(name, labels) {
            Some(Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value)) => *value,
            other => panic!("{name} {labels:?} is {other:?}"),
        }
    }

    fn sent(&self) -> f64 {
        self.value("heartbeat_messages_total", &[("outcome", "sent")])
    }

    fn active(&self) -> f64 {
        self.value("heartbeat_stream_active", &[])
    }
}

/// Scrapes until the condition holds.
async fn until(address: SocketAddr, condition: impl Fn(&Metrics) -> bool) -> Metrics {
    let scraping = async {
        loop {
            let metrics = Metrics::scrape(address).await;
            if condition(&metrics) {
                return metrics;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), scraping).await.expect("the condition holds")
}

/// A metric, as `docs/metrics.md` lists it.
struct Listed {
    name: String,
    kind: String,
    description: String,
}

/// The metrics of `serve`: those of the observer, and those of the command.
fn listed() -> Vec<Listed> {
    let guide = include_str!("../../../docs/metrics.md");
    let rows = guide.lines().filter(|line| line.starts_with("| `heartbeat"));
    let rows = rows.filter(|line| !line.contains("| `proxy` only: "));
    let row = |line: &str| {
        let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`'));
        let cells: Vec<_> = cells.collect();
        let [first, second, kind, _, description] = cells.try_into().expect("five cells");
        let name = if first.contains('.') { second } else { first };
        let kind = if kind == "up-down counter" { "gauge" } else { kind }; // the closest type of Prometheus
        let [name, kind, description] = [name, kind, description].map(str::to_owned);
        Listed { name, kind, description }
    };
    rows.map(row).collect()
}

/// The address of the metrics of a server that has just started.
fn metrics_of(server: &mut Serving) -> SocketAddr {
    address_in(&mut server.stdout, "metrics on http://")
}

async fn every_documented_metric_is_exported_and_changes(runtime: &str) {
    let arguments = "--interval 100ms --event-every 0s --metrics 127.0.0.1:0";
    let mut server = Serving::start(&format!("--runtime {runtime} {arguments}"));
    let address = metrics_of(&mut server);

    let before = Metrics::scrape(address).await;
    assert_eq!((before.sent(), before.active()), (0.0, 0.0), "exported before the first heartbeat");
    assert_eq!(before.value("target_info", &[("service_name", "heartbeat-gateway")]), 1.0);

    let mut stream = subscribe(server.address, "").await.expect("served");
    let mut heartbeats = 0;
    while heartbeats < 3 {
        let event = stream.message().await.expect("an open stream").expect("not ended");
        heartbeats += usize::from(event.is_heartbeat());
    }
    let unknown = send(server.address, "/elsewhere").await;
    assert_eq!(unknown.status, 404);
    let during = until(address, |metrics| metrics.sent() >= 3.0).await;
    let reason = [("reason", "content_type")];
    assert_eq!(during.value("heartbeat_passthrough_total", &reason), 1.0);
    assert_eq!(during.active(), 1.0);
    let silence = during.value("heartbeat_idle_max_seconds", &[]);
    // On a hub a heartbeat can be early by a 64th of the interval (T15).
    assert!((0.098..8.0).contains(&silence), "{silence}");

    for Listed { name, kind, description } in listed() {
        assert_eq!(during.types.get(&name), Some(&kind), "{name}");
        assert_eq!(during.scrape.docs.get(&name), Some(&description), "{name}");
        assert!(during.get(&name, &[]).is_some(), "{name}");
    }
    let mut heartbeat_metrics: Vec<_> =
        during.types.keys().filter(|&name| name != "target_info").collect();
    let mut listed: Vec<_> = listed().into_iter().map(|listed| listed.name).collect();
    heartbeat_metrics.sort();
    listed.sort();
    assert_eq!(heartbeat_metrics, listed.iter().collect::<Vec<_>>(), "no other metric is exported");

    drop(stream);
    let after = until(address, |metrics| metrics.active() == 0.0).await;
    let sent = after.sent(); // nothing changes any more, so the numbers must agree
    assert!(sent >= during.sent());
    let bytes = after.value("heartbeat_size_bytes_total", &[]);
    assert_eq!(bytes, sent * 24.0, "a message of 19 bytes in an envelope of 5");
    assert_eq!(after.value("heartbeat_delay_seconds_count", &[]), sent);
    let Some(Value::Histogram(buckets)) = after.get("heartbeat_delay_seconds", &[]) else {
        panic!("no buckets")
    };
    assert_eq!(buckets.len(), 17);
    assert_eq!((buckets[0].less_than, buckets[16].count), (0.001, sent));
    server.terminate();
    assert_eq!(server.end().await.0.code(), Some(0));
}

async fn during_shutdown_health_is_503_and_metrics_remain(runtime: &str) {
    let arguments = "--shutdown-within 2s --metrics 127.0.0.1:0";
    let mut server = Serving::start(&format!("--runtime {runtime} {arguments}"));
    let address = metrics_of(&mut server);
    let incomplete_call = support::send_head_only(server.address).await;
    let stream = subscribe(server.address, "").await.expect("served");

    let health = send(address, "/healthz").await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    for elsewhere in ["/", "/metrics/", "/healthz/live", "/favicon.ico"] {
        assert_eq!(send(address, elsewhere).await.status, 404, "{elsewhere}");
    }

    server.terminate();
    while send(address, "/healthz").await.status == 200 {
        sleep(Duration::from_millis(10)).await;
    }
    let health = send(address, "/healthz").await;
    assert_eq!((health.status, health.body.as_str()), (503, "stopping\n"));
    until(address, |metrics| metrics.active() == 0.0).await;
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("closing the remaining streams"), "{log}");
    assert!(TcpStream::connect(address).await.is_err(), "the listener is closed");
    drop((incomplete_call, stream));
}

#[tokio::test]
async fn the_output_names_the_metrics_before_the_idle_proxy() {
    let mut server = Serving::start("--metrics 127.0.0.1:0 --idle-cut 5s");
    let metrics = metrics_of(&mut server);
    let proxy_address = address_in(&mut server.stdout, "cutting idle connections on ");
    assert_eq!(send(metrics, "/healthz").await.status, 200);
    let mut stream = subscribe(proxy_address, "").await.expect("served");
    assert!(stream.message().await.expect("an open stream").is_some());
    server.terminate();
    assert_eq!(server.end().await.0.code(), Some(0));
}
