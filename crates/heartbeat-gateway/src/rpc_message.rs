//! The messages that the commands can send as heartbeats of remote calls.

use clap::ValueEnum;
use heartbeat_frame::{GatewayEvent, HeartbeatMessage};
use heartbeat_http::RpcHeartbeat;

use crate::server::json;

/// The message of a heartbeat in gRPC, gRPC-Web and Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RpcMessage {
    /// Event of type gateway.heartbeat, as `serve` sends it
    Gateway,
    /// Message without fields, for clients of any service
    Empty,
}

impl RpcMessage {
    pub(crate) fn proto(self) -> HeartbeatMessage {
        match self {
            Self::Gateway => HeartbeatMessage::gateway_event(),
            Self::Empty => HeartbeatMessage::empty(),
        }
    }

    pub(crate) fn json(self) -> HeartbeatMessage {
        let event = match self {
            Self::Gateway => GatewayEvent::heartbeat(),
            Self::Empty => GatewayEvent::default(), // `{}`, which is empty for every message type
        };
        HeartbeatMessage::from_payload(json::event(&event)).expect("the payload is short")
    }

    /// The heartbeat in both encodings.
    pub(crate) fn heartbeat(self) -> RpcHeartbeat {
        RpcHeartbeat::new(self.proto()).with_json(self.json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_follows_the_proto3_mapping() {
        assert_eq!(&RpcMessage::Empty.json().raw()[..], b"{}");
        assert_eq!(&RpcMessage::Gateway.json().raw()[..], br#"{"eventType":"gateway.heartbeat"}"#);
    }
}
