//! The cost of a heartbeat in literal bytes. `tests/wire_cost.rs` of `heartbeat-http` compares it with
//! real sockets.

use std::time::Duration;

use heartbeat_frame::cost::{Cost, Frame, Http, Ip, Rate, Transport};
use heartbeat_frame::{HeartbeatMessage, NdjsonHeartbeat, SseHeartbeat};
use proptest::prelude::*;

const H1: Transport = Transport { http: Http::Http1, tls: false, ip: Ip::V4 };
const H2: Transport = Transport { http: Http::Http2, ..H1 };

fn with_tls(transport: Transport) -> Transport {
    Transport { tls: true, ..transport }
}

/// All parts, from the inside to the outside.
fn parts(frame: Frame, transport: Transport) -> [u64; 7] {
    let cost = Cost::new(frame, transport);
    let parts = [
        cost.payload_bytes,
        cost.envelope_bytes,
        cost.http_bytes,
        cost.tls_bytes,
        cost.tcp_ip_bytes,
        cost.answer_bytes,
        cost.ack_bytes,
    ];
    assert_eq!(cost.application_bytes(), parts[..3].iter().sum());
    assert_eq!(cost.wire_bytes(), parts[..4].iter().sum());
    assert_eq!(cost.total_bytes(), parts.iter().sum());
    parts
}

/// A message whose envelope has `bytes` bytes.
fn envelope_of(bytes: usize) -> Frame {
    Frame::envelope(&HeartbeatMessage::from_payload(vec![0; bytes - 5]).expect("short"))
}

