use arbitrary::{Arbitrary, Result, Unstructured};
use heartbeat_frame::SseHeartbeat;

use super::{Cuts, Stream, StreamOutcome, pieces};
use crate::reference_reader::{BOM, cut};

/// A stream of server-sent events, cut into pieces.
#[derive(Debug)]
pub struct SseCase {
    heartbeat: SseHeartbeat,
    stream: Stream,
    cuts: Cuts,
}

impl<'a> Arbitrary<'a> for SseCase {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let heartbeat = match bytes.int_in_range(0..=3_u8)? {
            0 => SseHeartbeat::default(),
            1 => SseHeartbeat::comment("ping").expect("one line"),
            2 => SseHeartbeat::comment_block("").expect("one line"),
            _ => SseHeartbeat::event("ping", "x").expect("one line each"),
        };
        let cuts = bytes.arbitrary()?;
        let stream = Stream::new(bytes, build)?;
        Ok(Self { heartbeat, stream, cuts })
    }
}

impl SseCase {
    /// Compares the tracker with the reference reader.
    ///
    /// # Panics
    ///
    /// If they differ, which is the finding.
    #[must_use = "the tally counts it"]
    pub fn check(&self) -> StreamOutcome {
        let Self { heartbeat, stream, cuts } = self;
        let out = cut::sse(heartbeat, &stream.bytes, &cuts.resolve(stream.bytes.len()));
        StreamOutcome::new(stream, &out)
    }
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Start {
    Mark,
    /// The first one or two bytes of a byte order mark.
    PartOfMark(bool),
    Plain,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum SseLine {
    Blank,
    Comment(SseText),
    Data(SseText),
    Event(SseText),
    Id(SseText),
    Retry(u8),
    /// An unknown field.
    Unknown(SseText),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum SseText {
    Empty,
    Space,
    Word,
    /// The name of named heartbeats.
    HeartbeatName,
    Colon,
    Accents,
    Long(u8),
}

/// The line ends of a stream.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum LineEnds {
    Lf,
    CrLf,
    Cr,
    Mixed,
}

impl SseText {
    fn text(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Space => " ".into(),
            Self::Word => "x".into(),
            Self::HeartbeatName => "ping".into(),
            Self::Colon => "data: y".into(),
            Self::Accents => "\u{feff}é\u{2028}".into(),
            Self::Long(length) => "x".repeat(length.into()),
        }
    }
}

impl SseLine {
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
        Start::Mark => BOM.to_vec(),
        Start::PartOfMark(longer) => BOM[..=usize::from(longer)].to_vec(),
        Start::Plain => Vec::new(),
    };
    let ends: LineEnds = bytes.arbitrary()?;
    for line in pieces::<SseLine>(bytes)? {
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
