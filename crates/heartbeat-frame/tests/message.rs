//! The bytes of a heartbeat message, raw and in its envelope.

use heartbeat_frame::{GatewayEvent, HeartbeatMessage, PayloadTooLong};
use prost::Message;

const GATEWAY_EVENT: [u8; 24] = [
    0x00, 0x00, 0x00, 0x00, 0x13, // not compressed, 19 bytes
    0x0a, 0x11, // field 1, a string of 17 bytes
    b'g', b'a', b't', b'e', b'w', b'a', b'y', b'.', //
    b'h', b'e', b'a', b'r', b't', b'b', b'e', b'a', b't',
];

#[test]
fn the_default_is_the_gateway_event_byte_by_byte() {
    let heartbeat = HeartbeatMessage::default();
    assert_eq!(heartbeat.raw().len(), 19);
    assert_eq!(heartbeat.raw(), GATEWAY_EVENT[5..]);
    assert_eq!(heartbeat.envelope().len(), 24);
    assert_eq!(heartbeat.envelope(), GATEWAY_EVENT[..]);
    assert_eq!(heartbeat.envelope_base64(), "AAAAABMKEWdhdGV3YXkuaGVhcnRiZWF0");
}

#[test]
fn the_default_equals_the_event_encoded_by_prost() {
    let encoded = HeartbeatMessage::encode(&GatewayEvent::heartbeat()).expect("19 bytes fit");
    assert_eq!(encoded, HeartbeatMessage::default());
    assert_eq!(encoded, HeartbeatMessage::gateway_event());
}

#[test]
fn the_empty_message_is_a_bare_header() {
    let heartbeat = HeartbeatMessage::empty();
    assert_eq!(heartbeat.raw(), "");
    assert_eq!(heartbeat.envelope(), [0x00; 5][..]);
    assert_eq!(heartbeat.envelope_base64(), "AAAAAAA=");
    assert_eq!(HeartbeatMessage::from_payload([]), Ok(heartbeat.clone()));
    assert_eq!(HeartbeatMessage::encode(&GatewayEvent::default()), Ok(heartbeat));
}

#[test]
fn a_payload_is_enclosed_unchanged() {
    let heartbeat = HeartbeatMessage::from_payload("{}").expect("2 bytes fit");
    assert_eq!(heartbeat.raw(), "{}");
    assert_eq!(heartbeat.envelope(), "\0\0\0\0\x02{}");
    assert_eq!(heartbeat.envelope_base64(), "AAAAAAJ7fQ==");
}

#[test]
fn the_length_is_big_endian() {
    let heartbeat = HeartbeatMessage::from_payload(vec![0xff; 0x01_02_03]).expect("64 KiB fit");
    assert_eq!(heartbeat.envelope()[..6], [0x00, 0x00, 0x01, 0x02, 0x03, 0xff]);
    assert_eq!(heartbeat.envelope().len(), 5 + 0x01_02_03);
}

#[test]
fn bytes_are_not_copied() {
    let encoded = HeartbeatMessage::from_payload("a heartbeat of our own").expect("22 bytes fit");
    for heartbeat in [HeartbeatMessage::default(), HeartbeatMessage::empty(), encoded] {
        let envelope = heartbeat.envelope();
        for _ in 0..3 {
            let clone = heartbeat.clone();
            assert_eq!(clone.envelope().as_ptr(), envelope.as_ptr());
            assert_eq!(heartbeat.envelope().as_ptr(), envelope.as_ptr());
        }
        if !heartbeat.raw().is_empty() {
            assert_eq!(heartbeat.raw().as_ptr(), envelope[5..].as_ptr());
        }
    }
}

#[test]
fn a_client_decodes_and_recognizes_it() {
    let event = GatewayEvent::decode(HeartbeatMessage::default().raw()).expect("a gateway event");
    assert_eq!(event, GatewayEvent::heartbeat());
    assert!(event.is_heartbeat());

    let event = GatewayEvent::decode(HeartbeatMessage::empty().raw()).expect("a default event");
    assert_eq!(event, GatewayEvent::default());
    assert!(!event.is_heartbeat());
}

#[test]
fn the_heartbeat_event_has_only_a_type() {
    let GatewayEvent {
        event_type,
        event_id,
        timestamp_ms,
        payload,
        payload_hash,
        signature,
        key_id,
    } = GatewayEvent::heartbeat();
    assert_eq!(event_type, "gateway.heartbeat");
    assert_eq!((event_id.as_str(), timestamp_ms, key_id.as_str()), ("", 0, ""));
    assert!(payload.is_empty() && payload_hash.is_empty() && signature.is_empty());
}

#[test]
fn only_the_type_makes_a_heartbeat() {
    let event = |event_type: &str| GatewayEvent {
        event_type: event_type.to_owned(),
        event_id: "7".to_owned(),
        ..GatewayEvent::default()
    };
    assert!(event("gateway.heartbeat").is_heartbeat());
    for other in ["", "gateway", "gateway.heartbeats", "Gateway.Heartbeat", " gateway.heartbeat"] {
        assert!(!event(other).is_heartbeat(), "{other:?}");
    }
}

#[test]
fn types_are_send_and_sync() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<GatewayEvent>();
    check::<HeartbeatMessage>();
    check::<PayloadTooLong>();
}
