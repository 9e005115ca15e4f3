use arbitrary::{Arbitrary, Result, Unstructured};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use heartbeat_frame::HeartbeatMessage;

use super::envelope::{build, heartbeat};
use super::{Cuts, Stream, StreamOutcome};
use crate::reference_reader::{EnvelopeFlags, cut};

/// A stream of envelopes in base64, cut into pieces.
#[derive(Debug)]
pub struct GrpcWebTextCase {
    heartbeat: HeartbeatMessage,
    stream: Stream,
    cuts: Cuts,
}

impl<'a> Arbitrary<'a> for GrpcWebTextCase {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let heartbeat = heartbeat(bytes)?;
        let cuts = bytes.arbitrary()?;
        let flushes: Flushes = bytes.arbitrary()?;
        let stream = Stream::new(bytes, |bytes| {
            Ok(flushes.encode(&build(bytes, EnvelopeFlags::GrpcWeb, &heartbeat)?).into_bytes())
        })?;
        Ok(Self { heartbeat, stream, cuts })
    }
}

impl GrpcWebTextCase {
    /// Compares the tracker with the reference reader.
    ///
    /// # Panics
    ///
    /// If they differ, which is the finding.
    #[must_use = "the tally counts it"]
    pub fn check(&self) -> StreamOutcome {
        let Self { heartbeat, stream, cuts } = self;
        let out = cut::grpc_web_text(heartbeat, &stream.bytes, &cuts.resolve(stream.bytes.len()));
        StreamOutcome::new(stream, &out)
    }
}

/// Where the sender flushes and pads.
#[derive(Debug, Arbitrary)]
enum Flushes {
    AtTheEnd,
    AfterEachEnvelope,
    After(Cuts),
}

impl Flushes {
    fn encode(&self, stream: &[u8]) -> String {
        let cuts = match self {
            Self::AtTheEnd => Vec::new(),
            Self::AfterEachEnvelope => ends(stream),
            Self::After(cuts) => cuts.resolve(stream.len()),
        };
        let mut start = 0;
        let mut encode = |end| STANDARD.encode(&stream[std::mem::replace(&mut start, end)..end]);
        cuts.into_iter().chain([stream.len()]).map(&mut encode).collect()
    }
}

/// The ends of the complete envelopes.
fn ends(stream: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (Vec::new(), 0);
    while let Some([_, _, _, high, low]) = stream.get(at..at + 5) {
        at += 5 + usize::from(u16::from_be_bytes([*high, *low])); // short envelopes only
        if at > stream.len() {
            break;
        }
        ends.push(at);
    }
    ends
}
