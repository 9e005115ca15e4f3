//! One stream of the demo, with its own server, proxy and client.

use std::future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use heartbeat_async::Config;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::client::{DemoStream, Received};
use super::protocol::DemoProtocol;
use super::report::StreamReport;
use super::{DemoOptions, ScenarioEvent};
use crate::event_log::EventLog;
use crate::idle_proxy::{IdleProxy, ProxyStats};
use crate::runtime::RuntimeKind;
use crate::server::{Gateway, Listener, ServerOptions};

/// The server of a stream, and its means to keep the stream alive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) runtime: RuntimeKind,
    pub(super) protocol: DemoProtocol,
    pub(super) name: &'static str,
    pub(super) must_survive: bool,
    pub(super) heartbeat: Config,
    pub(super) ping_interval: Option<Duration>,
}

/// A scenario with an open stream.
#[derive(Debug)]
pub(super) struct OpenScenario {
    scenario: Scenario,
    events: DemoStream,
    stats: Arc<ProxyStats>,
    /// The server and the proxy. They end with this value.
    _serving: JoinSet<()>,
}

impl Scenario {
    /// Starts a server and a proxy, and subscribes through them.
    pub(super) async fn open(
        self,
        log: &EventLog,
        options: &DemoOptions,
    ) -> io::Result<OpenScenario> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = Listener::bind(self.runtime, any_port, &ServerOptions::default()).await;
        let listener = listener.map_err(io::Error::other)?.with_ping_interval(self.ping_interval);
        let server = listener.local_addr();
        let proxy =
            IdleProxy::bind(any_port, server, options.idle_cut, options.idle_counts).await?;
        let (stats, address) = (proxy.stats(), proxy.local_addr());
        let log = log.clone();

        let mut serving = JoinSet::new();
        serving.spawn(listener.serve(Gateway::new(log, self.heartbeat), future::pending()));
        serving.spawn(proxy.run());

        let events = DemoStream::open(self.protocol, address).await?;
        Ok(OpenScenario { scenario: self, events, stats, _serving: serving })
    }
}

impl OpenScenario {
    /// Receives until the stream is cut, or until `end` if it survives.
    pub(super) async fn watch(
        mut self,
        start: Instant,
        end: Instant,
        report: impl Fn(ScenarioEvent),
    ) -> StreamReport {
        let (mut real_events, mut heartbeats, mut misplaced) = (0, 0, 0);
        let survived = loop {
            match timeout_at(end, self.events.next()).await {
                Err(_) => break true,
                Ok(None) => break false,
                Ok(Some(Received::Heartbeat)) => {
                    heartbeats += 1;
                    report(ScenarioEvent::Heartbeat);
                }
                Ok(Some(Received::Event(id))) => {
                    real_events += 1;
                    misplaced += u64::from(id != real_events.to_string());
                    report(ScenarioEvent::Event);
                }
            }
        };
        report(ScenarioEvent::Ended { survived });
        StreamReport {
            name: self.scenario.name,
            runtime: self.scenario.runtime.name(),
            protocol: self.scenario.protocol,
            heartbeat: !self.scenario.heartbeat.interval().is_zero(),
            survived,
            lifetime: start.elapsed(),
            real_events,
            heartbeats,
            wire_bytes: self.stats.server_bytes(),
            must_survive: self.scenario.must_survive,
            cuts: self.stats.cuts(),
            misplaced,
        }
    }
}
