//! The front door of a server: connections, TLS, HTTP/1.1 and HTTP/2 on one port, and what all that may
//! cost at most.
//!
//! [`Front`] takes any tower service. Each request that it hands over has a [`Peer`] in its extensions.
//! [`StreamLimit`] refuses requests beyond so many at once, as the service has it.

mod activity;
mod connection;
mod error;
mod files;
mod guarded;
mod io;
mod limit;
mod options;
mod peer;
mod server;
mod tls;

pub use error::FrontError;
pub(crate) use files::allow_files;
pub use guarded::Guarded;
pub use limit::{Limited, LimitedFuture, StreamLimit};
pub use options::FrontOptions;
pub use peer::Peer;
pub use server::Front;
