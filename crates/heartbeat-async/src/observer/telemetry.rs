//! Whether a stream is observed, and what it remembers for its observer.

use core::time::Duration;

use heartbeat_core::Instant;

use super::{NoObserver, Observer};

/// Whether a stream is observed: [`NoObserver`], or [`Observed`] with an [`Observer`].
///
/// This trait is sealed. To observe streams, implement [`Observer`].
pub trait Telemetry: sealed::Telemetry {}

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
    use super::{Instant, Memory, Observer};

    pub trait Telemetry: Sized {
        type Observer: Observer;

        /// What a stream remembers for the observer.
        type Memory<I: Instant>: Memory<I>;

        /// Whether reports reach an observer or a log.
        const IS_OBSERVED: bool;

        fn into_observer(self) -> Self::Observer;
    }
}

impl<O: Observer> sealed::Telemetry for Observed<O> {
    type Observer = O;
    type Memory<I: Instant> = Remembered<I>;

    const IS_OBSERVED: bool = true;

    fn into_observer(self) -> O {
        self.0
    }
}

impl sealed::Telemetry for NoObserver {
    type Observer = Self;
    #[cfg(not(feature = "tracing"))]
    type Memory<I: Instant> = ();
    #[cfg(feature = "tracing")]
    type Memory<I: Instant> = Remembered<I>;

    const IS_OBSERVED: bool = cfg!(feature = "tracing");

    fn into_observer(self) -> Self {
        self
    }
}

/// A heartbeat that was yielded, and after which the consumer has not polled again.
#[derive(Debug, Default)]
pub struct InFlight {
    pub(crate) late: Duration,
    pub(crate) encoded_len: Option<usize>,
}

/// What a stream remembers of its heartbeats and of its idle time.
pub trait Memory<I>: Default {
    /// Remembers a heartbeat that was yielded.
    fn set_in_flight(&mut self, late: Duration);

    /// Remembers the size of that heartbeat.
    fn set_encoded_len(&mut self, encoded_len: Option<usize>);

    /// Returns the heartbeat in flight, and forgets it.
    fn take_in_flight(&mut self) -> Option<InFlight>;

    /// Ends the idle time that ends at `now`, and returns its length; `None` for the first call.
    fn end_idle(&mut self, now: I) -> Option<Duration>;
}

impl<I> Memory<I> for () {
    fn set_in_flight(&mut self, _: Duration) {}

    fn set_encoded_len(&mut self, _: Option<usize>) {}

    fn take_in_flight(&mut self) -> Option<InFlight> {
        None
    }

    fn end_idle(&mut self, _: I) -> Option<Duration> {
        None
    }
}

#[derive(Debug)]
pub struct Remembered<I> {
    in_flight: Option<InFlight>,
    idle_since: Option<I>,
}

impl<I> Default for Remembered<I> {
    fn default() -> Self {
        Self { in_flight: None, idle_since: None }
    }
}

impl<I: Instant> Memory<I> for Remembered<I> {
    fn set_in_flight(&mut self, late: Duration) {
        self.in_flight = Some(InFlight { late, encoded_len: None });
    }

    fn set_encoded_len(&mut self, encoded_len: Option<usize>) {
        if let Some(heartbeat) = &mut self.in_flight {
            heartbeat.encoded_len = encoded_len;
        }
    }

    fn take_in_flight(&mut self) -> Option<InFlight> {
        self.in_flight.take()
    }

    fn end_idle(&mut self, now: I) -> Option<Duration> {
        let since = self.idle_since.replace(now)?;
        self.idle_since = Some(since.max(now)); // T7
        Some(now.saturating_duration_since(since))
    }
}
