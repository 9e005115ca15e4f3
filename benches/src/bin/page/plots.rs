//! The plots. Their background is white, so that they are readable on a dark page.

use std::error::Error;

use heartbeat_benches::{OURS, Row, read};
use plotters::prelude::*;

use crate::idle::{self, IdleRow};

type Svg = Result<String, Box<dyn Error>>;

const WIDTH: u32 = 920;
const FONT: (&str, i32) = ("sans-serif", 16);

const BLUE: RGBColor = RGBColor(0, 119, 187);
const GREY: RGBColor = RGBColor(150, 150, 150);

/// Returns all plots with their names.
pub(crate) fn all() -> Result<Vec<(&'static str, String)>, Box<dyn Error>> {
    let (per_item, set): (Vec<Row>, Vec<Row>) = (read("per_item")?, read("heartbeat_set")?);
    Ok(vec![
        ("busy", added(&per_item, &["busy", "busy-axum", "busy-warp"])?),
        ("slow", added(&per_item, &["slow", "slow-axum", "slow-warp"])?),
        ("heartbeat_set", against_members(&set)?),
        (
            "idle-memory",
            idle_bars("bytes for each stream, beside the bare task", |row| row.rss_over_bare, 0)?,
        ),
        (
            "idle-cpu",
            idle_bars(
                "CPU seconds for a million heartbeats",
                |row| row.cpu_seconds_per_million,
                2,
            )?,
        ),
    ])
}

/// A bar.
struct Bar {
    label: String,
    figure: f64,
    is_ours: bool,
}

/// A bar chart of what each line of `sections` adds to the first line of its section.
fn added(rows: &[Row], sections: &[&str]) -> Svg {
    let mut all = Vec::new();
    for name in sections {
        let section: Vec<&Row> = rows.iter().filter(|row| row.section == *name).collect();
        let base = section.first().ok_or_else(|| format!("no section is named {name}"))?.fastest;
        all.extend(section[1..].iter().map(|row| Bar {
            label: row.label.clone(),
            figure: row.fastest - base,
            is_ours: row.line == OURS,
        }));
    }
    bars("nanoseconds added to each item", &all, 1)
}

/// A bar chart of one figure of all idle streams with heartbeats.
fn idle_bars(title: &str, figure: impl Fn(&IdleRow) -> Option<f64>, digits: usize) -> Svg {
    let rows = idle::rows()?;
    let bar = |row: &IdleRow| {
        let (label, is_ours) = (row.label(), row.is_on_a_hub());
        Some(Bar { label, figure: figure(row)?, is_ours })
    };
    let all: Vec<Bar> = rows.iter().filter(|row| row.has_heartbeats()).filter_map(bar).collect();
    bars(title, &all, digits)
}

/// A bar chart. The axis is logarithmic and starts at 0.1; each bar has its figure beside it.
fn bars(title: &str, all: &[Bar], digits: usize) -> Svg {
    const LEAST: f64 = 0.1;
    let mut svg = String::new();
    let rows = u32::try_from(all.len())?;
    let root = SVGBackend::with_string(&mut svg, (WIDTH, 70 + 34 * rows)).into_drawing_area();
    root.fill(&WHITE)?;
    let most = all.iter().map(|bar| bar.figure).fold(LEAST, f64::max) * 4.0;
    let powers = (-1..6).map(|power| 10f64.powi(power)).collect();
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(30)
        .set_label_area_size(LabelAreaPosition::Left, 390)
        .set_label_area_size(LabelAreaPosition::Bottom, 44)
        .build_cartesian_2d(
            (LEAST..most).log_scale().with_key_points(powers),
            f64::from(rows)..0.0, // downwards
        )?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.15))
        .label_style(FONT)
        .x_desc(title)
        .x_label_formatter(&|figure| format!("{figure}"))
        .draw()?;
    for (row, bar) in (0..rows).map(f64::from).zip(all) {
        let colour = if bar.is_ours { BLUE } else { GREY };
        let end = bar.figure.max(LEAST * 1.02);
        let corners = [(LEAST, row + 0.17), (end, row + 0.83)];
        chart.draw_series([Rectangle::new(corners, colour.filled())])?;
        let (x, y) = chart.backend_coord(&(end, row + 0.5));
        root.draw(&Text::new(format!("{:.digits$}", bar.figure), (x + 6, y - 8), FONT))?;
        root.draw(&Text::new(bar.label.clone(), (12, y - 8), FONT))?;
    }
    root.present()?;
    drop(chart);
    drop(root);
    Ok(svg)
}

/// A line chart of the cost of calls by number of members. Both axes are logarithmic.
fn against_members(rows: &[Row]) -> Svg {
    const LINES: [(&str, &str, RGBColor, bool); 9] = [
        ("touch", "memory: one entry is written to", BLACK, false),
        ("on-send", "HeartbeatSet: on_send", BLUE, true),
        ("due", "HeartbeatSet: a heartbeat", RGBColor(0, 153, 136), true),
        ("insert", "HeartbeatSet: insert, poll_deadline", RGBColor(51, 187, 238), true),
        ("remove", "HeartbeatSet: remove", RGBColor(0, 68, 136), true),
        ("delay-queue-reset", "DelayQueue: reset", RGBColor(204, 51, 17), false),
        ("delay-queue-insert", "DelayQueue: insert", RGBColor(238, 119, 51), false),
        ("hash-wheel-reset", "hash wheel: cancel, insert", RGBColor(170, 51, 119), false),
        ("hash-wheel-due", "hash wheel: tick, insert", GREY, false),
    ];
    const SIZES: [(&str, f64); 3] = [("set-1k", 1e3), ("set-100k", 1e5), ("set-10M", 1e7)];
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(250)
        .set_label_area_size(LabelAreaPosition::Left, 76)
        .set_label_area_size(LabelAreaPosition::Bottom, 48)
        .build_cartesian_2d(
            (7e2..1.4e7).log_scale().with_key_points(SIZES.map(|(_, size)| size).to_vec()),
            (1.0..4e3)
                .log_scale()
                .with_key_points(vec![1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3]),
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.15))
        .label_style(FONT)
        .x_desc("members")
        .x_label_formatter(&|size| format!("{size}"))
        .y_desc("nanoseconds for each call, median")
        .y_label_formatter(&|figure| format!("{figure}"))
        .draw()?;
    let mut labels = Vec::new();
    for (line, label, colour, is_ours) in LINES {
        let figure = |section: &str| {
            let row = rows.iter().find(|row| row.section == section && row.line == line);
            row.map(|row| row.median).ok_or_else(|| format!("no line of {section} is named {line}"))
        };
        let points: Result<Vec<(f64, f64)>, String> =
            SIZES.iter().map(|&(section, size)| Ok((size, figure(section)?))).collect();
        let points = points?;
        let style = colour.stroke_width(if is_ours { 3 } else { 1 });
        let last = points[points.len() - 1];
        chart.draw_series(LineSeries::new(points.clone(), style))?;
        chart.draw_series(points.iter().map(|&at| Circle::new(at, 4, colour.filled())))?;
        let (x, y) = chart.backend_coord(&last);
        labels.push((y - 8, x + 12, label, colour));
    }
    labels.sort_unstable_by_key(|&(y, ..)| y);
    let mut least = i32::MIN;
    for (y, x, label, colour) in labels {
        let y = y.max(least); // below the label above
        root.draw(&Text::new(label, (x, y), FONT.into_font().color(&colour)))?;
        least = y + FONT.1 + 1;
    }
    root.present()?;
    drop(chart);
    drop(root);
    Ok(svg)
}