#[test]
fn each_frame_has_its_payload_and_its_envelope() {
    let json = HeartbeatMessage::from_payload(r#"{"eventType":"gateway.heartbeat"}"#);
    let event = SseHeartbeat::event("ping", "").expect("lines");
    for (frame, payload, envelope) in [
        (Frame::envelope(&HeartbeatMessage::default()), 19, 5),
        (Frame::envelope(&HeartbeatMessage::empty()), 0, 5),
        (Frame::envelope(&json.expect("short")), 33, 5),
        (Frame::envelope_base64(&HeartbeatMessage::default()), 19, 13),
        (Frame::envelope_base64(&HeartbeatMessage::empty()), 0, 8),
        (Frame::sse(&SseHeartbeat::default()), 2, 0),
        (Frame::sse(&SseHeartbeat::comment_block("").expect("a line")), 3, 0),
        (Frame::sse(&event), 20, 0),
        (Frame::ndjson(NdjsonHeartbeat::BlankLine), 1, 0),
        (Frame::ndjson(NdjsonHeartbeat::Space), 1, 0),
        (Frame::ping(), 0, 2),
    ] {
        for transport in [H1, H2, with_tls(H1), with_tls(H2)] {
            assert_eq!(parts(frame, transport)[..2], [payload, envelope], "{frame:?}");
        }
    }
}

#[test]
fn each_transport_adds_its_overhead() {
    let grpc = Frame::envelope(&HeartbeatMessage::default());
    assert_eq!(parts(grpc, H2), [19, 5, 9, 0, 52, 0, 52]);
    assert_eq!(parts(grpc, with_tls(H2)), [19, 5, 9, 22, 52, 0, 52]);
    assert_eq!(parts(grpc, H1), [19, 5, 6, 0, 52, 0, 52]);
    assert_eq!(parts(grpc, with_tls(H1)), [19, 5, 6, 22, 52, 0, 52]);
    let ipv6 = Transport { ip: Ip::V6, ..H2 };
    assert_eq!(parts(grpc, ipv6), [19, 5, 9, 0, 72, 0, 72]);
}

#[test]
fn a_ping_has_http_overhead_on_http2_only_and_is_answered() {
    assert_eq!(parts(Frame::ping(), H1), [0, 2, 0, 0, 52, 52 + 6, 52]);
    assert_eq!(parts(Frame::ping(), with_tls(H1)), [0, 2, 0, 22, 52, 52 + 22 + 6, 52]);
    assert_eq!(parts(Frame::ping(), H2), [0, 2, 9, 0, 52, 52 + 9 + 6, 52]);
}

#[test]
fn the_length_of_a_chunk_has_as_many_digits_as_necessary() {
    for (bytes, digits) in [(5, 1), (15, 1), (16, 2), (255, 2), (256, 3), (4095, 3), (4096, 4)] {
        assert_eq!(Cost::new(envelope_of(bytes), H1).http_bytes, digits + 4, "{bytes}");
    }
}

#[test]
fn long_heartbeats_are_split() {
    for (bytes, frames) in [(16_384, 1), (16_385, 2), (32_768, 2), (32_769, 3)] {
        assert_eq!(Cost::new(envelope_of(bytes), H2).http_bytes, frames * 9, "{bytes}");
    }
    for (bytes, records) in [(16_375, 1), (16_376, 2)] {
        assert_eq!(Cost::new(envelope_of(bytes), with_tls(H2)).tls_bytes, records * 22, "{bytes}");
    }
    // A segment holds 1448 bytes, 9 of which are the header of the frame.
    for (bytes, segments, acks) in [(1439, 1, 1), (1440, 2, 1), (2887, 2, 1), (2888, 3, 2)] {
        let cost = Cost::new(envelope_of(bytes), H2);
        assert_eq!([cost.tcp_ip_bytes, cost.ack_bytes], [segments * 52, acks * 52], "{bytes}");
    }
    // 20 fewer with IPv6.
    let ipv6 = Transport { ip: Ip::V6, ..H2 };
    assert_eq!(Cost::new(envelope_of(1419), ipv6).tcp_ip_bytes, 72);
    assert_eq!(Cost::new(envelope_of(1420), ipv6).tcp_ip_bytes, 144);
}

fn every(interval: Duration, streams: u64) -> Rate {
    Rate { interval, streams }
}

#[test]
fn a_fractional_rate_is_rounded_down_at_the_end() {
    let seven = every(Duration::from_secs(7), 1);
    assert_eq!(seven.heartbeats_per_day(), 12_342); // 12,342.86
    assert_eq!(seven.bytes_per_day(7), 86_400);
    assert_eq!(every(Duration::from_secs(7), 1_000_000).bits_per_second(100), 114_285_714);
    let rare = every(Duration::from_secs(2 * 86_400), 3);
    assert_eq!([rare.heartbeats_per_day(), rare.bytes_per_day(1)], [1, 1]);
    assert_eq!(rare.bits_per_second(100), 0);
}

#[test]
fn t1_an_interval_of_zero_has_no_heartbeats() {
    let none = every(Duration::ZERO, 1_000_000);
    assert_eq!(
        [none.heartbeats_per_day(), none.bytes_per_day(159), none.bits_per_second(159)],
        [0; 3]
    );
}

#[test]
fn t8_rates_saturate() {
    let flood = every(Duration::from_nanos(1), u64::MAX);
    for rate in [flood.heartbeats_per_day(), flood.bytes_per_day(1), flood.bits_per_second(1)] {
        assert_eq!(rate, u64::MAX);
    }
    assert_eq!(flood.bytes_per_day(u64::MAX), u64::MAX);
    // 584 years mean never.
    assert_eq!(every(Duration::MAX, u64::MAX).bytes_per_day(u64::MAX), 0);
    let longest = every(Duration::from_nanos(u64::MAX), 1);
    assert_eq!(longest.bytes_per_day(u64::MAX), DAY_NANOS);
    assert_eq!(every(longest.interval, u64::MAX).bytes_per_day(1), DAY_NANOS);
}

const DAY_NANOS: u64 = 86_400_000_000_000;

proptest! {
    #[test]
    fn a_rate_equals_the_naive_product(
        nanos in 1..=u64::MAX,
        streams in 0..=u64::from(u32::MAX),
        bytes in 0..100_000_u64,
    ) {
        let naive = u128::from(bytes) * u128::from(streams) * u128::from(DAY_NANOS) / u128::from(nanos);
        let rate = every(Duration::from_nanos(nanos), streams);
        prop_assert_eq!(rate.bytes_per_day(bytes), u64::try_from(naive).unwrap_or(u64::MAX));
        // Short intervals too: they are rare above.
        let nanos = nanos >> 24 | 1;
        let naive = u128::from(bytes) * u128::from(streams) * 8_000_000_000 / u128::from(nanos);
        let rate = every(Duration::from_nanos(nanos), streams);
        prop_assert_eq!(rate.bits_per_second(bytes), u64::try_from(naive).unwrap_or(u64::MAX));
    }
}
