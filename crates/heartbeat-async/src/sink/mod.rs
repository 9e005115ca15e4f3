//! The push side: a [`Sender`] sends items, and a [`Driver`] fills the silence with heartbeats (T18).

mod driver;
mod driver_state;
#[cfg_attr(not(loom), expect(unreachable_pub, reason = "public to the models in verify/loom"))]
#[cfg_attr(loom, expect(missing_debug_implementations, reason = "only the models use them"))]
pub(crate) mod fair_lock;
mod sender;
mod state;

use futures_sink::Sink;
use heartbeat_core::Config;

use crate::observer::NoObserver;
use crate::schedule::sealed;
use crate::sync::Arc;
use crate::{MakeHeartbeat, Scheduler};
use driver::StopOnDrop;
use fair_lock::FairLock;
use state::SinkState;

pub use driver::{Driver, DriverError};
pub use sender::Sender;

type SinkStateOf<Item, Si, P, B> = SinkState<Item, Si, <P as sealed::Scheduler>::SinkSchedule, B>;

/// What the senders and the driver of a sink share.
type Shared<Item, Si, P, B> = Arc<FairLock<SinkStateOf<Item, Si, P, B>>>;

/// Adds heartbeats to a sink. The [`Sender`] sends the items. The [`Driver`] sends a heartbeat whenever the sink has
/// accepted nothing for an interval. The driver is a future, which must be spawned.
///
/// `config` is an interval or a [`Config`]; an interval of zero disables the heartbeats
/// ([T1](crate::rules#t1-disabled)). `heartbeat` makes them; usually it is a closure. The silence begins with
/// this call ([T2](crate::rules#t2-first-heartbeat)), but no heartbeat is sent before the driver is polled.
///
/// Senders are served in the order of their calls, one after the other. Each item is flushed before the next one is
/// sent, unless it is [fed](Sender::feed). An error is returned by the call that caused it.
///
/// A send that fails does not end the driver, since a sink may reject one item and accept the next. If the sink has
/// failed for good, [stop](Sender::stop) the driver or drop its senders.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use futures_util::future::join;
/// use heartbeat_async::Timer;
/// use heartbeat_async::virtual_time::VirtualTime;
///
/// let time = VirtualTime::new();
/// # let sink = Box::pin(futures_util::sink::drain());
/// let interval = Duration::from_secs(15);
/// let (sender, driver) = heartbeat_async::heartbeat_sink(sink, time.clone(), interval, || ":\n");
/// let events = async {
///     sender.send("data: one\n\n").await?;
///     time.sleep_until(Duration::from_secs(60)).await; // the driver sends three heartbeats meanwhile
///     sender.send("data: two\n\n").await?;
///     drop(sender); // ends the driver
///     Ok::<_, std::convert::Infallible>(())
/// };
/// let (driver, events) = time.block_on(join(driver, events));
/// # driver.unwrap();
/// # events.unwrap();
/// ```
#[expect(clippy::type_complexity, reason = "both ends have the same parameters")]
pub fn heartbeat_sink<Item, Si, B, P>(
    sink: Si,
    scheduler: P,
    config: impl Into<Config>,
    heartbeat: B,
) -> (Sender<Item, Si, B, P>, Driver<Item, Si, B, P, NoObserver>)
where
    Si: Sink<Item>,
    P: Scheduler,
    B: MakeHeartbeat<Item>,
{
    let state = SinkState::new(sink, scheduler, config.into(), heartbeat);
    let shared = Arc::new(FairLock::new(state));
    let driver = Driver::new(StopOnDrop(Arc::clone(&shared)), NoObserver);
    (Sender { shared }, driver)
}
