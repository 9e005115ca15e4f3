//! Copies the push side of heartbeat-async, and puts into it what loom can see: its atomics, and an
//! `Arc` that is counted with them. With that of `alloc`, loom would not know that who drops the last
//! one comes after all the others.

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
        let text = fs::read_to_string(&from)?
            .replace("use alloc::sync::", "use crate::counted::")
            .replace("use core::sync::atomic::", "use loom::sync::atomic::");
        // What is included cannot begin with the docs of a module.
        let lines = text.lines().filter(|line| !line.starts_with("//!"));
        fs::write(out.join(name), lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(())
}
