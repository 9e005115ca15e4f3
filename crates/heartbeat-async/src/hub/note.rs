use core::fmt;
use core::time::Duration;

/// What a stream notes of itself, in 8 bytes: when bytes last left, or when it was opened, in nanoseconds
/// since its hub was made; whether its machine has not heard of that yet; and whether a heartbeat is in
/// flight. It reaches 73 years, as far as the machine does.
#[derive(Clone, Copy, Default)]
pub(super) struct Note(u64);

/// What a stream has to tell its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Nothing,
    /// A real event was sent.
    Sent,
    /// Other bytes left.
    Bytes,
}

const NEWS: u64 = 0b011;
const SENT: u64 = 0b001;
const BYTES: u64 = 0b010;
const IN_FLIGHT: u64 = 0b100;
const FLAGS: u32 = 3;

impl Note {
    /// The same at another time, unless that is earlier (T7).
    pub(super) fn at(self, time: Duration) -> Self {
        let most = u64::MAX >> FLAGS;
        let nanos = u64::try_from(time.as_nanos()).map_or(most, |nanos| nanos.min(most));
        Self(nanos.max(self.0 >> FLAGS) << FLAGS | self.0 & (NEWS | IN_FLIGHT))
    }

    pub(super) fn with(self, news: News) -> Self {
        let flags = match news {
            News::Nothing => 0,
            News::Sent => SENT,
            News::Bytes => BYTES,
        };
        Self(self.0 & !NEWS | flags)
    }

    pub(super) fn in_flight(self) -> Self {
        Self(self.0 | IN_FLIGHT)
    }

    /// The fate of the heartbeat is known.
    pub(super) fn landed(self) -> Self {
        Self(self.0 & !IN_FLIGHT)
    }

    /// The machine has heard of it.
    pub(super) fn told(self) -> Self {
        Self(self.0 & !NEWS)
    }

    pub(super) fn time(self) -> Duration {
        Duration::from_nanos(self.0 >> FLAGS)
    }

    pub(super) fn news(self) -> News {
        match self.0 & NEWS {
            SENT => News::Sent,
            BYTES => News::Bytes,
            _ => News::Nothing,
        }
    }

    pub(super) fn is_in_flight(self) -> bool {
        self.0 & IN_FLIGHT != 0
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note")
            .field("time", &self.time())
            .field("news", &self.news())
            .field("is_in_flight", &self.is_in_flight())
            .finish()
    }
}
