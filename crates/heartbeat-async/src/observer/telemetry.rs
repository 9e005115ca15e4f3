//! Whether a stream is observed, and what it has to report later.

use core::time::Duration;

use heartbeat_core::Instant;

use super::reporter::Reporter;
use super::{NoObserver, Observer};

/// Whether a stream is observed: [`NoObserver`], or [`Observed`] with an [`Observer`].
///
/// This trait is sealed. To observe streams, implement [`Observer`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a stream is observed",
    note = "use `NoObserver`, or `Observed<O>` with an `Observer`: `with_observer(observer)` makes it"
)]
pub trait Telemetry: sealed::Telemetry {
    /// The observer.
    fn observer(&self) -> &impl Observer {
        self.as_observer()
    }
}

impl<T: sealed::Telemetry> Telemetry for T {}

/// The telemetry of a stream that has an [`Observer`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Observed<O>(O);

impl<O: Observer> Observed<O> {
    /// Observes a stream with `observer`.
    pub const fn new(observer: O) -> Self {
        Self(observer)
    }
}

pub(crate) mod sealed {
    use super::{Instant, Observer, PendingReports};

    pub trait Telemetry: Sized {
        type Observer: Observer;

        /// What is to be reported to the observer later.
        type Pending<I: Instant>: PendingReports<I>;

        /// Whether reports reach an observer or a log.
        const IS_OBSERVED: bool;

        fn as_observer(&self) -> &Self::Observer;

        fn into_observer(self) -> Self::Observer;
    }
}

impl<O: Observer> sealed::Telemetry for Observed<O> {
    type Observer = O;
    type Pending<I: Instant> = StoredReports<I>;

    const IS_OBSERVED: bool = true;

    fn as_observer(&self) -> &O {
        &self.0
    }

    fn into_observer(self) -> O {
        self.0
    }
}

impl sealed::Telemetry for NoObserver {
    type Observer = Self;
    #[cfg(not(feature = "tracing"))]
    type Pending<I: Instant> = ();
    #[cfg(feature = "tracing")]
    type Pending<I: Instant> = StoredReports<I>;

    const IS_OBSERVED: bool = cfg!(feature = "tracing");

    fn as_observer(&self) -> &Self {
        self
    }

    fn into_observer(self) -> Self {
        self
    }
}

/// A heartbeat that was yielded. The consumer has not polled again yet.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    pub(crate) late: Duration,
    pub(crate) encoded_len: Option<usize>,
}

/// The reports that a stream has still to make to its observer: [`StoredReports`], or none.
pub trait PendingReports<I: Instant>: Default {
    fn get(&mut self) -> Option<&mut StoredReports<I>>;
}

/// Reports the idle time that ends at `now`. The first call begins one.
pub(crate) fn report_idle<I: Instant, O: Observer>(
    pending: &mut impl PendingReports<I>,
    reporter: &Reporter<O>,
    now: I,
) {
    let Some(pending) = pending.get().filter(|_| reporter.is_enabled()) else { return };
    if let Some(since) = pending.idle_since.replace(now) {
        pending.idle_since = Some(since.max(now)); // T7
        reporter.idle(now.saturating_duration_since(since));
    }
}

impl<I: Instant> PendingReports<I> for () {
    fn get(&mut self) -> Option<&mut StoredReports<I>> {
        None
    }
}

#[derive(Debug)]
pub struct StoredReports<I> {
    pub(crate) in_flight: Option<InFlight>,
    idle_since: Option<I>,
}

impl<I> Default for StoredReports<I> {
    fn default() -> Self {
        Self { in_flight: None, idle_since: None }
    }
}

impl<I: Instant> PendingReports<I> for StoredReports<I> {
    fn get(&mut self) -> Option<&mut Self> {
        Some(self)
    }
}
