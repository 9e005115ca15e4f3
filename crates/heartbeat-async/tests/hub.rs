//! What a hub adds to what the conformance suite sees of it: many streams on one alarm, and the ends of
//! its task and of its streams.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::{Either, join, select};
use futures_util::stream::{FuturesUnordered, pending};
use futures_util::{FutureExt, SinkExt, StreamExt};
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{
    Config, Counters, DriverError, HeartbeatStream, HeartbeatStreamExt, Hub, HubError, HubTask,
    ItemKind, Jitter, MakeHeartbeat, MakeOk, Timer, heartbeat_sink,
};
use proptest::prelude::*;

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

/// Plays a scenario beside the hub's task, each polled only if it was woken itself.
///
/// It has to end: a hub whose streams do not come back looks after them for ever.
fn play<R>(
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

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn t15_any_number_of_quiet_streams_wakes_the_process_64_times_per_interval() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let (task, polls) = Counted::new(task);
    let heartbeats = play(&time, task, async {
        let mut streams = FuturesUnordered::new();
        for _ in 0..1000 {
            let mut born = time.now();
            let mut quiet = pending().heartbeat(hub.clone(), INTERVAL, || ());
            let time = &time;
            streams.push(async move {
                let mut heartbeats = 0;
                while time.now() < 10 * INTERVAL {
                    quiet.next().await;
                    let silence = time.now().saturating_sub(born);
                    assert!(silence <= INTERVAL && silence + SLOT >= INTERVAL, "{silence:?}");
                    born = time.now();
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
    assert!(polls.get() <= 10 * 64 + 64, "{} wake-ups in 10 intervals", polls.get());
}

#[test]
fn without_streams_nothing_is_woken() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let (task, polls) = Counted::new(task);
    play(&time, task, async {
        time.sleep_until(secs(100)).await;
        assert_eq!(polls.get(), 1, "its first");
        let mut quiet = pending().heartbeat(hub.clone(), INTERVAL, || "heartbeat");
        assert_eq!(quiet.next().await, Some("heartbeat"));
        assert_eq!(quiet.next().await, Some("heartbeat"));
        drop(quiet);
        assert!(hub.is_empty(), "a stream that is dropped is gone at once");
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
    play(&time, task, async {
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
fn a_task_that_was_dropped_is_told_of_and_items_pass() {
    let time = VirtualTime::new();
    for is_spawned in [true, false] {
        let (hub, task) = Hub::with_timer(time.clone());
        let heard = Arc::new(Counters::new());
        let start = time.now();
        let late = time.sleep_until(start + secs(100));
        let items = futures_util::stream::once(async {
            late.await;
            "real"
        });
        let mut stream = pin!(
            items
                .heartbeat(hub.clone(), INTERVAL, || "heartbeat")
                .with_observer(Arc::clone(&heard))
        );
        let sink = Box::pin(futures_util::sink::drain::<&str>());
        let (sender, driver) = heartbeat_sink(sink, hub.clone(), INTERVAL, || "heartbeat");
        let task = async {
            if is_spawned {
                select(pin!(task), pin!(time.sleep_until(start + secs(20)))).await;
            } // and here it is dropped
        };
        let (first, driver) = play(&time, task, async {
            let first = if is_spawned { stream.next().await } else { None };
            let (next, driver) = join(stream.next(), driver).await;
            assert_eq!(next, Some("real"));
            (first, driver)
        });
        assert_eq!(first, is_spawned.then_some("heartbeat"));
        assert_eq!(driver, Err(DriverError::Hub(HubError::Stopped)));
        assert_eq!((heard.snapshot().sent, heard.snapshot().detached), (is_spawned.into(), 1));
        assert!(!hub.is_running() && hub.is_empty());
        time.block_on(sender.send("real")).expect("senders go on");
    }
}

#[test]
fn t20_a_consumer_that_is_away_for_too_long_is_told_of() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let heard = Arc::new(Counters::new());
    play(&time, task, async {
        let config = Config::every(INTERVAL).with_stall_after(secs(5));
        let stream = pending().heartbeat(hub.clone(), config, || "heartbeat");
        let mut stream = stream.with_observer(Arc::clone(&heard));
        for _ in 0..3 {
            assert_eq!(stream.next().await, Some("heartbeat"));
            time.sleep_until(time.now() + secs(4)).await; // in time
        }
        assert_eq!(stream.next().await, Some("heartbeat"));
        assert_eq!(heard.snapshot().stalled, 0);

        // Away with it. The task is woken all the same.
        let gone = time.now();
        let mut polls = 0;
        let woken = poll_fn(|_| {
            polls += 1;
            if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
        });
        woken.await;
        let away = time.now().saturating_sub(gone);
        assert!(away >= secs(5) && away <= secs(6), "{away:?}");
        let much_later = pin!(time.sleep_until(time.now() + secs(100)));
        let next = select(stream.next(), much_later).await;
        assert!(matches!(next, Either::Right(_)), "there are no more heartbeats");
    });
    let counts = heard.snapshot();
    assert_eq!((counts.stalled, counts.sent), (1, 4), "{counts:?}");
}

/// As by a server that polls no body while the connection takes no bytes, and then gives it up.
#[test]
fn t20_a_stream_that_is_dropped_after_it_has_stalled_is_told_of() {
    for (away, stalled) in [(3, 0), (6, 1), (100, 1)] {
        for looked in [true, false] {
            let time = VirtualTime::new();
            let (hub, task) = Hub::with_timer(time.clone());
            let heard = Arc::new(Counters::new());
            let config = Config::every(INTERVAL).with_stall_after(secs(5));
            play(&time, task, async {
                let stream = pending().heartbeat(hub.clone(), config, || "heartbeat");
                let mut stream = stream.with_observer(Arc::clone(&heard));
                assert_eq!(stream.next().await, Some("heartbeat"));
                if looked {
                    time.sleep_until(time.now() + secs(away)).await;
                } else {
                    time.advance(secs(away)); // the hub had no time yet
                }
                drop(stream);
                assert_eq!(hub.len(), 0);
            });
            let counts = heard.snapshot();
            assert_eq!((counts.stalled, counts.sent, counts.errors), (stalled, 0, 1), "{away}");
        }
    }
}

#[test]
fn t20_a_consumer_that_comes_back_to_an_item_after_a_stall_is_told_of() {
    for (looked, stops) in [(true, false), (false, false), (true, true), (false, true)] {
        let time = VirtualTime::new();
        let (hub, task) = Hub::with_timer(time.clone());
        let heard = Arc::new(Counters::new());
        let busy = Cell::new(false);
        let inner = futures_util::stream::poll_fn(|_| {
            if busy.get() { Poll::Ready(Some("real")) } else { Poll::Pending }
        });
        let config = Config::every(INTERVAL).with_stall_after(secs(5));
        play(&time, task, async {
            let stream = inner.heartbeat(hub.clone(), config, || "heartbeat");
            let mut stream = pin!(stream.with_observer(Arc::clone(&heard)));
            assert_eq!(stream.next().await, Some("heartbeat"));
            if looked {
                time.sleep_until(time.now() + secs(60)).await;
            } else {
                time.advance(secs(60)); // the hub had no time yet
            }
            if stops {
                stream.as_mut().stop();
                return;
            }
            busy.set(true);
            assert_eq!(stream.next().await, Some("real"));
            assert_eq!((heard.snapshot().stalled, hub.len()), (1, 0));
            busy.set(false);
            let much_later = pin!(time.sleep_until(time.now() + secs(100)));
            let next = select(stream.next(), much_later).await;
            assert!(matches!(next, Either::Right(_)), "there are no more heartbeats");
        });
        assert_eq!(heard.snapshot().stalled, 1, "{looked} {stops}");
    }
}

#[test]
fn t20_a_burst_that_follows_a_heartbeat_is_no_stall() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let heard = Arc::new(Counters::new());
    play(&time, task, async {
        let busy = Cell::new(false);
        let inner = futures_util::stream::poll_fn(|_| {
            if busy.get() { Poll::Ready(Some("real")) } else { Poll::Pending }
        });
        let config = Config::every(INTERVAL).with_stall_after(secs(5));
        let stream = inner.heartbeat(hub.clone(), config, || "heartbeat");
        let mut stream = pin!(stream.with_observer(Arc::clone(&heard)));
        assert_eq!(stream.next().await, Some("heartbeat"));
        busy.set(true);
        for _ in 0..10 {
            assert_eq!(stream.next().await, Some("real"));
            time.sleep_until(time.now() + secs(1)).await;
        }
        busy.set(false);
        assert_eq!(stream.next().await, Some("heartbeat"));
    });
    assert_eq!(heard.snapshot().stalled, 0);
}

/// Each gives up while a heartbeat is in flight, when the hub looks after its machine.
#[test]
fn t12_who_is_given_up_while_a_heartbeat_is_in_flight_is_told_so() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let heard = Arc::new(Counters::new());
    let config = Config::every(INTERVAL).with_give_up_after(secs(20)).with_stall_after(secs(60));
    play(&time, task, async {
        let stream = pending().heartbeat(hub.clone(), config, || "heartbeat");
        let mut stream = stream.with_observer(Arc::clone(&heard));
        assert_eq!(stream.next().await, Some("heartbeat"));
        time.sleep_until(secs(30)).await; // away with it
        let much_later = pin!(time.sleep_until(secs(200)));
        let next = select(stream.next(), much_later).await;
        assert!(matches!(next, Either::Right(_)), "there are no more heartbeats");
    });
    assert_eq!((heard.snapshot().gave_up, heard.snapshot().stalled), (1, 0));
}

/// The machine hears of a real item also where an error behind it holds the heartbeats back.
#[test]
fn t12_a_real_item_before_an_error_keeps_the_producer_alive() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let items = RefCell::new(VecDeque::new());
    let inner = futures_util::stream::poll_fn(|_| match items.borrow_mut().pop_front() {
        Some(item) => Poll::Ready(Some(item)),
        None => Poll::Pending,
    });
    let config = Config::every(INTERVAL).with_give_up_after(secs(40));
    play(&time, task, async {
        let stream = inner.heartbeat(hub.clone(), config, MakeOk::new(|| "heartbeat"));
        let mut stream = pin!(stream.treat_as_heartbeat(|item| *item == Ok("theirs")));
        time.sleep_until(secs(10)).await;
        items.borrow_mut().extend([Ok("real"), Err("failed")]);
        assert_eq!(stream.next().await, Some(Ok("real")));
        assert_eq!(stream.next().await, Some(Err("failed")));
        assert_eq!(stream.next().now_or_never(), None);
        time.sleep_until(secs(12)).await;
        items.borrow_mut().push_back(Ok("theirs"));
        assert_eq!(stream.next().await, Some(Ok("theirs")));
        let given_up = pin!(time.sleep_until(secs(200)));
        let heartbeats = stream.take_until(given_up).collect::<Vec<_>>().await;
        assert_eq!(heartbeats, [Ok("heartbeat"); 2], "until 50 s, and not 40 s");
    });
}

#[test]
fn t12_push_who_is_given_up_while_a_heartbeat_is_in_flight_is_told_in_time() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let heard = Arc::new(Counters::new());
    let config = Config::every(INTERVAL).with_give_up_after(secs(20)).with_stall_after(secs(60));
    play(&time, task, async {
        let blocked = Box::pin(futures_util::sink::unfold((), |(), _: &str| pending_ok()));
        let (sender, driver) = heartbeat_sink(blocked, hub.clone(), config, || "heartbeat");
        // The sink takes one, and then it is full: the next send waits for the flush.
        sender.feed("real").await.expect("room");
        let driver = driver.with_observer(Arc::clone(&heard));
        let told = async {
            time.sleep_until(secs(21)).await;
            assert_eq!(heard.snapshot().gave_up, 1);
        };
        let (driver, ()) = join(driver, told).await;
        assert_eq!(driver, Err(DriverError::Stalled));
        assert!(time.now() <= secs(16 + 60) + SLOT);
        drop(sender);
    });
    assert_eq!((heard.snapshot().gave_up, heard.snapshot().stalled), (1, 1));
}

async fn pending_ok() -> Result<(), std::convert::Infallible> {
    std::future::pending().await
}

#[test]
fn a_driver_that_has_ended_leaves_nothing_in_the_hub() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    play(&time, task, async {
        let slow = futures_util::sink::unfold((), |(), _: &str| time.sleep_until(secs(5)).map(Ok));
        let slow = Box::pin(slow.sink_map_err(|never: std::convert::Infallible| never));
        let config = Config::every(INTERVAL).with_stall_after(secs(60));
        let (sender, driver) = heartbeat_sink(slow, hub.clone(), config, || "heartbeat");
        let stopped = async {
            sender.feed("real").await.expect("room");
            sender.stop().await;
        };
        let (driver, ()) = join(driver, stopped).await;
        assert_eq!((driver, time.now()), (Ok(()), secs(5)), "it is flushed first");
        assert_eq!(hub.len(), 0);
        drop(sender);
    });
}

/// Whether it was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Woken {
    /// Polls something that waits.
    fn polls<F: Future>(self: &Arc<Self>, future: Pin<&mut F>) {
        let waker = Waker::from(Arc::clone(self));
        assert!(future.poll(&mut Context::from_waker(&waker)).is_pending());
    }

    fn is_woken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn whoever_polled_the_task_or_a_driver_last_is_woken() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let sink = Box::pin(futures_util::sink::drain::<&str>());
    let (_sender, driver) = heartbeat_sink(sink, hub, INTERVAL, || "heartbeat");
    let (mut task, mut driver) = (pin!(task), pin!(driver));
    let [first, last, first_driver, last_driver] = [(); 4].map(|()| Arc::<Woken>::default());

    first.polls(task.as_mut());
    last.polls(task.as_mut());
    first_driver.polls(driver.as_mut());
    assert!(last.is_woken() && !first.is_woken());

    last.polls(task.as_mut());
    last_driver.polls(driver.as_mut());
    time.advance(INTERVAL);
    last.polls(task.as_mut());
    assert!(last_driver.is_woken() && !first_driver.is_woken());
}

/// Knows another's heartbeats.
struct Known;

impl MakeHeartbeat<&'static str> for Known {
    fn make(&mut self) -> &'static str {
        "heartbeat"
    }

    fn classify(&mut self, item: &&'static str) -> ItemKind {
        if *item == "heartbeat" { ItemKind::Heartbeat } else { ItemKind::Event }
    }
}

#[test]
fn t12_a_real_item_counts_though_other_bytes_follow_before_the_hub_asks() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_timer(time.clone());
    let heard = Arc::new(Counters::new());
    let config = Config::every(INTERVAL).with_give_up_after(secs(40));
    let sink = Box::pin(futures_util::sink::drain::<&str>());
    let (sender, driver) = heartbeat_sink(sink, hub, config, Known);
    let items = async {
        time.sleep_until(secs(30)).await;
        sender.send("real").await.expect("it takes all");
        sender.send("heartbeat").await.expect("it takes all");
        time.sleep_until(secs(69)).await;
        assert_eq!(heard.snapshot().gave_up, 0);
        time.sleep_until(secs(71)).await;
        assert_eq!(heard.snapshot().gave_up, 1);
        drop(sender);
    };
    let driver = driver.with_observer(Arc::clone(&heard));
    let ((), ended) = play(&time, task, join(items, driver));
    ended.expect("it ends with its sender");
}

