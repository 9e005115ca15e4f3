//! The push side: who sends calls [`Sender::send`], and a [`Driver`] fills the silence (T18).

mod driver;
mod line;
mod sender;
#[cfg_attr(not(loom), expect(unreachable_pub, reason = "public to the models in verify/loom"))]
pub(crate) mod turn;

use crate::sync::Arc;

use futures_sink::Sink;
use heartbeat_core::Config;

use crate::observer::NoObserver;
use crate::{MakeHeartbeat, Scheduler};
use line::{Senders, Shared};

pub use driver::{Driver, DriverError};
pub use sender::Sender;

/// Puts heartbeats into the silence of a sink. Real items go through the [`Sender`]; the [`Driver`]
/// sends a heartbeat whenever none has been handed over for an interval.
///
/// `config` is an interval or a whole [`Config`], and an interval of zero switches the heartbeats off
/// (T1). `beat` makes them, in the simplest case a closure. The silence begins now (T2), but nothing
/// beats until the driver [runs](Driver::run): spawn that.
///
/// Whoever asks the sink for something has it alone until it has answered: items go out one after the
/// other, each is flushed before the next one goes, unless it is [fed](Sender::feed), and an error
/// reaches whoever has caused it. Senders get their turns in the order in which they came.
///
/// A failure of a sender does not end the driver, since a sink may refuse one item and take the next.
/// Where the sink has broken for good, [stop](Sender::stop) the driver or drop its senders.
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
/// let (sender, driver) = heartbeat_async::heartbeat_sink(sink, time.clone(), Duration::from_secs(15), || ":\n");
/// let events = async {
///     sender.send("data: one\n\n").await?;
///     time.sleep_until(Duration::from_secs(60)).await; // three heartbeats go out meanwhile
///     sender.send("data: two\n\n").await?;
///     drop(sender); // and the driver ends
///     Ok::<_, std::convert::Infallible>(())
/// };
/// let (driver, events) = time.block_on(join(driver.run(), events));
/// # driver.unwrap();
/// # events.unwrap();
/// ```
#[expect(clippy::type_complexity, reason = "both ends have the same parameters")]
pub fn heartbeat_sink<Item, Si, B, P>(
    sink: Si,
    scheduler: P,
    config: impl Into<Config>,
    beat: B,
) -> (Sender<Item, Si, B, P>, Driver<Item, Si, B, P, NoObserver>)
where
    Si: Sink<Item>,
    P: Scheduler,
    B: MakeHeartbeat<Item>,
{
    let shared = Arc::new(Shared::new(sink, scheduler, config.into(), beat));
    let senders = Arc::new(Senders::of(&shared));
    let driver = Driver::new(Arc::clone(&shared), Arc::downgrade(&senders));
    (Sender::new(shared, senders), driver)
}
