//! Copies the examples of the layer, each without the one line that adds it.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    for example in ["axum", "hyper", "tonic"] {
        let source = format!("../layer-{example}/src/main.rs");
        println!("cargo::rerun-if-changed={source}");
        let source = fs::read_to_string(source)?;
        let adds_layer = |line: &&str| line.trim_start().starts_with(".layer(");
        let added = source.lines().filter(adds_layer).count();
        if added != 1 {
            return Err(format!("{example}: {added} lines add a layer").into());
        }
        let lines = source.lines().filter(|line| !line.starts_with("//!")); // none of a module's
        let lines = lines.map(|line| match line {
            _ if !adds_layer(&line) => line,
            _ if line.contains(");") => ";",
            _ => "",
        });
        fs::write(out.join(example).with_extension("rs"), lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(())
}