#[test]
fn a_hub_that_is_full_says_so() {
    let time = VirtualTime::new();
    let (hub, task) = Hub::with_shards(time.clone(), NonZeroUsize::MIN);
    let quiet = |secs| pending().heartbeat(hub.clone(), Duration::from_secs(secs), || "heartbeat");
    let all: Vec<HeartbeatStream<_, _, _>> = (1..=65_536).map(quiet).collect();
    let heard = Arc::new(Counters::new());
    let mut one_too_many = quiet(65_537).with_observer(Arc::clone(&heard));
    play(&time, task, async {
        select(one_too_many.next(), pin!(time.sleep_until(secs(1)))).await;
    });
    assert_eq!((heard.snapshot().detached, hub.len()), (1, all.len()));
}

/// What a stream does: how long it waits for each item, in quarters of a second.
#[derive(Debug, Clone)]
struct Script {
    interval: Duration,
    jitter: f32,
    prompt: bool,
    opened: Duration,
    pauses: Vec<u32>,
}

fn script() -> impl Strategy<Value = Script> {
    let interval =
        prop_oneof![Just(16_000), Just(1_000), 1..60_000u64].prop_map(Duration::from_millis);
    let opened = (0..30_000u64).prop_map(Duration::from_millis);
    let parts =
        (interval, 0f32..0.9, any::<bool>(), opened, prop::collection::vec(0..120u32, 0..20));
    parts.prop_map(|(interval, jitter, prompt, opened, pauses)| Script {
        interval,
        jitter,
        prompt,
        opened,
        pauses,
    })
}

