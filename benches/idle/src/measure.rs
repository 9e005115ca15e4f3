use std::error::Error;
use std::thread;

use crate::beats;
use crate::lines::Line;
use crate::process::{Activity, Memory};
use crate::row::{Measured, Row};
use crate::scale::Scale;

/// Measures a line in this process, which has done nothing else before.
pub(crate) fn measure(line: &Line, scale: &Scale) -> Result<Row, Box<dyn Error>> {
    let measured = line.runtime.within(|| {
        let mut open = (line.start)(scale.interval);
        let empty = Memory::now()?;
        scale.open_all(&mut open);
        // Until the last one has beaten too; what falls due together is not cut in two.
        thread::sleep(scale.interval * 3 / 2);

        let (before, beats_before) = (Activity::now()?, beats::total());
        thread::sleep(scale.window);
        let (after, beats) = (Activity::now()?, beats::total() - beats_before);
        let full = Memory::now()?;
        Ok::<_, Box<dyn Error>>(Measured { empty, full, before, after, beats })
    })??;
    if line.beats() && measured.beats == 0 && scale.window > scale.interval {
        return Err(format!("{}: no heartbeats", line.name()).into());
    }
    Ok(Row::new(line, scale, &measured))
}
