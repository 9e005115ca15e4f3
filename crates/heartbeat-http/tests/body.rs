//! `HeartbeatBody`, polled manually in virtual time.

mod support;

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_async::{Config, Counters, NoObserver, Telemetry};
use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};
use heartbeat_http::{BodyFraming, HeartbeatBody, ResponseBody};
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Empty;
use static_assertions::{assert_impl_all, assert_not_impl_any};
use support::FrameSource;
use tokio_test::task::{Spawn, spawn};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A body that the test polls, its clock and its source.
struct TestBody<O: Telemetry = NoObserver> {
    time: VirtualTime,
    source: FrameSource,
    body: Spawn<HeartbeatBody<FrameSource, VirtualTime, O>>,
}

/// The result of a poll.
#[derive(Debug, PartialEq)]
enum PollResult {
    Data(Bytes),
    Trailers(HeaderMap),
    Error(&'static str),
    End,
    Pending,
}

fn data(data: &(impl AsRef<[u8]> + ?Sized)) -> PollResult {
    PollResult::Data(Bytes::copy_from_slice(data.as_ref()))
}

/// A body with an interval of 10 s, created at 0 s.
fn with_interval_10s(framing: BodyFraming) -> TestBody {
    with_config(Config::every(secs(10)), framing)
}

fn with_config(config: Config, framing: BodyFraming) -> TestBody {
    let (time, source) = (VirtualTime::new(), FrameSource::new());
    let body = HeartbeatBody::new(source.clone(), time.clone(), config, framing);
    TestBody { time, source, body: spawn(body) }
}

fn sse() -> BodyFraming {
    BodyFraming::sse(&SseHeartbeat::default())
}

fn grpc() -> BodyFraming {
    BodyFraming::grpc(&HeartbeatMessage::empty())
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([("grpc-status".parse().expect("a name"), HeaderValue::from_static("0"))])
}

impl<O: Telemetry> TestBody<O> {
    fn poll(&mut self) -> PollResult {
        match self.body.enter(|cx, body| body.poll_frame(cx)) {
            Poll::Pending => PollResult::Pending,
            Poll::Ready(None) => PollResult::End,
            Poll::Ready(Some(Err(error))) => PollResult::Error(error),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => PollResult::Data(data),
                Err(frame) => PollResult::Trailers(frame.into_trailers().expect("trailers")),
            },
        }
    }