/// T2, T3, T4, T11, T15: each stream's silences, whatever the others do.
async fn keep_time(script: &Script, time: &VirtualTime, hub: &Hub<VirtualTime>) {
    let &Script { interval, jitter, prompt, opened, .. } = script;
    time.sleep_until(opened).await;
    let events = futures_util::stream::iter(&script.pauses).then(async |quarters: &u32| {
        time.sleep_until(time.now() + Duration::from_millis(250) * *quarters).await;
        "real"
    });
    let jitter_by = Jitter::try_from(jitter).expect("below 1");
    let config = Config::every(interval).with_jitter(jitter_by).with_immediate_first(prompt);
    let mut stream = pin!(events.heartbeat(hub.clone(), config, || "heartbeat"));
    let (mut last, mut items, mut is_first) = (opened, 0, true);
    while let Some(item) = stream.next().await {
        let silence = time.now().saturating_sub(last);
        assert!(silence <= interval, "{silence:?} of {interval:?}");
        if item == "heartbeat" && !(prompt && is_first) {
            let gap = interval.mul_f64(1.0 - f64::from(jitter));
            let rounding = Duration::from_nanos(1);
            assert!(silence + interval / 64 + rounding >= gap, "{silence:?} of {gap:?}");
        }
        items += usize::from(item == "real");
        (last, is_first) = (time.now(), false);
    }
    assert_eq!(items, script.pauses.len());
}

proptest! {
    #[test]
    fn t15_each_stream_keeps_time_among_all_kinds_of_others(
        scripts in prop::collection::vec(script(), 1..20),
        shards in 1..4usize,
    ) {
        let time = VirtualTime::new();
        let shards = NonZeroUsize::new(shards).expect("not zero");
        let (hub, task) = Hub::with_shards(time.clone(), shards);
        play(&time, task, async {
            let streams = scripts.iter().map(|script| keep_time(script, &time, &hub));
            let mut streams: FuturesUnordered<_> = streams.collect();
            while streams.next().await.is_some() {}
        });
        prop_assert!(hub.is_empty());
    }
}
