use std::error::Error;
use std::thread;

use crate::heartbeat_count;
use crate::lines::Line;
use crate::process::{Activity, Memory};
use crate::row::{Measured, Row};
use crate::scale::Scale;

/// Measures a line in this process, which has measured no other line before.
pub(crate) fn measure(line: &Line, scale: &Scale) -> Result<Row, Box<dyn Error>> {
    let measured = line.runtime.run(|| {
        let mut open = (line.start)(scale.interval);
        let empty = Memory::now()?;
        scale.open_all(&mut open);
        // Until every stream has sent a heartbeat. The half interval avoids starting while heartbeats are due.
        thread::sleep(scale.interval * 3 / 2);

        let (before, heartbeats_before) = (Activity::now()?, heartbeat_count::total());
        thread::sleep(scale.window);
        let (after, total) = (Activity::now()?, heartbeat_count::total());
        let heartbeats = total - heartbeats_before;
        let full = Memory::now()?;
        Ok::<_, Box<dyn Error>>(Measured { empty, full, before, after, heartbeats })
    })??;
    if line.has_heartbeats() && measured.heartbeats == 0 && scale.window > scale.interval {
        return Err(format!("{}: no heartbeats", line.name()).into());
    }
    Ok(Row::new(line, scale, &measured))
}
