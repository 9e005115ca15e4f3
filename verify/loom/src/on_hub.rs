//! Streams on a hub.

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

use heartbeat_async::Config;

use crate::test_sink::new_log;
use crate::{Clock, NoObserver, SinkPeer};
use heartbeat_async::{HeartbeatStream, Hub, HubTask, Observed, Observer};

/// A stream of [`ItemStream`] with heartbeats of a hub.
pub type HubStream<O = NoObserver> =
    Pin<Box<HeartbeatStream<ItemStream, fn() -> &'static str, Hub<Clock>, O>>>;

/// A stream that yields these items, one per poll; `None` is a poll without an item. It wakes no task.
#[derive(Debug, Clone)]
pub struct ItemStream(std::vec::IntoIter<Option<&'static str>>);

/// A hub, and what it depends on.
#[derive(Debug)]
pub struct HubFixture {
    /// The hub.
    pub hub: Hub<Clock>,
    /// The task of the hub.
    pub task: HubTask<Clock>,
    /// Its clock.
    pub clock: Clock,
    /// Records what happens.
    pub peer: SinkPeer,
}

/// A hub with that many shards.
///
/// # Panics
///
/// If `shards` is zero.
#[must_use]
pub fn on_hub(shards: usize) -> HubFixture {
    let clock = Clock::new();
    let shards = NonZeroUsize::new(shards).expect("a hub has shards");
    let (hub, task) = Hub::with_shards(clock.clone(), shards);
    HubFixture { hub, task, clock, peer: new_log() }
}

impl HubFixture {
    /// Opens a stream without items.
    #[must_use]
    pub fn quiet(&self, config: Config) -> HubStream {
        self.unobserved(&[], config)
    }

    /// Opens a stream with these items.
    #[must_use]
    pub fn unobserved(&self, items: &[Option<&'static str>], config: Config) -> HubStream {
        let make_heartbeat: fn() -> _ = || "heartbeat";
        let items = ItemStream(Vec::from(items).into_iter());
        Box::pin(HeartbeatStream::new(items, self.hub.clone(), config, make_heartbeat))
    }

    /// Opens a stream with these items and an observer.
    #[must_use]
    pub fn open<O: Observer>(
        &self,
        items: &[Option<&'static str>],
        config: Config,
        observer: O,
    ) -> HubStream<Observed<O>> {
        Box::pin(Pin::into_inner(self.unobserved(items, config)).with_observer(observer))
    }
}

impl futures_core::Stream for ItemStream {
    type Item = &'static str;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<&'static str>> {
        self.get_mut().0.next().flatten().map_or(Poll::Pending, |item| Poll::Ready(Some(item)))
    }
}

/// Waits for the next item.
///
/// # Panics
///
/// If the stream ends.
pub async fn next<S: futures_core::Stream>(stream: &mut Pin<Box<S>>) -> S::Item {
    poll_fn(|cx| stream.as_mut().poll_next(cx)).await.expect("the stream has no end")
}
