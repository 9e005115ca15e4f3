use core::time::Duration;

use crate::Jitter;

/// How long a stream may be silent, and what else its [`Heartbeat`](crate::Heartbeat) heeds.
///
/// The default is a heartbeat after 15 s of silence and nothing else. A setter cannot fail: every
/// duration is meaningful. Zero switches off what it sets, and 584 years or more (of which
/// [`Duration::MAX`] is the plainest) means never.
///
/// # Example
///
/// ```
/// use core::time::Duration;
/// use heartbeat_core::{Config, Jitter};
///
/// let config = Config::every(Duration::from_secs(25))
///     .with_jitter(Jitter::try_from(0.1)?)
///     .with_give_up_after(Duration::from_secs(3600));
/// assert_eq!(config.interval(), Duration::from_secs(25));
/// # Ok::<(), heartbeat_core::InvalidJitter>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a configuration does nothing until a heartbeat is made of it"]
pub struct Config {
    interval: Duration,
    jitter: Jitter,
    give_up_after: Duration,
    stall_after: Duration,
    immediate_first: bool,
    seed: Option<u32>,
}

impl Config {
    /// The interval of [`Config::default`]: 15 s.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(15);

    /// A heartbeat after each `interval` of silence; zero disables heartbeats (T1).
    ///
    /// Take half of the shortest idle timeout on the way, or less: nginx and AWS ALB cut after 60 s,
    /// Heroku after 55 s.
    pub const fn every(interval: Duration) -> Self {
        Self {
            interval,
            jitter: Jitter::NONE,
            give_up_after: Duration::ZERO,
            stall_after: Duration::ZERO,
            immediate_first: false,
            seed: None,
        }
    }

    /// Another interval, and all else as it is.
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Lets each gap be shorter than the interval by up to that fraction (T11). Default: none.
    pub const fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Ends the heartbeats once no real event was sent for that long (T12). Default: zero, never.
    ///
    /// Without it, heartbeats keep the stream of a producer that died open for ever.
    pub const fn with_give_up_after(mut self, silence: Duration) -> Self {
        self.give_up_after = silence;
        self
    }

    /// Takes a peer for stalled when a heartbeat could not be handed over for that long (T20).
    /// Default: zero, never.
    ///
    /// A peer that reads, but so slowly that what was sent before is not flushed meanwhile, counts as
    /// stalled too.
    pub const fn with_stall_after(mut self, wait: Duration) -> Self {
        self.stall_after = wait;
        self
    }

    /// Makes the first heartbeat due at once (T2). Default: false, it is due after the first gap.
    ///
    /// For a proxy that holds back the headers until the first byte of the body.
    pub const fn with_immediate_first(mut self, immediate: bool) -> Self {
        self.immediate_first = immediate;
        self
    }

    /// Fixes the sequence from which jitter is drawn, for runs that must be repeatable.
    ///
    /// Leave it alone where streams are to drift apart: those with the same seed do not. By default
    /// each stream of `heartbeat-async` has a seed of its own. The seeds of two processes differ
    /// where the system loads each to an address of its own (ASLR); elsewhere, as in firmware or
    /// WebAssembly, give each a seed. A bare [`Heartbeat`](crate::Heartbeat) has seed 0.
    pub const fn with_seed(mut self, seed: u32) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The longest silence; zero if heartbeats are disabled (T1).
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether there are no heartbeats at all, since the interval is zero (T1).
    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        self.interval.is_zero()
    }

    /// By how much a gap may be shorter than the interval (T11).
    #[must_use]
    pub const fn jitter(&self) -> Jitter {
        self.jitter
    }

    /// After how long without a real event heartbeats end; zero if never (T12).
    #[must_use]
    pub const fn give_up_after(&self) -> Duration {
        self.give_up_after
    }

    /// After how long a heartbeat in flight means a stalled peer; zero if never (T20).
    #[must_use]
    pub const fn stall_after(&self) -> Duration {
        self.stall_after
    }

    /// Whether the first heartbeat is due at once (T2).
    #[must_use]
    pub const fn immediate_first(&self) -> bool {
        self.immediate_first
    }

    /// The seed of the jitter, if one was fixed.
    #[must_use]
    pub const fn seed(&self) -> Option<u32> {
        self.seed
    }
}

impl Default for Config {
    /// A heartbeat after each 15 s of silence: no jitter, no giving up, no stall, not prompt.
    fn default() -> Self {
        Self::every(Self::DEFAULT_INTERVAL)
    }
}

impl From<Duration> for Config {
    /// The same as [`Config::every`].
    fn from(interval: Duration) -> Self {
        Self::every(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_default_is_fifteen_seconds_and_nothing_else() {
        let config = Config::default();
        assert_eq!(config, Config::every(secs(15)));
        assert_eq!(config.jitter(), Jitter::NONE);
        assert_eq!(
            (config.give_up_after(), config.stall_after()),
            (Duration::ZERO, Duration::ZERO)
        );
        assert_eq!((config.immediate_first(), config.seed()), (false, None));
    }

    #[test]
    fn what_was_set_is_told() {
        let jitter = Jitter::try_from(0.5).expect("a fraction");
        let config = Config::from(secs(1))
            .with_jitter(jitter)
            .with_give_up_after(secs(2))
            .with_stall_after(secs(3))
            .with_immediate_first(true)
            .with_seed(4);
        assert_eq!((config.interval(), config.jitter()), (secs(1), jitter));
        assert!(!config.is_disabled() && Config::every(Duration::ZERO).is_disabled());
        assert_eq!((config.give_up_after(), config.stall_after()), (secs(2), secs(3)));
        assert_eq!((config.immediate_first(), config.seed()), (true, Some(4)));
    }
}
