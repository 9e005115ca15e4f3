//! A gateway inside the test process. The test publishes its events.

use std::future::pending;
use std::net::SocketAddr;

use heartbeat_async::Config;
use heartbeat_gateway::event_log::EventLog;
use heartbeat_gateway::runtime::RuntimeKind;
use heartbeat_gateway::server::ServerOptions;
use heartbeat_gateway::server::{Gateway, Listener};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub struct Server {
    pub address: SocketAddr,
    pub log: EventLog,
    pub stop: oneshot::Sender<()>,
    pub served: JoinHandle<()>,
}

impl Server {
    /// Starts a gateway whose log keeps `capacity` events.
    pub async fn start(runtime: &str, capacity: usize, heartbeat: impl Into<Config>) -> Self {
        Self::start_with(runtime, capacity, heartbeat, &ServerOptions::default(), |gateway| gateway)
            .await
    }

    pub async fn start_with(
        runtime: &str,
        capacity: usize,
        heartbeat: impl Into<Config>,
        options: &ServerOptions,
        change: impl FnOnce(Gateway) -> Gateway,
    ) -> Self {
        let mut known = RuntimeKind::ALL.into_iter();
        let runtime = known.find(|known| known.name() == runtime).expect("known");
        let listener = Listener::bind(runtime, ([127, 0, 0, 1], 0).into(), options).await;
        let listener = listener.expect("a port");
        let (address, log) = (listener.local_addr(), EventLog::new(capacity));
        let gateway = change(Gateway::new(log.clone(), heartbeat.into()));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            if stopped.await.is_err() {
                pending::<()>().await; // the sender was dropped: no shutdown
            }
        };
        let served = tokio::spawn(listener.serve(gateway, shutdown));
        Self { address, log, stop, served }
    }
}
