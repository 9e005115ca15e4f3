//! The types of the bodies on their way through the proxy.

use std::sync::Arc;

use heartbeat_async::{Observed, Observer};
use heartbeat_http::ResponseBody;
use heartbeat_tokio::Hub;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use tokio::sync::OwnedSemaphorePermit;
use tower::BoxError;

use crate::http_server::GuardedBody;

/// The body of a request, from any server.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, BoxError>;

/// A response body of the upstream. It holds its place on a connection until it is dropped.
pub(crate) type UpstreamBody = GuardedBody<Incoming, OwnedSemaphorePermit>;

/// The body of the upstream, or an error text of the proxy.
pub(crate) type ForwardedBody = Either<UpstreamBody, Full<Bytes>>;

/// The body of a response behind the limit and the heartbeats.
pub(crate) type InnerBody =
    ResponseBody<GuardedBody<ForwardedBody, Option<OwnedSemaphorePermit>>, Hub, SharedTelemetry>;

pub(crate) type SharedObserver = Arc<dyn Observer + Send + Sync>;
pub(crate) type SharedTelemetry = Observed<SharedObserver>;
