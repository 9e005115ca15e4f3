use super::*;

const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;

/// A frame on stream 1. A classifier that parses its payload as frame headers finds frames of another type there.
fn frame(kind: u8, length: usize) -> Vec<u8> {
    let [_, length_bytes @ ..] = u32::try_from(length).unwrap().to_be_bytes();
    let decoy = if matches!(kind, DATA | HEADERS) { PING } else { HEADERS };
    [&length_bytes[..], &[kind, 0, 0, 0, 0, 1], &vec![decoy; length]].concat()
}

fn frames() -> Vec<u8> {
    [
        frame(SETTINGS, 18),
        frame(HEADERS, 40),
        frame(WINDOW_UPDATE, 4),
        frame(DATA, 0),
        frame(PING, 8),
        frame(DATA, 300),
        frame(CONTINUATION, 3),
        frame(SETTINGS, 0),
        frame(HEADERS, 0),
        frame(PING, 8),
    ]
    .concat()
}

/// The reference model: whether each byte counts.
fn counted(frames: &[u8]) -> Vec<bool> {
    let mut counted = Vec::new();
    while counted.len() < frames.len() {
        let header = &frames[counted.len()..][..9];
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        counted.extend([false; 3]);
        counted.extend(vec![header[3] <= 1; 6 + length]);
    }
    assert_eq!(counted.len(), frames.len(), "the last frame is complete");
    counted
}

/// A connection in `Data` mode that is known to speak HTTP/2.
fn http2() -> TrafficClassifier {
    let mut traffic = TrafficClassifier::new(ActivityRule::Data);
    assert!(!traffic.on_read(Side::Client, PREFACE));
    traffic
}

#[test]
fn a_frame_counts_from_its_type_byte() {
    for (kind, counts) in [(DATA, true), (HEADERS, true), (PING, false)] {
        let mut traffic = http2();
        assert!(!traffic.on_read(Side::Server, &[0, 0, 4]), "the length does not count");
        assert_eq!(traffic.on_read(Side::Server, &[kind]), counts);
        assert_eq!(traffic.on_read(Side::Server, &[0]), counts, "flags");
        assert_eq!(traffic.on_read(Side::Server, &[0, 0, 0, 1]), counts, "the stream's number");
        assert_eq!(traffic.on_read(Side::Server, &[DATA, PING]), counts, "half of the payload");
        assert_eq!(traffic.on_read(Side::Server, &[DATA, PING]), counts, "all of the payload");
        assert!(!traffic.on_read(Side::Server, &[0, 0, 8]), "the next frame's length");
    }
}

#[test]
fn single_bytes_count_as_in_the_model() {
    let frames = frames();
    for side in [Side::Client, Side::Server] {
        let mut traffic = http2();
        let seen: Vec<bool> = frames.iter().map(|&byte| traffic.on_read(side, &[byte])).collect();
        assert_eq!(seen, counted(&frames), "{side:?}");
    }
}

#[test]
fn a_chunk_counts_if_any_of_its_bytes_counts() {
    let client = [PREFACE, &frames()].concat();
    let client_counted = [vec![false; PREFACE.len()], counted(&frames())].concat();

    for from in 0..client.len() {
        for to in from..=client.len() {
            let mut traffic = TrafficClassifier::new(ActivityRule::Data);
            for chunk in [0..from, from..to, to..client.len()] {
                let expected = client_counted[chunk.clone()].contains(&true);
                let counts = traffic.on_read(Side::Client, &client[chunk.clone()]);
                assert_eq!(counts, expected, "{chunk:?} of {from} and {to}");
            }
        }
    }
}

#[test]
fn a_length_has_three_bytes() {
    let mut traffic = http2();
    assert!(!traffic.on_read(Side::Server, &frame(PING, 0x01_02_03)));
    assert!(traffic.on_read(Side::Server, &frame(DATA, 0)));
    let longest = frame(SETTINGS, 0xff_ff_ff);
    assert!(longest.chunks(16 * 1024).all(|chunk| !traffic.on_read(Side::Server, chunk)));
    assert!(traffic.on_read(Side::Server, &frame(HEADERS, 0)));
}

