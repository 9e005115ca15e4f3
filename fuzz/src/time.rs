use std::time::Duration;

use arbitrary::Arbitrary;

use crate::reference_model::At;

/// A duration. Most are small, so that they coincide with each other and with the settings. The others
/// are near the limits of T8, or arbitrary.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(crate) enum Length {
    Zero,
    Nanos(u8),
    Secs(u8),
    /// Seconds, less a few nanoseconds.
    AlmostSecs(u8, u8),
    AnyNanos(u64),
    /// Around 584 years, which mean never.
    AroundNever(i8),
    /// This many nanoseconds below the maximum.
    AlmostMax(u8),
    Raw(Duration),
}

impl Length {
    pub(crate) fn duration(self) -> Duration {
        let nanos = |nanos: u8| Duration::from_nanos(nanos.into());
        let secs = |secs: u8| Duration::from_secs(secs.into());
        let never = Duration::from_nanos(u64::MAX);
        match self {
            Self::Zero => Duration::ZERO,
            Self::Nanos(count) => nanos(count),
            Self::Secs(count) => secs(count),
            Self::AlmostSecs(count, less) => secs(count).saturating_sub(nanos(less)),
            Self::AnyNanos(count) => Duration::from_nanos(count),
            Self::AroundNever(more @ 0..) => never.saturating_add(nanos(more.unsigned_abs())),
            Self::AroundNever(less) => never.saturating_sub(nanos(less.unsigned_abs())),
            Self::AlmostMax(less) => Duration::MAX.saturating_sub(nanos(less)),
            Self::Raw(duration) => duration,
        }
    }
}

/// An instant, relative to the previous calls.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(crate) enum When {
    /// The clock does not move.
    Same,
    /// The clock moves on.
    Later(Length),
    /// The clock steps back.
    Earlier(Length),
    BeforeDeadline(Length),
    OnTime,
    AfterDeadline(Length),
    /// This long before the end of the clock.
    NearTheEnd(Length),
    Raw(Duration),
}

impl When {
    /// Resolves the instant. `seen` is the latest one seen, and `deadline` the latest one returned;
    /// both are zero when the stream is opened.
    pub(crate) fn resolve(self, seen: At, deadline: At) -> At {
        match self {
            Self::Same => seen,
            Self::Later(by) => seen.saturating_add(by.duration()),
            Self::Earlier(by) => seen.saturating_sub(by.duration()),
            Self::BeforeDeadline(by) => deadline.saturating_sub(by.duration()),
            Self::OnTime => deadline,
            Self::AfterDeadline(by) => deadline.saturating_add(by.duration()),
            Self::NearTheEnd(by) => At::MAX.saturating_sub(by.duration()),
            Self::Raw(at) => at,
        }
    }
}
