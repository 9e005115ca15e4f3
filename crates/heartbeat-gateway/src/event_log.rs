//! A log of events. It keeps the latest events, so that a client can resume after a cut connection.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{Stream, stream};
use heartbeat_frame::GatewayEvent;
use tokio::sync::watch;

/// A log of events with any number of subscribers. Clones share the log.
///
/// Events are numbered from 1; the number in decimal is the id of the event. Ids are valid for one log, and so for one run
/// of the server: the next run assigns them again to other events. A client that reconnects after a restart has to
/// subscribe without an id.
///
/// A subscription stores only its position in the log. A subscriber that falls behind by more than the capacity of the log
/// gets an error: events are never skipped silently.
#[derive(Debug, Clone)]
pub struct EventLog {
    log: Arc<Mutex<Log>>,
    changed: Arc<watch::Sender<()>>,
}

#[derive(Debug)]
struct Log {
    events: VecDeque<GatewayEvent>,
    capacity: usize,
    /// The number of the latest event; zero before the first event.
    latest: u64,
    closed: bool,
}

/// Why a subscription cannot start or continue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventLogError {
    /// No event had this id.
    UnknownId(String),
    /// The next event is no longer in the log.
    Evicted {
        /// The number of the last event that the subscriber has received.
        last: u64,
        /// The number of the oldest event in the log.
        oldest: u64,
    },
}

impl fmt::Display for EventLogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownId(id) => {
                write!(f, "unknown event id {id:?}: expected the id of a received event, or no id")
            }
            Self::Evicted { last, oldest } => write!(
                f,
                "event {last} is too old, the oldest event in the log is {oldest}: \
                 subscribe without an id to continue from now"
            ),
        }
    }
}

impl std::error::Error for EventLogError {}

impl EventLog {
    /// An empty log that keeps the latest `capacity` events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let log = Log { events: VecDeque::new(), capacity, latest: 0, closed: false };
        Self { log: Arc::new(Mutex::new(log)), changed: Arc::new(watch::Sender::new(())) }
    }

    /// Appends an event and notifies the subscribers. Sets the id of the event and returns its number.
    pub fn publish(&self, mut event: GatewayEvent) -> u64 {
        let mut log = lock(&self.log);
        log.latest += 1;
        let number = log.latest;
        event.event_id = number.to_string();
        log.events.push_back(event);
        if log.events.len() > log.capacity {
            log.events.pop_front();
        }
        drop(log);
        self.changed.send_replace(());
        number
    }

    /// Ends all subscriptions after the events that were published before.
    pub fn close(&self) {
        lock(&self.log).closed = true;
        self.changed.send_replace(());
    }

    /// Subscribes to the events after `last_event_id`. If it is empty, starts with the latest event, or with the first event
    /// to come.
    ///
    /// # Errors
    ///
    /// [`EventLogError::UnknownId`] if no event had that id, [`EventLogError::Evicted`] if the next event is no longer in the
    /// log. The stream ends with the latter error if its reader falls behind.
    pub fn subscribe(
        &self,
        last_event_id: &str,
    ) -> Result<
        impl Stream<Item = Result<GatewayEvent, EventLogError>> + Send + 'static,
        EventLogError,
    > {
        let last = {
            let log = lock(&self.log);
            let last = match last_event_id {
                "" => log.latest.saturating_sub(1),
                id => id
                    .parse()
                    .ok()
                    .filter(|last: &u64| *last <= log.latest && last.to_string() == id)
                    .ok_or_else(|| EventLogError::UnknownId(id.to_owned()))?,
            };
            log.after(last)?;
            last
        };
        let log = Arc::clone(&self.log);
        Ok(stream::try_unfold((log, self.changed.subscribe(), last), next))
    }
}

type Subscription = (Arc<Mutex<Log>>, watch::Receiver<()>, u64);

async fn next(
    subscription: Subscription,
) -> Result<Option<(GatewayEvent, Subscription)>, EventLogError> {
    let (log, mut changed, last) = subscription;
    loop {
        // Before the log is read: an event that is published later counts as a change.
        changed.mark_unchanged();
        let (event, closed) = {
            let log = lock(&log);
            (log.after(last)?.cloned(), log.closed)
        };
        if let Some(event) = event {
            return Ok(Some((event, (log, changed, last + 1))));
        }
        if closed || changed.changed().await.is_err() {
            return Ok(None); // the log was dropped
        }
    }
}

