//! What the conformance suite does not test of a hub: many streams on one sleep, and the end of its task and of its
//! streams.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::{Either, join, select};
use futures_util::stream::{FuturesUnordered, Pending, pending};
use futures_util::{FutureExt, SinkExt, StreamExt};
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{
    Config, Counters, DriverError, HeartbeatStream, HeartbeatStreamExt, Hub, HubError, HubTask,
    ItemKind, Jitter, MakeHeartbeat, MakeOk, Timer, heartbeat_sink,
};
use proptest::prelude::*;
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready_eq};

use crate::secs;

const INTERVAL: Duration = Duration::from_secs(16);
const SLOT: Duration = Duration::from_millis(250); // a 64th of the interval (T15)

/// A hub's task, and how often it was polled.
struct Counted {
    task: Pin<Box<HubTask<VirtualTime>>>,
    polls: Rc<Cell<u32>>,
}

impl Counted {
    fn new(task: HubTask<VirtualTime>) -> (Self, Rc<Cell<u32>>) {
        let polls = Rc::new(Cell::new(0));
        (Self { task: Box::pin(task), polls: Rc::clone(&polls) }, polls)
    }
}

impl Future for Counted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls.set(self.polls.get() + 1);
        self.task.as_mut().poll(cx)
    }
}

/// Runs a scenario and the hub's task. Each is polled only if it was woken itself.
///
/// The scenario has a time limit: a hub with an idle consumer keeps setting its sleep, so the clock would advance forever.
fn run<R>(
    time: &VirtualTime,
    task: impl Future<Output = ()>,
    scenario: impl Future<Output = R>,
) -> R {
    type Part<'a, R> = Pin<Box<dyn Future<Output = Option<R>> + 'a>>;
    let task: Part<'_, R> = Box::pin(async {
        task.await;
        None
    });
    let scenario: Part<'_, R> = Box::pin(async { Some(scenario.await) });
    let limit: Part<'_, R> = Box::pin(async {
        time.sleep_until(time.now() + secs(20_000)).await;
        panic!("the scenario does not end");
    });
    let mut parts = FuturesUnordered::from_iter([task, scenario, limit]);
    time.block_on(async {
        loop {
            if let Some(result) = parts.next().await.expect("the scenario has not ended") {
                return result;
            }
        }
    })
}

#[test]
fn t15_any_number_of_quiet_streams_wakes_the_process_64_times_per_interval() {
    let every = Config::every(INTERVAL);
    for config in [every, every.with_stall_after(Duration::from_millis(1))] {
        count_wake_ups_of_quiet_streams(config);
    }
}

fn count_wake_ups_of_quiet_streams(config: Config) {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let (task, polls) = Counted::new(task);
    let heartbeats = run(&time, task, async {
        let mut streams = FuturesUnordered::new();
        for _ in 0..1000 {
            let mut since = time.now();
            let mut quiet = pending().heartbeat(hub.clone(), config, || ());
            let time = &time;
            streams.push(async move {
                let mut heartbeats = 0;
                while time.now() < 10 * INTERVAL {
                    quiet.next().await;
                    let silence = time.now().saturating_sub(since);
                    assert!(silence <= INTERVAL && silence + SLOT >= INTERVAL, "{silence:?}");
                    since = time.now();
                    heartbeats += 1;
                }
                heartbeats
            });
            time.sleep_until(time.now() + INTERVAL / 1000).await;
        }
        polls.set(0);
        let mut heartbeats = 0;
        while let Some(some) = streams.next().await {
            heartbeats += some;
        }
        heartbeats
    });
    assert!(heartbeats >= 9 * 1000, "{heartbeats}");
    // Each stream that is opened while no other waits wakes the task once more; here none is.
    assert!(polls.get() <= 10 * 64 + 64, "{} wake-ups: {config:?}", polls.get());
}

