use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use heartbeat_async::{NoObserver, Observer};
use heartbeat_http::HeartbeatPolicy;
use heartbeat_tokio::Hub;

use crate::bodies::SharedObserver;
use crate::connections::Connections;
use crate::forward::{Forward, ProxyContext};
use crate::proxy::Proxy;
use crate::{ExtraRoots, Upstream, connect, tls};

/// Settings of a [`Proxy`]; see [`Proxy::builder`].
#[must_use = "a builder does nothing until it builds"]
pub struct ProxyBuilder {
    upstream: Upstream,
    policy: HeartbeatPolicy,
    observer: SharedObserver,
    max_streams: u32,
    max_upstream_connections: u32,
    http2: bool,
    roots: Option<ExtraRoots>,
    upstream_host: bool,
    drop_forwarded: bool,
    connect_timeout: Duration,
    response_timeout: Duration,
    via: String,
}

impl ProxyBuilder {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            policy: HeartbeatPolicy::new(Duration::from_secs(15)),
            observer: Arc::new(NoObserver),
            max_streams: 10_000,
            max_upstream_connections: 10_000,
            http2: false,
            roots: None,
            upstream_host: false,
            drop_forwarded: false,
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(60),
            via: env!("CARGO_PKG_NAME").to_owned(),
        }
    }

    /// Sets which responses get heartbeats, when, and in which form. Default: server-sent events, after 15 s of silence.
    ///
    /// Takes an interval, a [`Config`](heartbeat_http::Config), or a [`HeartbeatPolicy`], which also covers NDJSON
    /// ([`with_ndjson`](HeartbeatPolicy::with_ndjson)) and the methods of gRPC, gRPC-Web and Connect
    /// ([`with_rpc`](HeartbeatPolicy::with_rpc)). An interval of zero disables heartbeats.
    pub fn heartbeats(self, policy: impl Into<HeartbeatPolicy>) -> Self {
        Self { policy: policy.into(), ..self }
    }

    /// Reports the heartbeats of all responses to `observer`. Default: no observer.
    pub fn observer(self, observer: impl Observer + Send + Sync + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// Maximum number of open requests, including streaming responses. Default: 10,000. A further request gets status
    /// 503, or `RESOURCE_EXHAUSTED` in gRPC.
    pub fn max_streams(self, max_streams: u32) -> Self {
        Self { max_streams, ..self }
    }

    /// Maximum number of connections to the upstream, including idle ones and those that are being opened. Default:
    /// 10,000. A request that needs a further connection gets status 503, or `RESOURCE_EXHAUSTED` in gRPC.
    ///
    /// Over HTTP/1.1 each open request needs a connection, and so does an upgraded one, such as a WebSocket. Over HTTP/2 up
    /// to 100 requests share one. [`Proxy::connection_rejections`] counts the rejected requests.
    pub fn max_upstream_connections(self, max_connections: u32) -> Self {
        Self { max_upstream_connections: max_connections, ..self }
    }

    /// Uses HTTP/2 to the upstream, as gRPC requires: over TLS, or with prior knowledge (h2c) for an `http` URL.
    /// Default: `false`, which is HTTP/1.1.
    pub fn upstream_http2(self, http2: bool) -> Self {
        Self { http2, ..self }
    }

    /// Trusts these root certificates in addition to those of the system. Default: none.
    pub fn upstream_roots(self, roots: ExtraRoots) -> Self {
        Self { roots: Some(roots), ..self }
    }

    /// Sends the upstream's own name in the `Host` header. Default: `false`, which forwards the client's `Host`. Over
    /// HTTP/2 the upstream always gets its own name.
    pub fn upstream_host(self, upstream_host: bool) -> Self {
        Self { upstream_host, ..self }
    }

    /// Removes `X-Forwarded-…`, `Forwarded` and `X-Real-IP` from requests before the proxy adds its own. Default:
    /// `false`.
    ///
    /// Enable it if clients connect to the proxy directly: they can put anything into these headers.
    pub fn drop_forwarded(self, drop_forwarded: bool) -> Self {
        Self { drop_forwarded, ..self }
    }

    /// Maximum time to connect to the upstream, including TLS. Default: 10 s. Zero disables the timeout.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// Maximum time from the latest part of a request to the head of its response. Default: 60 s. Zero disables the
    /// timeout.
    ///
    /// Some servers send the head together with the first event or message. The timeout therefore does not apply to
    /// requests that may ask for a stream: those whose `Accept` contains `text/event-stream`, those with a JSON body
    /// (`Content-Type: application/json`), and the methods that [`HeartbeatPolicy::with_rpc`] names.
    pub fn response_timeout(self, timeout: Duration) -> Self {
        Self { response_timeout: timeout, ..self }
    }

    /// The name of the proxy in the `Via` header, a token of HTTP. Default: `heartbeat-proxy`.
    pub fn via(self, name: impl Into<String>) -> Self {
        Self { via: name.into(), ..self }
    }

    /// Builds the proxy, and spawns the task that its heartbeats share. The task ends with the last clone of the proxy.
    ///
    /// For an `https` upstream this reads the root certificates of the system.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with I/O and time enabled.
    pub fn build(self) -> Proxy {
        let tls = if self.upstream.is_tls() {
            tls::client_config_with_roots(self.roots.as_ref())
        } else {
            tls::unused_client_config()
        };
        let max_connections = self.max_upstream_connections;
        let connector = connect::limited(tls, self.http2, self.connect_timeout, max_connections);
        let context = ProxyContext {
            policy: self.policy.clone(),
            connections: Connections::new(connector, self.http2),
            upstream: self.upstream,
            http2: self.http2,
            upstream_host: self.upstream_host,
            drop_forwarded: self.drop_forwarded,
            response_timeout: self.response_timeout,
            via: self.via,
            connection_rejections: Arc::default(),
        };
        let (hub, task) = Hub::new();
        tokio::spawn(task);
        let policy = self.policy.with_observer(self.observer);
        Proxy::new(Forward::new(context), policy, self.max_streams, hub)
    }
}

impl fmt::Debug for ProxyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyBuilder")
            .field("upstream", &self.upstream)
            .field("max_streams", &self.max_streams)
            .field("max_upstream_connections", &self.max_upstream_connections)
            .field("http2", &self.http2)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .finish_non_exhaustive()
    }
}
