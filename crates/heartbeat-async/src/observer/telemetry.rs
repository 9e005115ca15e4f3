//! Who hears of a stream, if anybody does, and what the stream keeps for that.

use core::time::Duration;

use heartbeat_core::Instant;

use crate::observer::{NoObserver, Observer};

/// Whoever hears of a stream: every [`Observer`], or [`NoObserver`].
///
/// There are no others. To hear of streams, implement [`Observer`].
pub trait Audience: Hears {}

impl<O: Hears> Audience for O {}

pub trait Hears: Sized {
    /// Who is told.
    type Observer: Observer;

    /// What a stream keeps, if there is anybody to tell.
    type Memory<I: Instant, W>: Memory<I, W>;

    fn into_observer(self) -> Self::Observer;
}

impl<O: Observer> Hears for O {
    type Observer = O;
    type Memory<I: Instant, W> = Kept<I, W>;

    fn into_observer(self) -> O {
        self
    }
}

impl Hears for NoObserver {
    type Observer = Nobody;
    #[cfg(not(feature = "tracing"))]
    type Memory<I: Instant, W> = ();
    #[cfg(feature = "tracing")]
    type Memory<I: Instant, W> = Kept<I, W>;

    fn into_observer(self) -> Nobody {
        Nobody
    }
}

/// Hears nothing.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Observer for Nobody {
    fn is_enabled(&self) -> bool {
        false
    }
}

/// What a stream remembers of its heartbeats and silences.
pub trait Memory<I, W>: Default {
    /// The consumer has taken a heartbeat.
    fn take_off(&mut self, beat: impl FnOnce() -> InFlight<W>);

    /// The heartbeat that it has taken, if its fate is not told yet.
    fn land(&mut self) -> Option<InFlight<W>>;

    /// Who knows of the heartbeat that it has taken; answered once.
    fn witness(&mut self) -> Option<W>;

    /// How long the silence was that ends now, where another one begins; `None` for the first.
    fn silence(&mut self, now: I) -> Option<Duration>;
}

impl<I, W> Memory<I, W> for () {
    fn take_off(&mut self, _: impl FnOnce() -> InFlight<W>) {}

    fn land(&mut self) -> Option<InFlight<W>> {
        None
    }

    fn witness(&mut self) -> Option<W> {
        None
    }

    fn silence(&mut self, _: I) -> Option<Duration> {
        None
    }
}

/// What there is to tell of a heartbeat.
#[derive(Debug)]
pub struct InFlight<W> {
    pub(crate) late: Duration,
    pub(crate) bytes: Option<usize>,
    /// Knows whether the consumer stays away for too long (T20), if anybody does.
    pub(crate) witness: Option<W>,
}

#[derive(Debug)]
pub struct Kept<I, W> {
    beat: Option<InFlight<W>>,
    /// When the last silence began.
    since: Option<I>,
}

impl<I, W> Default for Kept<I, W> {
    fn default() -> Self {
        Self { beat: None, since: None }
    }
}

impl<I: Instant, W> Memory<I, W> for Kept<I, W> {
    fn take_off(&mut self, beat: impl FnOnce() -> InFlight<W>) {
        self.beat = Some(beat());
    }

    fn land(&mut self) -> Option<InFlight<W>> {
        self.beat.take()
    }

    fn witness(&mut self) -> Option<W> {
        self.beat.as_mut()?.witness.take()
    }

    fn silence(&mut self, now: I) -> Option<Duration> {
        let since = self.since.replace(now)?;
        self.since = Some(since.max(now)); // T7
        Some(now.saturating_duration_since(since))
    }
}
