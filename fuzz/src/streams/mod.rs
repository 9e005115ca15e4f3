//! Streams made of the bytes of the fuzzer, cut into pieces and fed to a tracker.

mod envelope;
mod grpc_web_text;
mod ndjson;
mod sse;
mod tally;

pub use envelope::EnvelopeCase;
pub use grpc_web_text::GrpcWebTextCase;
pub use ndjson::NdjsonCase;
pub use sse::SseCase;
pub use tally::{StreamOutcome, Tally};

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::reference_reader::cut::Output;

/// The longest stream. The readers read the whole stream at each byte, so longer ones slow the fuzzer down.
const LONGEST: usize = 600;

/// The highest number of pieces of a stream.
const MOST_PIECES: usize = 40;

/// A stream. More than half of them are valid.
#[derive(Debug)]
struct Stream {
    bytes: Vec<u8>,
    built: bool,
}

impl Stream {
    /// `build` returns a valid stream; it may be truncated afterwards.
    fn new<'a>(
        bytes: &mut Unstructured<'a>,
        build: impl Fn(&mut Unstructured<'a>) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let kind = bytes.int_in_range(0..=7_u8)?;
        let mut stream = match kind {
            0..=6 => build(bytes)?,
            _ => Vec::arbitrary(bytes)?,
        };
        if let 5 | 6 = kind {
            for _ in 0..bytes.int_in_range(1..=3)? {
                change(bytes, &mut stream)?;
            }
        }
        stream.truncate(LONGEST);
        Ok(Self { bytes: stream, built: kind < 5 })
    }
}

/// Changes, inserts or removes a byte.
fn change(bytes: &mut Unstructured<'_>, stream: &mut Vec<u8>) -> Result<()> {
    let at = bytes.choose_index(stream.len() + 1)?;
    match (bytes.int_in_range(0..=2)?, stream.get_mut(at)) {
        (0, Some(byte)) => *byte ^= 1 << bytes.int_in_range(0..=7)?,
        (1, Some(_)) => drop(stream.remove(at)),
        _ => stream.insert(at, bytes.arbitrary()?),
    }
    Ok(())
}

/// The pieces of a stream, at least one.
fn pieces<'a, T: Arbitrary<'a>>(bytes: &mut Unstructured<'a>) -> Result<Vec<T>> {
    let count = bytes.int_in_range(1..=MOST_PIECES)?;
    (0..count).map(|_| bytes.arbitrary()).collect()
}

/// Where a stream is cut.
#[derive(Debug, Clone, Arbitrary)]
enum Cuts {
    Nowhere,
    AfterEachByte,
    /// Into pieces of these lengths, repeated.
    Lengths(Vec<u8>),
}

impl Cuts {
    fn resolve(&self, length: usize) -> Vec<usize> {
        let lengths = match self {
            Self::Nowhere => return Vec::new(),
            Self::AfterEachByte => &[1],
            Self::Lengths(lengths) => &lengths[..],
        };
        let (mut cuts, mut at) = (Vec::new(), 0);
        for piece in lengths.iter().cycle().take(length) {
            at += usize::from(*piece);
            if at >= length {
                break;
            }
            cuts.push(at);
        }
        cuts
    }
}

impl StreamOutcome {
    fn new(stream: &Stream, out: &Output) -> Self {
        let boundary = out.boundaries > 0;
        Self { built: stream.built, boundary, end: out.end }
    }
}
