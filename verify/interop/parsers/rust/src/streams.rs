//! The streams, without heartbeats.

pub struct Named {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

fn named(name: &'static str, text: &str) -> Named {
    Named { name, bytes: text.into() }
}

/// Most data is JSON, because some clients accept nothing else.
pub fn sse() -> Vec<Named> {
    let long = format!("data: \"{}\"\n\ndata: {{\"n\":2}}\n\n", "x".repeat(70_000));
    vec![
        named("LF", "data: {\"n\":1}\n\ndata: {\"n\":2}\n\n"),
        named("CR LF", "data: {\"n\":1}\r\n\r\ndata: {\"n\":2}\r\n\r\n"),
        named("CR", "data: {\"n\":1}\r\rdata: {\"n\":2}\r\r"),
        named(
            "mixed line ends",
            "data: {\"n\":1}\n\r\ndata: {\"n\":2}\r\n\ndata: {\"n\":3}\r\rdata: {\"n\":4}\n\n",
        ),
        named(
            "all fields",
            "id: 1\nevent: a\nretry: 3000\ndata: {\"n\":1}\n\nevent: b\ndata: {\"n\":2}\nid: 2\n\n",
        ),
        named(
            "all fields (CR LF)",
            "id: 1\r\nevent: a\r\nretry: 3000\r\ndata: {\"n\":1}\r\n\r\nevent: b\r\ndata: {\"n\":2}\r\nid: 2\r\n\r\n",
        ),
        named("byte order mark", "\u{feff}data: {\"n\":1}\n\ndata: {\"n\":2}\n\n"),
        named("byte order mark (CR LF)", "\u{feff}data: {\"n\":1}\r\n\r\ndata: {\"n\":2}\r\n\r\n"),
        named(
            "byte order mark inside",
            "data: {\"n\":1}\n\n\u{feff}data: {\"n\":2}\n\ndata: {\"n\":3}\n\n",
        ),
        named(
            "comments",
            ": first\n\n: before\ndata: {\"n\":1}\n: inside\n\n:\ndata: {\"n\":2}\n:\n\n",
        ),
        named(
            "comments (CR LF)",
            ": first\r\n\r\n: before\r\ndata: {\"n\":1}\r\n: inside\r\n\r\n:\r\ndata: {\"n\":2}\r\n\r\n",
        ),
        named("comment blocks", ":\n\ndata: {\"n\":1}\n\n: keep-alive\n\n:\n\ndata: {\"n\":2}\n\n"),
        named("retry block", "retry: 3000\n\ndata: {\"n\":1}\n\n"),
        named("retry alone", "retry: 3000\n"),
        named("retry alone (CR LF)", "retry: 3000\r\n"),
        named("retry and an event", "retry: 3000\ndata: {\"n\":1}\n\nretry: 1\n"),
        named("lines of data", "data: {\"n\":\ndata: 1\ndata: }\n\ndata: {\"n\":2}\n\n"),
        named(
            "lines of data (CR LF)",
            "data: {\"n\":\r\ndata: 1\r\ndata: }\r\n\r\ndata: {\"n\":2}\r\n\r\n",
        ),
        named("empty data", "data\n\ndata:\n\ndata\ndata\n\ndata: {\"n\":1}\n\n"),
        named("blank lines", "\n\ndata: {\"n\":1}\n\n\n\ndata: {\"n\":2}\n\n\n"),
        named(
            "blank lines (CR LF)",
            "\r\n\r\ndata: {\"n\":1}\r\n\r\n\r\n\r\ndata: {\"n\":2}\r\n\r\n\r\n",
        ),
        named(
            "ids",
            "id: 1\ndata: {\"n\":1}\n\nid\ndata: {\"n\":2}\n\nid: 3\n\ndata: {\"n\":4}\n\nid: a\0b\ndata: {\"n\":5}\n\n",
        ),
        named(
            "events without data",
            "event: a\n\ndata: {\"n\":1}\n\nevent: b\nid: 2\n\ndata: {\"n\":2}\n\n",
        ),
        named(
            "spaces",
            "data:{\"n\":1}\n\ndata:  {\"n\":2}\n\ndata:\t{\"n\":3}\n\nevent:a\ndata:{\"n\":4} \n\n",
        ),
        named(
            "unknown fields",
            "time: 1\ndata: {\"n\":1}\n\ntime\ndata : {}\n\ndata: {\"n\":2}\n\n",
        ),
        named("UTF-8", "data: \"é € 😀\"\n\nevent: ü\ndata: \"日本\"\n\n"),
        named("UTF-8 (CR LF)", "data: \"é € 😀\"\r\n\r\nevent: ü\r\ndata: \"日本\"\r\n\r\n"),
        named("no blank line at the end", "data: {\"n\":1}\n\ndata: {\"n\":2}\n"),
        named("no line end at the end", "data: {\"n\":1}\n\ndata: {\"n\":2}"),
        named("end of a chat", "data: {\"n\":1}\n\ndata: [DONE]\n\n"),
        named("70 kB of data", &long),
    ]
}

/// The values are objects of one shape, because some readers make a table of them.
pub fn ndjson() -> Vec<Named> {
    let long = format!("{{\"n\":1,\"s\":\"{}\"}}\n{{\"n\":2,\"s\":\"\"}}\n", "x".repeat(100_000));
    vec![
        named("LF", "{\"n\":1}\n{\"n\":2}\n"),
        named("CR LF", "{\"n\":1}\r\n{\"n\":2}\r\n"),
        named("three values", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"),
        named("one value", "{\"n\":1}\n"),
        named("nothing", ""),
        named(
            "nested",
            "{\"n\":1,\"o\":{\"a\":[1,[2,{\"b\":null}]]}}\n{\"n\":2,\"o\":{\"a\":[[],[]]}}\n",
        ),
        named("white space", " {\"n\": 1 }\n{ \"n\" : 2 } \n\t{\"n\":3}\t\n"),
        named("white space (CR LF)", " {\"n\": 1 }\r\n{ \"n\" : 2 } \r\n"),
        named("no LF at the end", "{\"n\":1}\n{\"n\":2}"),
        named("space at the end", "{\"n\":1}\n{\"n\":2}\n  "),
        named("blank lines", "\n{\"n\":1}\n\n\n{\"n\":2}\n\n"),
        named("lines of spaces", "{\"n\":1}\n  \n{\"n\":2}\n \n"),
        named("strings", "{\"n\":1,\"s\":\"}\\n{ \\\" \\\\\"}\n{\"n\":2,\"s\":\" [\"}\n"),
        named("UTF-8", "{\"n\":1,\"s\":\"é € 😀\"}\n{\"n\":2,\"s\":\"\u{2028}日本\"}\n"),
        named("numbers and names", "1\n-2.5e3\n\"s\"\nnull\ntrue\n"),
        named("arrays", "[1,2]\n[]\n"),
        named("two values in a line", "{\"n\":1} {\"n\":2}\n{\"n\":3}\n"),
        named("byte order mark", "\u{feff}{\"n\":1}\n{\"n\":2}\n"),
        named("100 kB in a line", &long),
    ]
}
