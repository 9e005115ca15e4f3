use std::error::Error;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
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
use tower::BoxError;
use tower_service::Service;

use super::cancellations::{CancellableBody, CancellationLimit};
use super::guarded_body::GuardedBody;
use super::idle::IdleTracker;
use super::io::{ConnectionIo, MaybeTls};
use super::peer::Peer;
use super::runtime::{RuntimeExecutor, ServerRuntime};
use super::send_before_error::{SendBeforeError, Written};
use crate::error_chain;

/// Time that an idle connection has for its graceful shutdown before it is dropped.
const GRACE: Duration = Duration::from_secs(1);

/// An accepted connection.
pub(super) struct Connection<R: ServerRuntime> {
    pub(super) transport: R::Connection,
    pub(super) address: SocketAddr,
    pub(super) permit: OwnedSemaphorePermit,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) http: Arc<auto::Builder<RuntimeExecutor<R>>>,
    pub(super) idle_timeout: Duration,
    pub(super) half_close: bool,
    /// Closed when the server shuts down.
    pub(super) shutdown: watch::Receiver<()>,
}

impl<R: ServerRuntime> Connection<R> {
    /// Serves until the client disconnects, the idle timeout expires, or the server shuts down and all requests have
    /// been answered. A client that cancels too many requests gets a GOAWAY, and is disconnected if it ignores that.
    pub(super) async fn serve<S, B>(mut self, service: S)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S: Service<Request<Incoming>, Future: Send, Error: Into<BoxError>>,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let client = self.address;
        let tracker = IdleTracker::new(R::Timer::default());
        let mut idle = pin!(tracker.wait_idle(self.idle_timeout));

        let peer = Peer { address: client, tls: self.tls.is_some() };
        let mut read_closed = pin!(R::read_closed(&self.transport));
        let transport = match self.tls {
            None => MaybeTls::Plain(self.transport),
            Some(tls) => tokio::select! {
                accepted = tls.accept(TokioIo::new(self.transport)) => match accepted {
                    Ok(stream) => MaybeTls::Tls(Box::new(TokioIo::new(stream))),
                    Err(error) => return tracing::debug!(%client, %error, "TLS handshake failed"),
                },
                () = &mut idle => return tracing::debug!(%client, "closing an idle connection"),
                _ = self.shutdown.changed() => return,
            },
        };

        let service = TowerToHyperService::new(service);
        let requests = tracker.clone();
        let written = Written::default();
        let of_bodies = written.clone();
        let is_http1 = Arc::new(AtomicBool::new(false));
        let uses_http1 = Arc::clone(&is_http1);
        let cancellations = CancellationLimit::new(R::Timer::default());
        let limit = cancellations.clone();
        let service =
            service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer);
                let guard = requests.start_request();
                let cancellable = limit.start_request();
                // hyper removes the body of a response to HEAD over HTTP/1.1 only.
                let version = request.version();
                uses_http1.store(version != Version::HTTP_2, Relaxed);
                let no_body = request.method() == Method::HEAD && version == Version::HTTP_2;
                let response = service.call(request);
                let written = of_bodies.clone();
                async move {
                    let response = response.await?.map(|body| {
                        if no_body {
                            Either::Right(Empty::new())
                        } else {
                            Either::Left(SendBeforeError::new(body, written, version))
                        }
                    });
                    Ok::<_, S::Error>(response.map(|body| {
                        GuardedBody::new(CancellableBody::new(body, cancellable), guard)
                    }))
                }
            });
        let io = ConnectionIo::new(transport, tracker.clone(), written.clone(), self.permit);
        let mut connection = pin!(self.http.serve_connection_with_upgrades(io, service));
        // While an HTTP/1.1 request is open, hyper may stop reading, and then does not notice that the client disconnects.
        // Over HTTP/2 it always reads.
        let mut disconnected = pin!(poll_fn(|cx| {
            let may_not_read = is_http1.load(Relaxed) && tracker.has_open_request();
            if may_not_read { read_closed.as_mut().poll(cx) } else { Poll::Pending }
        }));
        let (mut shutting_down, mut expired, mut exceeded) = (false, false, false);
        loop {
            tokio::select! {
                biased;
                served = poll_fn(|cx| written.poll_connection(connection.as_mut(), cx)) => {
                    if let Err(error) = served {
                        log_failure(client, &*error);
                    }
                    return;
                }
                // After the connection, whose poll starts and ends requests.
                () = &mut disconnected, if !self.half_close => {
                    return tracing::debug!(%client, "client disconnected");
                }
                () = &mut idle => {
                    tracing::debug!(%client, "closing an idle connection");
                    if expired {
                        return;
                    }
                    expired = true;
                    idle.set(tracker.wait_idle(GRACE));
                }
                () = cancellations.exceeded() => {
                    if exceeded {
                        return tracing::debug!(%client, "the client still sends requests, closing");
                    }
                    tracing::warn!(%client, "the client cancels too many requests, shutting down");
                    exceeded = true;
                }
                _ = self.shutdown.changed(), if !shutting_down => shutting_down = true,
            }
            connection.as_mut().graceful_shutdown();
        }
    }
}

/// Logs why a connection failed. hyper itself answers a request head that it cannot parse, so that no service sees it.
fn log_failure(client: SocketAddr, error: &(dyn Error + Send + Sync + 'static)) {
    let line = error_chain::to_line(error);
    if error.downcast_ref().is_some_and(hyper::Error::is_parse) {
        tracing::info!(%client, error = line, "rejected an invalid request");
    } else {
        tracing::debug!(%client, error = line, "connection failed");
    }
}
