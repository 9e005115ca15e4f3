//! The adapter under tokio's paused clock: properties that depend on tokio's timers.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt, poll};
use heartbeat_async::{HeartbeatStream, Timer};
use heartbeat_tokio::{Config, Counters, HeartbeatStreamExt, Jitter, TokioTimer};
use static_assertions::assert_impl_all;
use tokio::sync::mpsc;
use tokio::time::{Instant, advance, sleep, sleep_until};
use tokio_stream::wrappers::ReceiverStream;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[tokio::test(start_paused = true)]
async fn t4_heartbeats_come_in_silence_only_and_to_the_millisecond() {
    let start = Instant::now();
    let events = stream::iter([3000, 3500, 30_000]).then(|at| async move {
        sleep_until(start + millis(at)).await;
        "event"
    });
    let log: Vec<_> = Box::pin(events)
        .heartbeat(millis(10_000), || "heartbeat")
        .map(|item| (item, start.elapsed().as_millis()))
        .collect()
        .await;
    assert_eq!(
        log,
        [
            ("event", 3000),
            ("event", 3500),
            ("heartbeat", 13_500),
            ("heartbeat", 23_500),
            ("event", 30_000)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn t16_the_clock_is_tokios() {
    let mut heartbeats = pin!(stream::pending().heartbeat(millis(1000), || ()));
    let start = Instant::now();
    for count in 1..=3 {
        heartbeats.next().await;
        assert_eq!(start.elapsed(), millis(1000 * count));
    }
}

#[tokio::test(start_paused = true)]
async fn t5_one_heartbeat_follows_a_suspension() {
    let mut heartbeats = pin!(stream::pending().heartbeat(millis(1000), || ()));
    assert_eq!(poll!(heartbeats.next()), Poll::Pending);
    advance(millis(60_000)).await;
    assert_eq!(poll!(heartbeats.next()), Poll::Ready(Some(())));
    assert_eq!(poll!(heartbeats.next()), Poll::Pending);
}

#[tokio::test(start_paused = true)]
async fn t16_heartbeats_are_on_time_in_a_task_without_budget() {
    let mut heartbeats = pin!(stream::pending().heartbeat(millis(1000), || ()));
    assert_eq!(poll!(heartbeats.next()), Poll::Pending);
    advance(millis(1000)).await;
    // Use up the task's cooperative budget; tokio's timers then stay pending.
    let (sender, mut receiver) = mpsc::channel::<()>(1);
    sender.try_send(()).expect("room for one");
    while receiver.recv().now_or_never().is_some() {
        sender.try_send(()).expect("just emptied");
    }
    assert!(sleep(Duration::ZERO).now_or_never().is_none(), "the budget is used up");
    assert_eq!(heartbeats.next().now_or_never(), Some(Some(())));
}

#[tokio::test(start_paused = true)]
async fn items_from_another_task_arrive_once_and_in_order() {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        for number in 0..500_u64 {
            sleep(millis(number * 37 % 1500)).await;
            sender.send(Some(number)).await.expect("the receiver exists");
        }
    });
    let counters = Counters::new();
    let items =
        ReceiverStream::new(receiver).heartbeat(millis(1000), || None).with_observer(&counters);
    let items: Vec<_> = items.collect().await;
    let heartbeats = items.iter().filter(|item| item.is_none()).count();
    assert_eq!(items.into_iter().flatten().collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
    assert_eq!(counters.snapshot().sent, u64::try_from(heartbeats).expect("a count"));
    assert!(heartbeats > 100, "{heartbeats}");
    assert!(counters.snapshot().longest_idle <= millis(1001));
}

/// tokio's timer, with counts of its calls.
#[derive(Default)]
struct CountingTimer {
    reads: Cell<usize>,
    resets: Cell<usize>,
}

impl Timer for &CountingTimer {
    type Instant = std::time::Instant;
    type Sleep = tokio::time::Sleep;

    fn now(&self) -> Self::Instant {
        self.reads.set(self.reads.get() + 1);
        TokioTimer.now()
    }

    fn sleep_until(&self, deadline: Self::Instant) -> Self::Sleep {
        TokioTimer.sleep_until(deadline)
    }

    fn reset(&self, sleep: Pin<&mut Option<Self::Sleep>>, deadline: Self::Instant) {
        self.resets.set(self.resets.get() + 1);
        TokioTimer.reset(sleep, deadline);
    }
}

#[tokio::test(start_paused = true)]
async fn t16_the_sleep_is_reset_at_most_once_per_shortest_interval() {
    for (jitter, max_resets) in [(0.0, 100), (0.9, 1000)] {
        let timer = CountingTimer::default();
        let config =
            Config::every(millis(1000)).with_jitter(Jitter::try_from(jitter).expect("valid"));
        let mut sends = tokio::time::interval(millis(20)); // pending after each
        let sends = stream::poll_fn(move |cx| sends.poll_tick(cx).map(Some));
        let mut items = pin!(HeartbeatStream::new(sends, &timer, config, Instant::now));
        let end = Instant::now() + millis(100_000);
        while items.next().await.expect("endless") < end {}
        let resets = timer.resets.get() - 1; // the first reset sets the sleep
        assert!((1..=max_resets).contains(&resets), "{resets} at a jitter of {jitter}");
    }
}

#[tokio::test(start_paused = true)]
async fn t16_a_burst_of_ready_items_reads_no_clock() {
    let timer = CountingTimer::default();
    let burst = stream::iter(0..100_000);
    let mut items = pin!(HeartbeatStream::new(burst, &timer, millis(1000), || 0));
    let before = timer.reads.get();
    while items.next().await.is_some() {}
    assert_eq!((timer.reads.get() - before, timer.resets.get()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn t1_an_interval_of_zero_sends_no_heartbeat() {
    let mut quiet = pin!(stream::pending().heartbeat(Duration::ZERO, || ()));
    assert!(tokio::time::timeout(millis(1_000_000), quiet.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn t8_the_longest_interval_sends_no_heartbeat() {
    let century = Duration::from_secs(100 * 365 * 24 * 60 * 60); // longer than the span of tokio's timer wheel
    for interval in [Duration::MAX, century] {
        let mut quiet = pin!(stream::pending().heartbeat(Config::every(interval), || ()));
        assert!(tokio::time::timeout(millis(1_000_000), quiet.next()).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn t17_no_heartbeat_follows_an_error() {
    let events = stream::iter([Ok(1), Err("broken")]).chain(stream::pending());
    let mut events = pin!(events.try_heartbeat(millis(1000), || 0));
    assert_eq!(events.next().await, Some(Ok(1)));
    assert_eq!(events.next().await, Some(Err("broken")));
    assert!(tokio::time::timeout(millis(60_000), events.next()).await.is_err());
}

#[test]
fn a_stream_is_send_if_its_inner_stream_is() {
    assert_impl_all!(heartbeat_tokio::HeartbeatStream<BoxStream<'static, u8>, fn() -> u8>: Send);
    assert_impl_all!(heartbeat_tokio::TokioTimer: Send, Sync, Unpin);
}

#[test]
fn a_stream_can_be_created_outside_of_a_runtime() {
    let heartbeats = stream::pending().heartbeat(millis(1), || ());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let heartbeat = runtime.expect("a runtime").block_on(async { pin!(heartbeats).next().await });
    assert_eq!(heartbeat, Some(()));
}
