use arbitrary::{Arbitrary, Result, Unstructured};
use heartbeat_frame::SseHeartbeat;

use super::{Cuts, Outcome, Stream, pieces};
use crate::whole::{MARK, cut};

/// A stream of server-sent events, cut anywhere.
#[derive(Debug)]
pub struct SseCase {
    beat: SseHeartbeat,
    stream: Stream,
    cuts: Cuts,
}

impl<'a> Arbitrary<'a> for SseCase {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let beat = match bytes.int_in_range(0..=3_u8)? {
            0 => SseHeartbeat::default(),
            1 => SseHeartbeat::comment("ping").expect("one line"),
            2 => SseHeartbeat::comment_block("").expect("one line"),
            _ => SseHeartbeat::event("beat", "x").expect("one line each"),
        };
        let cuts = bytes.arbitrary()?;
        let stream = Stream::new(bytes, build)?;
        Ok(Self { beat, stream, cuts })
    }
}

impl SseCase {
    /// Compares the tracker with the reader of whole streams.
    ///
    /// # Panics
    ///
    /// When the two differ, which is the finding.
    #[must_use = "a tally counts it"]
    pub fn check(&self) -> Outcome {
        let Self { beat, stream, cuts } = self;
        let out = cut::sse(beat, &stream.bytes, &cuts.resolve(stream.bytes.len()));
        Outcome::new(stream, &out)
    }
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Start {
    Mark,
    /// Part of a mark, which so is none, of this many bytes and one.
    PartOfMark(bool),
    Plain,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Line {
    Blank,
    Comment(Text),
    Data(Text),
    Event(Text),
    Id(Text),
    Retry(u8),
    /// A field that no client knows.
    Unknown(Text),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Text {
    Empty,
    Space,
    Word,
    /// As named heartbeats have it.
    MakeHeartbeat,
    Colon,
    Accents,
    Long(u8),
}

/// What ends the lines of a stream.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum LineEnds {
    Lf,
    CrLf,
    Cr,
    Mixed,
}

impl Text {
    fn text(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Space => " ".into(),
            Self::Word => "x".into(),
            Self::MakeHeartbeat => "beat".into(),
            Self::Colon => "data: y".into(),
            Self::Accents => "\u{feff}é\u{2028}".into(),
            Self::Long(length) => "x".repeat(length.into()),
        }
    }
}

impl Line {
    fn text(self) -> String {
        match self {
            Self::Blank => String::new(),
            Self::Comment(text) => format!(":{}", text.text()),
            Self::Data(text) => format!("data: {}", text.text()),
            Self::Event(text) => format!("event:{}", text.text()),
            Self::Id(text) => format!("id: {}", text.text()),
            Self::Retry(millis) => format!("retry: {millis}"),
            Self::Unknown(text) => format!("field{}", text.text()),
        }
    }
}

fn build(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut stream = match bytes.arbitrary()? {
        Start::Mark => MARK.to_vec(),
        Start::PartOfMark(longer) => MARK[..=usize::from(longer)].to_vec(),
        Start::Plain => Vec::new(),
    };
    let ends: LineEnds = bytes.arbitrary()?;
    for line in pieces::<Line>(bytes)? {
        stream.extend(line.text().bytes());
        stream.extend_from_slice(match ends {
            LineEnds::Lf => b"\n",
            LineEnds::CrLf => b"\r\n",
            LineEnds::Cr => b"\r",
            LineEnds::Mixed => bytes.choose(&[&b"\n"[..], b"\r\n", b"\r"])?,
        });
    }
    Ok(stream)
}
