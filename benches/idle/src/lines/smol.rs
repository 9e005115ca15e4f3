use std::sync::Arc;
use std::time::Duration;

use async_io::Timer;
use futures_util::{Stream, StreamExt as _};
use heartbeat_smol::{HeartbeatStreamExt, Hub};

use super::by_hand::by_hand;
use super::count_items::count_items;
use super::floor::{SLOTS, WakeSlots, WokenStream};
use super::{Entry, Open, quiet};

pub(super) const LINES: [Entry; 5] = [
    ("bare", "bare", bare),
    ("floor", "bare", floor),
    ("hub", "bare", hub),
    ("heartbeat", "bare", heartbeat),
    ("timer", "bare", timer),
];

fn spawn(stream: impl Stream + Send + 'static) {
    smol::spawn(count_items(stream)).detach();
}

fn bare(_: Duration) -> Open {
    Box::new(|| spawn(quiet()))
}

fn floor(interval: Duration) -> Open {
    let wake_slots = WakeSlots::new();
    let slots_to_wake = Arc::clone(&wake_slots);
    smol::spawn(async move {
        let mut slots = Timer::interval(interval / SLOTS);
        while slots.next().await.is_some() {
            slots_to_wake.wake_next();
        }
    })
    .detach();
    Box::new(move || spawn(WokenStream::new(&wake_slots)))
}

fn hub(interval: Duration) -> Open {
    let (hub, task) = Hub::new();
    smol::spawn(task).detach();
    Box::new(move || spawn(quiet().heartbeat_on(&hub, interval, || ())))
}

fn heartbeat(interval: Duration) -> Open {
    Box::new(move || spawn(quiet().heartbeat(interval, || ())))
}

fn timer(interval: Duration) -> Open {
    let with_timer = by_hand(interval, Timer::after);
    Box::new(move || spawn(with_timer(quiet())))
}
