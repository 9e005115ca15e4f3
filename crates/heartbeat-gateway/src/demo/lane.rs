//! One stream of the demonstration, with a server, a proxy and a client of its own: what happens on
//! it is its own doing.

use std::future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use heartbeat_async::Config;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::client::{Received, Subscription};
use super::protocol::Protocol;
use super::report::StreamReport;
use super::{DemoOptions, Happened};
use crate::feed::Feed;
use crate::front::FrontOptions;
use crate::idle_proxy::{IdleProxy, ProxyStats};
use crate::runtime::Runtime;
use crate::server::{Gateway, Listener};

/// What a stream is given to stay alive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    pub(super) runtime: Runtime,
    pub(super) protocol: Protocol,
    pub(super) name: &'static str,
    pub(super) must_live: bool,
    pub(super) heartbeat: Config,
    pub(super) pings: Option<Duration>,
}

/// A stream whose subscription has been answered.
#[derive(Debug)]
pub(super) struct OpenLane {
    lane: Lane,
    events: Subscription,
    stats: Arc<ProxyStats>,
    /// The server and the proxy, which end with this.
    _serving: JoinSet<()>,
}

impl Lane {
    /// Starts a server and a proxy, and subscribes through them.
    pub(super) async fn open(self, feed: &Feed, options: &DemoOptions) -> io::Result<OpenLane> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = Listener::bind(self.runtime, any_port, &FrontOptions::default()).await;
        let listener = listener.map_err(io::Error::other)?.pings(self.pings);
        let server = listener.local_addr();
        let proxy =
            IdleProxy::bind(any_port, server, options.idle_cut, options.idle_counts).await?;
        let (stats, address) = (proxy.stats(), proxy.local_addr());
        let feed = feed.clone();

        let mut serving = JoinSet::new();
        serving.spawn(listener.serve(Gateway::new(feed, self.heartbeat), future::pending()));
        serving.spawn(proxy.run());

        let events = Subscription::open(self.protocol, address).await?;
        Ok(OpenLane { lane: self, events, stats, _serving: serving })
    }
}

impl OpenLane {
    /// Receives until the stream is cut, or until `end` if it survives.
    pub(super) async fn watch(
        mut self,
        start: Instant,
        end: Instant,
        tell: impl Fn(Happened),
    ) -> StreamReport {
        let (mut real_events, mut heartbeats, mut misplaced) = (0, 0, 0);
        let survived = loop {
            match timeout_at(end, self.events.next()).await {
                Err(_) => break true,
                Ok(None) => break false,
                Ok(Some(Received::Heartbeat)) => {
                    heartbeats += 1;
                    tell(Happened::Heartbeat);
                }
                Ok(Some(Received::Event(id))) => {
                    real_events += 1;
                    misplaced += u64::from(id != real_events.to_string());
                    tell(Happened::RealEvent);
                }
            }
        };
        tell(Happened::Ended { survived });
        StreamReport {
            name: self.lane.name,
            runtime: self.lane.runtime.name(),
            protocol: self.lane.protocol,
            heartbeat: !self.lane.heartbeat.interval().is_zero(),
            survived,
            lifetime: start.elapsed(),
            real_events,
            heartbeats,
            wire_bytes: self.stats.server_bytes(),
            must_live: self.lane.must_live,
            cuts: self.stats.cuts(),
            misplaced,
        }
    }
}
