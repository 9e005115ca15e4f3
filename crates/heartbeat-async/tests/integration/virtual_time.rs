//! The clock for tests.

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::join3;
use heartbeat_async::Timer;
use heartbeat_async::virtual_time::VirtualTime;
use static_assertions::assert_impl_all;

use crate::secs;

#[test]
fn sleeps_end_in_order_at_their_deadlines() {
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
fn sleeps_end_earlier_by_the_granularity() {
    let time = VirtualTime::new().with_granularity(secs(1));
    assert_eq!(time.granularity(), secs(1));
    let mut sleep = pin!(None);
    for (deadline, now) in [(5, 4), (8, 7)] {
        time.reset(sleep.as_mut(), secs(deadline));
        time.block_on(sleep.as_mut().as_pin_mut().expect("it was set"));
        assert_eq!(time.now(), secs(now));
    }
}

#[test]
fn a_sleep_is_set_from_its_first_poll_until_it_is_dropped() {
    let time = VirtualTime::new();
    {
        let mut sleep = pin!(time.sleep_until(secs(5)));
        assert_eq!(time.next_deadline(), None);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        assert_eq!(time.next_deadline(), Some(secs(5)));
        time.advance(secs(60));
        assert_eq!(time.next_deadline(), None);
        assert!(sleep.poll(&mut cx).is_ready());

        let mut other = pin!(time.sleep_until(secs(90)));
        assert!(other.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(time.next_deadline(), None);
}

#[test]
fn the_clock_stops_at_the_last_instant() {
    let time = VirtualTime::new();
    time.advance(secs(1));
    time.advance(Duration::MAX);
    assert_eq!(time.now(), Duration::MAX);
}

#[test]
#[should_panic(expected = "no sleep is set that could wake it")]
fn a_future_that_is_never_woken_panics() {
    VirtualTime::new().block_on(pending::<()>());
}

#[test]
#[should_panic(expected = "the future spins")]
fn a_future_that_spins_panics() {
    let mut polls = 0;
    VirtualTime::new().block_on(poll_fn(|cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        if polls == 2_000_000 { Poll::Ready(()) } else { Poll::Pending }
    }));
}

#[test]
fn the_clock_and_its_sleeps_are_send_and_sync() {
    assert_impl_all!(VirtualTime: Send, Sync);
    assert_impl_all!(<VirtualTime as Timer>::Sleep: Send, Sync, Unpin);
}
