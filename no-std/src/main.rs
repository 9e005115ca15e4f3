//! A program without std that beats: first the bare machine, then a fleet of them, then a stream and a sink on a clock of
//! their own. Exits with 0 if each answered as it should.

#![no_std]
#![no_main]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use futures_core::Stream;
use futures_sink::Sink;
use heartbeat_async::{HeartbeatStream, Timer, heartbeat_sink};
use heartbeat_core::{Action, Config, Fleet, Heartbeat};

#[link(name = "c")]
unsafe extern "C" {
    fn aligned_alloc(alignment: usize, size: usize) -> *mut u8;
    fn free(allocated: *mut u8);
}

/// The glue allocates for its push side, and so does a fleet; the memory is the C library's.
struct C;

// SAFETY: `aligned_alloc` gives memory of that size and alignment, or null, and `free` takes it back.
unsafe impl GlobalAlloc for C {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let layout = layout.pad_to_align(); // C asks for a multiple of the alignment
        unsafe { aligned_alloc(layout.align(), layout.size()) }
    }

    unsafe fn dealloc(&self, allocated: *mut u8, _: Layout) {
        unsafe { free(allocated) }
    }
}

#[global_allocator]
static ALLOCATOR: C = C;

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

fn the_fleet_beats() -> bool {
    let mut fleet = Fleet::new(Duration::ZERO);
    let Ok(key) = fleet.insert(&Config::every(INTERVAL), Duration::ZERO, 7) else { return false };
    let first = fleet.poll_deadline(key, Duration::ZERO);
    let due = fleet.take_due(INTERVAL) == Some(key);
    let action = fleet.poll_deadline(key, INTERVAL);
    first == Some(Action::WaitUntil(INTERVAL))
        && due
        && matches!(action, Some(Action::SendHeartbeat { .. }))
        && fleet.remove(key) == Some(7)
}

fn the_stream_beats() -> bool {
    let clock = Cell::new(Duration::ZERO);
    let mut stream = pin!(HeartbeatStream::new(Quiet, Ticks(&clock), INTERVAL, || 7));
    let mut cx = Context::from_waker(Waker::noop());
    let before = stream.as_mut().poll_next(&mut cx);
    clock.set(INTERVAL);
    before.is_pending() && stream.poll_next(&mut cx) == Poll::Ready(Some(7))
}

/// Adds up what it is sent.
struct Sum<'a>(&'a Cell<u8>);

impl Sink<u8> for Sum<'_> {
    type Error = core::convert::Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, item: u8) -> Result<(), Self::Error> {
        self.0.set(self.0.get() + item);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}

fn the_sink_beats() -> bool {
    let (clock, sum) = (Cell::new(Duration::ZERO), Cell::new(0));
    let (sender, driver) = heartbeat_sink(Sum(&sum), Ticks(&clock), INTERVAL, || 7);
    let mut driver = pin!(driver);
    let mut cx = Context::from_waker(Waker::noop());
    let before = driver.as_mut().poll(&mut cx);
    clock.set(INTERVAL);
    let after = driver.as_mut().poll(&mut cx);
    let sent = pin!(sender.send(1)).poll(&mut cx);
    before.is_pending() && after.is_pending() && sent.is_ready() && sum.get() == 8
}

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let all = the_machine_beats() && the_fleet_beats() && the_stream_beats() && the_sink_beats();
    i32::from(!all)
}
