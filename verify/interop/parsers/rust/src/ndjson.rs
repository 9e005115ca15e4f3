//! Readers of newline-delimited JSON.

use std::io::{BufRead, BufReader};
use std::mem;

use futures_util::TryStreamExt;
use ndjson_stream::config::{EmptyLineHandling, NdjsonConfig};
use serde_json::{Deserializer, Value};
use serde_jsonlines::JsonLinesReader;
use struson::reader::{JsonReader, JsonStreamReader, ReaderSettings};
use tokio_util::codec::{FramedRead, LinesCodec};

use crate::Parser;
use crate::feed::{iterate, poll_all};

pub const PARSERS: &[Parser] = &[
    ("serde_json, `StreamDeserializer`", |chunks| {
        iterate(chunks, |reader| {
            Deserializer::from_reader(reader).into_iter().map(|it| it.map_err(text))
        })
    }),
    ("serde_json, `from_str` per line", |chunks| {
        iterate(chunks, |reader| {
            BufReader::new(reader).lines().map(|line| parse(&line.map_err(text)?))
        })
    }),
    ("serde_json, `from_str` per line that is not empty", |chunks| {
        iterate(chunks, |reader| {
            let lines = BufReader::new(reader).lines();
            lines
                .filter(|line| line.as_ref().map_or(true, |it| !it.is_empty()))
                .map(|line| parse(&line.map_err(text)?))
        })
    }),
    ("tokio-util, `LinesCodec`, and serde_json", |chunks| {
        poll_all(chunks, |source| {
            let lines = FramedRead::new(source, LinesCodec::new()).map_err(text);
            lines.and_then(|line| std::future::ready(parse(&line)))
        })
    }),
    ("serde-jsonlines", |chunks| {
        iterate(chunks, |reader| {
            let values = JsonLinesReader::new(BufReader::new(reader)).read_all::<Value>();
            values.map(|it| it.map_err(text))
        })
    }),
    ("ndjson-stream", |chunks| {
        iterate(chunks, |reader| {
            ndjson_stream::from_iter::<Value, _>(reader.map(Vec::from)).map(|it| it.map_err(text))
        })
    }),
    ("ndjson-stream, `IgnoreBlank`", |chunks| {
        iterate(chunks, |reader| {
            let config =
                NdjsonConfig::default().with_empty_line_handling(EmptyLineHandling::IgnoreBlank);
            let chunks = reader.map(Vec::from);
            ndjson_stream::from_iter_with_config::<Value, _>(chunks, config)
                .map(|it| it.map_err(text))
        })
    }),
    ("struson", |chunks| {
        iterate(chunks, |reader| {
            let settings =
                ReaderSettings { allow_multiple_top_level: true, ..ReaderSettings::default() };
            let mut reader = JsonStreamReader::new_custom(reader, settings);
            let mut is_first = true; // the reader expects one value at least
            std::iter::from_fn(move || {
                let has_next = mem::take(&mut is_first) || reader.has_next().ok()?;
                has_next.then(|| reader.deserialize_next::<Value>().map_err(text))
            })
        })
    }),
];

fn parse(line: &str) -> Result<Value, String> {
    serde_json::from_str(line).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
