//! Parsers for the values of flags.

use std::time::Duration;

use heartbeat_async::{InvalidJitter, Jitter};

/// Parses a duration like `15s`, `500ms` or `1m 30s`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "expected a duration like 15s, 500ms or 1m30s".to_owned())
}

/// Parses a fraction like `0.1`.
pub(crate) fn parse_jitter(text: &str) -> Result<Jitter, String> {
    let fraction: f32 = text.parse().map_err(|_| "expected a fraction like 0.1".to_owned())?;
    Jitter::try_from(fraction).map_err(|error: InvalidJitter| error.to_string())
}
