//! What `Sender::send` costs over a sink behind a lock, without which several tasks cannot send into
//! one sink anyway. README.md tells how to read the table that is printed at the end.

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

/// Nothing is ever silent for that long.
const INTERVAL: Duration = Duration::from_secs(15);

const SENDERS: u32 = 8;

/// Of each sender, in an iteration of criterion's.
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

/// Takes whatever it is given, and has nothing to flush.
#[derive(Default)]
struct Always {
    taken: u64,
}

impl Sink<u64> for Always {
    type Error = Infallible;

    #[inline]
    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn start_send(mut self: Pin<&mut Self>, item: u64) -> Result<(), Infallible> {
        self.taken += item;
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

/// The lock that the push side has too, around the same sink, boxed as there.
type Locked = Mutex<Pin<Box<Always>>>;

fn locked() -> Locked {
    Mutex::new(Box::pin(Always::default()))
}

async fn send_locked(sink: &Locked, item: u64) {
    let Ok(()) = sink.lock().await.send(item).await;
}

/// The least that a wrapper has to do which knows no lazier way: a look at the clock at each item.
async fn send_locked_and_look(sink: &Mutex<(Pin<Box<Always>>, Option<Instant>)>, item: u64) {
    let mut sink = sink.lock().await;
    let Ok(()) = sink.0.send(item).await;
    sink.1 = Some(Instant::now());
}

type Ours = Sender<u64, Always, fn() -> u64>;

/// With a driver that waits for the end of the interval. Without a driver a send would report nothing.
type OurDriver = Pin<Box<Driver<u64, Always, fn() -> u64>>>;

fn ours() -> (Ours, OurDriver) {
    let (sender, driver) = heartbeat_sink(Always::default(), INTERVAL, (|| 0) as fn() -> u64);
    (sender, waiting(driver))
}

fn waiting<F: Future>(driver: F) -> Pin<Box<F>> {
    let mut driver = Box::pin(driver);
    let polled = driver.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "no heartbeat is due");
    driver
}

async fn send_ours(sender: &Ours, item: u64) {
    let Ok(()) = sender.send(item).await;
}

async fn send_on_hub(sender: &heartbeat_async::Sender<u64, Always, fn() -> u64, Hub>, item: u64) {
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
    let sink = locked();
    group.repeat("bare", bare, || at_once(send_locked(&sink, black_box(1))));
    let (sender, _driver) = ours();
    group.repeat(OURS, label, || at_once(send_ours(&sender, black_box(1))));
    let (hub, _task) = Hub::new();
    let (sender, driver) =
        heartbeat_sink_on(Always::default(), &hub, INTERVAL, (|| 0) as fn() -> u64);
    let _driver = waiting(driver);
    let label = format!("heartbeat-tokio {}: the same in a hub", version("heartbeat-tokio"));
    group.repeat("hub", label, || at_once(send_on_hub(&sender, black_box(1))));
    let sink = Mutex::new((Box::pin(Always::default()), None));
    group.repeat("clock", clock, || at_once(send_locked_and_look(&sink, black_box(1))));
}

fn many_senders(group: &mut Group<'_>, runtime: &Runtime) {
    let [bare, label, _] = labels();
    let sink = Arc::new(locked());
    group.routine("bare", bare, (SENDERS * SENDS).into(), || {
        at_a_time(runtime, || {
            let sink = Arc::clone(&sink);
            async move {
                for _ in 0..SENDS {
                    send_locked(&sink, black_box(1)).await;
                }
            }
        });
    });
    let (sender, _driver) = ours();
    group.routine(OURS, label, (SENDERS * SENDS).into(), || {
        at_a_time(runtime, || {
            let sender = sender.clone();
            async move {
                for _ in 0..SENDS {
                    send_ours(&sender, black_box(1)).await;
                }
            }
        });
    });
}

/// Polls what never has to wait.
fn at_once(future: impl Future<Output = ()>) {
    let done = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(done.is_ready(), "no other task has the sink");
}

/// Lets all senders send, each in a task of its own.
fn at_a_time<F>(runtime: &Runtime, sender: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let senders = (0..SENDERS).map(|_| runtime.spawn(sender()));
    for ended in runtime.block_on(join_all(senders)) {
        ended.expect("no sender panics");
    }
}
