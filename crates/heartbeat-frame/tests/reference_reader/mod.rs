//! A naive reader of whole streams: where a heartbeat may be inserted, which bytes are part of events,
//! and what the messages are. It does not work byte by byte, so it cannot be wrong in the same way as a
//! tracker.

pub(crate) mod cut;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use heartbeat_frame::Boundary;

/// The boundaries and the content of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The boundary before the first byte, and after each byte.
    pub(crate) boundaries: Vec<Boundary>,
    /// For each byte, whether it is known to be part of an event as soon as it is seen.
    pub(crate) is_event: Vec<bool>,
}

/// A protocol with envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnvelopeFlags {
    /// gRPC.
    Grpc,
    /// gRPC-Web.
    GrpcWeb,
    /// Connect.
    Connect,
}

impl EnvelopeFlags {
    /// The flags of messages, and those of the envelope that ends the stream.
    #[must_use]
    pub(crate) fn flags(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Grpc => (&[0, 1], &[]),
            Self::GrpcWeb => (&[0, 1], &[0x80, 0x81]),
            Self::Connect => (&[0, 1], &[2, 3]),
        }
    }
}

/// The envelopes, of which the last may be incomplete; and the bytes after them.
fn split(protocol: EnvelopeFlags, stream: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let (messages, ends) = protocol.flags();
    let (mut envelopes, mut rest) = (Vec::new(), stream);
    while !rest.is_empty() && (messages.contains(&rest[0]) || ends.contains(&rest[0])) {
        let length = match rest {
            [_, a, b, c, d, ..] => 5 + u64::from(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => u64::MAX,
        };
        let length = length.min(rest.len() as u64);
        let (envelope, after) =
            rest.split_at(usize::try_from(length).expect("at most the length of the stream"));
        envelopes.push(envelope);
        rest = after;
        if ends.contains(&envelope[0]) {
            break;
        }
    }
    (envelopes, rest)
}

fn is_complete(envelope: &[u8]) -> bool {
    let Some((header, payload)) = envelope.split_at_checked(5) else { return false };
    let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
    payload.len() as u64 == u64::from(length)
}

/// The flags and the payload of each complete envelope.
#[must_use]
pub(crate) fn envelope_messages(protocol: EnvelopeFlags, stream: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (envelopes, _) = split(protocol, stream);
    let reference = envelopes.into_iter().filter(|envelope| is_complete(envelope));
    reference.map(|envelope| (envelope[0], envelope[5..].to_vec())).collect()
}

/// A stream of envelopes. A message without fields, in protobuf or JSON, is an event whatever the heartbeat.
#[must_use]
pub(crate) fn envelopes(protocol: EnvelopeFlags, heartbeat: &[u8], stream: &[u8]) -> Reference {
    let heartbeat = if [&b""[..], b"{}"].contains(&&heartbeat[5..]) { b"" } else { heartbeat };
    let (envelopes, rest) = split(protocol, stream);
    let (mut boundaries, mut is_event) = (vec![Boundary::Open], Vec::new());
    for envelope in envelopes {
        for seen in 1..=envelope.len() {
            boundaries.push(Boundary::InsideMessage);
            is_event.push(!heartbeat.starts_with(&envelope[..seen]));
        }
        if is_complete(envelope) {
            let end = protocol.flags().1.contains(&envelope[0]);
            *boundaries.last_mut().expect("not empty") =
                if end { Boundary::EndOfStream } else { Boundary::Open };
        }
    }
    boundaries.extend(vec![Boundary::Unknown; rest.len()]);
    is_event.extend(vec![true; rest.len()]);
    Reference { boundaries, is_event }
}

/// Up to four characters, and the bytes that they encode.
type DecodedGroup<'a> = (&'a [u8], Vec<u8>);

/// The groups, and the number of valid characters.
fn groups(text: &[u8]) -> (Vec<DecodedGroup<'_>>, usize) {
    let (mut groups, mut valid) = (Vec::new(), 0);
    for group in text.chunks(4) {
        // Complete a partial group with characters that are valid there.
        let decode = |part: &[u8]| {
            ["A", "="].iter().find_map(|fill| {
                let rest = fill.repeat(4 - part.len());
                STANDARD.decode([part, rest.as_bytes()].concat()).ok()
            })
        };
        let valid_part = |part| decode(&group[..part]).map(|bytes| (part, bytes));
        let Some((length, mut bytes)) = (1..=group.len()).rev().find_map(valid_part) else {
            break;
        };
        let data = group[..length].iter().filter(|character| **character != b'=').count();
        bytes.truncate(data.saturating_sub(1));
        groups.push((&group[..length], bytes));
        valid += length;
        if length < group.len() {
            break;
        }
    }
    (groups, valid)
}

