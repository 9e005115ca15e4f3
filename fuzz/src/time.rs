use std::time::Duration;

use arbitrary::Arbitrary;

use crate::reference_model::At;

/// A length of time. Most are small, so that they meet each other and the settings; the others lie at
/// the edges of what a machine can represent (T8), or anywhere.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(crate) enum Length {
    Zero,
    Nanos(u8),
    Secs(u8),
    /// Seconds, less a few nanoseconds.
    AlmostSecs(u8, u8),
    AnyNanos(u64),
    /// Around the 584 years that count as never.
    AroundNever(i8),
    /// That many nanoseconds below the end of the range.
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

/// A point in time, told relative to where the history stands.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(crate) enum When {
    /// The clock stands still.
    Same,
    /// It runs on.
    Later(Length),
    /// It runs back.
    Earlier(Length),
    BeforeDeadline(Length),
    OnTime,
    AfterDeadline(Length),
    /// That much before the end of the range.
    NearTheEnd(Length),
    Raw(Duration),
}

impl When {
    /// The instant meant, where `seen` is the latest one seen and `deadline` the latest one answered;
    /// a birth has seen nothing but zero.
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
