//! Random messages, cut into random pieces with random silences: after removing the heartbeats, the client has
//! the same messages.

mod support;

use std::time::Duration;

use heartbeat_async::virtual_time::VirtualTime;
use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};
use heartbeat_http::{BodyFraming, HeartbeatBody};
use http_body::Body;
use proptest::collection::vec;
use proptest::prelude::*;
use support::FrameSource;
use tokio_test::task::spawn;

/// A piece of a stream, and the seconds of silence after it.
type Piece = (Vec<u8>, u64);

/// Cuts `bytes` into pieces. `cuts` lists the length of each piece and the seconds of silence after it.
fn cut(mut bytes: &[u8], cuts: &[(usize, u64)]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (length, silence) in cuts.iter().cycle() {
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push((piece.to_vec(), *silence));
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    pieces
}

/// The output of a body with an interval of 10 s, and the number of heartbeats in it.
fn collect_output(framing: BodyFraming, pieces: Vec<Piece>) -> (Vec<u8>, usize) {
    let (time, source) = (VirtualTime::new(), FrameSource::new());
    let body = HeartbeatBody::new(source.clone(), time.clone(), Duration::from_secs(10), framing);
    let mut body = spawn(body);
    let (mut out, mut heartbeats) = (Vec::new(), 0);
    for (piece, silence) in pieces {
        let mut from_source = usize::from(!piece.is_empty());
        source.push(piece);
        for _ in 0..=silence {
            while let std::task::Poll::Ready(frame) = body.enter(|cx, body| body.poll_frame(cx)) {
                let frame = frame.expect("no end").expect("no error");
                out.extend(frame.into_data().expect("data"));
                heartbeats += 1 - std::mem::take(&mut from_source);
            }
            time.advance(Duration::from_secs(1));
        }
    }
    (out, heartbeats)
}

/// The payloads of complete envelopes.
fn payloads(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut payloads = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<5>() {
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        assert!(length <= rest.len(), "the last message is incomplete");
        let (payload, rest) = rest.split_at(length);
        payloads.push(payload);
        bytes = rest;
    }
    assert_eq!(bytes, b"", "the last header is incomplete");
    payloads
}

fn cuts() -> impl Strategy<Value = Vec<(usize, u64)>> {
    vec((1..12_usize, prop_oneof![Just(0), 0..35_u64]), 1..20)
}

proptest! {
    #[test]
    fn the_same_envelopes_arrive(messages in vec(vec(any::<u8>(), 0..20), 1..8), cuts in cuts()) {
        let heartbeat = HeartbeatMessage::from_payload(b"a heartbeat, longer than any message").expect("short");
        let envelope = |message| HeartbeatMessage::from_payload(message).expect("short").envelope();
        let bytes: Vec<u8> = messages.iter().flat_map(envelope).collect();
        for framing in [BodyFraming::grpc(&heartbeat), BodyFraming::connect(&heartbeat), BodyFraming::grpc_web(&heartbeat)] {
            let (out, heartbeats) = collect_output(framing, cut(&bytes, &cuts));
            let mut arrived = payloads(&out);
            let all = arrived.len();
            arrived.retain(|payload| *payload != heartbeat.raw());
            prop_assert_eq!(&arrived, &messages);
            prop_assert_eq!(heartbeats, all - arrived.len());
        }
    }

    #[test]
    fn the_same_events_arrive(
        events in vec("(event: [a-z]{0,3}\r?\n)?(data: [a-z]{0,9}(\r\n|\n)){1,3}\r?\n", 1..8),
        cuts in cuts(),
    ) {
        let bytes = events.concat();
        let (out, heartbeats) = collect_output(BodyFraming::sse(&SseHeartbeat::default()), cut(bytes.as_bytes(), &cuts));
        let out = String::from_utf8(out).expect("text");
        let is_comment = |line: &&str| line.starts_with(':');
        prop_assert_eq!(out.split_inclusive('\n').filter(is_comment).count(), heartbeats);
        let events: String = out.split_inclusive('\n').filter(|line| !is_comment(line)).collect();
        prop_assert_eq!(events, bytes);
    }

    #[test]
    fn the_same_lines_arrive(lines in vec("\\{\"[a-z]{1,5}\": [0-9]{1,5}\\}\n", 1..8), cuts in cuts()) {
        let bytes = lines.concat();
        let framing = BodyFraming::ndjson(NdjsonHeartbeat::BlankLine);
        let (out, heartbeats) = collect_output(framing, cut(bytes.as_bytes(), &cuts));
        let out = String::from_utf8(out).expect("text");
        let blank = |line: &&str| *line == "\n";
        prop_assert_eq!(out.split_inclusive('\n').filter(blank).count(), heartbeats);
        let lines: String = out.split_inclusive('\n').filter(|line| !blank(line)).collect();
        prop_assert_eq!(lines, bytes);
    }
}
