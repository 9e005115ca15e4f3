//! Copies the push side of heartbeat-async, and puts an `Arc` into it whose count loom can see: with
//! that of `alloc`, loom would not know that who drops the last one comes after all the others.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

const PUSH: &str = "../crates/heartbeat-async/src/push";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PUSH}");
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("push");
    fs::create_dir_all(&out)?;
    for entry in fs::read_dir(PUSH)? {
        let from = entry?.path();
        let name = from.file_name().ok_or("a file without a name")?;
        let mut text = fs::read_to_string(&from)?;
        // The one in `line.rs` is part of a waker, and has to be the real one.
        if name != "line.rs" {
            text = text.replace("use alloc::sync::", "use crate::counted::");
        }
        // What is included cannot begin with the docs of a module.
        let lines = text.lines().filter(|line| !line.starts_with("//!"));
        fs::write(out.join(name), lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(())
}
