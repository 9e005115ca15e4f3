//! tonic's client and server for the proto of `heartbeat-frame`, which holds the messages.

// The style of what tonic wrote is tonic's. It allows `missing_docs` and the like by itself.
#![allow(clippy::pedantic)]

// Included instead of a module, so that rustfmt leaves the file as tonic wrote it.
include!("generated/galaxy.gateway.v1.rs");
