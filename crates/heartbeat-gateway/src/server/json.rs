//! The messages in JSON, by the mapping of proto3.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Encodes an event in one line: names in lowerCamelCase, 64-bit integers as strings, bytes in base64, without fields that
/// have their default value.
pub(crate) fn event(event: &GatewayEvent) -> String {
    let GatewayEvent {
        event_type,
        event_id,
        timestamp_ms,
        payload,
        payload_hash,
        signature,
        key_id,
    } = event;
    let timestamp = if *timestamp_ms == 0 { String::new() } else { timestamp_ms.to_string() };
    let fields = [
        ("eventType", event_type.clone()),
        ("eventId", event_id.clone()),
        ("timestampMs", timestamp),
        ("payload", BASE64_STANDARD.encode(payload)),
        ("payloadHash", BASE64_STANDARD.encode(payload_hash)),
        ("signature", BASE64_STANDARD.encode(signature)),
        ("keyId", key_id.clone()),
    ];
    let set = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let object: Map<_, _> =
        set.map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
    Value::Object(object).to_string()
}

/// Decodes a request. Unknown fields are ignored, as other Connect servers do.
pub(super) fn subscribe_request(text: &[u8]) -> Result<SubscribeRequest, serde_json::Error> {
    #[derive(Deserialize)]
    struct JsonRequest {
        #[serde(rename = "lastEventId", alias = "last_event_id")]
        last_event_id: Option<String>,
    }
    let JsonRequest { last_event_id } = serde_json::from_slice(text)?;
    Ok(SubscribeRequest { last_event_id: last_event_id.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_omits_fields_with_their_default_value() {
        let whole = GatewayEvent {
            event_type: "a \"type\"\r\n".into(),
            event_id: "7".into(),
            timestamp_ms: i64::MIN,
            payload: vec![0xfb, 0xff].into(),
            payload_hash: vec![0].into(),
            signature: "signed".into(),
            key_id: "key".into(),
        };
        let text = event(&whole);
        assert!(!text.contains(['\r', '\n']), "{text}");
        assert_eq!(
            serde_json::from_str::<Value>(&text).expect("JSON"),
            json!({
                "eventType": "a \"type\"\r\n", "eventId": "7", "timestampMs": "-9223372036854775808",
                "payload": "+/8=", "payloadHash": "AA==", "signature": "c2lnbmVk", "keyId": "key",
            })
        );
        assert_eq!(event(&GatewayEvent::heartbeat()), r#"{"eventType":"gateway.heartbeat"}"#);
        assert_eq!(event(&GatewayEvent::default()), "{}");
    }

    #[test]
    fn a_request_accepts_both_names_of_its_field() {
        for (text, id) in [
            ("{}", ""),
            (r#"{"lastEventId":"7"}"#, "7"),
            (r#"{"last_event_id":"7"}"#, "7"),
            (r#"{"lastEventId":null,"unknown":[1]}"#, ""),
        ] {
            assert_eq!(subscribe_request(text.as_bytes()).expect(text).last_event_id, id);
        }
        for text in ["", "[]", "7", r#"{"lastEventId":7}"#, "{", "{} {}"] {
            assert!(subscribe_request(text.as_bytes()).is_err(), "{text}");
        }
    }
}
