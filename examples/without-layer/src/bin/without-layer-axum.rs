//! `example-layer-axum` without its layer.
#![allow(unused, clippy::clone_on_copy, reason = "what made the layer is still there")]

include!(concat!(env!("OUT_DIR"), "/axum.rs"));
