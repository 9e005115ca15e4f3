//! `Sender` and `Driver` in virtual time, where the conformance suite cannot have its way: its sinks take
//! no time.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Sink;
use futures_util::future::join;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{Timer, heartbeat_sink};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A sink that keeps its thread for 25 s with the first item, and tells when it had each.
struct Slow(VirtualTime, Arc<Mutex<Vec<Duration>>>);

impl Sink<&'static str> for Slow {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, _: &'static str) -> Result<(), Infallible> {
        let mut came = self.1.lock().unwrap();
        if came.is_empty() {
            self.0.advance(secs(25));
        }
        came.push(self.0.now());
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn t5_a_beat_that_takes_longer_than_the_interval_is_followed_by_no_burst() {
    let (time, came) = (VirtualTime::new(), Arc::default());
    let slow = Slow(time.clone(), Arc::clone(&came));
    let (sender, driver) = heartbeat_sink(slow, time.clone(), secs(10), || "beat");
    let events = async {
        time.sleep_until(secs(50)).await;
        drop(sender);
    };
    time.block_on(join(driver, events)).0.unwrap();
    assert_eq!(*came.lock().unwrap(), [secs(35), secs(45)]);
}