#[test]
fn without_streams_the_task_is_not_woken() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let (task, polls) = Counted::new(task);
    run(&time, task, async {
        time.sleep_until(secs(100)).await;
        assert_eq!(polls.get(), 1, "its first");
        assert!(hub.is_running() && hub.is_empty());
        let mut quiet = pending().heartbeat(hub.clone(), INTERVAL, || "heartbeat");
        assert!(!hub.is_empty());
        assert_eq!(quiet.next().await, Some("heartbeat"));
        assert_eq!(quiet.next().await, Some("heartbeat"));
        drop(quiet);
        assert!(hub.is_empty(), "a stream leaves the hub when it is dropped");
        time.sleep_until(secs(200)).await;
        let before = polls.get();
        time.sleep_until(secs(10_000)).await;
        assert_eq!(polls.get(), before);
    });
}

#[test]
fn the_task_ends_with_the_last_of_hub_and_streams() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let (ended, task) = (Cell::new(false), pin!(task));
    let task = async {
        task.await;
        ended.set(true);
    };
    run(&time, task, async {
        let mut quiet = pending().heartbeat(hub.clone(), INTERVAL, || "heartbeat");
        let other = hub.clone();
        drop(hub);
        drop(other);
        assert_eq!(quiet.next().await, Some("heartbeat"));
        time.sleep_until(secs(20)).await;
        assert!(!ended.get());
        drop(quiet);
        time.sleep_until(secs(21)).await;
        assert!(ended.get());
    });
}

#[test]
fn a_dropped_task_is_reported_and_items_pass() {
    let time = VirtualTime::new();
    for is_spawned in [true, false] {
        let (hub, task) = Hub::with_timer(time.clone());
        let counters = Arc::new(Counters::new());
        let start = time.now();
        let late = time.sleep_until(start + secs(100));
        let items = futures_util::stream::once(async {
            late.await;
            "event"
        });
        let mut stream = pin!(
            items
                .heartbeat(hub.clone(), INTERVAL, || "heartbeat")
                .with_observer(Arc::clone(&counters))
        );
        let sink = Box::pin(futures_util::sink::drain::<&str>());
        let (sender, driver) = heartbeat_sink(sink, hub.clone(), INTERVAL, || "heartbeat");
        let task = async {
            if is_spawned {
                select(pin!(task), pin!(time.sleep_until(start + secs(20)))).await;
            } // and here it is dropped
        };
        let (first, driver) = run(&time, task, async {
            let first = if is_spawned { stream.next().await } else { None };
            let (next, driver) = join(stream.next(), driver).await;
            assert_eq!(next, Some("event"));
            (first, driver)
        });
        assert_eq!(first, is_spawned.then_some("heartbeat"));
        assert_eq!(driver, Err(DriverError::Hub(HubError::Stopped)));
        assert_eq!(
            (counters.snapshot().sent, counters.snapshot().detached),
            (is_spawned.into(), 1)
        );
        assert!(!hub.is_running() && hub.is_empty());
        time.block_on(sender.send("event")).expect("senders work without a hub");
    }
}

#[test]
fn t20_a_consumer_that_does_not_poll_is_reported() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let counters = Arc::new(Counters::new());
    run(&time, task, async {
        let config = Config::every(INTERVAL).with_stall_after(secs(5));
        let stream = pending().heartbeat(hub.clone(), config, || "heartbeat");
        let mut stream = stream.with_observer(Arc::clone(&counters));
        for _ in 0..3 {
            assert_eq!(stream.next().await, Some("heartbeat"));
            time.sleep_until(time.now() + secs(4)).await; // in time
        }
        assert_eq!(stream.next().await, Some("heartbeat"));
        assert_eq!(counters.snapshot().stalled, 0);

        // The consumer holds the heartbeat. Its task is woken all the same.
        let idle_since = time.now();
        let mut polls = 0;
        let woken = poll_fn(|_| {
            polls += 1;
            if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
        });
        woken.await;
        let idle = time.now().saturating_sub(idle_since);
        assert!(idle >= secs(5) && idle <= secs(6), "{idle:?}");
        let much_later = pin!(time.sleep_until(time.now() + secs(100)));
        let next = select(stream.next(), much_later).await;
        assert!(matches!(next, Either::Right(_)), "there are no more heartbeats");
    });
    let counts = counters.snapshot();
    assert_eq!((counts.stalled, counts.sent), (1, 4), "{counts:?}");
}

