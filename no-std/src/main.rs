//! A program without std that beats: first the bare machine, then a stream on a clock of its own.
//! Exits with 0 if each answered as it should.

#![no_std]
#![no_main]

use core::cell::Cell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use futures_core::Stream;
use heartbeat_async::{HeartbeatStream, Timer};
use heartbeat_core::{Action, Config, Heartbeat};

#[link(name = "c")]
unsafe extern "C" {}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The prebuilt core refers to it; with `panic = "abort"` nobody calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

const INTERVAL: Duration = Duration::from_secs(15);

struct Ticks<'a>(&'a Cell<Duration>);
struct Alarm<'a>(&'a Cell<Duration>, Duration);

impl<'a> Timer for Ticks<'a> {
    type Instant = Duration;
    type Sleep = Alarm<'a>;

    fn now(&self) -> Duration {
        self.0.get()
    }

    fn sleep_until(&self, deadline: Duration) -> Alarm<'a> {
        Alarm(self.0, deadline)
    }
}

impl Future for Alarm<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0.get() >= self.1 { Poll::Ready(()) } else { Poll::Pending }
    }
}

struct Quiet;

impl Stream for Quiet {
    type Item = u8;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
        Poll::Pending
    }
}

fn the_machine_beats() -> bool {
    let mut heart = Heartbeat::new(&Config::every(INTERVAL), Duration::ZERO);
    heart.poll_deadline(INTERVAL) == Action::SendHeartbeat { late: Duration::ZERO }
}

fn the_stream_beats() -> bool {
    let clock = Cell::new(Duration::ZERO);
    let mut stream = pin!(HeartbeatStream::new(Quiet, Ticks(&clock), INTERVAL, || 7));
    let mut cx = Context::from_waker(Waker::noop());
    let before = stream.as_mut().poll_next(&mut cx);
    clock.set(INTERVAL);
    before.is_pending() && stream.poll_next(&mut cx) == Poll::Ready(Some(7))
}

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    i32::from(!(the_machine_beats() && the_stream_beats()))
}
