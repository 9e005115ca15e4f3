//! Copies the push side and the hub of heartbeat-async, and puts into them what loom can see: its
//! atomics and its locks, and an `Arc` that is counted with them. With that of `alloc`, loom would not
//! know that who drops the last one comes after all the others.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const SOURCES: &str = "../crates/heartbeat-async/src";

/// What is there in the copies instead.
const VISIBLE: [(&str, &str); 4] = [
    ("use alloc::sync::", "use crate::counted::"),
    ("use core::sync::atomic::", "use loom::sync::atomic::"),
    (
        "use std::sync::{Mutex, MutexGuard, PoisonError};",
        "use loom::sync::{Mutex, MutexGuard};\nuse std::sync::PoisonError;",
    ),
    // loom takes a store for one that may come between what another thread's `fetch_min` reads and writes.
    ("self.set_for.store(NEVER, SeqCst)", "self.set_for.swap(NEVER, SeqCst)"),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for folder in ["push", "hub"] {
        let from = Path::new(SOURCES).join(folder);
        println!("cargo::rerun-if-changed={}", from.display());
        copy(&from, &out.join(folder))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let from = entry?.path();
        let name = from.file_name().ok_or("a file without a name")?;
        let mut text = fs::read_to_string(&from)?;
        for (invisible, visible) in VISIBLE {
            text = text.replace(invisible, visible);
        }
        // What is included cannot begin with the docs of a module.
        let lines = text.lines().filter(|line| !line.starts_with("//!"));
        fs::write(to.join(name), lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(())
}
