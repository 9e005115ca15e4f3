use std::time::Duration;

use async_io::Timer;
use futures_util::Stream;
use heartbeat_async_std::{HeartbeatStreamExt, Hub};

use super::by_hand::by_hand;
use super::count_items::count_items;
use super::{Entry, Open, quiet};

pub(super) const LINES: [Entry; 4] = [
    ("bare", "bare", bare),
    ("hub", "bare", hub),
    ("heartbeat", "bare", heartbeat),
    ("timer", "bare", timer),
];

fn spawn(stream: impl Stream + Send + 'static) {
    drop(async_std::task::spawn(count_items(stream)));
}

fn bare(_: Duration) -> Open {
    Box::new(|| spawn(quiet()))
}

fn hub(interval: Duration) -> Open {
    let (hub, task) = Hub::new();
    drop(async_std::task::spawn(task));
    Box::new(move || spawn(quiet().heartbeat_on(&hub, interval, || ())))
}

fn heartbeat(interval: Duration) -> Open {
    Box::new(move || spawn(quiet().heartbeat(interval, || ())))
}

fn timer(interval: Duration) -> Open {
    let with_timer = by_hand(interval, Timer::after);
    Box::new(move || spawn(with_timer(quiet())))
}
