//! Subjects of the benches in the steady state of a long stream: the sleep is set, and an item was sent.

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

/// The interval of all subjects. No silence in a bench lasts as long.
pub const INTERVAL: Duration = Duration::from_secs(15);

/// The state machine of one stream.
pub type StreamHeartbeat = Heartbeat<Instant>;

/// Returns a state machine, and an instant at which its heartbeat is not due.
pub fn heartbeat() -> (Box<StreamHeartbeat>, Instant) {
    let start = Instant::now();
    let mut heartbeat = Heartbeat::new(&Config::every(INTERVAL), start);
    let now = start + Duration::from_secs(1);
    let _ = heartbeat.poll_deadline(now);
    (Box::new(heartbeat), now + Duration::from_secs(1))
}

/// A set with members, and an instant at which some of them are due.
pub struct Members {
    /// The set.
    pub set: HeartbeatSet<Instant, [u64; 2]>,
    /// A member that is not due.
    pub key: Key,
    /// An instant at which some other members are due.
    pub now: Instant,
}

/// Returns a set of a thousand members that were inserted over one interval. Half of them have sent a heartbeat
/// since.
pub fn members() -> Box<Members> {
    const SIZE: u32 = 1000;
    let start = Instant::now();
    let mut set = HeartbeatSet::new(start);
    let mut keys = Vec::new();
    for n in 0..SIZE {
        let opened = start + INTERVAL * n / SIZE;
        let key = set.insert(&Config::every(INTERVAL), opened, [0; 2]).expect("room for a member");
        let _ = set.poll_deadline(key, opened);
        keys.push(key);
    }
    let now = start + INTERVAL + INTERVAL / 2;
    for _ in 0..SIZE / 2 {
        let key = set.pop_due(now).expect("half of them are due");
        if let Some(Action::SendHeartbeat { .. }) = set.poll_deadline(key, now) {
            set.on_heartbeat_sent(key, now);
        }
    }
    let key = keys[SIZE as usize * 3 / 4];
    Box::new(Members { set, key, now: now + INTERVAL / 8 })
}

/// Like [`members`], with the key of a member that [`HeartbeatSet::pop_due`] has returned.
pub fn members_with_due_key() -> Box<Members> {
    let mut members = members();
    members.key = members.set.pop_due(members.now).expect("some are due");
    members
}

/// A stream or body that is pending once, so that its wrapper sets its sleep, and then always ready with `item`.
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

/// A stream without heartbeats.
pub fn numbers() -> Pin<Box<Always<u32>>> {
    steady(Always::new(7))
}

/// Like [`numbers`], with heartbeats.
pub fn numbers_with_heartbeats() -> Pin<Box<impl Stream<Item = u32>>> {
    in_tokio(|| steady(Always::new(7).heartbeat(INTERVAL, || 0)))
}

/// A body without heartbeats whose frames are all `frame`.
pub fn bare(frame: Bytes) -> Pin<Box<Always<Bytes>>> {
    steady_body(Always::new(frame))
}

/// A body without heartbeats, with an SSE event in each frame.
pub fn events() -> Pin<Box<Always<Bytes>>> {
    bare(EVENT)
}

/// Like [`events`], with heartbeats.
pub fn events_with_heartbeats() -> Pin<Box<impl Body<Data = Bytes>>> {
    with_heartbeats(EVENT, BodyFraming::sse(&SseHeartbeat::default()))
}

/// A body with heartbeats, and a gRPC message in each frame.
pub fn messages_with_heartbeats() -> Pin<Box<impl Body<Data = Bytes>>> {
    with_heartbeats(MESSAGE, BodyFraming::grpc(&HeartbeatMessage::gateway_event()))
}

/// An SSE event of 48 bytes.
pub const EVENT: Bytes = Bytes::from_static(b"data: 0123456789012345678901234567890123456789\n\n");

/// A gRPC message of 45 bytes, envelope included.
pub const MESSAGE: Bytes =
    Bytes::from_static(b"\0\0\0\0\x280123456789012345678901234567890123456789");

/// A body with heartbeats whose frames are all `frame`.
pub fn with_heartbeats(frame: Bytes, framing: BodyFraming) -> Pin<Box<impl Body<Data = Bytes>>> {
    in_tokio(|| steady_body(HeartbeatBody::new(Always::new(frame), TokioTimer, INTERVAL, framing)))
}

/// Polls the stream until its sleep is set, and once more.
fn steady<S: Stream>(stream: S) -> Pin<Box<S>> {
    let mut stream = Box::pin(stream);
    for _ in 0..2 {
        let _ = stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop()));
    }
    stream
}

/// Polls the body until its sleep is set, and once more.
pub fn steady_body<B: Body>(body: B) -> Pin<Box<B>> {
    let mut body = Box::pin(body);
    for _ in 0..2 {
        let _ = body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()));
    }
    body
}

/// Calls `make` within a tokio runtime that lives as long as the process.
fn in_tokio<T>(make: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = Box::leak(Box::new(runtime.expect("a runtime")));
    let _entered = runtime.enter();
    make()
}
