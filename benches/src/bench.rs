use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use criterion::Criterion;

use crate::figures::Figures;
use crate::group::{Group, Section};
use crate::results::{Row, Unit, write};
use crate::table::table;

/// A bench that measures with criterion, prints a table for each section, and stores the results of a full run.
#[must_use = "a bench prints nothing until it is finished"]
pub struct Bench {
    name: &'static str,
    criterion: Criterion,
    directory: PathBuf,
    start: SystemTime,
    sections: Vec<Section>,
}

/// Whether the command line asks for a test run, in which everything runs once and nothing is measured.
pub fn is_test() -> bool {
    env::args().any(|argument| argument == "--test")
}

impl Bench {
    /// Creates the bench `name`, configured by the command line.
    pub fn new(name: &'static str) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/criterion");
        let criterion = Criterion::default()
            .output_directory(&directory)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_millis(1500))
            .sample_size(60)
            .nresamples(10_000)
            .configure_from_args();
        Self { name, criterion, directory, start: SystemTime::now(), sections: Vec::new() }
    }

    /// Adds a section with figures in nanoseconds per item.
    pub fn costs(&mut self, name: impl Into<String>, title: impl Into<String>) -> Group<'_> {
        self.group(name.into(), title.into(), Unit::Nanoseconds)
    }

    /// Adds a section with figures in gigabytes per second.
    pub fn speeds(&mut self, name: impl Into<String>, title: impl Into<String>) -> Group<'_> {
        self.group(name.into(), title.into(), Unit::GigabytesPerSecond)
    }

    fn group(&mut self, name: String, title: String, unit: Unit) -> Group<'_> {
        let criterion = self.criterion.benchmark_group(&name);
        let section = Section { name, title, unit, lines: Vec::new() };
        self.sections.push(section);
        Group::new(criterion, self.sections.last_mut().expect("just pushed"))
    }

    /// Prints the tables, and stores the results of a full run. Returns whether the run was full: a run with a
    /// filter is not.
    pub fn finish(self) -> Result<bool, Box<dyn Error>> {
        self.criterion.final_summary();
        let rows: Vec<Row> = self.sections.iter().flat_map(|section| self.rows(section)).collect();
        for section in rows.chunk_by(|one, next| one.section == next.section) {
            println!("\n{}: {}\n{}", section[0].section, section[0].title, table(section));
        }
        let lines: usize = self.sections.iter().map(|section| section.lines.len()).sum();
        let is_full = rows.len() == lines;
        if is_full {
            write(self.name, &rows)?;
        }
        Ok(is_full)
    }

    fn rows(&self, section: &Section) -> impl Iterator<Item = Row> {
        section.lines.iter().filter_map(|line| {
            let directory = self.directory.join(&section.name).join(&line.id).join("new");
            let Figures { fastest, median } = Figures::read(&directory, self.start)?;
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let elements = line.elements as f64;
            let per_element = |nanoseconds: f64| match section.unit {
                Unit::Nanoseconds => nanoseconds / elements,
                Unit::GigabytesPerSecond => elements / nanoseconds,
            };
            Some(Row {
                section: section.name.clone(),
                title: section.title.clone(),
                line: line.id.clone(),
                label: line.label.clone(),
                unit: section.unit,
                fastest: per_element(fastest),
                median: per_element(median),
            })
        })
    }
}
