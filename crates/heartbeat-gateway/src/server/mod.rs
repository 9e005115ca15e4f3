//! The events of a [`Feed`](crate::feed::Feed), served in every protocol on one port.
//!
//! [`Gateway`] says what is served, [`Listener`] serves it on one of the runtimes. The service itself is
//! written once, over any `Timer`.

mod connect;
mod cors;
mod deadline;
mod gateway;
mod grpc;
pub(crate) mod json;
mod lines;
mod listener;
mod messages;
mod protocol;
mod refusal;
mod resume;
mod subscriptions;

pub use cors::Origin;
pub use gateway::Gateway;
pub use listener::Listener;