/// A server does not poll a body while its connection accepts no bytes, and drops it in the end.
#[test]
fn t20_a_stall_is_reported_when_the_stream_is_dropped() {
    for (idle, stalled) in [(3, 0), (6, 1), (100, 1)] {
        for scanned in [true, false] {
            let time = VirtualTime::new();
            let (hub, task) = Hub::with_timer(time.clone());
            let counters = Arc::new(Counters::new());
            let config = Config::every(INTERVAL).with_stall_after(secs(5));
            run(&time, task, async {
                let stream = pending().heartbeat(hub.clone(), config, || "heartbeat");
                let mut stream = stream.with_observer(Arc::clone(&counters));
                assert_eq!(stream.next().await, Some("heartbeat"));
                if scanned {
                    time.sleep_until(time.now() + secs(idle)).await;
                } else {
                    time.advance(secs(idle)); // the hub has not scanned its streams since
                }
                drop(stream);
                assert_eq!(hub.len(), 0);
            });
            let counts = counters.snapshot();
            assert_eq!((counts.stalled, counts.sent, counts.errors), (stalled, 0, 1), "{idle}");
        }
    }
}

#[test]
fn t20_a_stall_is_reported_before_the_next_item() {
    for (scanned, stops) in [(true, false), (false, false), (true, true), (false, true)] {
        let time = VirtualTime::new();
        let (hub, task) = Hub::with_timer(time.clone());
        let counters = Arc::new(Counters::new());
        let busy = Cell::new(false);
        let inner = futures_util::stream::poll_fn(|_| {
            if busy.get() { Poll::Ready(Some("event")) } else { Poll::Pending }
        });
        let config = Config::every(INTERVAL).with_stall_after(secs(5));
        run(&time, task, async {
            let stream = inner.heartbeat(hub.clone(), config, || "heartbeat");
            let mut stream = pin!(stream.with_observer(Arc::clone(&counters)));
            assert_eq!(stream.next().await, Some("heartbeat"));
            if scanned {
                time.sleep_until(time.now() + secs(60)).await;
            } else {
                time.advance(secs(60)); // the hub has not scanned its streams since
            }
            if stops {
                stream.as_mut().stop();
                return;
            }
            busy.set(true);
            assert_eq!(stream.next().await, Some("event"));
            assert_eq!((counters.snapshot().stalled, hub.len()), (1, 0));
            busy.set(false);
            let much_later = pin!(time.sleep_until(time.now() + secs(100)));
            let next = select(stream.next(), much_later).await;
            assert!(matches!(next, Either::Right(_)), "there are no more heartbeats");
        });
        assert_eq!(counters.snapshot().stalled, 1, "{scanned} {stops}");
    }
}

#[test]
fn t20_a_burst_that_follows_a_heartbeat_is_no_stall() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let counters = Arc::new(Counters::new());
    run(&time, task, async {
        let busy = Cell::new(false);
        let inner = futures_util::stream::poll_fn(|_| {
            if busy.get() { Poll::Ready(Some("event")) } else { Poll::Pending }
        });
        let config = Config::every(INTERVAL).with_stall_after(secs(5));
        let stream = inner.heartbeat(hub.clone(), config, || "heartbeat");
        let mut stream = pin!(stream.with_observer(Arc::clone(&counters)));
        assert_eq!(stream.next().await, Some("heartbeat"));
        busy.set(true);
        for _ in 0..10 {
            assert_eq!(stream.next().await, Some("event"));
            time.sleep_until(time.now() + secs(1)).await;
        }
        busy.set(false);
        assert_eq!(stream.next().await, Some("heartbeat"));
    });
    assert_eq!(counters.snapshot().stalled, 0);
}

