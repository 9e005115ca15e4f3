use core::ops::Deref;
use core::time::Duration;

#[cfg(target_has_atomic = "64")]
pub use counters::{Counters, Counts};

/// What telemetry may hear of a stream (T19). Every method does nothing by default.
///
/// One observer may serve many streams: `&O`, `Arc<O>` and `Arc<dyn Observer>` are observers too.
/// The calls come from within the stream's poll, or its drop, so keep them short.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use heartbeat_async::{Observer, Outcome};
///
/// struct Log;
///
/// impl Observer for Log {
///     fn heartbeat(&self, outcome: Outcome, late: Duration, _bytes: Option<usize>) {
///         println!("heartbeat {outcome:?}, {late:?} late");
///     }
/// }
/// ```
pub trait Observer {
    /// A stream was opened that tells this observer.
    fn opened(&self) {}

    /// A stream that was [opened](Self::opened) is gone: dropped, or its driver has ended. Each tells
    /// it once, and nothing after it.
    fn closed(&self) {}

    /// A heartbeat came to its end: it went out or was lost.
    ///
    /// `late` is how long after its deadline it was handed over, `bytes` its size where
    /// [`Beat::bytes`](crate::Beat::bytes) knows it.
    fn heartbeat(&self, outcome: Outcome, late: Duration, bytes: Option<usize>) {
        let _ = (outcome, late, bytes);
    }

    /// A heartbeat was asked for, but was not owed any more when it could have been handed over: a real
    /// event was faster (T6), other bytes were, or the heartbeats were stopped (T9). A stream never
    /// tells this: there an event that is ready goes first, and no heartbeat is asked for.
    fn withdrawn(&self) {}

    /// No real event came for so long that the heartbeats ceased (T12).
    fn gave_up(&self) {}

    /// The peer takes nothing any more (T20). A stream tells this only on a hub, of a consumer that has
    /// stayed away with a heartbeat, and when it is polled again or dropped: on a timer, who does not
    /// poll it asks for nothing.
    fn stalled(&self) {}

    /// The hub does not serve the stream, whose heartbeats cease: its task was dropped, or it is full. Told
    /// when the stream is polled next, for which its task is woken. Without a hub it never is.
    fn abandoned(&self) {}

    /// A silence ended, and how long it was. On the pull side the silences are measured when the
    /// consumer comes back and finds nothing ready, and at the end of the stream; items that it took
    /// in between share one. The silence before a stream is dropped is not told, and none
    /// where heartbeats are disabled or stopped.
    fn silence(&self, lasted: Duration) {
        let _ = lasted;
    }

    /// Whether anybody listens. If nobody does, a stream does not even measure its silences.
    fn is_enabled(&self) -> bool {
        true
    }
}

/// What became of a heartbeat (T19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was handed to the transport.
    Sent,
    /// It could not be sent, or nobody knows whether it was, since its stream was dropped first.
    Error,
}

/// Stands for the observer of a stream that was given none. Nothing is kept for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NoObserver;

impl<P> Observer for P
where
    P: Deref,
    P::Target: Observer,
{
    fn opened(&self) {
        (**self).opened();
    }

    fn closed(&self) {
        (**self).closed();
    }

    fn heartbeat(&self, outcome: Outcome, late: Duration, bytes: Option<usize>) {
        (**self).heartbeat(outcome, late, bytes);
    }

    fn withdrawn(&self) {
        (**self).withdrawn();
    }

    fn gave_up(&self) {
        (**self).gave_up();
    }

    fn stalled(&self) {
        (**self).stalled();
    }

    fn abandoned(&self) {
        (**self).abandoned();
    }

    fn silence(&self, lasted: Duration) {
        (**self).silence(lasted);
    }

    fn is_enabled(&self) -> bool {
        (**self).is_enabled()
    }
}

#[cfg(target_has_atomic = "64")]
mod counters {
    use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use core::time::Duration;

    use super::{Observer, Outcome};

