use core::fmt;
use core::future::poll_fn;
use core::mem;
use core::task::{Context, Poll, ready};

use futures_sink::Sink;

use super::fair_lock::Acquire;
use super::state::SinkState;
use super::{Shared, SinkStateOf};
use crate::sync::Arc;
use crate::{MakeHeartbeat, Scheduler};

/// Sends items into a sink to which a [`Driver`](crate::Driver) sends heartbeats; made by
/// [`heartbeat_sink`](crate::heartbeat_sink).
///
/// Clones send into one sink. Items are sent whole, one after the other, in the order in which the sends began.
/// No item is dropped for a heartbeat ([T18](crate::rules#t18-push-side)). A sender works without a
/// driver too, or after the driver has ended, but without heartbeats.
///
/// # Cancellation
///
/// Every future of a sender may be dropped at any point. The sink has then accepted the whole item, or nothing: while
/// the sink is not ready, the item is dropped with the future. An accepted item is flushed by the driver or by the next
/// sender.
pub struct Sender<Item, Si, B, P: Scheduler> {
    pub(super) shared: Shared<Item, Si, P, B>,
}

impl<Item, Si: Sink<Item>, B: MakeHeartbeat<Item>, P: Scheduler> Sender<Item, Si, B, P> {
    /// Sends an item, and waits until it is flushed. The silence restarts when the sink accepts the item
    /// ([T3](crate::rules#t3-a-send-resets-the-deadline)), and again when a flush that had to wait is done
    /// ([T18](crate::rules#t18-push-side)).
    ///
    /// If the compiler rejects this call in a spawned task with "implementation of `Sink` is not general enough", `Item`
    /// contains a reference such as `&'static str`. Use an owned type, such as `String`.
    ///
    /// # Errors
    ///
    /// The error of the sink. A send that fails does not restart the silence.
    pub async fn send(&self, item: Item) -> Result<(), Si::Error> {
        let mut item = Some(item);
        self.in_turn(|state, cx| {
            ready!(state.poll_feed(&mut item, cx))?;
            state.poll_flush(cx)
        })
        .await
    }

    /// Sends an item once the sink is ready, and does not flush it. It is flushed with the next item or flush of any
    /// sender, or by the driver with its next heartbeat. An error of that flush is returned by the call that flushes.
    ///
    /// # Errors
    ///
    /// The error of the sink. A send that fails does not restart the silence.
    pub async fn feed(&self, item: Item) -> Result<(), Si::Error> {
        let mut item = Some(item);
        self.in_turn(|state, cx| state.poll_feed(&mut item, cx)).await
    }

    /// Waits until everything that the sink has accepted is flushed.
    ///
    /// # Errors
    ///
    /// The error of the sink.
    pub async fn flush(&self) -> Result<(), Si::Error> {
        self.in_turn(SinkState::poll_flush).await
    }

    /// Stops the heartbeats, then flushes and closes the sink. The sink rejects items that are sent later. If the future
    /// is dropped, the sink may not be closed yet: call `close` again.
    ///
    /// # Errors
    ///
    /// The error of the sink.
    pub async fn close(&self) -> Result<(), Si::Error> {
        self.stop().await;
        self.in_turn(SinkState::poll_close).await
    }

    /// Stops the heartbeats and the [driver](crate::Driver). Items can still be sent. Once the future is ready, no
    /// heartbeat follows ([T9](crate::rules#t9-stop)). It does not wait for the peer. May be called again.
    pub async fn stop(&self) {
        poll_fn(|cx| self.shared.poll_stop(cx)).await;
    }

    /// Polls the sink in the turn of this sender until it is ready.
    async fn in_turn<R>(
        &self,
        mut poll: impl FnMut(&mut SinkStateOf<Item, Si, P, B>, &mut Context<'_>) -> Poll<R>,
    ) -> R {
        let mut acquire = Acquire::new(&self.shared);
        poll_fn(|cx| {
            let mut state = ready!(acquire.poll_turn(cx));
            if state.stop_requested() {
                state.stop();
            }
            let polled = poll(&mut state, cx);
            let notify_driver = mem::take(&mut state.notify_driver);
            state.end_poll(polled.is_pending(), notify_driver);
            polled
        })
        .await
    }
}

impl<Item, Si, B, P: Scheduler> Clone for Sender<Item, Si, B, P> {
    fn clone(&self) -> Self {
        self.shared.add_sender();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<Item, Si, B, P: Scheduler> Drop for Sender<Item, Si, B, P> {
    fn drop(&mut self) {
        self.shared.remove_sender();
    }
}

impl<Item, Si, B, P: Scheduler> fmt::Debug for Sender<Item, Si, B, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
