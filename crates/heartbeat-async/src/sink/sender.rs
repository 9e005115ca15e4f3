use crate::sync::Arc;
use core::fmt;
use core::marker::PhantomData;
use core::task::{Context, Poll};

use async_lock::MutexGuard;
use event_listener::Event;
use futures_sink::Sink;

use super::line::{Line, Senders, Shared};
use super::turn::Turn;
use crate::{MakeHeartbeat, Scheduler};

/// Sends real items into a sink whose silence a [`Driver`](crate::Driver) fills; made by
/// [`heartbeat_sink`](crate::heartbeat_sink).
///
/// Clones send into the same sink. Their items go in whole and one after the other, in the order in
/// which they were asked to, and none is ever dropped for a heartbeat (T18). Without a driver, or
/// after it has ended, a sender works on, just without heartbeats.
///
/// # Cancellation
///
/// Each future may be dropped at any point. An item is either handed over whole or not at all: as
/// long as the sink was not ready, it is dropped with the future. What was handed over is flushed by
/// the driver or by the next sender.
pub struct Sender<Item, Si, B, P: Scheduler> {
    shared: Arc<Shared<Si, P, B>>,
    senders: Arc<Senders>,
    takes: PhantomData<fn(Item)>,
}

impl<Item, Si, B, P> Sender<Item, Si, B, P>
where
    Si: Sink<Item>,
    P: Scheduler,
    B: MakeHeartbeat<Item>,
{
    pub(super) fn new(shared: Arc<Shared<Si, P, B>>, senders: Arc<Senders>) -> Self {
        Self { shared, senders, takes: PhantomData }
    }

    /// Sends an item, and waits until it is out. The silence starts anew when it was handed over
    /// (T3).
    ///
    /// # Errors
    ///
    /// Whatever the sink answers. What failed is no send, and moves no deadline (T3).
    pub async fn send(&self, item: Item) -> Result<(), Si::Error> {
        let mut left_behind = LeftBehind(None); // told once the turn was given back
        let turn = self.shared.turns.take().await;
        let line = self.hand_over(&turn, item).await?;
        left_behind.0 = Some(&self.shared.changed);
        let (_, flushed) = self.shared.ask(line, Line::poll_flush).await;
        left_behind.0 = None;
        flushed
    }

    /// Hands an item over and leaves it to the next flush: of this sender, of another, or of the
    /// driver with its next heartbeat. Whoever flushes hears what becomes of it.
    ///
    /// # Errors
    ///
    /// Whatever the sink answers. What failed is no send, and moves no deadline (T3).
    pub async fn feed(&self, item: Item) -> Result<(), Si::Error> {
        let turn = self.shared.turns.take().await;
        self.hand_over(&turn, item).await.map(drop)
    }

    /// Waits until all that was handed over is out.
    ///
    /// # Errors
    ///
    /// Whatever the sink answers.
    pub async fn flush(&self) -> Result<(), Si::Error> {
        self.ask_in_turn(Line::poll_flush).await
    }

    /// Ends the heartbeats, then closes the sink, which flushes it. Items that are sent later are
    /// refused by the sink. If this is dropped, the sink may be half closed: close it again.
    ///
    /// # Errors
    ///
    /// Whatever the sink answers.
    pub async fn close(&self) -> Result<(), Si::Error> {
        self.stop().await;
        self.ask_in_turn(Line::poll_close).await
    }

    /// Ends the heartbeats, and with them the [driver](crate::Driver); items still go through. Once
    /// this has returned no heartbeat is handed over any more (T9, T18). May be called again.
    pub async fn stop(&self) {
        self.shared.line().await.stop();
        self.shared.changed.notify(usize::MAX);
    }

    /// Asks the sink for something until it has answered.
    async fn ask_in_turn<R>(
        &self,
        poll: impl Fn(&mut Line<Si, P::SinkSchedule, B>, &mut Context<'_>) -> Poll<R>,
    ) -> R {
        let mut left_behind = LeftBehind(Some(&self.shared.changed));
        let _turn = self.shared.turns.take().await;
        let line = self.shared.line().await;
        let (_, answer) = self.shared.ask(line, poll).await;
        left_behind.0 = None;
        answer
    }

    async fn hand_over<'a>(
        &'a self,
        _: &Turn<'a>,
        item: Item,
    ) -> Result<MutexGuard<'a, Line<Si, P::SinkSchedule, B>>, Si::Error> {
        let line = self.shared.line().await;
        let (mut line, ready) = self.shared.ask(line, Line::poll_ready).await;
        ready?;
        line.hand_over(item, &self.shared.changed)?;
        Ok(line)
    }
}

impl<Item, Si, B, P: Scheduler> Clone for Sender<Item, Si, B, P> {
    fn clone(&self) -> Self {
        let (shared, senders) = (Arc::clone(&self.shared), Arc::clone(&self.senders));
        Self { shared, senders, takes: PhantomData }
    }
}

impl<Item, Si, B, P: Scheduler> fmt::Debug for Sender<Item, Si, B, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// Tells the driver that there is something left which nobody flushes any more.
struct LeftBehind<'a>(Option<&'a Event>);

impl Drop for LeftBehind<'_> {
    fn drop(&mut self) {
        if let Some(changed) = self.0 {
            changed.notify(usize::MAX);
        }
    }
}
