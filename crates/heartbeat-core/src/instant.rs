use core::time::Duration;

/// A point in time.
///
/// Implemented for [`std::time::Instant`] (feature `std`) and for [`Duration`], which counts from an epoch
/// of your choice: the ticks of a microcontroller, a simulation, a test.
///
/// # Precision
///
/// An instant that is coarser than the durations added to it must round [`checked_add`](Self::checked_add)
/// up. If it rounded down, a returned deadline could lie in the past.
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use heartbeat_core::Instant;
///
/// /// Milliseconds since power-on.
/// #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
/// struct Millis(u32);
///
/// impl Instant for Millis {
///     fn checked_add(self, duration: Duration) -> Option<Self> {
///         let millis = duration.as_nanos().div_ceil(1_000_000);
///         self.0.checked_add(millis.try_into().ok()?).map(Self)
///     }
///
///     fn saturating_duration_since(self, earlier: Self) -> Duration {
///         Duration::from_millis(self.0.saturating_sub(earlier.0).into())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an instant that heartbeats know",
    note = "for `std::time::Instant`, enable the feature `std` of heartbeat-async or heartbeat-core; for another clock, \
            implement `heartbeat_core::Instant`"
)]
pub trait Instant: Copy + Ord {
    /// The instant `duration` later, or `None` if it cannot be represented
    /// ([T8](crate::rules#t8-no-overflow)).
    #[must_use]
    fn checked_add(self, duration: Duration) -> Option<Self>;

    /// The time from `earlier` to `self`, or zero if `earlier` is later than `self`.
    #[must_use]
    fn saturating_duration_since(self, earlier: Self) -> Duration;
}

impl Instant for Duration {
    fn checked_add(self, duration: Duration) -> Option<Self> {
        Duration::checked_add(self, duration)
    }

    fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.saturating_sub(earlier)
    }
}

#[cfg(feature = "std")]
impl Instant for std::time::Instant {
    fn checked_add(self, duration: Duration) -> Option<Self> {
        std::time::Instant::checked_add(&self, duration)
    }

    fn saturating_duration_since(self, earlier: Self) -> Duration {
        std::time::Instant::saturating_duration_since(&self, earlier)
    }
}

/// The earlier of two deadlines; `None` means never.
pub(crate) fn earliest<I: Instant>(one: Option<I>, other: Option<I>) -> Option<I> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earliest_treats_none_as_never() {
        let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
        assert_eq!(earliest(Some(one), Some(two)), Some(one));
        assert_eq!(earliest(Some(two), Some(one)), Some(one));
        assert_eq!(earliest(Some(one), None), Some(one));
        assert_eq!(earliest(None, Some(one)), Some(one));
        assert_eq!(earliest::<Duration>(None, None), None);
    }

    #[test]
    fn instants_saturate_and_check() {
        assert_eq!(Instant::checked_add(Duration::MAX, Duration::from_nanos(1)), None);
        assert_eq!(
            Instant::saturating_duration_since(Duration::ZERO, Duration::MAX),
            Duration::ZERO
        );

        #[cfg(feature = "std")]
        {
            let now = std::time::Instant::now();
            let later = Instant::checked_add(now, Duration::from_secs(3)).expect("soon enough");
            assert_eq!(Instant::saturating_duration_since(later, now), Duration::from_secs(3));
            assert_eq!(Instant::saturating_duration_since(now, later), Duration::ZERO);
            assert_eq!(Instant::checked_add(now, Duration::MAX), None);
        }
    }
}