impl Log {
    /// The event that follows number `last`, if there is one yet.
    fn after(&self, last: u64) -> Result<Option<&GatewayEvent>, EventLogError> {
        let oldest = self.latest - self.events.len() as u64 + 1;
        let Some(place) = (last + 1).checked_sub(oldest) else {
            return Err(EventLogError::Evicted { last, oldest });
        };
        Ok(usize::try_from(place).ok().and_then(|place| self.events.get(place)))
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner) // no code under the lock panics
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::{FutureExt, StreamExt};

    use super::*;

    fn publish(log: &EventLog, count: u64) {
        for _ in 0..count {
            log.publish(GatewayEvent::default());
        }
    }

    fn ready_ids(
        stream: impl Stream<Item = Result<GatewayEvent, EventLogError>>,
    ) -> Vec<Result<String, EventLogError>> {
        let mut stream = pin!(stream);
        let mut ids = Vec::new();
        while let Some(Some(event)) = stream.next().now_or_never() {
            ids.push(event.map(|event| event.event_id));
        }
        ids
    }

    fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<Result<String, EventLogError>> {
        numbers.into_iter().map(|number| Ok(number.to_string())).collect()
    }

    #[test]
    fn without_an_id_a_subscription_starts_with_the_latest_event() {
        let log = EventLog::new(10);
        let from_the_first = log.subscribe("").expect("held");
        publish(&log, 3);
        let from_the_third = log.subscribe("").expect("held");
        publish(&log, 2);
        assert_eq!(ready_ids(from_the_first), ids(1..=5));
        assert_eq!(ready_ids(from_the_third), ids([3, 4, 5]));
    }

    #[test]
    fn with_an_id_a_subscription_continues_after_it() {
        let log = EventLog::new(10);
        publish(&log, 5);
        assert_eq!(ready_ids(log.subscribe("2").expect("held")), ids([3, 4, 5]));
        assert_eq!(ready_ids(log.subscribe("0").expect("held")), ids(1..=5));
        assert_eq!(ready_ids(log.subscribe("5").expect("held")), ids([]));
    }

    #[test]
    fn an_unknown_id_is_rejected() {
        let log = EventLog::new(10);
        publish(&log, 5);
        for id in ["6", "-1", "+1", "01", " 1", "x", "18446744073709551616"] {
            let error = log.subscribe(id).map(|_| ()).expect_err("unknown");
            assert_eq!(error, EventLogError::UnknownId(id.to_owned()));
        }
    }

    #[test]
    fn evicted_events_are_an_error_and_not_skipped() {
        let log = EventLog::new(3);
        publish(&log, 10); // 8, 9 and 10 are held
        assert_eq!(ready_ids(log.subscribe("7").expect("held")), ids([8, 9, 10]));
        let evicted = EventLogError::Evicted { last: 6, oldest: 8 };
        assert_eq!(log.subscribe("6").map(|_| ()).expect_err("evicted"), evicted);

        let slow = log.subscribe("9").expect("held");
        publish(&log, 4);
        assert_eq!(ready_ids(slow), [Err(EventLogError::Evicted { last: 9, oldest: 12 })]);
    }

    #[tokio::test]
    async fn a_closed_log_delivers_its_events_and_ends() {
        let log = EventLog::new(10);
        publish(&log, 2);
        let reader = tokio::spawn(log.subscribe("0").expect("held").collect::<Vec<_>>());
        tokio::task::yield_now().await;
        publish(&log, 1);
        log.close();
        let seen = reader.await.expect("no panic");
        assert_eq!(seen.len(), 3);
        assert_eq!(log.subscribe("2").expect("held").count().await, 1);
    }

    #[tokio::test]
    async fn a_subscriber_is_woken_by_each_event_and_ends_with_the_log() {
        let log = EventLog::new(10);
        let events = log.subscribe("").expect("held");
        let reader = tokio::spawn(events.map(|event| event.expect("held").event_id).collect());
        for _ in 0..100 {
            publish(&log, 1);
            tokio::task::yield_now().await;
        }
        drop(log);
        let seen: Vec<String> = reader.await.expect("no panic");
        assert_eq!(seen, (1..=100).map(|number: u64| number.to_string()).collect::<Vec<_>>());
    }
}
