//! A server that streams the events of an [`EventLog`](crate::event_log::EventLog) in every protocol on one port.
//!
//! [`Gateway`] is the service, [`Listener`] serves it on one of the runtimes. The service is generic over the `Timer`.

mod connect;
mod cors;
mod deadline;
mod errors;
mod gateway;
mod grpc;
pub(crate) mod json;
mod listener;
mod protocol;
mod resume;
mod rpc;
mod subscriptions;
mod text;

pub use cors::Origin;
pub use gateway::Gateway;
pub use heartbeat_proxy::http_server::{ServerError, ServerOptions};
pub use listener::Listener;