/// The flags and the payload of each complete envelope in base64.
#[must_use]
pub(crate) fn text_messages(text: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (groups, _) = groups(text);
    let bytes: Vec<u8> = groups.into_iter().flat_map(|(_, bytes)| bytes).collect();
    envelope_messages(EnvelopeFlags::GrpcWeb, &bytes)
}

/// A stream of envelopes in base64.
#[must_use]
pub(crate) fn grpc_web_text(heartbeat: &[u8], text: &[u8]) -> Reference {
    let (groups, valid) = groups(text);
    let bytes: Vec<u8> = groups.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let Reference { boundaries: below, is_event: events_below } =
        envelopes(EnvelopeFlags::GrpcWeb, heartbeat, &bytes);
    let (mut boundaries, mut is_event, mut start) = (vec![Boundary::Open], Vec::new(), 0);
    let mut lost = false;
    for (group, bytes) in groups {
        for seen in 1..=group.len() {
            let known = start + (seen - 1).min(bytes.len());
            // A group after the end.
            lost |= below[known] == Boundary::Unknown || below[start] == Boundary::EndOfStream;
            boundaries.push(match below[known] {
                _ if lost => Boundary::Unknown,
                boundary if seen == 4 => boundary,
                _ => Boundary::InsideMessage,
            });
            let before = known > 0 && events_below[known - 1];
            // The first character of a group does not complete a byte.
            is_event.push(lost || before && (seen > 1 || below[known] == Boundary::InsideMessage));
        }
        start += bytes.len();
    }
    boundaries.extend(vec![Boundary::Unknown; text.len() - valid]);
    is_event.extend(vec![true; text.len() - valid]);
    Reference { boundaries, is_event }
}

/// The byte order mark.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The length of the byte order mark at the start, and whether it is incomplete.
fn bom_prefix(stream: &[u8]) -> (usize, bool) {
    let length = stream.iter().zip(BOM).take_while(|(a, b)| a == b).count();
    match length {
        3 => (3, false),
        cut if cut == stream.len() && cut > 0 => (cut, true),
        _ => (0, false),
    }
}

/// Lines, each with its end: LF, CR LF or CR.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            Some(at) if rest[at..].starts_with(b"\r\n") => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        let (line, after) = rest.split_at(end);
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

/// A stream of server-sent events. `breaks_event` is whether the heartbeat contains a blank line.
/// After a heartbeat at offset 0 no byte order mark is allowed.
#[must_use]
pub(crate) fn sse(breaks_event: bool, bom_allowed: bool, stream: &[u8]) -> Reference {
    let (start, cut) = if bom_allowed { bom_prefix(stream) } else { (0, false) };
    let (mut boundaries, mut is_event) = (vec![Boundary::InsideMessage; start], vec![false; start]);
    boundaries.insert(0, Boundary::Open);
    if start > 0 && !cut {
        boundaries[start] = Boundary::Open;
    }
    let mut open = false;
    for line in lines(&stream[start..]) {
        let part_of_event = match line[0] {
            b'\r' | b'\n' => std::mem::replace(&mut open, false),
            b':' => false,
            _ => {
                // The reconnection time is set as soon as the line is processed.
                open |= field(line) != b"retry";
                true
            }
        };
        is_event.extend(vec![part_of_event; line.len()]);
        boundaries.extend(vec![Boundary::InsideMessage; line.len()]);
        if line.ends_with(b"\n") && !(breaks_event && open) {
            *boundaries.last_mut().expect("not empty") = Boundary::Open;
        }
    }
    if bom_allowed {
        exclude_partial_bom(&mut is_event, stream);
    }
    Reference { boundaries, is_event }
}

/// The name of the field in a line.
fn field(line: &[u8]) -> &[u8] {
    line.split(|byte| matches!(byte, b':' | b'\r' | b'\n')).next().unwrap_or_default()
}

