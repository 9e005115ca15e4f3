//! The adapter under tokio's paused clock: what tokio adds to what the glue's own tests hold.

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
async fn t4_beats_in_silence_only_and_to_the_millisecond() {
    let start = Instant::now();
    let events = stream::iter([3000, 3500, 30_000]).then(|at| async move {
        sleep_until(start + millis(at)).await;
        "real"
    });
    let log: Vec<_> = Box::pin(events)
        .heartbeat(millis(10_000), || "beat")
        .map(|item| (item, start.elapsed().as_millis()))
        .collect()
        .await;
    assert_eq!(
        log,
        [("real", 3000), ("real", 3500), ("beat", 13_500), ("beat", 23_500), ("real", 30_000)]
    );
}

#[tokio::test(start_paused = true)]
async fn t16_the_clock_is_tokios_own() {
    let mut beats = pin!(stream::pending().heartbeat(millis(1000), || ()));
    let start = Instant::now();
    for beat in 1..=3 {
        beats.next().await;
        assert_eq!(start.elapsed(), millis(1000 * beat));
    }
}

#[tokio::test(start_paused = true)]
async fn t5_after_a_suspension_one_beat_is_owed() {
    let mut beats = pin!(stream::pending().heartbeat(millis(1000), || ()));
    assert_eq!(poll!(beats.next()), Poll::Pending);
    advance(millis(60_000)).await;
    assert_eq!(poll!(beats.next()), Poll::Ready(Some(())));
    assert_eq!(poll!(beats.next()), Poll::Pending);
}

#[tokio::test(start_paused = true)]
async fn t16_a_task_without_budget_left_beats_on_time_all_the_same() {
    let mut beats = pin!(stream::pending().heartbeat(millis(1000), || ()));
    assert_eq!(poll!(beats.next()), Poll::Pending);
    advance(millis(1000)).await;
    // Spends what tokio lets a task do before it must yield; its timers then stay pending.
    let (sender, mut receiver) = mpsc::channel::<()>(1);
    sender.try_send(()).expect("room for one");
    while receiver.recv().now_or_never().is_some() {
        sender.try_send(()).expect("just emptied");
    }
    assert!(sleep(Duration::ZERO).now_or_never().is_none(), "the budget is spent");
    assert_eq!(beats.next().now_or_never(), Some(Some(())));
}

#[tokio::test(start_paused = true)]
async fn items_from_another_task_arrive_once_and_in_order() {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        for number in 0..500_u64 {
            sleep(millis(number * 37 % 1500)).await;
            sender.send(Some(number)).await.expect("the receiver is there");
        }
    });
    let counters = Counters::new();
    let items =
        ReceiverStream::new(receiver).heartbeat(millis(1000), || None).with_observer(&counters);
    let items: Vec<_> = items.collect().await;
    let beats = items.iter().filter(|item| item.is_none()).count();
    assert_eq!(items.into_iter().flatten().collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
    assert_eq!(counters.snapshot().sent, u64::try_from(beats).expect("a count"));
    assert!(beats > 100, "{beats}");
    assert!(counters.snapshot().longest_idle <= millis(1001));
}

/// tokio's timer, and how often it was asked for what.
#[derive(Default)]
struct Counting {
    reads: Cell<usize>,
    rearms: Cell<usize>,
}

impl Timer for &Counting {
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
        self.rearms.set(self.rearms.get() + 1);
        TokioTimer.reset(sleep, deadline);
    }
}

#[tokio::test(start_paused = true)]
async fn t16_over_a_hundred_intervals_the_alarm_moves_at_most_once_per_shortest_gap() {
    for (jitter, shortest_gaps) in [(0.0, 100), (0.9, 1000)] {
        let timer = Counting::default();
        let config =
            Config::every(millis(1000)).with_jitter(Jitter::try_from(jitter).expect("valid"));
        let mut sends = tokio::time::interval(millis(20)); // pends after each
        let sends = stream::poll_fn(move |cx| sends.poll_tick(cx).map(Some));
        let mut items = pin!(HeartbeatStream::new(sends, &timer, config, Instant::now));
        let end = Instant::now() + millis(100_000);
        while items.next().await.expect("endless") < end {}
        let rearms = timer.rearms.get() - 1; // the first one arms it
        assert!((1..=shortest_gaps).contains(&rearms), "{rearms} at a jitter of {jitter}");
    }
}

#[tokio::test(start_paused = true)]
async fn t16_a_burst_of_ready_items_reads_no_clock() {
    let timer = Counting::default();
    let burst = stream::iter(0..100_000);
    let mut items = pin!(HeartbeatStream::new(burst, &timer, millis(1000), || 0));
    let born = timer.reads.get();
    while items.next().await.is_some() {}
    assert_eq!((timer.reads.get() - born, timer.rearms.get()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn t1_an_interval_of_zero_never_beats() {
    let mut quiet = pin!(stream::pending().heartbeat(Duration::ZERO, || ()));
    assert!(tokio::time::timeout(millis(1_000_000), quiet.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn t8_the_longest_interval_never_beats() {
    let century = Duration::from_secs(100 * 365 * 24 * 60 * 60); // more than tokio's wheel spans
    for interval in [Duration::MAX, century] {
        let mut quiet = pin!(stream::pending().heartbeat(Config::every(interval), || ()));
        assert!(tokio::time::timeout(millis(1_000_000), quiet.next()).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn t17_a_result_stream_keeps_still_after_an_error() {
    let events = stream::iter([Ok(1), Err("broken")]).chain(stream::pending());
    let mut events = pin!(events.try_heartbeat(millis(1000), || 0));
    assert_eq!(events.next().await, Some(Ok(1)));
    assert_eq!(events.next().await, Some(Err("broken")));
    assert!(tokio::time::timeout(millis(60_000), events.next()).await.is_err());
}

#[test]
fn it_crosses_threads_where_its_stream_does() {
    assert_impl_all!(heartbeat_tokio::HeartbeatStream<BoxStream<'static, u8>, fn() -> u8>: Send);
    assert_impl_all!(heartbeat_tokio::TokioTimer: Send, Sync, Unpin);
}

#[test]
fn a_stream_may_be_made_before_there_is_a_runtime() {
    let beats = stream::pending().heartbeat(millis(1), || ());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let beat = runtime.expect("a runtime").block_on(async { pin!(beats).next().await });
    assert_eq!(beat, Some(()));
}
