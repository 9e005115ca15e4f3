use std::error::Error;
use std::process::{Command, Stdio};
use std::{env, fmt};

use clap::ValueEnum;

use crate::lines::Line;
use crate::row::Row;
use crate::runtime;
use crate::scale::Scale;

/// Measures a line in a process of its own, so that the lines do not affect each other.
pub(crate) fn measure(line: &Line, scale: &Scale) -> Result<Row, Box<dyn Error>> {
    eprintln!("{}, {} streams", line.name(), scale.streams);
    let opening = scale.opening.to_possible_value().ok_or("an opening without a name")?;
    let options = [
        ("line", &line.name() as &dyn fmt::Display),
        ("streams", &scale.streams),
        ("interval", &humantime::format_duration(scale.interval)),
        ("for", &humantime::format_duration(scale.window)),
        ("opening", &opening.get_name()),
    ];
    let child = Command::new(env::current_exe()?)
        .arg("--here")
        .args(options.map(|(option, value)| format!("--{option}={value}")))
        .envs(runtime::ENVIRONMENT)
        .stderr(Stdio::inherit())
        .output()?;
    if !child.status.success() {
        return Err(format!("{}: {}", line.name(), child.status).into());
    }
    let mut rows = csv::Reader::from_reader(&child.stdout[..]).into_deserialize();
    Ok(rows.next().ok_or("no figures")??)
}
