use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use heartbeat_core::{Action, Config, Key};

use super::HubError;
use super::note::{News, Note};
use super::shard::{Asked, Shard};
use crate::Timer;
use crate::pacemaker::{Due, Pulse};
use crate::seed;

/// A machine that lives in a hub: where it is, and what it has not been told yet. 24 bytes.
pub struct HubPulse<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Key,
    note: Note,
}

impl<T: Timer> HubPulse<T> {
    pub(super) fn born(shard: Arc<Shard<T>>, config: Config) -> Self {
        let mut pulse = Self { shard, key: Key::dangling(), note: Note::default() };
        pulse.restart(config);
        pulse
    }

    fn note(&mut self, news: News, now: Duration) {
        // In flight at once: until it hears of it the hub takes the peer for one that does not read (T20).
        if self.note.is_in_flight() {
            self.shard.report(self.key, news, now);
            self.note = self.note.landed().at(now);
            return;
        }
        // The note has room for one, and the machine has to hear of a real event (T12).
        if self.note.news() == News::Sent && news == News::Bytes {
            self.shard.report(self.key, News::Sent, self.note.time());
        }
        self.note = self.note.at(now).with(news);
    }

    fn ask(&mut self, now: Duration, moved: bool, cx: &mut Context<'_>) -> Asked {
        if self.key == Key::dangling() {
            return Asked::Abandoned(HubError::Full);
        }
        let told = (self.note.news(), self.note.time());
        let asked = self.shard.ask(self.key, told, now, moved, cx.waker());
        self.note = self.note.told();
        if matches!(asked, Asked::Machine(Action::SendHeartbeat { .. })) {
            self.note = self.note.in_flight();
        }
        asked
    }
}

impl<T: Timer> Pulse for HubPulse<T> {
    type Instant = Duration;
    type Alarm = ();
    type Sleep = Sleep<T>;

    fn now(&self) -> Duration {
        self.shard.clock().now()
    }

    fn silence(&self, now: Duration) -> Duration {
        now.saturating_sub(self.note.time())
    }

    fn on_send(&mut self, now: Duration) {
        self.note(News::Sent, now);
    }

    fn on_bytes(&mut self, now: Duration) {
        self.note(News::Bytes, now);
    }

    fn consumer_is_back(&mut self) {
        if self.note.is_in_flight() {
            self.shard.report(self.key, News::Bytes, self.now());
            self.note = self.note.landed(); // the silence goes on until it is measured
        }
    }

    fn is_in_flight(&self) -> bool {
        self.note.is_in_flight()
    }

    fn stop(&mut self) {
        if self.key != Key::dangling() {
            self.shard.remove(self.key);
        }
        self.key = Key::dangling();
        self.note = self.note.told().landed();
    }

    fn restart(&mut self, config: Config) {
        self.stop();
        let now = self.now();
        self.note = Note::default().at(now);
        if !config.is_disabled() {
            let key = self.shard.insert(&seed::sown(config), now);
            self.key = key.unwrap_or(Key::dangling());
        }
    }

    fn poll_due(
        &mut self,
        _: Pin<&mut ()>,
        now: Duration,
        moved: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Due> {
        match self.ask(now, moved, cx) {
            Asked::Machine(Action::SendHeartbeat { late }) => Poll::Ready(Due::Heartbeat { late }),
            Asked::Machine(Action::GiveUp) => Poll::Ready(Due::GaveUp),
            Asked::Machine(Action::Stalled) => Poll::Ready(Due::Stalled),
            Asked::Machine(_) | Asked::Needless => Poll::Pending,
            Asked::Abandoned(error) => Poll::Ready(Due::Abandoned(error)),
        }
    }

    fn poll_deadline(
        &mut self,
        now: Duration,
        cx: &mut Context<'_>,
    ) -> Result<Action<Duration>, HubError> {
        match self.ask(now, false, cx) {
            Asked::Machine(action) => Ok(action),
            Asked::Needless => Ok(Action::WaitForever),
            Asked::Abandoned(error) => Err(error),
        }
    }

    fn set(&self, mut sleep: Pin<&mut Option<Sleep<T>>>, _: Duration) {
        sleep.set(Some(Sleep { shard: Arc::clone(&self.shard), key: self.key }));
    }
}

impl<T: Timer> Drop for HubPulse<T> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<T: Timer> fmt::Debug for HubPulse<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard: _, key, note } = self;
        f.debug_struct("HubPulse").field("key", key).field("note", note).finish_non_exhaustive()
    }
}

/// Ready once the hub has woken whoever has asked it for a deadline.
pub struct Sleep<T: Timer> {
    shard: Arc<Shard<T>>,
    key: Key,
}

impl<T: Timer> Future for Sleep<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.shard.was_woken(self.key, cx.waker()) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<T: Timer> fmt::Debug for Sleep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("key", &self.key).finish_non_exhaustive()
    }
}
