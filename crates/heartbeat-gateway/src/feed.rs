//! The events that a gateway has to tell: the latest of them are kept, so that whoever was cut off
//! can go on where it stopped.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{Stream, stream};
use heartbeat_frame::GatewayEvent;
use tokio::sync::watch;

/// A log of events that many subscribers follow, each at its own pace. Clones share the log.
///
/// Events are numbered from 1; the number, in decimal, is the event's id. The ids are those of one feed, and
/// so of one run of the server: the next run gives them out anew, for other events, and cannot tell whether
/// an id is of its own. A client that comes back after a restart has to begin anew, without an id.
///
/// A subscriber holds no more
/// than its place in the log: one that is slow costs nothing, and one that falls behind by more than
/// the log holds is told so, since events must not be lost in silence.
#[derive(Debug, Clone)]
pub struct Feed {
    log: Arc<Mutex<Log>>,
    changed: Arc<watch::Sender<()>>,
}

#[derive(Debug)]
struct Log {
    events: VecDeque<GatewayEvent>,
    capacity: usize,
    /// The number of the latest event; zero before the first.
    latest: u64,
    closed: bool,
}

/// Why a subscriber cannot have what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedError {
    /// The id is none that this feed could have given out.
    UnknownId(String),
    /// The event after this one is not held any more.
    Missed {
        /// The number of the last event that the subscriber has seen.
        last: u64,
        /// The number of the oldest event that is held.
        oldest: u64,
    },
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownId(id) => {
                write!(f, "no event has the id {id:?}: give the id of an event received, or none")
            }
            Self::Missed { last, oldest } => write!(
                f,
                "the events after {last} are not held any more, the oldest is {oldest}: \
                 subscribe without an id to go on from now"
            ),
        }
    }
}

impl std::error::Error for FeedError {}

impl Feed {
    /// An empty feed that will keep its latest `capacity` events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let log = Log { events: VecDeque::new(), capacity, latest: 0, closed: false };
        Self { log: Arc::new(Mutex::new(log)), changed: Arc::new(watch::Sender::new(())) }
    }

    /// Gives the event its number and id, and tells it to all subscribers. Returns the number.
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

    /// Ends all subscriptions, once they have told what was published before.
    pub fn close(&self) {
        lock(&self.log).closed = true;
        self.changed.send_replace(());
    }

    /// Follows the feed: from the event after `last_event_id`, or from the latest one (which may be
    /// still to come) if that is empty.
    ///
    /// # Errors
    ///
    /// [`FeedError::UnknownId`] if no event had that id, [`FeedError::Missed`] if the one after it
    /// is not held any more; the stream ends with the latter, should its reader fall behind so far.
    pub fn subscribe(
        &self,
        last_event_id: &str,
    ) -> Result<impl Stream<Item = Result<GatewayEvent, FeedError>> + Send + 'static, FeedError>
    {
        let last = {
            let log = lock(&self.log);
            let last = match last_event_id {
                "" => log.latest.saturating_sub(1),
                id => id
                    .parse()
                    .ok()
                    .filter(|last: &u64| *last <= log.latest && last.to_string() == id)
                    .ok_or_else(|| FeedError::UnknownId(id.to_owned()))?,
            };
            log.after(last)?;
            last
        };
        let log = Arc::clone(&self.log);
        Ok(stream::try_unfold((log, self.changed.subscribe(), last), next))
    }
}

type Follower = (Arc<Mutex<Log>>, watch::Receiver<()>, u64);

async fn next(follower: Follower) -> Result<Option<(GatewayEvent, Follower)>, FeedError> {
    let (log, mut changed, last) = follower;
    loop {
        // Before the look into the log: what comes after it is a change.
        changed.mark_unchanged();
        let (event, closed) = {
            let log = lock(&log);
            (log.after(last)?.cloned(), log.closed)
        };
        if let Some(event) = event {
            return Ok(Some((event, (log, changed, last + 1))));
        }
        if closed || changed.changed().await.is_err() {
            return Ok(None); // no publisher is left
        }
    }
}

