//! The consumer of a stream under test.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;

use crate::flag_waker::FlagWaker;
use crate::spy_timer::TimerCalls;
use crate::subject::{Subject, TestItem};
use crate::test_bed::{TestBed, TimeWindow};
use crate::test_result::{Failed, TestResult, ensure};

/// How often a stream may be polled in one scenario before it counts as spinning.
const POLLS: usize = 100_000;

/// Takes the items of a stream, and knows how long it has been waiting for the next.
pub(crate) struct Consumer<S: Subject, St> {
    bed: TestBed<S>,
    stream: Pin<Box<St>>,
    /// When the consumer polled for more after the last item, or when the stream was opened.
    last_poll: TimeWindow,
    /// The consumer has an item, and has not polled again.
    has_item: bool,
    polls: usize,
}

/// What came of waiting for an item.
enum Next<I> {
    Item(I, TimeWindow),
    End,
    Nothing,
}

impl<S, St> Consumer<S, St>
where
    S: Subject,
    St: Stream,
    St::Item: TestItem,
{
    pub(crate) fn new(bed: TestBed<S>, stream: St, opened: TimeWindow) -> Self {
        Self { bed, stream: Box::pin(stream), last_poll: opened, has_item: false, polls: 0 }
    }

    pub(crate) fn stream(&mut self) -> Pin<&mut St> {
        self.stream.as_mut()
    }

    /// When the consumer began to wait.
    pub(crate) fn last_poll(&self) -> TimeWindow {
        self.last_poll
    }

    /// Corrects [`last_poll`](Self::last_poll), where the stream was shown a wrong clock.
    pub(crate) fn mark_polled_at(&mut self, last_poll: TimeWindow) {
        self.last_poll = last_poll;
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<St::Item>> {
        let from = self.bed.now();
        self.polls += 1;
        let next = self.stream.as_mut().poll_next(cx);
        if next.is_ready() {
            self.has_item = true;
        } else if self.has_item {
            self.has_item = false;
            self.last_poll = self.bed.window(from);
        }
        next
    }

    /// Polls once, and leaves the waker of the task registered.
    pub(crate) async fn poll_once(&mut self) -> Poll<Option<St::Item>> {
        poll_fn(|cx| Poll::Ready(self.poll(cx))).await
    }

    /// Polls, and expects no item.
    pub(crate) async fn assert_pending(&mut self) -> TestResult {
        match self.poll_once().await {
            Poll::Pending => Ok(()),
            Poll::Ready(other) => {
                let at = self.bed.now();
                Err(Failed::Wrong(format!("{other:?} at {at:?}, where no item was expected")))
            }
        }
    }

    /// Polls before `at`, and expects no item.
    pub(crate) async fn assert_pending_before(&mut self, at: Duration) -> TestResult {
        let result = self.assert_pending().await;
        self.bed.check_before(at)?;
        result
    }

    /// Takes the item that is ready, polls again, and expects no more.
    pub(crate) async fn expect_item(&mut self, item: St::Item) -> TestResult {
        let taken = self.poll_once().await;
        ensure!(
            matches!(&taken, Poll::Ready(Some(taken)) if *taken == item),
            "{taken:?}, where {item:?} was ready"
        );
        self.assert_pending().await
    }

    /// Like [`expect_item`](Self::expect_item), with a waker other than that of the task.
    pub(crate) fn expect_item_with(&mut self, waker: &Waker, item: St::Item) -> TestResult {
        let mut cx = Context::from_waker(waker);
        let taken = self.poll(&mut cx);
        ensure!(taken == Poll::Ready(Some(item)), "{taken:?}, where an item was ready");
        let polled = self.poll(&mut cx);
        ensure!(polled.is_pending(), "{polled:?}, where no item was ready");
        Ok(())
    }

    /// Polls several times before `at`, and expects each poll to set the sleep once at most.
    pub(crate) fn check_no_spin_before(&mut self, at: Duration, calls: &TimerCalls) -> TestResult {
        let (_, waker) = FlagWaker::new();
        for _ in 0..5 {
            let before = calls.resets();
            let polled = self.poll(&mut Context::from_waker(&waker));
            self.bed.check_before(at)?;
            ensure!(polled.is_pending(), "{polled:?} before its time");
            let resets = calls.resets() - before;
            ensure!(resets <= 1, "the sleep was set {resets} times in one poll");
        }
        Ok(())
    }

    /// Waits until `at`, and expects no item.
    pub(crate) async fn expect_silence_until(&mut self, at: Duration) -> TestResult {
        match self.next_until(at).await? {
            Next::Nothing => self.bed.check_on_time(at),
            Next::Item(_, seen) if seen.from > at => {
                Err(Failed::TooLate(format!("polled at {:?}, after {at:?}", seen.from)))
            }
            Next::Item(item, seen) => Err(Failed::Wrong(format!(
                "{item:?} at {:?}, where silence was expected until {at:?}",
                seen.to
            ))),
            Next::End => Err(Failed::Wrong(String::from("the stream ended"))),
        }
    }

    /// Waits for `item`, which must come `gap` after the last poll, and polls again.
    pub(crate) async fn expect_heartbeat(&mut self, item: St::Item, gap: Duration) -> TestResult {
        self.wait_for(item, gap).await?;
        self.assert_pending().await
    }

    /// Like [`expect_heartbeat`](Self::expect_heartbeat), without polling again.
    pub(crate) async fn wait_for(
        &mut self,
        item: St::Item,
        gap: Duration,
    ) -> TestResult<TimeWindow> {
        self.expect_within(item, gap, gap).await
    }

    /// Waits for `item`, which must come `least` to `most` after the last poll: earlier by the granularity (T4),
    /// later by what a sleep may be late.
    pub(crate) async fn expect_within(
        &mut self,
        item: St::Item,
        least: Duration,
        most: Duration,
    ) -> TestResult<TimeWindow> {
        let granularity = self.bed.granularity().min(least / 2);
        let earliest = (self.last_poll.from + least).saturating_sub(granularity);
        let latest = self.last_poll.to + most + self.bed.late();
        self.expect_between(item, earliest, latest).await
    }

    /// Waits for `item`, which must come between `earliest` and `latest`.
    pub(crate) async fn expect_between(
        &mut self,
        item: St::Item,
        earliest: Duration,
        latest: Duration,
    ) -> TestResult<TimeWindow> {
        let end = latest + self.bed.ticks(1);
        match self.next_until(end).await? {
            Next::Item(came, seen) => {
                ensure!(came == item, "{came:?} at {:?}, where {item:?} was expected", seen.to);
                ensure!(seen.to >= earliest, "{item:?} at {:?}, before {earliest:?}", seen.to);
                if seen.from > latest {
                    let when = seen.from;
                    return Err(Failed::TooLate(format!("{item:?} at {when:?}, after {latest:?}")));
                }
                Ok(seen)
            }
            Next::Nothing => {
                self.bed.check_on_time(end)?; // if it is much later, the stream may have given up
                Err(Failed::Wrong(format!("no {item:?} by {latest:?}")))
            }
            Next::End => Err(Failed::Wrong(String::from("the stream ended"))),
        }
    }

    /// Takes items until `at`, and returns their number. Each must be `item`.
    pub(crate) async fn expect_count_by(
        &mut self,
        at: Duration,
        item: &St::Item,
    ) -> TestResult<u64> {
        let mut count = 0;
        loop {
            match self.next_until(at).await? {
                Next::Item(came, seen) => {
                    ensure!(
                        came == *item,
                        "{came:?} at {:?}, where {item:?} was expected",
                        seen.to
                    );
                    count += 1;
                }
                Next::Nothing => return Ok(count),
                Next::End => return Err(Failed::Wrong(String::from("the stream ended"))),
            }
        }
    }

    /// Waits for an item until `at` at most.
    async fn next_until(&mut self, at: Duration) -> TestResult<Next<St::Item>> {
        let mut sleep = pin!(self.bed.sleep(at));
        let next = poll_fn(|cx| {
            let from = self.bed.now();
            match self.poll(cx) {
                Poll::Ready(Some(item)) => Poll::Ready(Next::Item(item, self.bed.window(from))),
                Poll::Ready(None) => Poll::Ready(Next::End),
                Poll::Pending if self.polls > POLLS => Poll::Ready(Next::Nothing),
                Poll::Pending => sleep.as_mut().poll(cx).map(|()| Next::Nothing),
            }
        });
        let next = next.await;
        ensure!(self.polls <= POLLS, "the stream spins: {POLLS} polls");
        Ok(next)
    }
}