    /// Pushes each piece and expects it unchanged.
    fn expect_pass_through(&mut self, pieces: &[&'static [u8]]) {
        for piece in pieces {
            self.source.push(*piece);
            assert_eq!(self.poll(), data(piece));
            assert_eq!(self.poll(), PollResult::Pending);
        }
    }

    /// Expects no frame for ten intervals.
    fn expect_no_heartbeats(&mut self) {
        for _ in 0..100 {
            self.time.advance(secs(1));
            assert_eq!(self.poll(), PollResult::Pending);
        }
    }

    /// Expects a heartbeat after one interval, and not earlier.
    fn expect_heartbeat(&mut self, heartbeat: &'static [u8]) {
        self.time.advance(secs(10).saturating_sub(Duration::from_nanos(1)));
        assert_eq!(self.poll(), PollResult::Pending);
        self.time.advance(Duration::from_nanos(1));
        assert!(self.body.is_woken());
        assert_eq!(self.poll(), data(heartbeat));
        assert_eq!(self.poll(), PollResult::Pending);
    }
}

#[test]
fn t3_heartbeats_fill_silences_and_frames_pass() {
    let mut body = with_interval_10s(sse());
    assert_eq!(body.poll(), PollResult::Pending);
    body.expect_heartbeat(b":\n");
    body.expect_pass_through(&[b"data: 1\n\n"]);
    body.expect_heartbeat(b":\n");
    body.expect_heartbeat(b":\n");
    body.source.push("data: 2\n\n");
    assert_eq!(body.poll(), data("data: 2\n\n"));
    body.source.end();
    assert_eq!(body.poll(), PollResult::End);
}

#[test]
fn t17_a_ready_frame_precedes_a_due_heartbeat() {
    let mut body = with_interval_10s(sse());
    assert_eq!(body.poll(), PollResult::Pending);
    body.time.advance(secs(10));
    body.expect_pass_through(&[b"data: 1\n\n"]);
    body.expect_heartbeat(b":\n");
}

#[test]
fn t17_a_consumer_that_polls_late_gets_one_heartbeat_not_four() {
    let mut body = with_interval_10s(sse());
    assert_eq!(body.poll(), PollResult::Pending);
    body.time.advance(secs(45));
    assert_eq!(body.poll(), data(":\n"));
    assert_eq!(body.poll(), PollResult::Pending);
    body.expect_heartbeat(b":\n");
}

#[test]
fn a_frame_is_not_copied() {
    let mut body = with_interval_10s(sse());
    let bytes = Bytes::from(b"data: 1\n\n".to_vec());
    body.source.push(bytes.clone());
    let PollResult::Data(passed) = body.poll() else { panic!("no data") };
    assert_eq!(passed.as_ptr(), bytes.as_ptr());
    assert_eq!(passed, bytes);
}

#[test]
fn no_heartbeat_is_inserted_inside_a_message() {
    let mut body = with_interval_10s(grpc());
    body.expect_pass_through(&[b"\0\0\0"]); // a part of the header
    body.expect_no_heartbeats();
    body.expect_pass_through(&[b"\0\x05he"]);
    body.expect_no_heartbeats();
    body.expect_pass_through(&[b"llo"]);
    body.expect_heartbeat(b"\0\0\0\0\0");
    body.expect_pass_through(&[b"\0\0\0\0\x01a\0\0\0\0\x01"]); // a message and a part of the next one
    body.expect_no_heartbeats();
    body.expect_pass_through(&[b"b"]);
    body.expect_heartbeat(b"\0\0\0\0\0");
}

#[test]
fn each_framing_has_its_boundaries_and_its_heartbeat() {
    let comment = SseHeartbeat::comment_block("b").expect("no line break");
    let empty = HeartbeatMessage::empty();
    for (framing, piece, rest, heartbeat) in [
        (sse(), &b"data: 1"[..], &b"\n"[..], &b":\n"[..]),
        (BodyFraming::sse(&comment), b"data: 1\n", b"\n", b":b\n\n"),
        (BodyFraming::ndjson(NdjsonHeartbeat::BlankLine), b"{\"n\":", b"1}\n", b"\n"),
        (BodyFraming::ndjson(NdjsonHeartbeat::Space), b"{\"n\":", b"1}\n", b" "),
        (BodyFraming::grpc_web(&empty), b"\0\0\0\0\x02h", b"i", b"\0\0\0\0\0"),
        (BodyFraming::grpc_web_text(&empty), b"AAAAAAJoa", b"Q==", b"AAAAAAA="),
        (BodyFraming::connect(&empty), b"\0\0\0\0\x02{", b"}", b"\0\0\0\0\0"),
    ] {
        let mut body = with_interval_10s(framing);
        assert_eq!(body.poll(), PollResult::Pending);
        body.expect_heartbeat(heartbeat);
        body.expect_pass_through(&[piece]);
        body.expect_no_heartbeats();
        body.expect_pass_through(&[rest]);
        body.expect_heartbeat(heartbeat);
    }
}

#[test]
fn no_heartbeat_follows_the_trailers() {
    let mut body = with_interval_10s(grpc());
    body.expect_pass_through(&[b"\0\0\0\0\x01a"]);
    body.source.push_frame(Ok(Frame::trailers(trailers())));
    assert_eq!(body.poll(), PollResult::Trailers(trailers()));
    assert_eq!(body.poll(), PollResult::Pending); // the body has not ended yet
    body.expect_no_heartbeats();
    body.source.end();
    assert_eq!(body.poll(), PollResult::End);
}

#[test]
fn a_heartbeat_may_precede_the_trailers() {
    let mut body = with_interval_10s(grpc());
    body.expect_pass_through(&[b"\0\0\0\0\x01a"]);
    body.expect_heartbeat(b"\0\0\0\0\0");
    body.source.push_frame(Ok(Frame::trailers(trailers())));
    body.source.end();
    assert_eq!(body.poll(), PollResult::Trailers(trailers()));
    assert_eq!(body.poll(), PollResult::End);
}

#[test]
fn no_heartbeat_follows_the_last_envelope() {
    let empty = HeartbeatMessage::empty();
    for (framing, last) in [
        (BodyFraming::connect(&empty), &b"\x02\0\0\0\x02{}"[..]),
        (BodyFraming::connect(&empty), b"\x03\0\0\0\x01x"), // compressed
        (BodyFraming::grpc_web(&empty), b"\x80\0\0\0\x02ab"),
        (BodyFraming::grpc_web_text(&empty), b"gAAAAAJhYg=="),
    ] {
        let mut body = with_interval_10s(framing);
        body.expect_pass_through(&[last]);
        body.expect_no_heartbeats();
        body.source.end();
        assert_eq!(body.poll(), PollResult::End);
    }
}

#[test]
fn invalid_framing_disables_heartbeats_permanently() {
    let mut body = with_interval_10s(grpc());
    body.expect_pass_through(&[b"<html>"]);
    body.expect_no_heartbeats();
    body.expect_pass_through(&[b"\0\0\0\0\x01a"]);
    body.expect_no_heartbeats();
}

#[test]
fn t17_no_heartbeat_follows_an_error() {
    let mut body = with_interval_10s(sse());
    body.expect_pass_through(&[b"data: 1\n\n"]);
    body.time.advance(secs(4));
    body.source.push_frame(Err("broken"));
    assert_eq!(body.poll(), PollResult::Error("broken"));
    assert_eq!(body.poll(), PollResult::Pending);
    body.expect_no_heartbeats();
}

#[test]
fn t17_the_inner_body_is_not_polled_after_its_end() {
    let mut body = with_interval_10s(sse());
    body.source.end();
    assert!(!body.body.is_end_stream());
    assert_eq!(body.poll(), PollResult::End);
    assert!(body.body.is_end_stream());
    let polls = body.source.polls();
    body.time.advance(secs(100));
    assert_eq!(body.poll(), PollResult::End);
    assert_eq!(body.source.polls(), polls);
    assert_eq!(body.time.next_deadline(), None);
}

#[test]
fn is_end_stream_is_that_of_the_inner_body() {
    let body = with_interval_10s(sse());
    assert!(!body.body.is_end_stream());
    body.source.set_end_stream();
    assert!(body.body.is_end_stream());
    let empty = HeartbeatBody::new(Empty::<Bytes>::new(), VirtualTime::new(), secs(10), sse());
    assert!(empty.is_end_stream());
}

#[test]
fn an_empty_frame_is_dropped_and_does_not_move_the_deadline() {
    let mut body = with_interval_10s(sse());
    assert_eq!(body.poll(), PollResult::Pending);
    body.time.advance(secs(6));
    body.source.push("");
    assert_eq!(body.poll(), PollResult::Pending);
    body.time.advance(secs(4));
    assert_eq!(body.poll(), data(":\n"));
}

#[test]
fn a_byte_order_mark_after_a_heartbeat_is_removed() {
    for (pieces, passed) in [
        (&["\u{feff}data: 1\n\n".as_bytes()][..], "data: 1\n\n"),
        (&[b"\xef", b"\xbb", b"\xbfdata: 1\n\n"], "data: 1\n\n"),
        (&["\u{feff}".as_bytes(), b"data: 1\n\n"], "data: 1\n\n"),
    ] {
        let mut body = with_interval_10s(sse());
        assert_eq!(body.poll(), PollResult::Pending);
        body.expect_heartbeat(b":\n");
        for piece in pieces {
            body.source.push(*piece);
        }
        assert_eq!(body.poll(), data(passed));
        assert_eq!(body.poll(), PollResult::Pending);
    }
    let mut body = with_interval_10s(sse());
    body.expect_pass_through(&["\u{feff}data: 1\n\n".as_bytes()]); // kept at the start of the stream
}

#[test]
fn t1_a_disabled_body_passes_everything_unchanged() {
    let mut body = with_config(Config::every(Duration::ZERO).with_immediate_first(true), grpc());
    body.source.set_hint(SizeHint::with_exact(7));
    assert_eq!(body.body.size_hint().exact(), Some(7));
    body.expect_pass_through(&[b"", b"any bytes", b""]);
    body.expect_no_heartbeats();
    assert_eq!(body.time.next_deadline(), None);
    body.source.push_frame(Ok(Frame::trailers(trailers())));
    assert_eq!(body.poll(), PollResult::Trailers(trailers()));
    body.source.push_frame(Err("broken"));
    assert_eq!(body.poll(), PollResult::Error("broken"));
    body.source.end();
    assert_eq!(body.poll(), PollResult::End);
    assert_eq!(body.body.size_hint().exact(), Some(0));
}

#[test]
fn t2_an_immediate_first_heartbeat_comes_with_the_first_poll() {
    let mut body = with_config(Config::every(secs(10)).with_immediate_first(true), sse());
    assert_eq!(body.poll(), data(":\n"));
    assert_eq!(body.poll(), PollResult::Pending);
    body.expect_heartbeat(b":\n");
}

#[test]
fn t9_a_stopped_body_passes_frames_without_heartbeats() {
    let mut body = with_interval_10s(sse());
    assert_eq!(body.poll(), PollResult::Pending);
    body.body.enter(|_, body| body.stop());
    body.body.enter(|_, body| body.stop());
    assert_eq!(body.time.next_deadline(), None);
    body.expect_no_heartbeats();
    body.expect_pass_through(&[b"data: 1\n\n"]);
    body.source.set_hint(SizeHint::with_exact(7));
    assert_eq!(body.body.size_hint().exact(), Some(7));
}

#[test]
fn t9_bytes_held_for_a_byte_order_mark_survive_stop() {
    let mut body = with_interval_10s(sse());
    assert_eq!(body.poll(), PollResult::Pending);
    body.expect_heartbeat(b":\n");
    body.source.push(&b"\xef"[..]);
    assert_eq!(body.poll(), PollResult::Pending); // it may be the first byte of a byte order mark
    body.body.enter(|_, body| body.stop());
    body.source.push(&b"\xbc\xa1: none\n\n"[..]);
    assert_eq!(body.poll(), data("\u{ff21}: none\n\n"));
    body.expect_no_heartbeats();
}

#[test]
fn the_size_hint_allows_for_a_removed_byte_order_mark() {
    let body = with_interval_10s(sse());
    body.source.set_hint(SizeHint::with_exact(7));
    let hint = body.body.size_hint();
    assert_eq!((hint.lower(), hint.upper()), (4, None));
}

#[test]
fn the_size_hint_is_exact_once_no_heartbeat_can_follow() {
    let mut body = with_interval_10s(grpc());
    body.source.set_hint(SizeHint::with_exact(7));
    let hint = body.body.size_hint();
    assert_eq!((hint.lower(), hint.upper()), (7, None));
    body.source.push_frame(Ok(Frame::trailers(trailers())));
    assert_eq!(body.poll(), PollResult::Trailers(trailers()));
    body.source.set_hint(SizeHint::with_exact(0));
    assert_eq!(body.body.size_hint().exact(), Some(0));
}

#[test]
fn t12_t21_heartbeats_of_the_inner_body_do_not_delay_giving_up() {
    let config = Config::every(secs(10)).with_give_up_after(secs(25));
    let mut body = with_config(config, sse());
    body.expect_pass_through(&[b"data: 1\n\n"]);
    for _ in 0..5 {
        body.time.advance(secs(5));
        body.expect_pass_through(&[b":\n\n"]); // a heartbeat of axum
    }
    body.expect_no_heartbeats();
    body.expect_pass_through(&[b"data: 2\n\n"]);
    body.expect_heartbeat(b":\n");
}

#[test]
fn t16_t19_the_observer_counts_sent_and_dropped_heartbeats() {
    let counters = Counters::new();
    let (time, source) = (VirtualTime::new(), FrameSource::new());
    let body = HeartbeatBody::new(source.clone(), time.clone(), secs(10), grpc());
    let mut body = TestBody { time, source, body: spawn(body.with_observer(&counters)) };
    assert_eq!(body.poll(), PollResult::Pending);
    body.expect_heartbeat(b"\0\0\0\0\0");
    body.time.advance(secs(12));
    assert_eq!(body.poll(), data(b"\0\0\0\0\0"));
    assert_eq!((counters.snapshot().sent, counters.snapshot().bytes), (1, 5));
    assert_eq!(counters.snapshot().live, 1);
    drop(body); // while a heartbeat is in flight
    let counts = counters.snapshot();
    assert_eq!((counts.sent, counts.errors, counts.live), (1, 1, 0));
    assert_eq!(counts.longest_idle, secs(10)); // a heartbeat in flight does not end the silence
}

#[test]
fn the_inner_body_is_accessible() {
    let source = FrameSource::new();
    let mut body = HeartbeatBody::new(source.clone(), VirtualTime::new(), secs(10), sse());
    assert_eq!(body.get_ref().polls(), 0);
    body.get_mut().push("data: 1\n\n");
    assert_eq!(Pin::new(&mut body).get_pin_mut().polls(), 0);
    assert!(format!("{body:?}").starts_with("HeartbeatBody"));
    body.into_inner().end();
}

type EmptyHeartbeatBody = HeartbeatBody<Empty<Bytes>, VirtualTime>;
assert_impl_all!(EmptyHeartbeatBody: Send, Sync, Unpin);
assert_impl_all!(ResponseBody<Empty<Bytes>, VirtualTime>: Default, Send, Sync);
assert_not_impl_any!(HeartbeatBody<FrameSource, VirtualTime>: Send, Sync);
