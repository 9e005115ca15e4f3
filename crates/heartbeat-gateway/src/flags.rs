//! How the values of flags are read, and what is said of those that make no sense.

use std::time::Duration;

use heartbeat_async::{InvalidJitter, Jitter};

/// A time such as `15s`, `500ms` or `1m 30s`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "give a time such as 15s, 500ms or 1m30s, and 0s for none".to_owned())
}

/// A fraction such as `0.1`.
pub(crate) fn jitter(text: &str) -> Result<Jitter, String> {
    let fraction: f32 = text.parse().map_err(|_| "give a fraction such as 0.1".to_owned())?;
    Jitter::try_from(fraction).map_err(|error: InvalidJitter| error.to_string())
}
