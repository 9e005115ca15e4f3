use std::fmt;
use std::time::Duration;

/// A duration in a log line, without the part below a millisecond: `6.044s`, `12ms`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogDuration(pub(crate) Duration);

impl fmt::Display for LogDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.subsec_millis();
        match self.0.as_secs() {
            0 => write!(f, "{millis}ms"),
            seconds => write!(f, "{:?}", Duration::new(seconds, millis * 1_000_000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_below_a_millisecond_is_left_out() {
        for (nanos, text) in [
            (0, "0ms"),
            (999_999, "0ms"),
            (12_345_678, "12ms"),
            (999_999_999, "999ms"),
            (1_000_999_999, "1s"),
            (6_044_036_551, "6.044s"),
            (94_310_227_418, "94.31s"),
            (7_200_000_000_001, "7200s"),
        ] {
            assert_eq!(LogDuration(Duration::from_nanos(nanos)).to_string(), text);
        }
        assert_eq!(LogDuration(Duration::MAX).to_string(), format!("{}.999s", u64::MAX));
    }
}
