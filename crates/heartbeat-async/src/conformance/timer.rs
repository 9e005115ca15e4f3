//! What is asked of a timer, whatever the glue makes of it.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::format;

use super::stage::{Stage, Trouble, Verdict, ensure};
use crate::Timer;
use crate::flag_waker::FlagWaker;

pub(super) async fn timer_goes_off_in_time_and_wakes<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    for round in 1..=stage.rounds() {
        let due = stage.now() + stage.ticks(1 + round % 4);
        let mut alarm = pin!(Some(stage.timer().sleep_until(stage.instant(due))));
        goes_off(stage, alarm.as_mut(), due).await?;
    }
    Ok(())
}

pub(super) async fn timer_moves_an_alarm_that_is_set<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut alarm = pin!(None);
    let start = stage.now();
    for (first, then) in [(3, 6), (20, 10)] {
        stage.timer().reset(alarm.as_mut(), stage.instant(start + stage.ticks(first)));
        ensure!(poll(alarm.as_mut()).await.is_pending(), "it went off the moment that it was set");
        let due = start + stage.ticks(then);
        stage.timer().reset(alarm.as_mut(), stage.instant(due));
        goes_off(stage, alarm.as_mut(), due).await?;
    }
    Ok(())
}

pub(super) async fn timer_sets_an_alarm_again_that_has_gone_off<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    let mut alarm = pin!(None);
    for _ in 0..stage.rounds() {
        let due = stage.now() + stage.ticks(3);
        stage.timer().reset(alarm.as_mut(), stage.instant(due));
        goes_off(stage, alarm.as_mut(), due).await?;
    }
    Ok(())
}

pub(super) async fn timer_goes_off_at_once_if_the_deadline_has_passed<T: Timer + Clone>(
    stage: &Stage<T>,
) -> Verdict {
    stage.sleep_until(stage.ticks(3)).await?;
    let now = stage.now();
    let mut alarm = pin!(Some(stage.timer().sleep_until(stage.instant(stage.ticks(1)))));
    goes_off(stage, alarm.as_mut(), now).await?;
    let now = stage.now();
    stage.timer().reset(alarm.as_mut(), stage.instant(Duration::ZERO));
    goes_off(stage, alarm.as_mut(), now).await
}

pub(super) async fn timer_wakes_whoever_polled_last<T: Timer + Clone>(stage: &Stage<T>) -> Verdict {
    let due = stage.now() + stage.ticks(3);
    let mut alarm = pin!(stage.timer().sleep_until(stage.instant(due)));
    let (_, first) = FlagWaker::new();
    let (woken, last) = FlagWaker::new();
    for waker in [&first, &last] {
        let polled = alarm.as_mut().poll(&mut Context::from_waker(waker));
        ensure!(polled.is_pending(), "it went off before its time");
    }
    stage.sleep_until(due + stage.late() + stage.ticks(1)).await?;
    if !woken.take() {
        return Err(Trouble::Late(format!("due at {due:?}, it has not woken who polled it last")));
    }
    ensure!(alarm.poll(&mut Context::from_waker(&last)).is_ready(), "it woke, and is not ready");
    Ok(())
}

/// Waits for the alarm, which must go off at `due`: earlier by the granularity at most.
async fn goes_off<T: Timer + Clone>(
    stage: &Stage<T>,
    mut alarm: Pin<&mut Option<T::Sleep>>,
    due: Duration,
) -> Verdict {
    let latest = due + stage.late();
    let mut guard = pin!(stage.sleep_until(latest + stage.ticks(1)));
    let went_off = poll_fn(|cx| {
        if let Some(alarm) = alarm.as_mut().as_pin_mut() {
            if alarm.poll(cx).is_ready() {
                return Poll::Ready(Ok(stage.now()));
            }
        }
        guard.as_mut().poll(cx).map(|guarded| match guarded {
            Ok(()) => Err(Trouble::Wrong(format!("no alarm by {:?}, due at {due:?}", stage.now()))),
            Err(late) => Err(late),
        })
    });
    let at = went_off.await?;
    let granularity = stage.timer().granularity();
    ensure!(at + granularity >= due, "an alarm at {at:?} that was due at {due:?}");
    if at > latest {
        return Err(Trouble::Late(format!("an alarm at {at:?} that was due at {due:?}")));
    }
    Ok(())
}

async fn poll<S: Future<Output = ()>>(mut alarm: Pin<&mut Option<S>>) -> Poll<()> {
    poll_fn(|cx| {
        let alarm = alarm.as_mut().as_pin_mut();
        Poll::Ready(alarm.map_or(Poll::Ready(()), |alarm| alarm.poll(cx)))
    })
    .await
}
