//! That many streams can share one runtime timer through the `Timer` trait alone: a toy hub whose
//! handle is the timer, whose alarms are registrations, and whose granularity lets one wake-up of the
//! runtime serve all that fall due within it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use heartbeat_async::{HeartbeatStream, Timer};
use tokio_test::task::spawn;

const INTERVAL: Duration = Duration::from_secs(16);
const GRANULARITY: Duration = Duration::from_millis(250); // a 64th of the interval (T15)

#[derive(Clone, Default)]
struct Hub(Rc<Shared>);

#[derive(Default)]
struct Shared {
    now: Cell<Duration>,
    keys: Cell<u64>,
    waiting: RefCell<BTreeMap<(Duration, u64), Waker>>,
}

impl Hub {
    /// What the hub's one runtime alarm is set to.
    fn deadline(&self) -> Option<Duration> {
        self.0.waiting.borrow().keys().next().map(|key| key.0)
    }

    /// The runtime alarm has gone off: serves all whose time has come within the granularity.
    fn tick(&self) {
        let limit = self.0.now.get() + GRANULARITY;
        loop {
            let mut waiting = self.0.waiting.borrow_mut();
            let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= limit) else {
                return;
            };
            let waker = first.remove();
            drop(waiting); // who is woken may register anew
            waker.wake();
        }
    }
}

impl Timer for Hub {
    type Instant = Duration;
    type Sleep = Registration;

    fn now(&self) -> Duration {
        self.0.now.get()
    }

    fn sleep_until(&self, deadline: Duration) -> Registration {
        let key = self.0.keys.get();
        self.0.keys.set(key + 1);
        Registration { hub: self.clone(), key: (deadline, key) }
    }

    fn granularity(&self) -> Duration {
        GRANULARITY
    }
}

struct Registration {
    hub: Hub,
    key: (Duration, u64),
}

impl Future for Registration {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.key.0 <= self.hub.0.now.get() + GRANULARITY {
            return Poll::Ready(());
        }
        self.hub.0.waiting.borrow_mut().insert(self.key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.hub.0.waiting.borrow_mut().remove(&self.key);
    }
}

#[test]
fn t15_a_thousand_streams_share_at_most_64_wake_ups_per_interval() {
    let hub = Hub::default();
    let mut streams = Vec::new();
    for _ in 0..1000 {
        let quiet = futures_util::stream::pending();
        let stream = HeartbeatStream::new(quiet, hub.clone(), INTERVAL, || ());
        let mut stream = spawn(stream);
        assert!(stream.poll_next().is_pending());
        streams.push((stream, hub.now()));
        hub.0.now.set(hub.now() + INTERVAL / 1000);
    }

    let end = hub.now() + 10 * INTERVAL;
    let (mut wake_ups, mut beats) = (0, 0);
    while let Some(deadline) = hub.deadline().filter(|&deadline| deadline < end) {
        hub.0.now.set(deadline);
        hub.tick();
        wake_ups += 1;
        for (stream, last) in &mut streams {
            if !stream.is_woken() {
                continue;
            }
            assert!(stream.poll_next().is_ready(), "it was woken for a beat");
            let silence = hub.now().saturating_sub(*last);
            assert!(silence <= INTERVAL && silence + GRANULARITY >= INTERVAL, "{silence:?}");
            *last = hub.now();
            beats += 1;
            assert!(stream.poll_next().is_pending());
        }
    }
    assert!(wake_ups <= 10 * 64 + 1, "{wake_ups}");
    assert!(beats >= 10 * 1000, "{beats}");

    drop(streams);
    assert_eq!(hub.deadline(), None, "a dropped stream is gone at once");
}
