use arbitrary::{Arbitrary, Result, Unstructured};
use heartbeat_frame::HeartbeatMessage;

use super::{Cuts, LONGEST, Stream, StreamOutcome, pieces};
use crate::reference_reader::{EnvelopeFlags, cut};

/// A stream of envelopes, cut anywhere.
#[derive(Debug)]
pub struct EnvelopeCase {
    protocol: EnvelopeFlags,
    beat: HeartbeatMessage,
    stream: Stream,
    cuts: Cuts,
}

impl<'a> Arbitrary<'a> for EnvelopeCase {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let protocol = *bytes.choose(&[
            EnvelopeFlags::Grpc,
            EnvelopeFlags::GrpcWeb,
            EnvelopeFlags::Connect,
        ])?;
        let beat = beat(bytes)?;
        let cuts = bytes.arbitrary()?;
        let stream = Stream::new(bytes, |bytes| build(bytes, protocol, &beat))?;
        Ok(Self { protocol, beat, stream, cuts })
    }
}

impl EnvelopeCase {
    /// Compares the tracker with the reader of whole streams.
    ///
    /// # Panics
    ///
    /// When the two differ, which is the finding.
    #[must_use = "a tally counts it"]
    pub fn check(&self) -> StreamOutcome {
        let Self { protocol, beat, stream, cuts } = self;
        let out = cut::envelopes(*protocol, beat, &stream.bytes, &cuts.resolve(stream.bytes.len()));
        StreamOutcome::new(stream, &out)
    }
}

/// What is a heartbeat.
pub(super) fn beat(bytes: &mut Unstructured<'_>) -> Result<HeartbeatMessage> {
    Ok(match bytes.int_in_range(0..=3_u8)? {
        0 => HeartbeatMessage::default(),
        1 => HeartbeatMessage::empty(),
        2 => HeartbeatMessage::from_payload("{}").expect("2 bytes fit"),
        _ => {
            let length = bytes.arbitrary::<u8>()?.into();
            HeartbeatMessage::from_payload(bytes.bytes(length)?).expect("255 bytes fit")
        }
    })
}

/// An envelope.
#[derive(Debug, Arbitrary)]
enum Piece {
    Heartbeat,
    /// The heartbeat, but for a bit.
    Almost(u8),
    Empty,
    Message {
        compressed: bool,
        payload: Payload,
    },
}

#[derive(Debug, Arbitrary)]
enum Payload {
    Byte(u8),
    /// That many.
    Zeros(u8),
    Any(u8),
}

impl Payload {
    fn bytes(&self, bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Byte(byte) => vec![*byte],
            Self::Zeros(length) => vec![0; usize::from(*length)],
            Self::Any(length) => {
                let length = usize::from(*length).min(bytes.len());
                bytes.bytes(length)?.to_vec()
            }
        })
    }
}

/// Envelopes of that protocol, some of them heartbeats, perhaps up to the end of the stream of messages.
pub(super) fn build(
    bytes: &mut Unstructured<'_>,
    protocol: EnvelopeFlags,
    beat: &HeartbeatMessage,
) -> Result<Vec<u8>> {
    let (_, ends) = protocol.flags();
    let end = if ends.is_empty() { None } else { bytes.arbitrary::<Option<(bool, Payload)>>()? };
    let mut stream = Vec::new();
    for piece in pieces(bytes)? {
        match piece {
            Piece::Heartbeat => stream.extend(beat.envelope()),
            Piece::Almost(bit) => {
                let mut payload = beat.raw().to_vec();
                if let Some(last) = payload.last_mut() {
                    *last ^= 1 << (bit % 8);
                }
                stream.extend(enclose(0, &payload));
            }
            Piece::Empty => stream.extend(enclose(0, &[])),
            Piece::Message { compressed, payload } => {
                stream.extend(enclose(compressed.into(), &payload.bytes(bytes)?));
            }
        }
    }
    stream.truncate(LONGEST);
    match end {
        Some((compressed, payload)) if stream.len() < LONGEST => {
            stream.extend(enclose(ends[usize::from(compressed)], &payload.bytes(bytes)?));
        }
        _ => {}
    }
    Ok(stream)
}

fn enclose(flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small one");
    [&[flags][..], &length.to_be_bytes(), payload].concat()
}
