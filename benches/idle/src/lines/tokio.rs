use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Sse};
use futures_util::Stream;
use heartbeat_tokio::{HeartbeatStreamExt, Hub};
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{self, Instant, MissedTickBehavior};
use tokio_stream::StreamExt as _;
use tokio_util::time::DelayQueue;

use super::by_hand::by_hand;
use super::count_items::count_items;
use super::floor::{SLOTS, WakeSlots, WokenStream};
use super::signal::{Signal, Signals};
use super::{Entry, Open, quiet};

pub(super) const LINES: [Entry; 12] = [
    ("bare", "bare", bare),
    ("floor", "bare", floor),
    ("hub", "bare", hub),
    ("heartbeat", "bare", heartbeat),
    ("sleep", "bare", sleep),
    ("boxed-sleep", "bare", boxed_sleep),
    ("timeout", "bare", timeout),
    ("delay-queue", "bare", delay_queue),
    ("sse", "sse", sse),
    ("sse-hub", "sse", sse_hub),
    ("sse-heartbeat", "sse", sse_heartbeat),
    ("sse-keep-alive", "sse", sse_keep_alive),
];

fn spawn(stream: impl Stream + Send + 'static) {
    tokio::spawn(count_items(stream));
}

fn bare(_: Duration) -> Open {
    Box::new(|| spawn(quiet()))
}

fn floor(interval: Duration) -> Open {
    let wake_slots = WakeSlots::new();
    let slots_to_wake = Arc::clone(&wake_slots);
    tokio::spawn(async move {
        let mut slots = time::interval(interval / SLOTS);
        slots.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            slots.tick().await;
            slots_to_wake.wake_next();
        }
    });
    Box::new(move || spawn(WokenStream::new(&wake_slots)))
}

fn new_hub() -> Hub {
    let (hub, task) = Hub::new();
    tokio::spawn(task);
    hub
}

fn hub(interval: Duration) -> Open {
    let hub = new_hub();
    Box::new(move || spawn(quiet().heartbeat_on(&hub, interval, || ())))
}

fn heartbeat(interval: Duration) -> Open {
    Box::new(move || spawn(quiet().heartbeat(interval, || ())))
}

fn sleep(interval: Duration) -> Open {
    let with_sleep = by_hand(interval, time::sleep);
    Box::new(move || spawn(with_sleep(quiet())))
}

fn boxed_sleep(interval: Duration) -> Open {
    let with_sleep = by_hand(interval, |interval| Box::pin(time::sleep(interval)));
    Box::new(move || spawn(with_sleep(quiet())))
}

fn timeout(interval: Duration) -> Open {
    Box::new(move || {
        let ticks = time::interval_at(Instant::now() + interval, interval);
        spawn(quiet().timeout_repeating(ticks));
    })
}

/// One task keeps all deadlines in its queue, and signals each stream when its heartbeat is due.
fn delay_queue(interval: Duration) -> Open {
    let (opened, mut new_streams) = mpsc::unbounded_channel::<Arc<Signal>>();
    tokio::spawn(async move {
        let mut queue = DelayQueue::new();
        loop {
            select! {
                Some(signal) = new_streams.recv() => {
                    queue.insert(signal, interval);
                }
                Some(due) = queue.next(), if !queue.is_empty() => {
                    due.get_ref().set();
                    queue.insert(due.into_inner(), interval);
                }
                else => break,
            }
        }
    });
    Box::new(move || {
        let signal = Arc::<Signal>::default();
        opened.send(Arc::clone(&signal)).expect("the task with the queue runs");
        spawn(Signals(signal));
    })
}

/// Returns the response body as a stream.
fn body(response: impl IntoResponse) -> impl Stream + Send {
    response.into_response().into_body().into_data_stream()
}

fn quiet_events() -> impl Stream<Item = Result<Event, Infallible>> + Send {
    futures_util::stream::pending()
}

fn sse(_: Duration) -> Open {
    Box::new(|| spawn(body(Sse::new(quiet_events()))))
}

fn sse_hub(interval: Duration) -> Open {
    let hub = new_hub();
    Box::new(move || {
        let keep_alive = || Event::DEFAULT_KEEP_ALIVE;
        spawn(body(Sse::new(quiet_events().try_heartbeat_on(&hub, interval, keep_alive))));
    })
}

fn sse_heartbeat(interval: Duration) -> Open {
    Box::new(move || {
        let with_heartbeats = quiet_events().try_heartbeat(interval, || Event::DEFAULT_KEEP_ALIVE);
        spawn(body(Sse::new(with_heartbeats)));
    })
}

fn sse_keep_alive(interval: Duration) -> Open {
    Box::new(move || {
        let keep_alive = KeepAlive::new().interval(interval);
        spawn(body(Sse::new(quiet_events()).keep_alive(keep_alive)));
    })
}
