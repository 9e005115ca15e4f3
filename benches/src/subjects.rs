//! What is counted, as it is in the midst of a long stream: the alarm is set, and something was sent.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_core::Stream;
use heartbeat_core::{Action, Config, Heartbeat, HeartbeatSet, Key};
use heartbeat_tokio::{
    BodyFraming, HeartbeatBody, HeartbeatMessage, HeartbeatStreamExt as _, SseHeartbeat, TokioTimer,
};
use http_body::{Body, Frame};

/// Nothing is ever silent for that long.
pub const INTERVAL: Duration = Duration::from_secs(15);

/// The machine of one stream.
pub type Machine = Heartbeat<Instant>;

/// A machine, and a time at which it has nothing to ask for.
pub fn machine() -> (Box<Machine>, Instant) {
    let born = Instant::now();
    let mut heart = Heartbeat::new(&Config::every(INTERVAL), born);
    let now = born + Duration::from_secs(1);
    let _ = heart.poll_deadline(now);
    (Box::new(heart), now + Duration::from_secs(1))
}

/// A set in the midst of an interval, one of its members, and a time at which some have come up.
pub struct Members {
    /// The set.
    pub set: HeartbeatSet<Instant, [u64; 2]>,
    /// One of its members, which is not due.
    pub key: Key,
    /// When some others are.
    pub now: Instant,
}

/// A thousand members that were opened one after the other within an interval, and have beaten since.
pub fn members() -> Box<Members> {
    const SIZE: u32 = 1000;
    let born = Instant::now();
    let mut set = HeartbeatSet::new(born);
    let mut keys = Vec::new();
    for n in 0..SIZE {
        let opened = born + INTERVAL * n / SIZE;
        let key = set.insert(&Config::every(INTERVAL), opened, [0; 2]).expect("there is room");
        let _ = set.poll_deadline(key, opened);
        keys.push(key);
    }
    let now = born + INTERVAL + INTERVAL / 2;
    for _ in 0..SIZE / 2 {
        let key = set.pop_due(now).expect("half of them are due");
        if let Some(Action::SendHeartbeat { .. }) = set.poll_deadline(key, now) {
            set.on_heartbeat_sent(key, now);
        }
    }
    let key = keys[SIZE as usize * 3 / 4];
    Box::new(Members { set, key, now: now + INTERVAL / 8 })
}

/// The same once one of those that have come up was taken: that one.
pub fn taken() -> Box<Members> {
    let mut members = members();
    members.key = members.set.pop_due(members.now).expect("some are due");
    members
}

/// Pends once, at which a wrapper sets its alarm, and has the same item ever after.
#[derive(Debug)]
pub struct Always<T> {
    item: T,
    pended: bool,
}

impl<T: Clone> Always<T> {
    fn new(item: T) -> Self {
        Self { item, pended: false }
    }

    #[inline]
    fn next(&mut self) -> Poll<T> {
        if mem::replace(&mut self.pended, true) {
            Poll::Ready(self.item.clone())
        } else {
            Poll::Pending
        }
    }
}

impl<T: Clone + Unpin> Stream for Always<T> {
    type Item = T;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        self.next().map(Some)
    }
}

impl Body for Always<Bytes> {
    type Data = Bytes;
    type Error = Infallible;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.next().map(|data| Some(Ok(Frame::data(data))))
    }
}

/// The bare stream.
pub fn numbers() -> Pin<Box<Always<u32>>> {
    steady(Always::new(7))
}

/// The same with heartbeats.
pub fn numbers_kept_alive() -> Pin<Box<impl Stream<Item = u32>>> {
    in_tokio(|| steady(Always::new(7).heartbeat(INTERVAL, || 0)))
}

/// A bare body that has the same frame ever after.
pub fn bare(frame: Bytes) -> Pin<Box<Always<Bytes>>> {
    steady_body(Always::new(frame))
}

/// A bare body: an event of SSE in each frame.
pub fn events() -> Pin<Box<Always<Bytes>>> {
    bare(EVENT)
}

/// The same with heartbeats.
pub fn events_kept_alive() -> Pin<Box<impl Body<Data = Bytes>>> {
    kept_alive(EVENT, BodyFraming::sse(&SseHeartbeat::default()))
}

/// A message of gRPC in each frame, with heartbeats.
pub fn messages_kept_alive() -> Pin<Box<impl Body<Data = Bytes>>> {
    kept_alive(MESSAGE, BodyFraming::grpc(&HeartbeatMessage::gateway_event()))
}

/// An event of SSE, of 48 bytes.
pub const EVENT: Bytes = Bytes::from_static(b"data: 0123456789012345678901234567890123456789\n\n");
/// A message of gRPC, of 45 bytes in its envelope.
pub const MESSAGE: Bytes =
    Bytes::from_static(b"\0\0\0\0\x280123456789012345678901234567890123456789");

/// A body that has the same frame ever after, with heartbeats.
pub fn kept_alive(frame: Bytes, framing: BodyFraming) -> Pin<Box<impl Body<Data = Bytes>>> {
    in_tokio(|| steady_body(HeartbeatBody::new(Always::new(frame), TokioTimer, INTERVAL, framing)))
}

/// Polled until the alarm is set, and once more.
fn steady<S: Stream>(stream: S) -> Pin<Box<S>> {
    let mut stream = Box::pin(stream);
    for _ in 0..2 {
        let _ = stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop()));
    }
    stream
}

/// Polled until the alarm is set, and once more.
pub fn steady_body<B: Body>(body: B) -> Pin<Box<B>> {
    let mut body = Box::pin(body);
    for _ in 0..2 {
        let _ = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()));
    }
    body
}

/// Runs it where tokio's timers work, and lets them work for as long as the process lives.
fn in_tokio<T>(make: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = Box::leak(Box::new(runtime.expect("a runtime without I/O is always to be had")));
    let _entered = runtime.enter();
    make()
}
