//! Copies the sources of the core and the glue, and puts a switch at each place where there is a
//! fault to seed.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

#[expect(unreachable_pub, reason = "it is a module of the library, too")]
#[path = "src/list.rs"]
mod list;

use list::{FAULTS, Fault};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"tracing\"))"); // of the glue, and off here
    println!("cargo::rerun-if-changed=src/list.rs");
    for name in ["heartbeat_core", "heartbeat_async"] {
        let package = name.replace('_', "-");
        let sources = Path::new("../crates").join(package).join("src");
        println!("cargo::rerun-if-changed={}", sources.display());
        copy(name, &sources, &out.join(name))?;
    }
    copy_tests("../crates/heartbeat-async/tests/hub.rs", &out.join("hub_tests.rs"))?;
    for fault in FAULTS {
        if !out.join(fault.file).exists() {
            return Err(format!("{}: there is no {}", fault.name, fault.file).into());
        }
    }
    Ok(())
}

fn copy(root: &str, from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let from = entry?.path();
        let to = to.join(from.file_name().ok_or("a file without a name")?);
        if from.is_dir() {
            copy(root, &from, &to)?;
        } else {
            let text = fs::read_to_string(&from)?;
            fs::write(&to, as_module(root, &seed(&to, text)?))?;
        }
    }
    Ok(())
}

/// Makes of tests what plays them on the copies, and a list of them, but for those within a macro.
fn copy_tests(from: &str, to: &Path) -> Outcome {
    println!("cargo::rerun-if-changed={from}");
    let text = fs::read_to_string(from)?;
    let mut tests = String::from("pub(super) const TESTS: &[(&str, fn())] = &[\n");
    for test in text.split("\n#[test]\nfn ").skip(1) {
        let name = test.split('(').next().ok_or("a test without a name")?;
        writeln!(tests, "({name:?}, {name}),")?;
    }
    let text = text
        .replace("#[test]", "")
        .replace("use heartbeat_async::", "use heartbeat_faults::heartbeat_async::");
    let lines = text.lines().filter(|line| !line.starts_with("//!"));
    fs::write(to, format!("{}\n{tests}];\n", lines.collect::<Vec<_>>().join("\n")))?;
    Ok(())
}

/// Puts the switches in.
fn seed(file: &Path, mut text: String) -> Outcome<String> {
    let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, fault) in FAULTS.iter().enumerate().filter(|(_, f)| file.ends_with(f.file)) {
        let mut found = text.match_indices(fault.right);
        let (Some((at, _)), None) = (found.next(), found.next()) else {
            return Err(format!("{}: not to be seeded in {}", fault.name, fault.file).into());
        };
        places.entry(at).or_default().push(number);
    }
    // From the end, so that the places before stay where they are.
    let mut next = text.len();
    for (at, faults) in places.into_iter().rev() {
        let Fault { name, right, .. } = FAULTS[faults[0]];
        if at + right.len() > next {
            return Err(format!("{name}: overlaps another fault").into());
        }
        next = at;
        let mut switch = String::from("{ ");
        for number in faults {
            let Fault { name, wrong, right: same, .. } = FAULTS[number];
            if same != right {
                return Err(format!("{name}: overlaps another fault").into());
            }
            write!(switch, "if crate::is_seeded({number}) {{ {wrong} }} else ")?;
        }
        write!(switch, "{{ {right} }} }}")?;
        if text[at + right.len()..].trim_start().starts_with("else") {
            switch = format!("({switch})"); // of a let-else, before which no brace may stand
        }
        text.replace_range(at..at + right.len(), &switch);
    }
    Ok(text)
}

/// Turns a file of a crate into one of a module with the crate's name.
fn as_module(root: &str, text: &str) -> String {
    // What is right already is put aside, so that it is not found again.
    let aside = [
        ("$crate::conformance::", "\u{1}", format!("$crate::{root}::conformance::")),
        ("$crate::", "\u{2}", "$crate::".to_owned()),
        ("crate::is_seeded", "\u{3}", "crate::is_seeded".to_owned()),
        ("heartbeat_core::", "\u{4}", "crate::heartbeat_core::".to_owned()),
        ("crate::", "\u{5}", format!("crate::{root}::")),
    ];
    let mut text = text.to_owned();
    for (from, mark, _) in &aside {
        text = text.replace(from, mark);
    }
    for (_, mark, to) in &aside {
        text = text.replace(mark, to);
    }
    // The features are on, and the attributes of a crate are none of a module.
    let items =
        text.find("\nextern crate std;\n").map_or(0, |at| at + "\nextern crate std;\n".len());
    let mut is_without = false; // a feature: this line, and the one before it
    let items = text[items..].lines().filter(|line| {
        if std::mem::take(&mut is_without) {
            return false;
        }
        is_without = line.trim_start().starts_with("#[cfg(not(feature = \"hub\"");
        let within = [r#"#[cfg(feature = "alloc")]"#, r#"#[cfg(feature = "hub")]"#];
        !is_without && !line.starts_with("#[cfg(feature") && !within.contains(&line.trim_start())
    });
    // The docs are the originals' to have: their examples name the crates.
    let items = items.filter(|line| !line.trim_start().starts_with("//"));
    items.collect::<Vec<_>>().join("\n")
}
