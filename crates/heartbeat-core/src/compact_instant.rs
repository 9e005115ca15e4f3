use core::time::Duration;

use crate::Instant;
use crate::nanos::Nanos;

/// A point in time within a [`HeartbeatSet`](crate::HeartbeatSet): nanoseconds since the set was created,
/// in 61 bits, which last for 73 years. Later instants are clamped to [`MAX`](Self::MAX).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CompactInstant(u64);

impl CompactInstant {
    pub(crate) const BITS: u32 = 61;
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const MAX: Self = Self((1 << Self::BITS) - 1);

    /// The instant `nanos` after the creation of the set, clamped to `MAX`.
    pub(crate) fn new(nanos: u64) -> Self {
        Self(nanos).min(Self::MAX)
    }

    /// Converts `now`. An instant before `epoch` gives zero.
    pub(crate) fn since<I: Instant>(epoch: I, now: I) -> Self {
        Self::new(Nanos::new(now.saturating_duration_since(epoch)).get())
    }

    pub(crate) fn nanos(self) -> u64 {
        self.0
    }

    /// Converts back, or returns `None` if the instant cannot be represented (T8).
    pub(crate) fn instant<I: Instant>(self, epoch: I) -> Option<I> {
        epoch.checked_add(Duration::from_nanos(self.0))
    }
}

impl Instant for CompactInstant {
    fn checked_add(self, duration: Duration) -> Option<Self> {
        let sum = self.0.checked_add(Nanos::new(duration).get())?;
        Some(Self(sum)).filter(|&sum| sum <= Self::MAX)
    }

    fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t8_time_ends_after_73_years() {
        let year = Duration::from_secs(365 * 24 * 3600);
        let (epoch, late) = (Duration::from_secs(5), Duration::MAX);
        assert_eq!(CompactInstant::since(epoch, late), CompactInstant::MAX);
        assert_eq!(CompactInstant::since(epoch, Duration::ZERO), CompactInstant::ZERO);
        assert_eq!(CompactInstant::MAX.checked_add(Duration::from_nanos(1)), None);
        assert_eq!(CompactInstant::ZERO.checked_add(Duration::MAX), None);
        assert!(CompactInstant::ZERO.checked_add(73 * year).is_some());
    }

    #[test]
    fn an_instant_is_converted_and_back() {
        let (epoch, now) = (Duration::from_secs(5), Duration::from_nanos(7_000_000_001));
        assert_eq!(CompactInstant::since(epoch, now), CompactInstant::new(2_000_000_001));
        assert_eq!(CompactInstant::since(epoch, now).instant(epoch), Some(now));
        assert_eq!(CompactInstant::new(1).instant(Duration::MAX), None);
    }
}
