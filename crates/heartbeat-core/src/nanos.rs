use core::time::Duration;

use crate::Instant;

/// A duration in nanoseconds. It has 8 bytes; `Duration` has 16 (T13).
///
/// Durations of 584 years and more are [`Nanos::NEVER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(u64);

impl Nanos {
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) fn new(duration: Duration) -> Self {
        u64::try_from(duration.as_nanos()).map_or(Self::NEVER, Self)
    }

    /// The value of a setting for which zero means "no limit".
    pub(crate) fn from_timeout(duration: Duration) -> Self {
        if duration.is_zero() { Self::NEVER } else { Self::new(duration) }
    }

    /// The instant this long after `start`, or `None` if it is never reached (T8).
    pub(crate) fn after<I: Instant>(self, start: I) -> Option<I> {
        if self == Self::NEVER { None } else { start.checked_add(self.duration()) }
    }

    pub(crate) fn duration(self) -> Duration {
        Duration::from_nanos(self.get())
    }

    pub(crate) fn get(self) -> u64 {
        self.0
    }

    /// Subtracts `other`. `NEVER` stays `NEVER`.
    pub(crate) fn saturating_sub(self, other: Self) -> Self {
        if self == Self::NEVER { self } else { Self(self.0.saturating_sub(other.0)) }
    }

    pub(crate) fn half(self) -> Self {
        Self(self.0 >> 1)
    }

    /// Shortens the duration by `numerator / 2^48` of itself. Rounds up, so that the result is not zero.
    pub(crate) fn scale_down(self, numerator: u64) -> Self {
        debug_assert!(numerator < 1 << 48, "the fraction is below one");
        if self == Self::NEVER {
            return self;
        }
        let cut = u128::from(self.0).saturating_mul(u128::from(numerator)) >> 48;
        Self(self.0.saturating_sub(u64::try_from(cut).unwrap_or(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t8_durations_that_are_too_long_are_never() {
        assert_eq!(Nanos::new(Duration::MAX), Nanos::NEVER);
        assert_eq!(Nanos::new(Duration::from_nanos(u64::MAX)), Nanos::NEVER);
        assert_eq!(Nanos::NEVER.after(Duration::ZERO), None);

        let longest = Nanos::new(Duration::from_nanos(u64::MAX - 1));
        assert_eq!(longest.after(Duration::ZERO), Some(Duration::from_nanos(u64::MAX - 1)));
        assert_eq!(longest.after(Duration::MAX), None);
    }

    #[test]
    fn subtracting_saturates_and_keeps_never() {
        assert_eq!(Nanos(5).saturating_sub(Nanos(3)), Nanos(2));
        assert_eq!(Nanos(3).saturating_sub(Nanos(5)), Nanos::ZERO);
        assert_eq!(Nanos::NEVER.saturating_sub(Nanos(5)), Nanos::NEVER);
    }

    #[test]
    fn a_timeout_of_zero_is_never() {
        assert_eq!(Nanos::from_timeout(Duration::ZERO), Nanos::NEVER);
        assert_eq!(Nanos::from_timeout(Duration::from_nanos(1)), Nanos(1));
    }

    #[test]
    fn t11_a_scaled_duration_stays_above_zero() {
        let most = (1 << 48) - 1;
        assert_eq!(Nanos(1).scale_down(most), Nanos(1));
        assert_eq!(Nanos(1000).scale_down(0), Nanos(1000));
        assert_eq!(Nanos(1000).scale_down(1 << 47), Nanos(500));
        assert_eq!(Nanos(1000).scale_down(most), Nanos(1));
        assert_eq!(Nanos(u64::MAX - 1).scale_down(1 << 47), Nanos(u64::MAX >> 1));
        assert_eq!(Nanos::NEVER.scale_down(most), Nanos::NEVER);
    }
}
