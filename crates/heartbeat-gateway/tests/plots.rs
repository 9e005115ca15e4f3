//! The plots in `docs` are readable on light and on dark pages, and follow the same conventions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The colour of this project in all plots.
const OURS: &str = "#0077BB";

fn plots() -> Vec<(PathBuf, String)> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let files = [docs.clone(), docs.join("performance")].into_iter().flat_map(|folder| {
        fs::read_dir(folder).expect("it is a folder").map(|file| file.expect("a file").path())
    });
    let plots: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "svg"))
        .map(|file| (file.clone(), fs::read_to_string(file).expect("text")))
        .collect();
    assert_eq!(plots.len(), 6);
    plots
}

/// The values of an attribute in a part of an SVG file.
fn values<'a>(text: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    text.split(&start).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)).collect()
}

/// The colours on a dark page, by the colours on a light one.
fn dark_colours(svg: &str) -> BTreeMap<&str, &str> {
    let (_, rules) = svg.split_once("@media (prefers-color-scheme: dark) {").unwrap_or_default();
    let (rules, _) = rules.split_once("</style>").unwrap_or_default();
    let fills = rules.split("[fill=\"").skip(1);
    fills
        .filter_map(|rule| Some((rule.get(..7)?, rule.split_once("fill: ")?.1.get(..7)?)))
        .collect()
}

/// The contrast of two colours (WCAG 2).
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let part = |at: usize| {
            let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("a colour");
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) + 0.05
    };
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

/// The texts of a plot, each with its colour.
fn texts(svg: &str) -> impl Iterator<Item = (&str, &str)> {
    svg.split("<text ").skip(1).map(|text| {
        let (attributes, text) = text.split_once('>').expect("attributes");
        (values(attributes, "fill")[0], text.split_once('<').expect("an end").0.trim())
    })
}

#[test]
fn each_text_has_contrast_on_light_and_on_dark_pages() {
    for (file, svg) in plots() {
        let dark = dark_colours(&svg);
        for colour in ["fill", "stroke"].iter().flat_map(|attribute| values(&svg, attribute)) {
            let has_dark = colour == "none" || dark.contains_key(colour);
            assert!(has_dark, "{}: {colour} has no colour for dark pages", file.display());
        }
        for (colour, text) in texts(&svg) {
            assert!(contrast(colour, "#FFFFFF") >= 4.5, "{}: {text}", file.display());
            assert!(contrast(dark[colour], dark["#FFFFFF"]) >= 4.5, "{}: {text}", file.display());
        }
    }
}

#[test]
fn there_are_no_bars_on_the_logarithmic_axes() {
    for (file, svg) in plots() {
        for rect in svg.split("<rect ").skip(1) {
            let fill = values(rect, "fill")[0];
            assert!(["#FFFFFF", "none"].contains(&fill), "{}: {fill}", file.display());
        }
    }
}

#[test]
fn ours_always_has_the_same_colour() {
    for (file, svg) in plots() {
        for (colour, text) in texts(&svg) {
            let is_axis = text.contains("heartbeats") || text.contains("bytes");
            let is_ours = text.to_lowercase().contains("heartbeat") && !is_axis;
            let is_figure = text.parse::<f64>().is_ok();
            assert!(is_ours == (colour == OURS) || is_figure, "{}: {text}", file.display());
        }
        assert!(svg.matches(OURS).count() > 2, "{}", file.display());
    }
}

#[test]
fn large_numbers_are_in_words() {
    for (file, svg) in plots() {
        for (_, text) in texts(&svg) {
            let digits = text.split(|char: char| !char.is_ascii_digit());
            assert!(digits.clone().all(|digits| digits.len() <= 3), "{}: {text}", file.display());
        }
    }
}
