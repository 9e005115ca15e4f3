//! Writes the figures in `docs/performance.md` and `README.md`, and the plots, from the results of the last
//! full run. With `--check` it writes nothing, and fails if a figure or a plot is out of date.

mod figures;
mod idle;
mod plots;
mod theme;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let check = env::args().any(|argument| argument == "--check");
    for page in [docs("performance.md"), docs("../README.md")] {
        let text = fs::read_to_string(&page)?;
        check_or_write(&page, &figures::updated(&text)?, check)?;
    }
    for (name, plot) in plots::all()? {
        check_or_write(&docs("performance").join(name).with_extension("svg"), &plot, check)?;
    }
    Ok(())
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// Checks that a file in the docs is up to date, or writes it.
fn check_or_write(file: &Path, updated: &str, check: bool) -> Result<(), Box<dyn Error>> {
    if !check {
        return Ok(fs::write(file, updated)?);
    }
    if fs::read_to_string(file).is_ok_and(|text| text == updated) {
        return Ok(());
    }
    Err(format!("{} is out of date: `cargo run --bin page` in benches/ updates it", file.display())
        .into())
}
