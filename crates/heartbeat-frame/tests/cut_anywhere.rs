//! Each tracker against whole streams, cut anywhere, with a heartbeat wherever one may stand: what the
//! tracker says is what the whole says, and the messages of the stream are as they were.

mod whole;

use heartbeat_frame::{
    EnvelopeTracker, GrpcWebTextTracker, HeartbeatMessage, NdjsonHeartbeat, NdjsonTracker,
    SseHeartbeat, SseTracker,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use whole::Protocol;
use whole::cut::compare;

fn without<T: PartialEq>(messages: Vec<T>, beat: &T) -> Vec<T> {
    messages.into_iter().filter(|message| message != beat).collect()
}

fn envelopes(protocol: Protocol, beat: &HeartbeatMessage, stream: &[u8], cuts: &[usize]) {
    let mut tracker = match protocol {
        Protocol::Grpc => EnvelopeTracker::grpc(beat),
        Protocol::GrpcWeb => EnvelopeTracker::grpc_web(beat),
        Protocol::Connect => EnvelopeTracker::connect(beat),
    };
    let read = |_, stream: &[u8]| whole::envelopes(protocol, &beat.envelope(), stream);
    let cuts = cuts.iter().copied();
    compare(&mut tracker.clone(), false, read, stream, cuts.clone(), None);
    let out = compare(&mut tracker, false, read, stream, cuts, Some(&beat.envelope()));
    let messages =
        |stream| without(whole::envelope_messages(protocol, stream), &(0, beat.raw().to_vec()));
    assert_eq!(messages(&out.bytes), messages(stream));
}

fn grpc_web_text(beat: &HeartbeatMessage, text: &[u8], cuts: &[usize]) {
    let mut tracker = GrpcWebTextTracker::new(beat);
    let read = |_, text: &[u8]| whole::grpc_web_text(&beat.envelope(), text);
    let cuts = cuts.iter().copied();
    compare(&mut tracker.clone(), false, read, text, cuts.clone(), None);
    let out = compare(&mut tracker, false, read, text, cuts, Some(&beat.envelope_base64()));
    let messages = |text| without(whole::text_messages(text), &(0, beat.raw().to_vec()));
    assert_eq!(messages(&out.bytes), messages(text));
}

fn sse(stream: &[u8], cuts: &[usize]) {
    let text = |text: &str| text.as_bytes().to_vec();
    let cuts = cuts.iter().copied();
    for (beat, ends_events) in [
        (SseHeartbeat::default(), false),
        (SseHeartbeat::comment_block("").expect("one line"), true),
        (SseHeartbeat::event("beat", "x").expect("one line each"), true),
    ] {
        let mut tracker = SseTracker::new(&beat);
        let read = |marked, stream: &[u8]| whole::sse(ends_events, marked, stream);
        compare(&mut tracker.clone(), true, read, stream, cuts.clone(), None);
        let out = compare(&mut tracker, true, read, stream, cuts.clone(), Some(&beat.bytes()));
        let messages = |stream| {
            let mut messages = whole::sse_messages(stream);
            messages.retain(|[name, data, _]| (name, data) != (&text("beat"), &text("x")));
            messages
        };
        assert_eq!(messages(&out.bytes), messages(stream));
    }
}

fn ndjson(stream: &[u8], cuts: &[usize]) {
    let cuts = cuts.iter().copied();
    compare(&mut NdjsonTracker::new(), true, whole::ndjson, stream, cuts.clone(), None);
    for beat in [NdjsonHeartbeat::BlankLine, NdjsonHeartbeat::Space] {
        let mut tracker = NdjsonTracker::new();
        let beat = beat.bytes();
        let out = compare(&mut tracker, true, whole::ndjson, stream, cuts.clone(), Some(&beat));
        if !out.withheld {
            assert_eq!(whole::ndjson_messages(&out.bytes), whole::ndjson_messages(stream));
        }
    }
}

/// Pieces of streams, one after the other, and where to cut.
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
    b"-",
    b" ",
];

const SSE: &[&[u8]] = &[
    b"data: x",
    b"data",
    b"event: a",
    b"id: 1",
    b"event: beat",
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
        protocol in select(&[Protocol::Grpc, Protocol::GrpcWeb, Protocol::Connect][..]),
        beat in select(&["", "{}", "hi, heartbeat"][..]),
    ) {
        let beat = HeartbeatMessage::from_payload(beat).expect("it fits");
        envelopes(protocol, &beat, &stream, &cuts);
    }

    #[test]
    fn grpc_web_text_cut_anywhere(
        (text, cuts) in streams(TEXT),
        beat in select(&["", "{}", "hi, heartbeat"][..]),
    ) {
        grpc_web_text(&HeartbeatMessage::from_payload(beat).expect("it fits"), &text, &cuts);
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

/// Plays every stream of up to that many of these bytes, cut in every way.
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
    let beat = HeartbeatMessage::empty();
    every_short_stream(&[0, 1, 2, 0x80], 6, |stream, cuts| {
        for protocol in [Protocol::Grpc, Protocol::GrpcWeb, Protocol::Connect] {
            envelopes(protocol, &beat, stream, cuts);
        }
    });
}

#[test]
fn every_short_stream_of_base64() {
    let beat = HeartbeatMessage::empty();
    every_short_stream(b"AQg=", 6, |text, cuts| grpc_web_text(&beat, text, cuts));
    every_short_stream(b"A=", 8, |text, cuts| grpc_web_text(&beat, text, cuts));
}

#[test]
fn every_short_stream_of_server_sent_events() {
    every_short_stream(b":a\r\n\xef\xbb\xbf", 5, sse);
    every_short_stream(b":a\r\n", 6, sse);
}

#[test]
fn every_short_stream_of_lines_of_json() {
    every_short_stream(b"1 \r\n\xef\xbb\xbf", 5, ndjson);
}
