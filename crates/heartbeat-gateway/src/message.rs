//! The messages that are heartbeats of remote calls, wherever the commands speak of one.

use clap::ValueEnum;
use heartbeat_frame::{GatewayEvent, HeartbeatMessage};
use heartbeat_http::RpcHeartbeat;

use crate::server::json;

/// A message that is a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Message {
    /// An event of the type gateway.heartbeat, as `serve` sends it
    Gateway,
    /// A message without any field, for clients of any service
    Empty,
}

impl Message {
    pub(crate) fn proto(self) -> HeartbeatMessage {
        match self {
            Self::Gateway => HeartbeatMessage::gateway_event(),
            Self::Empty => HeartbeatMessage::empty(),
        }
    }

    pub(crate) fn json(self) -> HeartbeatMessage {
        let event = match self {
            Self::Gateway => GatewayEvent::heartbeat(),
            Self::Empty => GatewayEvent::default(), // which is {}, as in any service
        };
        HeartbeatMessage::from_payload(json::event(&event)).expect("it is short")
    }

    /// It in both encodings.
    pub(crate) fn messages(self) -> RpcHeartbeat {
        RpcHeartbeat::new(self.proto()).with_json(self.json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_json_it_is_what_proto3_has_for_it() {
        assert_eq!(&Message::Empty.json().raw()[..], b"{}");
        assert_eq!(&Message::Gateway.json().raw()[..], br#"{"eventType":"gateway.heartbeat"}"#);
    }
}
