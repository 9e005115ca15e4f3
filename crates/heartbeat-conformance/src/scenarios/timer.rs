//! Scenarios for a timer alone.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::flag_waker::FlagWaker;
use crate::subject::Subject;
use crate::test_bed::TestBed;
use crate::test_result::{Failed, TestResult, ensure};
use heartbeat_async::Timer;

pub(crate) async fn timer_is_on_time_and_wakes<S: Subject>(bed: &TestBed<S>) -> TestResult {
    for round in 1..=bed.repetitions() {
        let due = bed.now() + bed.ticks(1 + round % 4);
        let mut sleep = pin!(Some(bed.timer().sleep_until(bed.instant(due))));
        expect_ready(bed, sleep.as_mut(), due).await?;
    }
    Ok(())
}

pub(crate) async fn timer_moves_a_sleep_that_is_set<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut sleep = pin!(None);
    let start = bed.now();
    for (first, then) in [(3, 6), (20, 10)] {
        bed.timer().reset(sleep.as_mut(), bed.instant(start + bed.ticks(first)));
        ensure!(poll(sleep.as_mut()).await.is_pending(), "the sleep was ready at once");
        let due = start + bed.ticks(then);
        bed.timer().reset(sleep.as_mut(), bed.instant(due));
        expect_ready(bed, sleep.as_mut(), due).await?;
    }
    Ok(())
}

pub(crate) async fn timer_resets_a_sleep_that_is_ready<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let mut sleep = pin!(None);
    for _ in 0..bed.repetitions() {
        let due = bed.now() + bed.ticks(3);
        bed.timer().reset(sleep.as_mut(), bed.instant(due));
        expect_ready(bed, sleep.as_mut(), due).await?;
    }
    Ok(())
}

pub(crate) async fn timer_is_ready_at_once_after_its_deadline<S: Subject>(
    bed: &TestBed<S>,
) -> TestResult {
    bed.sleep_until(bed.ticks(3)).await?;
    let now = bed.now();
    let mut sleep = pin!(Some(bed.timer().sleep_until(bed.instant(bed.ticks(1)))));
    expect_ready(bed, sleep.as_mut(), now).await?;
    let now = bed.now();
    bed.timer().reset(sleep.as_mut(), bed.instant(Duration::ZERO));
    expect_ready(bed, sleep.as_mut(), now).await
}

pub(crate) async fn timer_wakes_the_last_waker<S: Subject>(bed: &TestBed<S>) -> TestResult {
    let due = bed.now() + bed.ticks(3);
    let mut sleep = pin!(bed.timer().sleep_until(bed.instant(due)));
    let (_, first) = FlagWaker::new();
    let (woken, last) = FlagWaker::new();
    for waker in [&first, &last] {
        let polled = sleep.as_mut().poll(&mut Context::from_waker(waker));
        ensure!(polled.is_pending(), "the sleep was ready before its deadline");
    }
    bed.sleep_until(due + bed.late() + bed.ticks(1)).await?;
    if !woken.take() {
        return Err(Failed::TooLate(format!(
            "due at {due:?}, the sleep has not woken the last waker"
        )));
    }
    ensure!(
        sleep.poll(&mut Context::from_waker(&last)).is_ready(),
        "the sleep woke its task, and is not ready"
    );
    Ok(())
}

/// Waits for the sleep, which must be ready at `due`: earlier by the granularity at most.
async fn expect_ready<S: Subject>(
    bed: &TestBed<S>,
    mut sleep: Pin<&mut Option<<S::Timer as Timer>::Sleep>>,
    due: Duration,
) -> TestResult {
    let latest = due + bed.late();
    let mut guard = pin!(bed.sleep_until(latest + bed.ticks(1)));
    let ready = poll_fn(|cx| {
        if let Some(sleep) = sleep.as_mut().as_pin_mut() {
            if sleep.poll(cx).is_ready() {
                return Poll::Ready(Ok(bed.now()));
            }
        }
        guard.as_mut().poll(cx).map(|guarded| match guarded {
            Ok(()) => Err(Failed::Wrong(format!(
                "the sleep is not ready at {:?}, due at {due:?}",
                bed.now()
            ))),
            Err(late) => Err(late),
        })
    });
    let at = ready.await?;
    let granularity = bed.timer().granularity();
    ensure!(at + granularity >= due, "a sleep was ready at {at:?}, due at {due:?}");
    if at > latest {
        return Err(Failed::TooLate(format!("a sleep was ready at {at:?}, due at {due:?}")));
    }
    Ok(())
}

async fn poll<F: Future<Output = ()>>(mut sleep: Pin<&mut Option<F>>) -> Poll<()> {
    poll_fn(|cx| {
        let sleep = sleep.as_mut().as_pin_mut();
        Poll::Ready(sleep.map_or(Poll::Ready(()), |sleep| sleep.poll(cx)))
    })
    .await
}
