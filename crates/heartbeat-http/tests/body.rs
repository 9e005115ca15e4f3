//! `HeartbeatBody`, polled by hand in virtual time.

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
use support::Source;
use tokio_test::task::{Spawn, spawn};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A body of which each poll is ours.
struct Polled<O: Telemetry = NoObserver> {
    time: VirtualTime,
    source: Source,
    body: Spawn<HeartbeatBody<Source, VirtualTime, O>>,
}

/// What a poll gave.
#[derive(Debug, PartialEq)]
enum Got {
    Data(Bytes),
    Trailers(HeaderMap),
    Error(&'static str),
    End,
    Nothing,
}

fn data(data: &(impl AsRef<[u8]> + ?Sized)) -> Got {
    Got::Data(Bytes::copy_from_slice(data.as_ref()))
}

/// With an interval of 10 s, born at 0 s.
fn ten_seconds(framing: BodyFraming) -> Polled {
    with_config(Config::every(secs(10)), framing)
}

fn with_config(config: Config, framing: BodyFraming) -> Polled {
    let (time, source) = (VirtualTime::new(), Source::new());
    let body = HeartbeatBody::new(source.clone(), time.clone(), config, framing);
    Polled { time, source, body: spawn(body) }
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

impl<O: Telemetry> Polled<O> {
    fn poll(&mut self) -> Got {
        match self.body.enter(|cx, body| body.poll_frame(cx)) {
            Poll::Pending => Got::Nothing,
            Poll::Ready(None) => Got::End,
            Poll::Ready(Some(Err(error))) => Got::Error(error),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => Got::Data(data),
                Err(frame) => Got::Trailers(frame.into_trailers().expect("trailers")),
            },
        }
    }

    /// Lays these before it, and takes them one by one.
    fn passes(&mut self, pieces: &[&'static [u8]]) {
        for piece in pieces {
            self.source.push(*piece);
            assert_eq!(self.poll(), data(piece));
            assert_eq!(self.poll(), Got::Nothing);
        }
    }

    /// Nothing comes for ten intervals.
    fn is_silent(&mut self) {
        for _ in 0..100 {
            self.time.advance(secs(1));
            assert_eq!(self.poll(), Got::Nothing);
        }
    }

    /// A heartbeat comes after an interval, and not before.
    fn heartbeats(&mut self, heartbeat: &'static [u8]) {
        self.time.advance(secs(10).saturating_sub(Duration::from_nanos(1)));
        assert_eq!(self.poll(), Got::Nothing);
        self.time.advance(Duration::from_nanos(1));
        assert!(self.body.is_woken());
        assert_eq!(self.poll(), data(heartbeat));
        assert_eq!(self.poll(), Got::Nothing);
    }
}

#[test]
fn t3_silence_is_filled_and_frames_pass() {
    let mut body = ten_seconds(sse());
    assert_eq!(body.poll(), Got::Nothing);
    body.heartbeats(b":\n");
    body.passes(&[b"data: 1\n\n"]);
    body.heartbeats(b":\n");
    body.heartbeats(b":\n");
    body.source.push("data: 2\n\n");
    assert_eq!(body.poll(), data("data: 2\n\n"));
    body.source.end();
    assert_eq!(body.poll(), Got::End);
}

#[test]
fn t17_a_frame_that_is_ready_goes_before_a_heartbeat_that_is_due() {
    let mut body = ten_seconds(sse());
    assert_eq!(body.poll(), Got::Nothing);
    body.time.advance(secs(10));
    body.passes(&[b"data: 1\n\n"]);
    body.heartbeats(b":\n");
}

#[test]
fn t17_a_consumer_that_was_away_gets_one_heartbeat_not_four() {
    let mut body = ten_seconds(sse());
    assert_eq!(body.poll(), Got::Nothing);
    body.time.advance(secs(45));
    assert_eq!(body.poll(), data(":\n"));
    assert_eq!(body.poll(), Got::Nothing);
    body.heartbeats(b":\n");
}

#[test]
fn a_frame_passes_without_a_copy() {
    let mut body = ten_seconds(sse());
    let bytes = Bytes::from(b"data: 1\n\n".to_vec());
    body.source.push(bytes.clone());
    let Got::Data(passed) = body.poll() else { panic!("no data") };
    assert_eq!(passed.as_ptr(), bytes.as_ptr());
    assert_eq!(passed, bytes);
}

#[test]
fn no_heartbeat_stands_within_a_message() {
    let mut body = ten_seconds(grpc());
    body.passes(&[b"\0\0\0"]); // of a prefix
    body.is_silent();
    body.passes(&[b"\0\x05he"]);
    body.is_silent();
    body.passes(&[b"llo"]);
    body.heartbeats(b"\0\0\0\0\0");
    body.passes(&[b"\0\0\0\0\x01a\0\0\0\0\x01"]); // one and a part of the next
    body.is_silent();
    body.passes(&[b"b"]);
    body.heartbeats(b"\0\0\0\0\0");
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
        let mut body = ten_seconds(framing);
        assert_eq!(body.poll(), Got::Nothing);
        body.heartbeats(heartbeat);
        body.passes(&[piece]);
        body.is_silent();
        body.passes(&[rest]);
        body.heartbeats(heartbeat);
    }
}

#[test]
fn no_heartbeat_follows_the_trailers() {
    let mut body = ten_seconds(grpc());
    body.passes(&[b"\0\0\0\0\x01a"]);
    body.source.push_frame(Ok(Frame::trailers(trailers())));
    assert_eq!(body.poll(), Got::Trailers(trailers()));
    assert_eq!(body.poll(), Got::Nothing); // a body that is slow to end
    body.is_silent();
    body.source.end();
    assert_eq!(body.poll(), Got::End);
}

#[test]
fn a_heartbeat_may_stand_right_before_the_trailers() {
    let mut body = ten_seconds(grpc());
    body.passes(&[b"\0\0\0\0\x01a"]);
    body.heartbeats(b"\0\0\0\0\0");
    body.source.push_frame(Ok(Frame::trailers(trailers())));
    body.source.end();
    assert_eq!(body.poll(), Got::Trailers(trailers()));
    assert_eq!(body.poll(), Got::End);
}

#[test]
fn no_heartbeat_follows_what_ends_the_stream_of_messages() {
    let empty = HeartbeatMessage::empty();
    for (framing, last) in [
        (BodyFraming::connect(&empty), &b"\x02\0\0\0\x02{}"[..]),
        (BodyFraming::connect(&empty), b"\x03\0\0\0\x01x"), // compressed
        (BodyFraming::grpc_web(&empty), b"\x80\0\0\0\x02ab"),
        (BodyFraming::grpc_web_text(&empty), b"gAAAAAJhYg=="),
    ] {
        let mut body = ten_seconds(framing);
        body.passes(&[last]);
        body.is_silent();
        body.source.end();
        assert_eq!(body.poll(), Got::End);
    }
}

#[test]
fn what_is_not_framed_as_it_should_be_passes_without_heartbeats_for_good() {
    let mut body = ten_seconds(grpc());
    body.passes(&[b"<html>"]);
    body.is_silent();
    body.passes(&[b"\0\0\0\0\x01a"]);
    body.is_silent();
}

#[test]
fn t17_an_error_is_no_send_and_no_heartbeat_follows_it() {
    let mut body = ten_seconds(sse());
    body.passes(&[b"data: 1\n\n"]);
    body.time.advance(secs(4));
    body.source.push_frame(Err("broken"));
    assert_eq!(body.poll(), Got::Error("broken"));
    assert_eq!(body.poll(), Got::Nothing);
    body.is_silent();
}

#[test]
fn t17_after_the_end_the_body_within_is_not_polled_again() {
    let mut body = ten_seconds(sse());
    body.source.end();
    assert!(!body.body.is_end_stream());
    assert_eq!(body.poll(), Got::End);
    assert!(body.body.is_end_stream());
    let polls = body.source.polls();
    body.time.advance(secs(100));
    assert_eq!(body.poll(), Got::End);
    assert_eq!(body.source.polls(), polls);
    assert_eq!(body.time.next_deadline(), None);
}

#[test]
fn a_body_that_knows_its_end_is_believed() {
    let body = ten_seconds(sse());
    assert!(!body.body.is_end_stream());
    body.source.set_end_stream();
    assert!(body.body.is_end_stream());
    let nothing = HeartbeatBody::new(Empty::<Bytes>::new(), VirtualTime::new(), secs(10), sse());
    assert!(nothing.is_end_stream());
}

#[test]
fn an_empty_frame_is_left_out_and_breaks_no_silence() {
    let mut body = ten_seconds(sse());
    assert_eq!(body.poll(), Got::Nothing);
    body.time.advance(secs(6));
    body.source.push("");
    assert_eq!(body.poll(), Got::Nothing);
    body.time.advance(secs(4));
    assert_eq!(body.poll(), data(":\n"));
}

#[test]
fn a_byte_order_mark_behind_a_heartbeat_is_left_out() {
    for (pieces, passed) in [
        (&["\u{feff}data: 1\n\n".as_bytes()][..], "data: 1\n\n"),
        (&[b"\xef", b"\xbb", b"\xbfdata: 1\n\n"], "data: 1\n\n"),
        (&["\u{feff}".as_bytes(), b"data: 1\n\n"], "data: 1\n\n"),
    ] {
        let mut body = ten_seconds(sse());
        assert_eq!(body.poll(), Got::Nothing);
        body.heartbeats(b":\n");
        for piece in pieces {
            body.source.push(*piece);
        }
        assert_eq!(body.poll(), data(passed));
        assert_eq!(body.poll(), Got::Nothing);
    }
    let mut body = ten_seconds(sse());
    body.passes(&["\u{feff}data: 1\n\n".as_bytes()]); // nothing stands before it
}

#[test]
fn t1_a_disabled_body_passes_everything_as_it_is() {
    let mut body = with_config(Config::every(Duration::ZERO).with_immediate_first(true), grpc());
    body.source.set_hint(SizeHint::with_exact(7));
    assert_eq!(body.body.size_hint().exact(), Some(7));
    body.passes(&[b"", b"whatever", b""]);
    body.is_silent();
    assert_eq!(body.time.next_deadline(), None);
    body.source.push_frame(Ok(Frame::trailers(trailers())));
    assert_eq!(body.poll(), Got::Trailers(trailers()));
    body.source.push_frame(Err("broken"));
    assert_eq!(body.poll(), Got::Error("broken"));
    body.source.end();
    assert_eq!(body.poll(), Got::End);
    assert_eq!(body.body.size_hint().exact(), Some(0));
}

#[test]
fn t2_prompt_heartbeats_at_the_first_poll() {
    let mut body = with_config(Config::every(secs(10)).with_immediate_first(true), sse());
    assert_eq!(body.poll(), data(":\n"));
    assert_eq!(body.poll(), Got::Nothing);
    body.heartbeats(b":\n");
}

#[test]
fn t9_a_body_that_was_stopped_passes_without_heartbeats() {
    let mut body = ten_seconds(sse());
    assert_eq!(body.poll(), Got::Nothing);
    body.body.enter(|_, body| body.stop());
    body.body.enter(|_, body| body.stop());
    assert_eq!(body.time.next_deadline(), None);
    body.is_silent();
    body.passes(&[b"data: 1\n\n"]);
    body.source.set_hint(SizeHint::with_exact(7));
    assert_eq!(body.body.size_hint().exact(), Some(7));
}

#[test]
fn t9_a_body_that_is_stopped_amid_what_may_be_a_mark_loses_nothing() {
    let mut body = ten_seconds(sse());
    assert_eq!(body.poll(), Got::Nothing);
    body.heartbeats(b":\n");
    body.source.push(&b"\xef"[..]);
    assert_eq!(body.poll(), Got::Nothing); // it may be the first byte of a mark
    body.body.enter(|_, body| body.stop());
    body.source.push(&b"\xbc\xa1: none\n\n"[..]);
    assert_eq!(body.poll(), data("\u{ff21}: none\n\n"));
    body.is_silent();
}

#[test]
fn a_size_hint_leaves_room_for_a_mark_that_is_left_out() {
    let body = ten_seconds(sse());
    body.source.set_hint(SizeHint::with_exact(7));
    let hint = body.body.size_hint();
    assert_eq!((hint.lower(), hint.upper()), (4, None));
}

#[test]
fn a_size_hint_is_exact_only_where_no_heartbeat_can_come() {
    let mut body = ten_seconds(grpc());
    body.source.set_hint(SizeHint::with_exact(7));
    let hint = body.body.size_hint();
    assert_eq!((hint.lower(), hint.upper()), (7, None));
    body.source.push_frame(Ok(Frame::trailers(trailers())));
    assert_eq!(body.poll(), Got::Trailers(trailers()));
    body.source.set_hint(SizeHint::with_exact(0));
    assert_eq!(body.body.size_hint().exact(), Some(0));
}

#[test]
fn t12_t21_foreign_heartbeats_keep_no_dead_producer_alive() {
    let config = Config::every(secs(10)).with_give_up_after(secs(25));
    let mut body = with_config(config, sse());
    body.passes(&[b"data: 1\n\n"]);
    for _ in 0..5 {
        body.time.advance(secs(5));
        body.passes(&[b":\n\n"]); // axum's
    }
    body.is_silent();
    body.passes(&[b"data: 2\n\n"]);
    body.heartbeats(b":\n");
}

#[test]
fn t16_t19_what_becomes_of_the_heartbeats_is_told() {
    let counters = Counters::new();
    let (time, source) = (VirtualTime::new(), Source::new());
    let body = HeartbeatBody::new(source.clone(), time.clone(), secs(10), grpc());
    let mut body = Polled { time, source, body: spawn(body.with_observer(&counters)) };
    assert_eq!(body.poll(), Got::Nothing);
    body.heartbeats(b"\0\0\0\0\0");
    body.time.advance(secs(12));
    assert_eq!(body.poll(), data(b"\0\0\0\0\0"));
    assert_eq!((counters.snapshot().sent, counters.snapshot().bytes), (1, 5));
    assert_eq!(counters.snapshot().live, 1);
    drop(body); // while one is in flight
    let counts = counters.snapshot();
    assert_eq!((counts.sent, counts.errors, counts.live), (1, 1, 0));
    assert_eq!(counts.longest_idle, secs(10)); // what is in flight ended none
}

#[test]
fn the_body_within_can_be_had() {
    let source = Source::new();
    let mut body = HeartbeatBody::new(source.clone(), VirtualTime::new(), secs(10), sse());
    assert_eq!(body.get_ref().polls(), 0);
    body.get_mut().push("data: 1\n\n");
    assert_eq!(Pin::new(&mut body).get_pin_mut().polls(), 0);
    assert!(format!("{body:?}").starts_with("HeartbeatBody"));
    body.into_inner().end();
}

type Sent = HeartbeatBody<Empty<Bytes>, VirtualTime>;
assert_impl_all!(Sent: Send, Sync, Unpin);
assert_impl_all!(ResponseBody<Empty<Bytes>, VirtualTime>: Default, Send, Sync);
assert_not_impl_any!(HeartbeatBody<Source, VirtualTime>: Send, Sync);
