use core::time::Duration;

use crate::Jitter;

/// Configures a [`Heartbeat`](crate::Heartbeat): interval, jitter and limits.
///
/// The default is a heartbeat after 15 s of silence, without jitter and limits. Setters do not fail:
/// every duration has a meaning. Zero disables the setting; 584 years or more, such as
/// [`Duration::MAX`], means never.
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
#[must_use = "a configuration has no effect until a heartbeat is created from it"]
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

    /// A heartbeat after each `interval` of silence. Zero disables heartbeats
    /// ([T1](crate::rules#t1-disabled)).
    ///
    /// Choose at most half of the shortest idle timeout between server and client: nginx and AWS ALB
    /// close an idle stream after 60 s, Heroku after 55 s.
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

    /// Sets the interval, and keeps all other settings.
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Shortens each silence before a heartbeat by a random part of the interval, up to `jitter`
    /// ([T11](crate::rules#t11-jitter)). Default: [`Jitter::NONE`].
    pub const fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Ends the heartbeats once no event was sent for `silence` ([T12](crate::rules#t12-give-up)).
    /// Default: zero, never.
    ///
    /// Without this limit, heartbeats keep the stream of a producer that has died open forever.
    ///
    /// A wrapper decides what is an event. One that reads bytes recognizes heartbeats of other layers by their
    /// bytes, and an event with the same bytes does not count. Choose a heartbeat that is equal to no event: a
    /// message without fields can be one, so wrappers count it as an event, also if another layer has sent it
    /// as a heartbeat.
    pub const fn with_give_up_after(mut self, silence: Duration) -> Self {
        self.give_up_after = silence;
        self
    }

    /// Declares the peer stalled once a heartbeat has been in flight for `wait`
    /// ([T20](crate::rules#t20-stalled)). Default: zero, never.
    ///
    /// Its heartbeats end, and an event does not start them again. Only a sink or a hub can detect a stall: a stream or
    /// body with its own timer runs only when it is polled.
    ///
    /// A peer that reads so slowly that earlier bytes are not flushed within `wait` counts as stalled too. Bytes that
    /// a socket or a proxy has accepted count as sent: on a quiet stream it takes thousands of heartbeats until they
    /// accept no more and a peer that reads nothing is noticed.
    ///
    /// In a [`HeartbeatSet`](crate::rules#t15-many-streams-one-deadline), and so on a hub, stalling and giving up may be late
    /// by up to a 64th of the interval.
    pub const fn with_stall_after(mut self, wait: Duration) -> Self {
        self.stall_after = wait;
        self
    }

    /// Sends the first heartbeat immediately when the stream is opened
    /// ([T2](crate::rules#t2-first-heartbeat)). Default: `false`, it is due after the first interval.
    ///
    /// Use it behind a proxy that holds back the response headers until the first byte of the body.
    pub const fn with_immediate_first(mut self, immediate: bool) -> Self {
        self.immediate_first = immediate;
        self
    }

    /// Sets the seed of the jitter, for reproducible runs.
    ///
    /// Streams with the same seed do not drift apart. By default each stream of `heartbeat-async` has its
    /// own seed. Those seeds differ between processes if the system randomizes addresses (ASLR);
    /// elsewhere, such as in firmware or WebAssembly, set a seed per process. A bare
    /// [`Heartbeat`](crate::Heartbeat) uses seed 0.
    pub const fn with_seed(mut self, seed: u32) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The longest silence. Zero if heartbeats are disabled ([T1](crate::rules#t1-disabled)).
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether heartbeats are disabled: the interval is zero ([T1](crate::rules#t1-disabled)).
    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        self.interval.is_zero()
    }

    /// The largest part of the interval by which a silence may be shorter
    /// ([T11](crate::rules#t11-jitter)).
    #[must_use]
    pub const fn jitter(&self) -> Jitter {
        self.jitter
    }

    /// The time without an event after which heartbeats end. Zero means never
    /// ([T12](crate::rules#t12-give-up)).
    #[must_use]
    pub const fn give_up_after(&self) -> Duration {
        self.give_up_after
    }

    /// The time in flight after which the peer counts as stalled. Zero means never
    /// ([T20](crate::rules#t20-stalled)).
    #[must_use]
    pub const fn stall_after(&self) -> Duration {
        self.stall_after
    }

    /// Whether the first heartbeat is due when the stream is opened ([T2](crate::rules#t2-first-heartbeat)).
    #[must_use]
    pub const fn immediate_first(&self) -> bool {
        self.immediate_first
    }

    /// The seed of the jitter, if one was set.
    #[must_use]
    pub const fn seed(&self) -> Option<u32> {
        self.seed
    }
}

impl Default for Config {
    /// A heartbeat after 15 s of silence, without jitter and limits.
    fn default() -> Self {
        Self::every(Self::DEFAULT_INTERVAL)
    }
}

impl From<Duration> for Config {
    /// Equivalent to [`Config::every`].
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
    fn the_default_is_15_seconds_without_limits() {
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
    fn getters_return_what_was_set() {
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
