use std::pin::Pin;
use std::time::Instant;

use heartbeat_async::Timer;
use tokio::time::{self, Sleep};

/// tokio's clock and timers. Instants are those of `std`, read from tokio's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    type Instant = Instant;
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        time::sleep_until(deadline.into())
    }

    fn reset(&self, mut sleep: Pin<&mut Option<Sleep>>, deadline: Instant) {
        match sleep.as_mut().as_pin_mut() {
            Some(sleep) => sleep.reset(deadline.into()),
            None => sleep.set(Some(self.sleep_until(deadline))),
        }
    }
}