/// Whether the next heartbeat ends its lines with CR LF: the last line that ended with an LF did.
#[must_use]
pub(crate) fn sse_uses_cr_lf(sent: &[u8]) -> bool {
    let lf = sent.iter().rposition(|byte| *byte == b'\n');
    lf.is_some_and(|lf| sent[..lf].ends_with(b"\r"))
}

/// Bytes that may still become a byte order mark are not known to be part of an event.
fn exclude_partial_bom(is_event: &mut [bool], stream: &[u8]) {
    for (seen, is_event) in is_event.iter_mut().enumerate() {
        *is_event &= !BOM.starts_with(&stream[..=seen]);
    }
}

/// The events that a client dispatches, by the rules of the HTML standard: name, data and last id.
#[must_use]
pub(crate) fn sse_messages(stream: &[u8]) -> Vec<[Vec<u8>; 3]> {
    let text = stream.strip_prefix(BOM).unwrap_or(stream);
    let (mut events, mut id) = (Vec::new(), Vec::new());
    let (mut name, mut data, mut any) = (Vec::new(), Vec::new(), false);
    for line in lines(text) {
        let Some(end) = line.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else { break };
        let line = &line[..end];
        if line.is_empty() {
            if any {
                events.push([name, data, id.clone()]);
            }
            (name, data, any) = (Vec::new(), Vec::new(), false);
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = colon.map_or((line, &b""[..]), |at| (&line[..at], &line[at + 1..]));
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => name = value.to_vec(),
            b"data" => {
                data = if any { [&data, &b"\n"[..], value].concat() } else { value.to_vec() };
                any = true;
            }
            b"id" if !value.contains(&0) => id = value.to_vec(),
            _ => {}
        }
    }
    events
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// The last line, without an LF.
fn last_line(text: &[u8]) -> &[u8] {
    text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// The heartbeat that is inserted after `sent`, which ends with white space between values: the chosen one at the
/// start of a line, and otherwise a space.
#[must_use]
pub(crate) fn ndjson_heartbeat(chosen: u8, sent: &[u8]) -> u8 {
    match last_line(sent.strip_prefix(BOM).unwrap_or(sent)) {
        [] => chosen,
        _ => b' ',
    }
}

/// A stream of JSON lines. After a heartbeat at offset 0 no byte order mark is allowed.
#[must_use]
pub(crate) fn ndjson(bom_allowed: bool, stream: &[u8]) -> Reference {
    let boundary = |seen: &[u8]| {
        let (mark, cut) = if bom_allowed { bom_prefix(seen) } else { (0, false) };
        let line = last_line(&seen[mark..]);
        let between_values = is_blank(line) && !line.ends_with(b"\r");
        if between_values && !cut { Boundary::Open } else { Boundary::InsideMessage }
    };
    let boundaries = (0..=stream.len()).map(|seen| boundary(&stream[..seen])).collect();

    let (start, _) = if bom_allowed { bom_prefix(stream) } else { (0, false) };
    let mut is_event = vec![false; start];
    for line in stream[start..].split_inclusive(|byte| *byte == b'\n') {
        is_event.extend((1..=line.len()).map(|seen| !is_blank(&line[..seen])));
    }
    if bom_allowed {
        exclude_partial_bom(&mut is_event, stream);
    }
    Reference { boundaries, is_event }
}

/// The lines that are not empty, without the white space at their start: what a reader gets that skips empty lines
/// only. The last line need not be complete.
#[must_use]
pub(crate) fn ndjson_lines(stream: &[u8]) -> Vec<Vec<u8>> {
    let text = stream.strip_prefix(BOM).unwrap_or(stream);
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| line.trim_ascii_start().to_vec()).collect()
}

/// The lines that are not blank, without leading and trailing whitespace.
#[must_use]
pub(crate) fn ndjson_messages(stream: &[u8]) -> Vec<Vec<u8>> {
    let text = stream.strip_prefix(BOM).unwrap_or(stream);
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !is_blank(line));
    let is_white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    lines
        .map(|line| {
            let start = line.iter().position(|byte| !is_white(byte)).unwrap_or(0);
            let end = line.iter().rposition(|byte| !is_white(byte)).map_or(0, |at| at + 1);
            line[start..end].to_vec()
        })
        .collect()
}
