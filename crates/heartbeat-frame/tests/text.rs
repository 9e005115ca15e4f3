//! The bytes of heartbeats for text streams: server-sent events and newline-delimited JSON.

use heartbeat_frame::{InvalidSse, LineEnd, NdjsonHeartbeat, SseHeartbeat};

const BROKEN: [&str; 6] = ["\n", "\r", "\r\n", "two\nlines", "two\rlines", "one line\r\n"];

fn comment(text: &str) -> SseHeartbeat {
    SseHeartbeat::comment(text).expect("one line")
}

fn comment_block(text: &str) -> SseHeartbeat {
    SseHeartbeat::comment_block(text).expect("one line")
}

fn event(name: &str, data: &str) -> SseHeartbeat {
    SseHeartbeat::event(name, data).expect("one line each")
}

#[test]
fn a_comment_without_text_is_two_bytes_and_the_default() {
    assert_eq!(comment("").bytes(), ":\n");
    assert_eq!(comment("").bytes().len(), 2);
    assert_eq!(comment(""), SseHeartbeat::default());
}

#[test]
fn the_three_forms_byte_by_byte() {
    assert_eq!(comment("ping").bytes(), ":ping\n");
    assert_eq!(comment_block("").bytes(), ":\n\n");
    assert_eq!(comment_block("ping").bytes(), ":ping\n\n");
    assert_eq!(event("heartbeat", "{}").bytes(), "event: heartbeat\ndata: {}\n\n");
}

#[test]
fn every_form_has_either_line_end() {
    for (heartbeat, cr_lf) in [
        (SseHeartbeat::default(), ":\r\n"),
        (comment("ping"), ":ping\r\n"),
        (comment_block("ping"), ":ping\r\n\r\n"),
        (event("heartbeat", "{}"), "event: heartbeat\r\ndata: {}\r\n\r\n"),
    ] {
        assert_eq!(heartbeat.bytes_with(LineEnd::CrLf), cr_lf);
        assert_eq!(heartbeat.bytes_with(LineEnd::Lf), heartbeat.bytes());
        assert_eq!(
            heartbeat.bytes_with(LineEnd::CrLf).as_ptr(),
            heartbeat.clone().bytes_with(LineEnd::CrLf).as_ptr()
        );
    }
}

#[test]
fn an_event_without_data_keeps_its_data_line() {
    // A client ignores an event without a data line.
    assert_eq!(event("heartbeat", "").bytes(), "event: heartbeat\ndata: \n\n");
}

#[test]
fn a_client_reads_the_given_name_and_data() {
    for name in ["ping", " ping", "  ping ", ":", "data: x", "\u{feff}", "a\u{2028}b\u{85}c"] {
        for data in ["", " ", "  two", "\t", ":", "event: x", "a\u{2028}b\u{85}c\u{b}d\0"] {
            let bytes = event(name, data).bytes();
            let text = std::str::from_utf8(&bytes).expect("text");
            assert_eq!(dispatched(text), [(name.to_owned(), data.to_owned())]);
        }
    }
}

#[test]
fn a_client_dispatches_nothing_for_a_comment() {
    for text in ["", " ", "ping", "data: x", ":", "\u{2028}data: x"] {
        for heartbeat in [comment(text), comment_block(text)] {
            let bytes = heartbeat.bytes();
            assert!(dispatched(std::str::from_utf8(&bytes).expect("text")).is_empty());
        }
    }
}

#[test]
fn a_comment_inside_an_event_does_not_change_it() {
    let bytes = comment("data: y").bytes();
    let heartbeat = std::str::from_utf8(&bytes).expect("text");
    let stream = format!(
        "{heartbeat}event: a\n{heartbeat}data: x\n{heartbeat}data: z\n{heartbeat}\n{heartbeat}"
    );
    assert_eq!(dispatched(&stream), [("a".to_owned(), "x\nz".to_owned())]);
}

#[test]
fn text_with_a_line_break_is_rejected() {
    for text in BROKEN {
        let rejected = Err(InvalidSse::LineBreakInText);
        assert_eq!(SseHeartbeat::comment(text), rejected, "{text:?}");
        assert_eq!(SseHeartbeat::comment_block(text), rejected, "{text:?}");
        assert_eq!(SseHeartbeat::event("heartbeat", text), rejected, "{text:?}");
    }
    assert_eq!(
        InvalidSse::LineBreakInText.to_string(),
        "text contains a line break: CR and LF are not allowed"
    );
}

#[test]
fn a_name_with_a_line_break_is_rejected() {
    for name in BROKEN {
        let rejected = Err(InvalidSse::LineBreakInName);
        assert_eq!(SseHeartbeat::event(name, "{}"), rejected, "{name:?}");
    }
    assert_eq!(
        InvalidSse::LineBreakInName.to_string(),
        "event name contains a line break: CR and LF are not allowed"
    );
}

#[test]
fn reserved_names_are_rejected() {
    for name in ["", "message"] {
        assert_eq!(SseHeartbeat::event(name, "{}"), Err(InvalidSse::ReservedName));
    }
    assert_eq!(
        InvalidSse::ReservedName.to_string(),
        "event name is empty or `message`, like that of real events: another name is required"
    );
}

#[test]
fn bytes_are_not_copied() {
    for heartbeat in [SseHeartbeat::default(), comment("ping"), event("heartbeat", "{}")] {
        assert_eq!(heartbeat.bytes().as_ptr(), heartbeat.bytes().as_ptr());
        assert_eq!(heartbeat.clone().bytes().as_ptr(), heartbeat.bytes().as_ptr());
    }
}

#[test]
fn ndjson_has_two_forms_of_one_byte() {
    assert_eq!(NdjsonHeartbeat::BlankLine.bytes(), "\n");
    assert_eq!(NdjsonHeartbeat::Space.bytes(), " ");
    assert_eq!(NdjsonHeartbeat::default(), NdjsonHeartbeat::BlankLine);
}

#[test]
fn types_are_send_and_sync() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<SseHeartbeat>();
    check::<InvalidSse>();
    check::<NdjsonHeartbeat>();
}

/// The names and data of the events that a client dispatches by the HTML standard.
fn dispatched(stream: &str) -> Vec<(String, String)> {
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), String::new());
    for line in stream.replace("\r\n", "\n").split_terminator(['\r', '\n']) {
        if line.is_empty() {
            if !data.is_empty() {
                data.truncate(data.len() - 1); // the line feed after the last data line
                let name = if name.is_empty() { "message".to_owned() } else { name.clone() };
                events.push((name, data.clone()));
            }
            (name, data) = (String::new(), String::new());
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => data.extend([value, "\n"]),
            _ => {}
        }
    }
    events
}