#[test]
fn t12_giving_up_while_a_heartbeat_is_in_flight_is_reported() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let counters = Arc::new(Counters::new());
    let config = Config::every(INTERVAL).with_give_up_after(secs(20)).with_stall_after(secs(60));
    run(&time, task, async {
        let stream = pending().heartbeat(hub.clone(), config, || "heartbeat");
        let mut stream = stream.with_observer(Arc::clone(&counters));
        assert_eq!(stream.next().await, Some("heartbeat"));
        time.sleep_until(secs(30)).await; // the consumer holds it
        let much_later = pin!(time.sleep_until(secs(200)));
        let next = select(stream.next(), much_later).await;
        assert!(matches!(next, Either::Right(_)), "there are no more heartbeats");
    });
    assert_eq!((counters.snapshot().gave_up, counters.snapshot().stalled), (1, 0));
}

/// The event is reported to the schedule although no heartbeat may follow the error.
#[test]
fn t12_an_event_before_an_error_counts() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let items = RefCell::new(VecDeque::new());
    let inner = futures_util::stream::poll_fn(|_| match items.borrow_mut().pop_front() {
        Some(item) => Poll::Ready(Some(item)),
        None => Poll::Pending,
    });
    let config = Config::every(INTERVAL).with_give_up_after(secs(40));
    run(&time, task, async {
        let stream = inner.heartbeat(hub.clone(), config, MakeOk::new(|| "heartbeat"));
        let mut stream = pin!(stream.treat_as_heartbeat(|item| *item == Ok("foreign")));
        time.sleep_until(secs(10)).await;
        items.borrow_mut().extend([Ok("event"), Err("failed")]);
        assert_eq!(stream.next().await, Some(Ok("event")));
        assert_eq!(stream.next().await, Some(Err("failed")));
        assert_eq!(stream.next().now_or_never(), None);
        time.sleep_until(secs(12)).await;
        items.borrow_mut().push_back(Ok("foreign"));
        assert_eq!(stream.next().await, Some(Ok("foreign")));
        let given_up = pin!(time.sleep_until(secs(200)));
        let heartbeats = stream.take_until(given_up).collect::<Vec<_>>().await;
        assert_eq!(heartbeats, [Ok("heartbeat"); 2], "until 50 s, and not 40 s");
    });
}

#[test]
fn t12_sink_giving_up_while_a_heartbeat_is_in_flight_is_reported() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let counters = Arc::new(Counters::new());
    let config = Config::every(INTERVAL).with_give_up_after(secs(20)).with_stall_after(secs(60));
    run(&time, task, async {
        let blocked = Box::pin(futures_util::sink::unfold((), |(), _: &str| pending_ok()));
        let (sender, driver) = heartbeat_sink(blocked, hub.clone(), config, || "heartbeat");
        // The sink accepts one item, whose flush never ends.
        sender.feed("event").await.expect("the sink accepts an item");
        let driver = driver.with_observer(Arc::clone(&counters));
        let check = async {
            time.sleep_until(secs(21)).await;
            assert_eq!(counters.snapshot().gave_up, 1);
        };
        let (driver, ()) = join(driver, check).await;
        assert_eq!(driver, Err(DriverError::Stalled));
        assert!(time.now() <= secs(16 + 60) + SLOT);
        drop(sender);
    });
    assert_eq!((counters.snapshot().gave_up, counters.snapshot().stalled), (1, 1));
}

async fn pending_ok() -> Result<(), std::convert::Infallible> {
    std::future::pending().await
}

#[test]
fn a_driver_that_has_ended_leaves_nothing_in_the_hub() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    run(&time, task, async {
        let slow = futures_util::sink::unfold((), |(), _: &str| time.sleep_until(secs(5)).map(Ok));
        let slow = Box::pin(slow.sink_map_err(|never: std::convert::Infallible| never));
        let config = Config::every(INTERVAL).with_stall_after(secs(60));
        let (sender, driver) = heartbeat_sink(slow, hub.clone(), config, || "heartbeat");
        let stopped = async {
            sender.feed("event").await.expect("the sink accepts an item");
            sender.stop().await;
        };
        let (driver, ()) = join(driver, stopped).await;
        assert_eq!((driver, time.now()), (Ok(()), secs(5)), "the item is flushed first");
        assert_eq!(hub.len(), 0);
        drop(sender);
    });
}

