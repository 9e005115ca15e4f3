//! tonic's client and server of `galaxy.gateway.v1.GatewayService`, the service of the demo and the examples.
//!
//! Needs the feature `tonic`, and Rust 1.88, as tonic does.

// The generated code keeps tonic's style. It allows `missing_docs` itself.
#![allow(clippy::pedantic)]

// Included, not declared as a module, so that rustfmt leaves the file unchanged.
include!("generated/galaxy.gateway.v1.tonic.rs");