    /// Counts what it hears, for tests and small servers. Share it between streams as `&Counters`,
    /// as `Arc<Counters>`, or as a `static`.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use heartbeat_async::{Counters, Observer, Outcome};
    ///
    /// static HEARTBEATS: Counters = Counters::new();
    ///
    /// // What a stream that was given `&HEARTBEATS` does:
    /// (&HEARTBEATS).heartbeat(Outcome::Sent, Duration::from_millis(2), Some(24));
    /// assert_eq!(HEARTBEATS.counts().sent, 1);
    /// assert_eq!(HEARTBEATS.counts().bytes, 24);
    /// ```
    #[derive(Debug, Default)]
    pub struct Counters {
        sent: AtomicU64,
        errors: AtomicU64,
        bytes: AtomicU64,
        withdrawn: AtomicU64,
        gave_up: AtomicU64,
        stalled: AtomicU64,
        abandoned: AtomicU64,
        opened: AtomicU64,
        closed: AtomicU64,
        latest_nanos: AtomicU64,
        longest_silence_nanos: AtomicU64,
    }

    /// What [`Counters`] had counted at one moment.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct Counts {
        /// Heartbeats that went out.
        pub sent: u64,
        /// Heartbeats that were lost.
        pub errors: u64,
        /// The size of all that went out, as far as it is known.
        pub bytes: u64,
        /// Heartbeats that were asked for, and then not owed any more (T6, T9).
        pub withdrawn: u64,
        /// How often a producer was given up (T12).
        pub gave_up: u64,
        /// How often a peer stalled (T20).
        pub stalled: u64,
        /// How many streams their hub did not serve.
        pub abandoned: u64,
        /// Streams that there are: opened, and not closed.
        pub live: u64,
        /// By how much the latest of all heartbeats that went out was late.
        pub max_late: Duration,
        /// The longest silence that ended.
        pub longest_silence: Duration,
    }

    impl Counters {
        /// All zero.
        #[must_use]
        pub const fn new() -> Self {
            Self {
                sent: AtomicU64::new(0),
                errors: AtomicU64::new(0),
                bytes: AtomicU64::new(0),
                withdrawn: AtomicU64::new(0),
                gave_up: AtomicU64::new(0),
                stalled: AtomicU64::new(0),
                abandoned: AtomicU64::new(0),
                opened: AtomicU64::new(0),
                closed: AtomicU64::new(0),
                latest_nanos: AtomicU64::new(0),
                longest_silence_nanos: AtomicU64::new(0),
            }
        }

        /// The counts now. While streams go on counting, they need not be of one instant.
        #[must_use]
        pub fn counts(&self) -> Counts {
            let closed = self.closed.load(Relaxed); // first, so that it is not more than the opened
            Counts {
                sent: self.sent.load(Relaxed),
                errors: self.errors.load(Relaxed),
                bytes: self.bytes.load(Relaxed),
                withdrawn: self.withdrawn.load(Relaxed),
                gave_up: self.gave_up.load(Relaxed),
                stalled: self.stalled.load(Relaxed),
                abandoned: self.abandoned.load(Relaxed),
                live: self.opened.load(Relaxed).saturating_sub(closed),
                max_late: Duration::from_nanos(self.latest_nanos.load(Relaxed)),
                longest_silence: Duration::from_nanos(self.longest_silence_nanos.load(Relaxed)),
            }
        }
    }

    impl Observer for Counters {
        fn opened(&self) {
            self.opened.fetch_add(1, Relaxed);
        }

        fn closed(&self) {
            self.closed.fetch_add(1, Relaxed);
        }

        fn heartbeat(&self, outcome: Outcome, late: Duration, bytes: Option<usize>) {
            match outcome {
                Outcome::Sent => {
                    self.sent.fetch_add(1, Relaxed);
                    self.bytes.fetch_add(bytes.unwrap_or(0) as u64, Relaxed);
                    self.latest_nanos.fetch_max(nanos(late), Relaxed);
                }
                Outcome::Error => {
                    self.errors.fetch_add(1, Relaxed);
                }
            }
        }

        fn withdrawn(&self) {
            self.withdrawn.fetch_add(1, Relaxed);
        }

        fn gave_up(&self) {
            self.gave_up.fetch_add(1, Relaxed);
        }

        fn stalled(&self) {
            self.stalled.fetch_add(1, Relaxed);
        }

        fn abandoned(&self) {
            self.abandoned.fetch_add(1, Relaxed);
        }

        fn silence(&self, lasted: Duration) {
            self.longest_silence_nanos.fetch_max(nanos(lasted), Relaxed);
        }
    }

    fn nanos(duration: Duration) -> u64 {
        u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
    }
}
