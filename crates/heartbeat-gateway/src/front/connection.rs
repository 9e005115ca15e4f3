use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{Either, Empty};
use hyper::body::{Body, Incoming};
use hyper::service::{Service as _, service_fn};
use hyper::{Method, Request, Response, Version};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::activity::Activity;
use super::guarded::Guarded;
use super::io::{Io, Transport};
use super::peer::Peer;
use super::server::{BoxError, Tasks};
use crate::runtime::host::Host;

/// How long a connection that was idle may take to end, before it is dropped.
const GRACE: Duration = Duration::from_secs(1);

/// A connection that was accepted.
pub(super) struct Connection<L: Host> {
    pub(super) transport: L::Connection,
    pub(super) address: SocketAddr,
    pub(super) permit: OwnedSemaphorePermit,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) http: Arc<auto::Builder<Tasks<L>>>,
    pub(super) idle_timeout: Duration,
    /// Changes, or is closed, when the server stops.
    pub(super) closes: watch::Receiver<()>,
}

impl<L: Host> Connection<L> {
    /// Serves until the client goes, the connection is idle for too long, or the server stops and
    /// everything has been answered.
    pub(super) async fn serve<S, B>(mut self, service: S)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S: Service<Request<Incoming>, Future: Send, Error: Into<BoxError>>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let client = self.address;
        let activity = Activity::new(L::Timer::default());
        let mut idle = pin!(activity.idle(self.idle_timeout));

        let peer = Peer { address: client, tls: self.tls.is_some() };
        let transport = match self.tls {
            None => Transport::Plain(self.transport),
            Some(tls) => tokio::select! {
                accepted = tls.accept(TokioIo::new(self.transport)) => match accepted {
                    Ok(stream) => Transport::Tls(Box::new(TokioIo::new(stream))),
                    Err(error) => return tracing::debug!(%client, %error, "no TLS with a client"),
                },
                () = &mut idle => return tracing::debug!(%client, "a client was idle"),
                _ = self.closes.changed() => return,
            },
        };

        let service = TowerToHyperService::new(service);
        let requests = activity.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let open = requests.begin();
            // hyper sees to that with HTTP/1.1 only.
            let bodiless = request.method() == Method::HEAD && request.version() == Version::HTTP_2;
            let response = service.call(request);
            async move {
                let response = response.await?.map(|body| {
                    if bodiless { Either::Right(Empty::new()) } else { Either::Left(body) }
                });
                Ok::<_, S::Error>(response.map(|body| Guarded::new(body, open)))
            }
        });
        let io = Io::new(transport, activity.clone(), self.permit);
        let mut connection = pin!(self.http.serve_connection_with_upgrades(io, service));
        let (mut stopping, mut ending) = (false, false);
        loop {
            tokio::select! {
                biased;
                served = &mut connection => {
                    if let Err(error) = served {
                        tracing::debug!(%client, error, "a connection failed");
                    }
                    return;
                }
                () = &mut idle => {
                    tracing::debug!(%client, "a client was idle");
                    if ending {
                        return;
                    }
                    ending = true;
                    idle.set(activity.idle(GRACE));
                }
                _ = self.closes.changed(), if !stopping => stopping = true,
            }
            connection.as_mut().graceful_shutdown();
        }
    }
}
