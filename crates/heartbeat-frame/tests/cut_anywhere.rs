//! Each tracker, compared with a reference reader of whole streams. The streams are cut into pieces,
//! and a heartbeat is inserted at each boundary. The messages of the stream must not change.

mod reference_reader;

use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use reference_reader::EnvelopeFlags;
use reference_reader::cut::{envelopes, grpc_web_text};

/// Compares every form of heartbeat.
fn sse(stream: &[u8], cuts: &[usize]) {
    for heartbeat in [
        SseHeartbeat::default(),
        SseHeartbeat::comment_block("").expect("one line"),
        SseHeartbeat::event("heartbeat", "x").expect("one line each"),
    ] {
        reference_reader::cut::sse(&heartbeat, stream, cuts);
    }
}

/// Compares both forms of heartbeat.
fn ndjson(stream: &[u8], cuts: &[usize]) {
    for heartbeat in [NdjsonHeartbeat::BlankLine, NdjsonHeartbeat::Space] {
        reference_reader::cut::ndjson(heartbeat, stream, cuts);
    }
}

/// A stream of random pieces, and the offsets of the cuts.
fn streams(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    vec(select(pieces), 0..24).prop_map(|pieces| pieces.concat()).prop_flat_map(|stream| {
        let cuts = vec(0..=stream.len(), 0..12).prop_map(|mut cuts| {
            cuts.sort_unstable();
            cuts
        });
        (Just(stream), cuts)
    })
}

const ENVELOPES: &[&[u8]] = &[
    b"\0\0\0\0\0",
    b"\0\0\0\0\x01x",
    b"\0\0\0\0\x02{}",
    b"\0\0\0\0\x02hi",
    b"\x01\0\0\0\x03\0\0\0",
    b"\0\0\0\x01\x04\
      0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
      0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
      0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123",
    b"\0\0\0\0",
    b"\0",
    b"\x80\0\0\0\x02hi",
    b"\x02\0\0\0\x02{}",
    b"\x81\0\0\0\0",
    b"\x04",
];

const TEXT: &[&[u8]] = &[
    b"AAAAAAA=",
    b"AAAAAAJoaQ==",
    b"AAAAAAJ7fQ==",
    b"AAAAAAAAAAAA",
    b"AAAA",
    b"AA",
    b"A",
    b"AA==",
    b"gAAAAAA=",
    b"gAAAAAJoaQ==",
    b"AQAAAAN4eHg=",
    b"AAAAAG4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    b"=",
    b"/",
    b"AAA-",
    b"\n",
];

const SSE: &[&[u8]] = &[
    b"data: x",
    b"data",
    b"event: a",
    b"id: 1",
    b"retry",
    b"retry: 1",
    b"event: heartbeat",
    b":",
    b": ping",
    b" ",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\r",
    b"\xef\xbb\xbf",
    b"\xef",
    b"\xef\xbb",
];

const NDJSON: &[&[u8]] = &[
    b"{\"a\":1}",
    b"\"a",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xef",
    b"\xef\xbb",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn envelopes_cut_anywhere(
        (stream, cuts) in streams(ENVELOPES),
        protocol in select(&[EnvelopeFlags::Grpc, EnvelopeFlags::GrpcWeb, EnvelopeFlags::Connect][..]),
        heartbeat in select(&["", "{}", "hi, heartbeat"][..]),
    ) {
        let heartbeat = HeartbeatMessage::from_payload(heartbeat).expect("a short payload");
        envelopes(protocol, &heartbeat, &stream, &cuts);
    }

    #[test]
    fn grpc_web_text_cut_anywhere(
        (text, cuts) in streams(TEXT),
        heartbeat in select(&["", "{}", "hi, heartbeat"][..]),
    ) {
        grpc_web_text(&HeartbeatMessage::from_payload(heartbeat).expect("a short payload"), &text, &cuts);
    }

    #[test]
    fn sse_cut_anywhere((stream, cuts) in streams(SSE)) {
        sse(&stream, &cuts);
    }

    #[test]
    fn ndjson_cut_anywhere((stream, cuts) in streams(NDJSON)) {
        ndjson(&stream, &cuts);
    }
}

/// Calls `play` with every stream of up to `longest` of these bytes, cut in every way.
fn every_short_stream(bytes: &[u8], longest: u32, play: impl Fn(&[u8], &[usize])) {
    for length in 0..=longest {
        for stream in 0..bytes.len().pow(length) {
            let digit = |at| stream / bytes.len().pow(at) % bytes.len();
            let stream: Vec<u8> = (0..length).map(|at| bytes[digit(at)]).collect();
            for ways in 0..1_u32 << length.saturating_sub(1) {
                let is_cut = |at: &usize| ways >> (at - 1) & 1 == 1;
                play(&stream, &(1..stream.len()).filter(is_cut).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn every_short_stream_of_envelopes() {
    let heartbeat = HeartbeatMessage::empty();
    every_short_stream(&[0, 1, 2, 0x80], 6, |stream, cuts| {
        for protocol in [EnvelopeFlags::Grpc, EnvelopeFlags::GrpcWeb, EnvelopeFlags::Connect] {
            envelopes(protocol, &heartbeat, stream, cuts);
        }
    });
}

#[test]
fn every_short_stream_of_base64() {
    let heartbeat = HeartbeatMessage::empty();
    every_short_stream(b"AQg=", 6, |text, cuts| drop(grpc_web_text(&heartbeat, text, cuts)));
    every_short_stream(b"A=", 8, |text, cuts| drop(grpc_web_text(&heartbeat, text, cuts)));
}

#[test]
fn every_short_stream_of_server_sent_events() {
    every_short_stream(b":a\r\n\xef\xbb\xbf", 5, sse);
    every_short_stream(b":a\r\n", 6, sse);
}

#[test]
fn every_short_stream_around_a_retry_line() {
    every_short_stream(b":r\r\n", 4, |after, cuts| {
        let stream = [b"retry", after].concat();
        for skipped in 0..=5 {
            sse(&stream, &cuts.iter().map(|cut| cut + skipped).collect::<Vec<_>>());
        }
    });
}

#[test]
fn every_short_stream_of_json_lines() {
    every_short_stream(b"1 \r\n\xef\xbb\xbf", 5, ndjson);
}
