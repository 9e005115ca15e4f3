//! A program without std: it links and runs a `Heartbeat`, a `HeartbeatSet`, and a stream and a sink on
//! their own clock. Exits with 0 if each of them sends its heartbeat.

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
use heartbeat_core::{Action, Config, Heartbeat, HeartbeatSet};

#[link(name = "c")]
unsafe extern "C" {
    fn aligned_alloc(alignment: usize, size: usize) -> *mut u8;
    fn free(allocated: *mut u8);
}

/// The allocator of the C library. The push side and `HeartbeatSet` allocate.
struct C;

// SAFETY: `aligned_alloc` returns memory of this size and alignment, or null; `free` frees it.
unsafe impl GlobalAlloc for C {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let layout = layout.pad_to_align(); // C requires a multiple of the alignment
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

/// The prebuilt `core` refers to it. With `panic = "abort"` it is never called.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

const INTERVAL: Duration = Duration::from_secs(15);

struct ManualClock<'a>(&'a Cell<Duration>);
struct ClockSleep<'a>(&'a Cell<Duration>, Duration);

impl<'a> Timer for ManualClock<'a> {
    type Instant = Duration;
    type Sleep = ClockSleep<'a>;

    fn now(&self) -> Duration {
        self.0.get()
    }

    fn sleep_until(&self, deadline: Duration) -> ClockSleep<'a> {
        ClockSleep(self.0, deadline)
    }
}

impl Future for ClockSleep<'_> {
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

fn a_heartbeat_is_due() -> bool {
    let mut heartbeat = Heartbeat::new(&Config::every(INTERVAL), Duration::ZERO);
    heartbeat.poll_deadline(INTERVAL) == Action::SendHeartbeat { late: Duration::ZERO }
}

fn a_member_of_a_set_is_due() -> bool {
    let mut set = HeartbeatSet::new(Duration::ZERO);
    let Ok(key) = set.insert(&Config::every(INTERVAL), Duration::ZERO, 7) else { return false };
    let first = set.poll_deadline(key, Duration::ZERO);
    let due = set.pop_due(INTERVAL) == Some(key);
    let action = set.poll_deadline(key, INTERVAL);
    first == Some(Action::WaitUntil(INTERVAL))
        && due
        && matches!(action, Some(Action::SendHeartbeat { .. }))
        && set.remove(key) == Some(7)
}

fn a_stream_yields_a_heartbeat() -> bool {
    let clock = Cell::new(Duration::ZERO);
    let mut stream = pin!(HeartbeatStream::new(Quiet, ManualClock(&clock), INTERVAL, || 7));
    let mut cx = Context::from_waker(Waker::noop());
    let before = stream.as_mut().poll_next(&mut cx);
    clock.set(INTERVAL);
    before.is_pending() && stream.poll_next(&mut cx) == Poll::Ready(Some(7))
}

/// A sink that adds up its items.
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

fn a_driver_sends_a_heartbeat() -> bool {
    let (clock, sum) = (Cell::new(Duration::ZERO), Cell::new(0));
    let (sender, driver) = heartbeat_sink(Sum(&sum), ManualClock(&clock), INTERVAL, || 7);
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
    let all = a_heartbeat_is_due()
        && a_member_of_a_set_is_due()
        && a_stream_yields_a_heartbeat()
        && a_driver_sends_a_heartbeat();
    i32::from(!all)
}
