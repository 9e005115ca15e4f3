//! Copies the push side of heartbeat-async, and puts an `Arc` into it whose count loom can see: with
//! that of `alloc`, loom would not know that who drops the last one comes after all the others.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const PUSH: &str = "../crates/heartbeat-async/src/push";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PUSH}");
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("push");
    fs::create_dir_all(&out)?;
    for file in ["driver.rs", "line.rs", "mod.rs", "sender.rs"] {
        let mut text = fs::read_to_string(Path::new(PUSH).join(file))?;
        // The one in `line.rs` is part of a waker, and has to be the real one.
        if file != "line.rs" {
            if !text.contains("use alloc::sync::") {
                return Err(format!("{file} has no Arc").into());
            }
            text = text.replace("use alloc::sync::", "use crate::counted::");
        }
        // What is included cannot begin with the docs of a module.
        let lines = text.lines().filter(|line| !line.starts_with("//!"));
        fs::write(out.join(file), lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(())
}
