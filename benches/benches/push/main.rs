//! The cost of `Sender::send`, compared with a sink behind a mutex, which several senders need in any case. README.md
//! describes the table that is printed at the end.

use std::convert::Infallible;
use std::error::Error;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use async_lock::Mutex;
use futures_sink::Sink;
use futures_util::SinkExt as _;
use futures_util::future::join_all;
use heartbeat_benches::{Bench, Group, OURS, version};
use heartbeat_tokio::{Driver, Hub, Sender, heartbeat_sink, heartbeat_sink_on};
use tokio::runtime::{self, Runtime};

/// The interval of all lines. No silence in this bench lasts as long.
const INTERVAL: Duration = Duration::from_secs(15);

const SENDERS: u32 = 8;

/// The number of items that each sender sends per iteration.
const SENDS: u32 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    let _entered = runtime.enter();

    let mut bench = Bench::new("push");
    one_sender(&mut bench.costs("push-1", "one sender, and no other task waits"));
    let title = format!("{SENDERS} senders on two threads, with no pause between two items");
    many_senders(&mut bench.costs("push-8", title), &runtime);
    bench.finish()?;
    Ok(())
}

/// A sink that is always ready and has nothing to flush.
#[derive(Default)]
struct ReadySink {
    sum: u64,
}

impl Sink<u64> for ReadySink {
    type Error = Infallible;

    #[inline]
    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn start_send(mut self: Pin<&mut Self>, item: u64) -> Result<(), Infallible> {
        self.sum += item;
        Ok(())
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

/// The sink as `Sender` holds it: boxed, behind the same mutex.
type LockedSink = Mutex<Pin<Box<ReadySink>>>;

fn locked_sink() -> LockedSink {
    Mutex::new(Box::pin(ReadySink::default()))
}

async fn send_locked(sink: &LockedSink, item: u64) {
    let Ok(()) = sink.lock().await.send(item).await;
}

/// Also reads the clock at each item, as a simple wrapper would.
async fn send_locked_and_read_clock(
    sink: &Mutex<(Pin<Box<ReadySink>>, Option<Instant>)>,
    item: u64,
) {
    let mut sink = sink.lock().await;
    let Ok(()) = sink.0.send(item).await;
    sink.1 = Some(Instant::now());
}

type HeartbeatSender = Sender<u64, ReadySink, fn() -> u64>;

type HeartbeatDriver = Pin<Box<Driver<u64, ReadySink, fn() -> u64>>>;

/// The driver waits for the end of the interval. Without a driver a sender reports no items.
fn heartbeat_sender() -> (HeartbeatSender, HeartbeatDriver) {
    let (sender, driver) = heartbeat_sink(ReadySink::default(), INTERVAL, (|| 0) as fn() -> u64);
    (sender, polled(driver))
}

/// Polls the driver once, so that it sets its sleep.
fn polled<F: Future>(driver: F) -> Pin<Box<F>> {
    let mut driver = Box::pin(driver);
    let first_poll = driver.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(first_poll.is_pending(), "no heartbeat is due");
    driver
}

async fn send(sender: &HeartbeatSender, item: u64) {
    let Ok(()) = sender.send(item).await;
}

async fn send_on_hub(
    sender: &heartbeat_async::Sender<u64, ReadySink, fn() -> u64, Hub>,
    item: u64,
) {
    let Ok(()) = sender.send(item).await;
}

fn labels() -> [String; 3] {
    let lock = version("async-lock");
    [
        format!("async-lock {lock}: Mutex around the sink"),
        format!("heartbeat-tokio {}: Sender::send", version("heartbeat-tokio")),
        format!("async-lock {lock}: the same Mutex, and Instant::now"),
    ]
}

fn one_sender(group: &mut Group<'_>) {
    let [bare, label, clock] = labels();
    let sink = locked_sink();
    group.repeat("bare", bare, || poll_ready(send_locked(&sink, black_box(1))));
    let (sender, _driver) = heartbeat_sender();
    group.repeat(OURS, label, || poll_ready(send(&sender, black_box(1))));
    let (hub, _task) = Hub::new();
    let (sender, driver) =
        heartbeat_sink_on(ReadySink::default(), &hub, INTERVAL, (|| 0) as fn() -> u64);
    let _driver = polled(driver);
    let label = format!("heartbeat-tokio {}: the same in a hub", version("heartbeat-tokio"));
    group.repeat("hub", label, || poll_ready(send_on_hub(&sender, black_box(1))));
    let sink = Mutex::new((Box::pin(ReadySink::default()), None));
    group.repeat("clock", clock, || poll_ready(send_locked_and_read_clock(&sink, black_box(1))));
}

fn many_senders(group: &mut Group<'_>, runtime: &Runtime) {
    let [bare, label, _] = labels();
    let sink = Arc::new(locked_sink());
    group.routine("bare", bare, (SENDERS * SENDS).into(), || {
        run_senders(runtime, || {
            let sink = Arc::clone(&sink);
            async move {
                for _ in 0..SENDS {
                    send_locked(&sink, black_box(1)).await;
                }
            }
        });
    });
    let (sender, _driver) = heartbeat_sender();
    group.routine(OURS, label, (SENDERS * SENDS).into(), || {
        run_senders(runtime, || {
            let sender = sender.clone();
            async move {
                for _ in 0..SENDS {
                    send(&sender, black_box(1)).await;
                }
            }
        });
    });
}

/// Polls a future that is ready at the first poll.
fn poll_ready(future: impl Future<Output = ()>) {
    let done = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(done.is_ready(), "no other task holds the sink");
}

/// Runs all senders concurrently, each in its own task.
fn run_senders<F>(runtime: &Runtime, sender: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let senders = (0..SENDERS).map(|_| runtime.spawn(sender()));
    for ended in runtime.block_on(join_all(senders)) {
        ended.expect("no sender panics");
    }
}
