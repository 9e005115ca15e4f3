use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use heartbeat_async::Timer;

/// The system's monotonic clock, and async-io's timers, which smol uses.
#[derive(Debug, Clone, Copy, Default)]
pub struct SmolTimer;

/// A sleep of a [`SmolTimer`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct SmolSleep(async_io::Timer);

impl Timer for SmolTimer {
    type Instant = Instant;
    type Sleep = SmolSleep;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, deadline: Instant) -> SmolSleep {
        SmolSleep(async_io::Timer::at(deadline))
    }

    fn reset(&self, mut sleep: Pin<&mut Option<SmolSleep>>, deadline: Instant) {
        match sleep.as_mut().as_pin_mut() {
            Some(mut sleep) => sleep.0.set_at(deadline),
            None => sleep.set(Some(self.sleep_until(deadline))),
        }
    }
}

impl Future for SmolSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}