impl Log {
    /// The event that follows number `last`, if there is one yet.
    fn after(&self, last: u64) -> Result<Option<&GatewayEvent>, FeedError> {
        let oldest = self.latest - self.events.len() as u64 + 1;
        let Some(place) = (last + 1).checked_sub(oldest) else {
            return Err(FeedError::Missed { last, oldest });
        };
        Ok(usize::try_from(place).ok().and_then(|place| self.events.get(place)))
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner) // nothing in here panics half-way
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::{FutureExt, StreamExt};

    use super::*;

    fn publish(feed: &Feed, count: u64) {
        for _ in 0..count {
            feed.publish(GatewayEvent::default());
        }
    }

    fn ready_ids(
        stream: impl Stream<Item = Result<GatewayEvent, FeedError>>,
    ) -> Vec<Result<String, FeedError>> {
        let mut stream = pin!(stream);
        let mut ids = Vec::new();
        while let Some(Some(event)) = stream.next().now_or_never() {
            ids.push(event.map(|event| event.event_id));
        }
        ids
    }

    fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<Result<String, FeedError>> {
        numbers.into_iter().map(|number| Ok(number.to_string())).collect()
    }

    #[test]
    fn without_an_id_it_starts_with_the_latest_event() {
        let feed = Feed::new(10);
        let from_the_first = feed.subscribe("").expect("held");
        publish(&feed, 3);
        let from_the_third = feed.subscribe("").expect("held");
        publish(&feed, 2);
        assert_eq!(ready_ids(from_the_first), ids(1..=5));
        assert_eq!(ready_ids(from_the_third), ids([3, 4, 5]));
    }

    #[test]
    fn with_an_id_it_goes_on_after_it() {
        let feed = Feed::new(10);
        publish(&feed, 5);
        assert_eq!(ready_ids(feed.subscribe("2").expect("held")), ids([3, 4, 5]));
        assert_eq!(ready_ids(feed.subscribe("0").expect("held")), ids(1..=5));
        assert_eq!(ready_ids(feed.subscribe("5").expect("held")), ids([]));
    }

    #[test]
    fn an_id_that_was_never_given_out_is_refused() {
        let feed = Feed::new(10);
        publish(&feed, 5);
        for id in ["6", "-1", "+1", "01", " 1", "x", "18446744073709551616"] {
            let error = feed.subscribe(id).map(|_| ()).expect_err("unknown");
            assert_eq!(error, FeedError::UnknownId(id.to_owned()));
        }
    }

    #[test]
    fn what_is_not_held_any_more_is_refused_and_not_skipped() {
        let feed = Feed::new(3);
        publish(&feed, 10); // 8, 9 and 10 are held
        assert_eq!(ready_ids(feed.subscribe("7").expect("held")), ids([8, 9, 10]));
        let missed = FeedError::Missed { last: 6, oldest: 8 };
        assert_eq!(feed.subscribe("6").map(|_| ()).expect_err("gone"), missed);

        let slow = feed.subscribe("9").expect("held");
        publish(&feed, 4);
        assert_eq!(ready_ids(slow), [Err(FeedError::Missed { last: 9, oldest: 12 })]);
    }

    #[tokio::test]
    async fn a_closed_feed_tells_what_it_has_and_ends() {
        let feed = Feed::new(10);
        publish(&feed, 2);
        let reader = tokio::spawn(feed.subscribe("0").expect("held").collect::<Vec<_>>());
        tokio::task::yield_now().await;
        publish(&feed, 1);
        feed.close();
        let seen = reader.await.expect("no panic");
        assert_eq!(seen.len(), 3);
        assert_eq!(feed.subscribe("2").expect("held").count().await, 1);
    }

    #[tokio::test]
    async fn a_follower_is_woken_by_each_event_and_ends_with_the_last_publisher() {
        let feed = Feed::new(10);
        let events = feed.subscribe("").expect("held");
        let reader = tokio::spawn(events.map(|event| event.expect("held").event_id).collect());
        for _ in 0..100 {
            publish(&feed, 1);
            tokio::task::yield_now().await;
        }
        drop(feed);
        let seen: Vec<String> = reader.await.expect("no panic");
        assert_eq!(seen, (1..=100).map(|number: u64| number.to_string()).collect::<Vec<_>>());
    }
}
