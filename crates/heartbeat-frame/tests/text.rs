//! The bytes of a heartbeat in the framings of text: server-sent events and newline-delimited JSON.

use heartbeat_frame::{InvalidSse, NdjsonHeartbeat, SseHeartbeat};

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
fn an_event_without_data_keeps_its_data_line() {
    // A client drops an event that has no such line.
    assert_eq!(event("heartbeat", "").bytes(), "event: heartbeat\ndata: \n\n");
}

#[test]
fn a_client_reads_the_name_and_the_data_that_were_given() {
    for name in ["beat", " beat", "  beat ", ":", "data: x", "\u{feff}", "a\u{2028}b\u{85}c"] {
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
        for beat in [comment(text), comment_block(text)] {
            let bytes = beat.bytes();
            assert!(dispatched(std::str::from_utf8(&bytes).expect("text")).is_empty());
        }
    }
}

#[test]
fn a_comment_within_an_event_leaves_it_whole() {
    let bytes = comment("data: y").bytes();
    let beat = std::str::from_utf8(&bytes).expect("text");
    let stream = format!("{beat}event: a\n{beat}data: x\n{beat}data: z\n{beat}\n{beat}");
    assert_eq!(dispatched(&stream), [("a".to_owned(), "x\nz".to_owned())]);
}

#[test]
fn text_with_a_line_break_is_refused() {
    for text in BROKEN {
        let refused = Err(InvalidSse::LineBreakInText);
        assert_eq!(SseHeartbeat::comment(text), refused, "{text:?}");
        assert_eq!(SseHeartbeat::comment_block(text), refused, "{text:?}");
        assert_eq!(SseHeartbeat::event("heartbeat", text), refused, "{text:?}");
    }
    assert_eq!(
        InvalidSse::LineBreakInText.to_string(),
        "a line break (CR or LF) in the text would end its line: leave it out"
    );
}

#[test]
fn a_name_with_a_line_break_is_refused() {
    for name in BROKEN {
        let refused = Err(InvalidSse::LineBreakInName);
        assert_eq!(SseHeartbeat::event(name, "{}"), refused, "{name:?}");
    }
    assert_eq!(
        InvalidSse::LineBreakInName.to_string(),
        "a line break (CR or LF) in the event name would end its line: leave it out"
    );
}

#[test]
fn the_name_of_real_events_is_refused() {
    for name in ["", "message"] {
        assert_eq!(SseHeartbeat::event(name, "{}"), Err(InvalidSse::NameOfRealEvents));
    }
    assert_eq!(
        InvalidSse::NameOfRealEvents.to_string(),
        "an event without a name, or named `message`, is what real events are: \
         give it a name of its own"
    );
}

#[test]
fn nothing_is_copied() {
    for beat in [SseHeartbeat::default(), comment("ping"), event("heartbeat", "{}")] {
        assert_eq!(beat.bytes().as_ptr(), beat.bytes().as_ptr());
        assert_eq!(beat.clone().bytes().as_ptr(), beat.bytes().as_ptr());
    }
}

#[test]
fn ndjson_has_two_forms_of_one_byte() {
    assert_eq!(NdjsonHeartbeat::BlankLine.bytes(), "\n");
    assert_eq!(NdjsonHeartbeat::Space.bytes(), " ");
    assert_eq!(NdjsonHeartbeat::default(), NdjsonHeartbeat::BlankLine);
}

#[test]
fn they_go_wherever_threads_go() {
    fn is_free<T: Send + Sync + Unpin + 'static>() {}
    is_free::<SseHeartbeat>();
    is_free::<InvalidSse>();
    is_free::<NdjsonHeartbeat>();
}

/// The events that a client sees, by the rules of the HTML standard: their names and their data.
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
