use arbitrary::{Arbitrary, Result, Unstructured};
use heartbeat_frame::NdjsonHeartbeat;

use super::{Cuts, Stream, StreamOutcome, pieces};
use crate::reference_reader::{BOM, cut};

/// A stream of lines of JSON, cut into pieces.
#[derive(Debug)]
pub struct NdjsonCase {
    heartbeat: NdjsonHeartbeat,
    stream: Stream,
    cuts: Cuts,
}

impl<'a> Arbitrary<'a> for NdjsonCase {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let heartbeat = *bytes.choose(&[NdjsonHeartbeat::BlankLine, NdjsonHeartbeat::Space])?;
        let cuts = bytes.arbitrary()?;
        let stream = Stream::new(bytes, build)?;
        Ok(Self { heartbeat, stream, cuts })
    }
}

impl NdjsonCase {
    /// Compares the tracker with the reference reader.
    ///
    /// # Panics
    ///
    /// If they differ, which is the finding.
    #[must_use = "the tally counts it"]
    pub fn check(&self) -> StreamOutcome {
        let Self { heartbeat, stream, cuts } = self;
        let out = cut::ndjson(*heartbeat, &stream.bytes, &cuts.resolve(stream.bytes.len()));
        StreamOutcome::new(stream, &out)
    }
}

/// A line of JSON, or a blank line.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum NdjsonLine {
    Blank,
    /// Spaces and tabs.
    White(u8),
    Number(i16),
    Object(u8),
    /// With whitespace around it.
    Text {
        before: u8,
        length: u8,
        after: u8,
    },
}

impl NdjsonLine {
    fn text(self) -> String {
        let white = |count: u8| " \t".repeat(usize::from(count % 4));
        match self {
            Self::Blank => String::new(),
            Self::White(count) => white(count),
            Self::Number(number) => number.to_string(),
            Self::Object(id) => format!("{{\"id\":{id},\"text\":\"a b\\n\"}}"),
            Self::Text { before, length, after } => {
                let text = "é".repeat(usize::from(length) / 4);
                format!("{}\"{text}\"{}", white(before), white(after))
            }
        }
    }
}

fn build(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut stream = if bytes.arbitrary()? { BOM.to_vec() } else { Vec::new() };
    for line in pieces::<NdjsonLine>(bytes)? {
        stream.extend(line.text().bytes());
        stream.extend_from_slice(bytes.choose(&[&b"\n"[..], b"\r\n"])?);
    }
    Ok(stream)
}
