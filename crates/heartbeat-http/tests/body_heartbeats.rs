//! `HeartbeatBody`: which heartbeat follows which bytes. In virtual time.

mod support;

use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{Config, Counters, Observed};
use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};
use heartbeat_http::{BodyFraming, HeartbeatBody};
use http_body::Body;
use support::FrameSource;
use tokio_test::task::{Spawn, spawn};

const INTERVAL: Duration = Duration::from_secs(10);

struct Stream {
    time: VirtualTime,
    source: FrameSource,
    counters: &'static Counters,
    body: Spawn<HeartbeatBody<FrameSource, VirtualTime, Observed<&'static Counters>>>,
}

impl Stream {
    fn new(config: Config, framing: BodyFraming) -> Self {
        let (time, source) = (VirtualTime::new(), FrameSource::new());
        let counters = Box::leak(Box::new(Counters::new()));
        let body = HeartbeatBody::new(source.clone(), time.clone(), config, framing);
        Self { time, source, counters, body: spawn(body.with_observer(counters)) }
    }

    fn poll(&mut self) -> Option<Bytes> {
        match self.body.enter(|cx, body| body.poll_frame(cx)) {
            Poll::Pending => None,
            Poll::Ready(frame) => {
                let frame = frame.expect("no end").expect("no error");
                Some(frame.into_data().expect("data"))
            }
        }
    }

    fn passes(&mut self, piece: &'static str) {
        self.source.push(piece);
        assert_eq!(self.poll().expect("forwarded"), piece);
        assert_eq!(self.poll(), None);
    }

    /// The heartbeat after an interval.
    fn heartbeat(&mut self) -> Option<Bytes> {
        self.time.advance(INTERVAL);
        let heartbeat = self.poll();
        assert_eq!(self.poll(), None);
        heartbeat
    }
}

/// Two heartbeats after these pieces.
fn heartbeats(framing: BodyFraming, pieces: &[&'static str]) -> [Option<Bytes>; 2] {
    let mut stream = Stream::new(Config::every(INTERVAL), framing);
    for piece in pieces {
        stream.passes(piece);
    }
    [stream.heartbeat(), stream.heartbeat()]
}

#[test]
fn white_space_of_the_application_is_followed_by_heartbeats() {
    for form in [NdjsonHeartbeat::BlankLine, NdjsonHeartbeat::Space] {
        for pieces in [&[" "][..], &["{\"n\":1}\n", " "], &["{\"n\":1}\n\t"], &["\r\n\t "]] {
            let after = heartbeats(BodyFraming::ndjson(form), pieces);
            assert_eq!(after, [Some(" ".into()), Some(" ".into())], "{pieces:?}");
        }
        // A line feed may follow that belongs to the CR.
        let after_cr = heartbeats(BodyFraming::ndjson(form), &["{\"n\":1}\r\n", "\r"]);
        assert_eq!(after_cr, [None, None]);
    }
}

#[test]
fn t12_giving_up_is_reported_after_white_space() {
    let config = Config::every(INTERVAL).with_give_up_after(Duration::from_secs(25));
    let mut stream = Stream::new(config, BodyFraming::ndjson(NdjsonHeartbeat::BlankLine));
    stream.passes(" ");
    for _ in 0..5 {
        stream.heartbeat();
    }
    let counts = stream.counters.snapshot();
    assert_eq!((counts.sent, counts.gave_up), (2, 1));
}

#[test]
fn a_comment_has_the_line_end_of_the_stream() {
    let comment = || BodyFraming::sse(&SseHeartbeat::default());
    for (pieces, expected) in [
        (&[][..], ":\n"),
        (&["data: x\r\n"], ":\r\n"),
        (&["data: x\r", "\n"], ":\r\n"),
        (&["data: x\r\n\r\n"], ":\r\n"),
        (&["data: x\r\n\r", "\n"], ":\r\n"),
        (&["data: x\r\n\r\n", "data: y\n\n"], ":\n"),
        (&[":\r\n"], ":\r\n"),
        (&["data: x\n"], ":\n"),
    ] {
        let after = heartbeats(comment(), pieces);
        assert_eq!(after, [Some(expected.into()), Some(expected.into())], "{pieces:?}");
    }
}

#[test]
fn blocks_and_events_have_the_line_end_of_the_stream() {
    let block = SseHeartbeat::comment_block("a").expect("one line");
    let event = SseHeartbeat::event("ping", "1").expect("one line each");
    for (heartbeat, expected) in [(block, ":a\r\n\r\n"), (event, "event: ping\r\ndata: 1\r\n\r\n")]
    {
        let after = heartbeats(BodyFraming::sse(&heartbeat), &["data: x\r\n\r\n"]);
        assert_eq!(after, [Some(expected.into()), Some(expected.into())]);
    }
}

#[test]
fn blocks_and_events_may_follow_a_retry_line() {
    let block = SseHeartbeat::comment_block("").expect("one line");
    let framing = || BodyFraming::sse(&block);
    for pieces in [&["retry: 3000\n"][..], &["ret", "ry", ":3000", "\n"], &["retry\n"]] {
        assert_eq!(heartbeats(framing(), pieces)[0], Some(":\n\n".into()), "{pieces:?}");
    }
    for pieces in [
        &["id: 1\n"][..],
        &["event: a\n"],
        &["data: x\nretry: 3000\n"],
        &["retry: 3000\nid: 1\n"],
        &["retrying: 3000\n"],
        &["ret\n"],
    ] {
        assert_eq!(heartbeats(framing(), pieces), [None, None], "{pieces:?}");
    }
}

#[test]
fn t12_an_empty_message_of_the_application_counts_as_an_event() {
    let empty_json = HeartbeatMessage::from_payload("{}").expect("short");
    for (framing, message) in [
        (BodyFraming::grpc(&HeartbeatMessage::empty()), "\0\0\0\0\0"),
        (BodyFraming::grpc_web(&HeartbeatMessage::empty()), "\0\0\0\0\0"),
        (BodyFraming::grpc_web_text(&HeartbeatMessage::empty()), "AAAAAAA="),
        (BodyFraming::connect(&empty_json), "\0\0\0\0\x02{}"),
    ] {
        let config = Config::every(INTERVAL).with_give_up_after(Duration::from_secs(25));
        let mut stream = Stream::new(config, framing);
        for _ in 0..5 {
            assert_eq!(stream.heartbeat(), Some(message.into()));
            stream.time.advance(Duration::from_secs(9));
            stream.passes(message);
        }
        assert_eq!(stream.counters.snapshot().gave_up, 0);
    }
}
