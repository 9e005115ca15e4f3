use heartbeat_frame::cost::{Form, Http};
use heartbeat_frame::{NdjsonHeartbeat, SseHeartbeat};

use crate::rpc_message::RpcMessage;

/// A protocol with one of its heartbeats, and the versions of HTTP that carry it.
pub(super) struct CostProtocol {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) over: &'static [Http],
}

const ANY: &[Http] = &[Http::Http1, Http::Http2];

/// All protocols in the order of the report.
pub(super) fn all(message: RpcMessage) -> Vec<CostProtocol> {
    let (proto, json) = (message.proto(), message.json());
    let block = SseHeartbeat::comment_block("").expect("the text has no line break");
    let event = SseHeartbeat::event("heartbeat", "").expect("the text has no line break");
    [
        ("gRPC", Form::envelope(&proto), &[Http::Http2][..]), // its trailers need HTTP/2
        ("gRPC-Web", Form::envelope(&proto), ANY),
        ("gRPC-Web-text", Form::envelope_base64(&proto), ANY),
        ("Connect proto", Form::envelope(&proto), ANY),
        ("Connect JSON", Form::envelope(&json), ANY),
        ("SSE comment", Form::sse(&SseHeartbeat::default()), ANY),
        ("SSE block", Form::sse(&block), ANY),
        ("SSE event", Form::sse(&event), ANY),
        ("NDJSON line", Form::ndjson(NdjsonHeartbeat::BlankLine), ANY),
        ("NDJSON space", Form::ndjson(NdjsonHeartbeat::Space), ANY),
        ("WebSocket Ping", Form::ping(), &[Http::Http1]), // rare over HTTP/2
    ]
    .map(|(name, form, over)| CostProtocol { name, form, over })
    .into()
}
