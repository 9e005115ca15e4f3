//! The gateway within the test, which publishes its events itself.

use std::future::pending;
use std::net::SocketAddr;

use heartbeat_async::Config;
use heartbeat_gateway::event_log::EventLog;
use heartbeat_gateway::runtime::Runtime;
use heartbeat_gateway::server::ServerOptions;
use heartbeat_gateway::server::{Gateway, Listener};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub struct Server {
    pub address: SocketAddr,
    pub feed: EventLog,
    pub stop: oneshot::Sender<()>,
    pub served: JoinHandle<()>,
}

impl Server {
    /// With a feed that holds so many events.
    pub async fn start(runtime: &str, held: usize, heartbeat: impl Into<Config>) -> Self {
        Self::start_with(runtime, held, heartbeat, &ServerOptions::default(), |gateway| gateway)
            .await
    }

    pub async fn start_with(
        runtime: &str,
        held: usize,
        heartbeat: impl Into<Config>,
        options: &ServerOptions,
        change: impl FnOnce(Gateway) -> Gateway,
    ) -> Self {
        let mut known = Runtime::ALL.into_iter();
        let runtime = known.find(|known| known.name() == runtime).expect("known");
        let listener = Listener::bind(runtime, ([127, 0, 0, 1], 0).into(), options).await;
        let listener = listener.expect("a port");
        let (address, feed) = (listener.local_addr(), EventLog::new(held));
        let gateway = change(Gateway::new(feed.clone(), heartbeat.into()));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            if stopped.await.is_err() {
                pending::<()>().await; // nobody will say so
            }
        };
        let served = tokio::spawn(listener.serve(gateway, shutdown));
        Self { address, feed, stop, served }
    }
}
