pub(crate) mod envelope;
pub(crate) mod ndjson;
mod raw;
pub(crate) mod sse;
