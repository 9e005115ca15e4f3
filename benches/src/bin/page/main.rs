//! Writes the figures in `docs/performance.md` and `README.md`, and the plots, from the results of the last
//! full run. With `--check` it writes nothing, and fails if a figure or a plot is out of date.

mod figures;
mod idle;
mod plots;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let check = env::args().any(|argument| argument == "--check");
    for page in [docs("performance.md"), docs("../README.md")] {
        let text = fs::read_to_string(&page)?;
        is_current(&page, &figures::renewed(&text)?, check)?;
    }
    for (name, plot) in plots::all()? {
        is_current(&docs("performance").join(name).with_extension("svg"), &plot, check)?;
    }
    Ok(())
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// Makes sure of a file in the docs, or renews it.
fn is_current(file: &Path, renewed: &str, check: bool) -> Result<(), Box<dyn Error>> {
    if !check {
        return Ok(fs::write(file, renewed)?);
    }
    if fs::read_to_string(file).is_ok_and(|text| text == renewed) {
        return Ok(());
    }
    Err(format!("{} is old: `cargo run --bin page` in benches/ renews it", file.display()).into())
}
