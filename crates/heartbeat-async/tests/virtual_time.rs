//! The clock for tests, itself tested.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::join3;
use heartbeat_async::Timer;
use heartbeat_async::virtual_time::VirtualTime;
use static_assertions::assert_impl_all;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn alarms_go_off_in_their_order_and_to_the_nanosecond() {
    let time = VirtualTime::new();
    let log = RefCell::new(Vec::new());
    let sleep = async |until: Duration| {
        time.sleep_until(until).await;
        log.borrow_mut().push(time.now());
    };
    let start = time.clone();
    time.block_on(join3(sleep(secs(3)), sleep(secs(1)), sleep(secs(2))));
    assert_eq!(log.into_inner(), [secs(1), secs(2), secs(3)]);
    assert_eq!(start.now(), secs(3), "clones show the same time");
}

#[test]
fn with_a_granularity_they_go_off_that_much_earlier() {
    let time = VirtualTime::new().with_granularity(secs(1));
    assert_eq!(time.granularity(), secs(1));
    let mut alarm = pin!(None);
    for (deadline, now) in [(5, 4), (8, 7)] {
        time.reset(alarm.as_mut(), secs(deadline));
        time.block_on(alarm.as_mut().as_pin_mut().expect("it was just set"));
        assert_eq!(time.now(), secs(now));
    }
}

#[test]
fn an_alarm_is_set_from_its_first_poll_until_it_is_dropped() {
    let time = VirtualTime::new();
    {
        let mut alarm = pin!(time.sleep_until(secs(5)));
        assert_eq!(time.next_deadline(), None);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(alarm.as_mut().poll(&mut cx).is_pending());
        assert_eq!(time.next_deadline(), Some(secs(5)));
        time.advance(secs(60));
        assert_eq!(time.next_deadline(), None);
        assert!(alarm.poll(&mut cx).is_ready());

        let mut other = pin!(time.sleep_until(secs(90)));
        assert!(other.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(time.next_deadline(), None);
}

#[test]
fn it_ends_at_the_end_of_time() {
    let time = VirtualTime::new();
    time.advance(secs(1));
    time.advance(Duration::MAX);
    assert_eq!(time.now(), Duration::MAX);
}

#[test]
#[should_panic(expected = "no sleep is set that could wake it")]
fn what_nothing_can_wake_is_not_waited_for() {
    VirtualTime::new().block_on(pending::<()>());
}

#[test]
fn it_crosses_threads() {
    assert_impl_all!(VirtualTime: Send, Sync);
    assert_impl_all!(<VirtualTime as Timer>::Sleep: Send, Sync, Unpin);
}
