use arbitrary::{Arbitrary, Result, Unstructured};
use heartbeat_frame::HeartbeatMessage;

use super::{Cuts, LONGEST, Stream, StreamOutcome, pieces};
use crate::reference_reader::{EnvelopeFlags, cut};

/// A stream of envelopes, cut into pieces.
#[derive(Debug)]
pub struct EnvelopeCase {
    protocol: EnvelopeFlags,
    heartbeat: HeartbeatMessage,
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
        let heartbeat = heartbeat(bytes)?;
        let cuts = bytes.arbitrary()?;
        let stream = Stream::new(bytes, |bytes| build(bytes, protocol, &heartbeat))?;
        Ok(Self { protocol, heartbeat, stream, cuts })
    }
}

impl EnvelopeCase {
    /// Compares the tracker with the reference reader.
    ///
    /// # Panics
    ///
    /// If they differ, which is the finding.
    #[must_use = "the tally counts it"]
    pub fn check(&self) -> StreamOutcome {
        let Self { protocol, heartbeat, stream, cuts } = self;
        let out =
            cut::envelopes(*protocol, heartbeat, &stream.bytes, &cuts.resolve(stream.bytes.len()));
        StreamOutcome::new(stream, &out)
    }
}

/// A heartbeat.
pub(super) fn heartbeat(bytes: &mut Unstructured<'_>) -> Result<HeartbeatMessage> {
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
enum EnvelopePiece {
    Heartbeat,
    /// The heartbeat with one bit changed.
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
    /// This many zeros.
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

/// Envelopes of a protocol, some of them heartbeats, with or without the envelope that ends the stream.
pub(super) fn build(
    bytes: &mut Unstructured<'_>,
    protocol: EnvelopeFlags,
    heartbeat: &HeartbeatMessage,
) -> Result<Vec<u8>> {
    let (_, ends) = protocol.flags();
    let end = if ends.is_empty() { None } else { bytes.arbitrary::<Option<(bool, Payload)>>()? };
    let mut stream = Vec::new();
    for piece in pieces(bytes)? {
        match piece {
            EnvelopePiece::Heartbeat => stream.extend(heartbeat.envelope()),
            EnvelopePiece::Almost(bit) => {
                let mut payload = heartbeat.raw().to_vec();
                if let Some(last) = payload.last_mut() {
                    *last ^= 1 << (bit % 8);
                }
                stream.extend(enclose(0, &payload));
            }
            EnvelopePiece::Empty => stream.extend(enclose(0, &[])),
            EnvelopePiece::Message { compressed, payload } => {
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
    let length = u32::try_from(payload.len()).expect("a short payload");
    [&[flags][..], &length.to_be_bytes(), payload].concat()
}
