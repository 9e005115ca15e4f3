//! Streams with heartbeats in them, and the parsers from crates.io that read them.
//!
//! Usage:
//!   interop-parsers cases           prints the cases as JSON: each stream, with heartbeats at each place and in each form
//!   interop-parsers read FILE       lets the parsers read the cases of that file, and prints what they yield

mod cases;
mod feed;
mod ndjson;
mod sse;
mod streams;

use std::io::{self, BufWriter, Write};
use std::{env, fs, panic};

use serde_json::Value;

use feed::{Case, Chunk, Run};

/// The name of a parser, and how it reads a stream.
type Parser = (&'static str, fn(&[Chunk]) -> Run);

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments[..] {
        ["cases"] => serde_json::to_writer(&mut out, &cases::all())?,
        ["read", file] => {
            panic::set_hook(Box::new(|_| ())); // a panic of a parser is its error
            read(&serde_json::from_slice(&fs::read(file)?)?, &mut out)?;
        }
        _ => return Err(io::Error::other("usage: interop-parsers cases | read FILE")),
    }
    out.flush()
}

fn read(cases: &Value, out: &mut impl Write) -> io::Result<()> {
    let cases: Vec<_> = cases.as_array().into_iter().flatten().map(Case::new).collect();
    for (format, parsers) in [("sse", sse::PARSERS), ("ndjson", ndjson::PARSERS)] {
        for (parser, read) in parsers {
            for case in cases.iter().filter(|it| it.format == format) {
                for chunking in &case.chunkings {
                    let run = |segments: &Vec<_>| Run::of(*read, &feed::cut(segments, chunking));
                    let without: Vec<_> = case.without.iter().map(run).collect();
                    let with = run(&case.segments);
                    serde_json::to_writer(&mut *out, &(parser, case.id, chunking, without, with))?;
                    writeln!(out)?;
                }
            }
        }
    }
    Ok(())
}