#[test]
fn a_ping_counts_as_bytes_but_not_as_data() {
    for (counts, expected) in [(ActivityRule::Data, false), (ActivityRule::Bytes, true)] {
        let mut traffic = TrafficClassifier::new(counts);
        assert!(!traffic.on_read(Side::Client, &[PREFACE, &frame(SETTINGS, 0)].concat()));
        assert_eq!(traffic.on_read(Side::Server, &frame(SETTINGS, 18)), expected);
        assert_eq!(traffic.on_read(Side::Server, &frame(PING, 8)), expected);
        assert!(!traffic.on_read(Side::Client, &frame(PING, 8)));
    }
}

#[test]
fn bytes_of_the_client_do_not_count() {
    let mut traffic = TrafficClassifier::new(ActivityRule::Bytes);
    assert!(!traffic.on_read(Side::Client, PREFACE));
    assert!(!traffic.on_read(Side::Client, &frame(DATA, 10)));
    assert!(!traffic.on_read(Side::Server, &[]), "an empty read is not activity");
    assert!(traffic.on_read(Side::Server, &[0]), "the first byte of a header counts");
}

#[test]
fn any_byte_of_the_server_counts_without_a_preface() {
    for counts in [ActivityRule::Data, ActivityRule::Bytes] {
        let mut traffic = TrafficClassifier::new(counts);
        assert!(!traffic.on_read(Side::Client, b"GET / HTTP/1.1\r\n\r\n"));
        assert!(traffic.on_read(Side::Server, b"H"));
        assert!(traffic.on_read(Side::Server, b"TTP/1.1 200 OK\r\n\r\n"));
        assert!(!traffic.on_read(Side::Server, &[]), "an empty read is not activity");
        assert!(!traffic.on_read(Side::Client, &frame(DATA, 10)), "too late to be HTTP/2");
        assert!(traffic.on_read(Side::Server, &frame(PING, 8)), "all bytes count without HTTP/2");
    }
}

#[test]
fn a_preface_is_detected_in_any_chunks() {
    for at in 0..PREFACE.len() {
        let mut split = TrafficClassifier::new(ActivityRule::Data);
        assert!(!split.on_read(Side::Client, &PREFACE[..at]));
        assert!(!split.on_read(Side::Client, &PREFACE[at..]));
        assert!(!split.on_read(Side::Server, &frame(PING, 8)), "HTTP/2, cut at {at}");
        assert!(split.on_read(Side::Client, &frame(DATA, 0)), "HTTP/2, cut at {at}");

        let mut other = PREFACE.to_vec();
        other[at] ^= 1;
        let mut traffic = TrafficClassifier::new(ActivityRule::Data);
        assert!(!traffic.on_read(Side::Client, &other[..at]));
        assert!(!traffic.on_read(Side::Client, &other[at..]));
        assert!(traffic.on_read(Side::Server, &frame(PING, 8)), "other than HTTP/2 at {at}");
        assert!(!traffic.on_read(Side::Client, &frame(DATA, 0)), "other than HTTP/2 at {at}");
    }
}

#[test]
fn a_server_that_sends_first_is_parsed_as_http2() {
    let mut traffic = TrafficClassifier::new(ActivityRule::Data);
    let settings = frame(SETTINGS, 18);
    assert!(!traffic.on_read(Side::Server, &settings[..20]));
    assert!(!traffic.on_read(Side::Client, &PREFACE[..10]), "the protocol is unknown");
    assert!(!traffic.on_read(Side::Client, &PREFACE[10..]), "the protocol is HTTP/2");
    assert!(!traffic.on_read(Side::Server, &settings[20..]), "the rest of the frame");
    assert!(traffic.on_read(Side::Server, &frame(DATA, 0)));
}

#[test]
fn bytes_before_the_protocol_is_known_count_once_it_is_not_http2() {
    let mut text_first = TrafficClassifier::new(ActivityRule::Data);
    assert!(!text_first.on_read(Side::Server, b"220 ready\r\n"));
    assert!(text_first.on_read(Side::Client, b"HELO me\r\n"), "counts the greeting of the server");
    assert!(!text_first.on_read(Side::Client, b"QUIT\r\n"), "once");

    let mut counted = TrafficClassifier::new(ActivityRule::Data);
    assert!(!counted.on_read(Side::Server, &[0, 0, 0]));
    assert!(counted.on_read(Side::Server, &[DATA]), "like a frame of HTTP/2");
    assert!(!counted.on_read(Side::Client, b"HELO me\r\n"), "bytes count only once");
}
