//! An HTTP server for any tower service: HTTP/1.1 and HTTP/2 on one port, TLS, and limits.
//!
//! [`HttpServer`] accepts connections and passes their requests to the service. Each request carries its
//! [`Peer`] in its extensions. [`ServerOptions`] limits what clients can use. [`StreamLimit`] is a layer that
//! rejects requests beyond a maximum with a response of your choice.
//!
//! The server runs on tokio, or on any runtime for which [`ServerRuntime`] is implemented.

mod accept;
mod cancellations;
mod connection;
mod error;
mod guarded_body;
mod idle;
mod io;
mod limit;
mod options;
mod peer;
mod runtime;
mod send_before_error;
mod server;
mod tls;
mod tokio;

pub use accept::configure_socket;
pub use error::ServerError;
pub use guarded_body::GuardedBody;
pub use limit::{LimitedFuture, LimitedService, StreamLimit};
pub use options::ServerOptions;
pub use peer::Peer;
pub use runtime::ServerRuntime;
pub use server::HttpServer;
