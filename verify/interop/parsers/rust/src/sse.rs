//! Parsers of server-sent events.

use eventsource_stream::Eventsource;
use futures_util::TryStreamExt;
use futures_util::io::BufReader;
use serde_json::{Value, json};
use sse_stream::SseByteStream;
use tokio_sse_codec::{Frame, SseDecoder};
use tokio_util::codec::FramedRead;

use crate::Parser;
use crate::feed::poll_all;

pub const PARSERS: &[Parser] = &[
    ("async-sse", |chunks| {
        poll_all(chunks, |source| {
            async_sse::decode(BufReader::new(source)).map_ok(async_sse_event).map_err(text)
        })
    }),
    ("eventsource-stream", |chunks| {
        poll_all(chunks, |source| {
            let events = source.eventsource();
            events
                .map_ok(|it| {
                    event(&it.event, &it.data, Some(&it.id), it.retry.map(|it| it.as_millis()))
                })
                .map_err(text)
        })
    }),
    ("sse-codec", |chunks| {
        poll_all(chunks, |source| {
            sse_codec::decode_stream(source)
                .map_ok(|it| match it {
                    sse_codec::Event::Message { id, event: name, data } => {
                        event(&name, &data, id.as_deref(), None)
                    }
                    sse_codec::Event::Retry { retry } => json!({"retry": retry}),
                })
                .map_err(text)
        })
    }),
    ("sse-stream", |chunks| {
        poll_all(chunks, |source| {
            SseByteStream::new(source).map_err(text).map_ok(|it| {
                let (name, data) = (it.event.unwrap_or_default(), it.data.unwrap_or_default());
                event(&name, &data, it.id.as_deref(), it.retry.map(u128::from))
            })
        })
    }),
    ("tokio_sse_codec", |chunks| {
        poll_all(chunks, |source| {
            let frames = FramedRead::new(source, SseDecoder::<String>::new());
            frames.map_err(text).try_filter_map(|frame| {
                std::future::ready(Ok(match frame {
                    Frame::Comment(_) => None,
                    Frame::Event(it) => Some(event(&it.name, &it.data, it.id.as_deref(), None)),
                    Frame::Retry(retry) => Some(json!({"retry": retry.as_millis()})),
                }))
            })
        })
    }),
];

fn async_sse_event(it: async_sse::Event) -> Value {
    match it {
        async_sse::Event::Retry(retry) => json!({"retry": retry.as_millis()}),
        async_sse::Event::Message(it) => {
            event(it.name(), &String::from_utf8_lossy(it.data()), it.id().as_deref(), None)
        }
    }
}

fn event(name: &str, data: &str, id: Option<&str>, retry: Option<u128>) -> Value {
    json!({"event": name, "data": data, "id": id, "retry": retry})
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