#[test]
fn the_last_wakers_of_the_task_and_of_a_driver_are_woken() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let sink = Box::pin(futures_util::sink::drain::<&str>());
    let (_sender, driver) = heartbeat_sink(sink, hub, INTERVAL, || "heartbeat");
    let (mut task, mut driver) = (pin!(task), pin!(driver));
    let [mut first, mut last, mut first_driver, mut last_driver] = [(); 4].map(spawn);

    assert_pending!(first.enter(|cx, _| task.as_mut().poll(cx)));
    assert_pending!(last.enter(|cx, _| task.as_mut().poll(cx)));
    assert_pending!(first_driver.enter(|cx, _| driver.as_mut().poll(cx)));
    assert!(last.is_woken() && !first.is_woken());

    assert_pending!(last.enter(|cx, _| task.as_mut().poll(cx)));
    assert_pending!(last_driver.enter(|cx, _| driver.as_mut().poll(cx)));
    time.advance(INTERVAL);
    assert_pending!(last.enter(|cx, _| task.as_mut().poll(cx)));
    assert!(last_driver.is_woken() && !first_driver.is_woken());
}

#[test]
fn a_heartbeat_that_is_due_is_yielded_before_the_hub_wakes_the_stream() {
    let time = VirtualTime::new();
    let (hub, _task) = Hub::with_timer(time.clone());
    let mut quiet = spawn(pending().heartbeat(hub, INTERVAL, || "heartbeat"));
    assert_pending!(quiet.poll_next());
    time.advance(INTERVAL); // the hub has not scanned its streams since
    assert_ready_eq!(quiet.poll_next(), Some("heartbeat"));
}

/// A waker that polls a stream until it waits, as an executor may that polls within `wake`.
struct PollsAtOnce(Mutex<Quiet>);

type Quiet = HeartbeatStream<Pending<()>, fn(), Hub<VirtualTime>>;

impl PollsAtOnce {
    fn poll(self: &Arc<Self>) -> Poll<Option<()>> {
        let mut stream = self.0.lock().expect("no poll panics");
        stream.poll_next_unpin(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }
}

impl Wake for PollsAtOnce {
    fn wake(self: Arc<Self>) {
        while self.poll().is_ready() {}
    }
}

#[test]
fn a_stream_that_is_polled_while_the_task_scans_does_not_wake_the_task() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let mut task = spawn(task);
    let heartbeat: fn() = || ();
    let quiet = Arc::new(PollsAtOnce(Mutex::new(pending().heartbeat(hub, INTERVAL, heartbeat))));
    assert_pending!(task.poll());
    assert_pending!(quiet.poll());
    assert!(task.is_woken(), "for the first deadline");
    for heartbeats in 1..=3 {
        assert_pending!(task.poll());
        assert!(!task.is_woken());
        time.advance(INTERVAL);
        assert!(task.is_woken(), "by its sleep, {heartbeats}");
    }
}

/// Treats an item `heartbeat` as a heartbeat from elsewhere.
struct Recognizes;

impl MakeHeartbeat<&'static str> for Recognizes {
    fn make(&mut self) -> &'static str {
        "heartbeat"
    }

    fn classify(&mut self, item: &&'static str) -> ItemKind {
        if *item == "heartbeat" { ItemKind::Heartbeat } else { ItemKind::Event }
    }
}

#[test]
fn t12_sink_an_event_counts_where_a_heartbeat_from_elsewhere_follows() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let counters = Arc::new(Counters::new());
    let config = Config::every(INTERVAL).with_give_up_after(secs(40));
    let sink = Box::pin(futures_util::sink::drain::<&str>());
    let (sender, driver) = heartbeat_sink(sink, hub, config, Recognizes);
    let items = async {
        time.sleep_until(secs(30)).await;
        sender.send("event").await.expect("the sink accepts all items");
        sender.send("heartbeat").await.expect("the sink accepts all items");
        time.sleep_until(secs(69)).await;
        assert_eq!(counters.snapshot().gave_up, 0);
        time.sleep_until(secs(71)).await;
        assert_eq!(counters.snapshot().gave_up, 1);
        drop(sender);
    };
    let driver = driver.with_observer(Arc::clone(&counters));
    let ((), ended) = run(&time, task, join(items, driver));
    ended.expect("the driver ends with its sender");
}

#[test]
fn a_full_hub_is_reported() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_shards(time.clone(), NonZeroUsize::MIN);
    let quiet = |secs| pending().heartbeat(hub.clone(), Duration::from_secs(secs), || "heartbeat");
    let all: Vec<HeartbeatStream<_, _, _>> = (1..=65_536).map(quiet).collect();
    let counters = Arc::new(Counters::new());
    let mut one_too_many = quiet(65_537).with_observer(Arc::clone(&counters));
    run(&time, task, async {
        select(one_too_many.next(), pin!(time.sleep_until(secs(1)))).await;
    });
    assert_eq!((counters.snapshot().detached, hub.len()), (1, all.len()));
}

/// What a stream does: how long it waits for each item, in quarters of a second.
#[derive(Debug, Clone)]
struct Script {
    interval: Duration,
    jitter: f32,
    immediate_first: bool,
    opened: Duration,
    pauses: Vec<u32>,
}

fn script() -> impl Strategy<Value = Script> {
    let interval =
        prop_oneof![Just(16_000), Just(1_000), 1..60_000u64].prop_map(Duration::from_millis);
    let opened = (0..30_000u64).prop_map(Duration::from_millis);
    let parts =
        (interval, 0f32..0.9, any::<bool>(), opened, prop::collection::vec(0..120u32, 0..20));
    parts.prop_map(|(interval, jitter, immediate_first, opened, pauses)| Script {
        interval,
        jitter,
        immediate_first,
        opened,
        pauses,
    })
}

/// Checks T2, T3, T4, T11 and T15 for one stream.
async fn check_gaps(script: &Script, time: &VirtualTime, hub: &Hub<VirtualTime>) {
    let &Script { interval, jitter, immediate_first, opened, .. } = script;
    time.sleep_until(opened).await;
    let events = futures_util::stream::iter(&script.pauses).then(async |quarters: &u32| {
        time.sleep_until(time.now() + Duration::from_millis(250) * *quarters).await;
        "event"
    });
    let jitter_by = Jitter::try_from(jitter).expect("below 1");
    let config =
        Config::every(interval).with_jitter(jitter_by).with_immediate_first(immediate_first);
    let mut stream = pin!(events.heartbeat(hub.clone(), config, || "heartbeat"));
    let (mut last, mut items, mut is_first) = (opened, 0, true);
    while let Some(item) = stream.next().await {
        let silence = time.now().saturating_sub(last);
        assert!(silence <= interval, "{silence:?} of {interval:?}");
        if item == "heartbeat" && !(immediate_first && is_first) {
            let gap = interval.mul_f64(1.0 - f64::from(jitter));
            let rounding = Duration::from_nanos(1);
            assert!(silence + interval / 64 + rounding >= gap, "{silence:?} of {gap:?}");
        }
        items += usize::from(item == "event");
        (last, is_first) = (time.now(), false);
    }
    assert_eq!(items, script.pauses.len());
}

proptest! {
    #[test]
    fn t15_streams_do_not_affect_each_other(
        scripts in prop::collection::vec(script(), 1..20),
        shards in 1..4usize,
    ) {
        let time = VirtualTime::new();
        let shards = NonZeroUsize::new(shards).expect("not zero");
        let (hub, task) = Hub::with_shards(time.clone(), shards);
        run(&time, task, async {
            let streams = scripts.iter().map(|script| check_gaps(script, &time, &hub));
            let mut streams: FuturesUnordered<_> = streams.collect();
            while streams.next().await.is_some() {}
        });
        prop_assert!(hub.is_empty());
    }
}
