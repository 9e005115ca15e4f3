//! The plots. `theme.rs` has their colours.

use std::error::Error;

use heartbeat_benches::{Row, read};
use plotters::prelude::*;

use crate::idle::{self, IdleRow};
use crate::theme::{
    BACKGROUND, ORANGE, OTHERS, OURS as OUR_COLOUR, PURPLE, TEXT, with_dark_colours,
};

type Svg = Result<String, Box<dyn Error>>;

const WIDTH: u32 = 920;
const FONT: (&str, i32) = ("sans-serif", 16);

/// Returns all plots with their names.
pub(crate) fn all() -> Result<Vec<(&'static str, String)>, Box<dyn Error>> {
    let (per_item, set): (Vec<Row>, Vec<Row>) = (read("per_item")?, read("heartbeat_set")?);
    Ok(vec![
        ("busy", added(&per_item, &["busy", "busy-axum", "busy-warp"])?),
        ("slow", added(&per_item, &["slow", "slow-axum", "slow-warp"])?),
        ("heartbeat_set", against_members(&set)?),
        (
            "idle-memory",
            idle_dots(
                "bytes for each stream, in addition to the bare task",
                |row| row.rss_over_bare,
                0,
            )?,
        ),
        (
            "idle-cpu",
            idle_dots(
                "CPU seconds for a million heartbeats",
                |row| row.cpu_seconds_per_million,
                2,
            )?,
        ),
    ])
}

/// A row of a dot plot.
struct Dot {
    label: String,
    figure: f64,
    is_ours: bool,
}

/// A dot plot of what each line of `sections` adds to the first line of its section.
fn added(rows: &[Row], sections: &[&str]) -> Svg {
    let mut all = Vec::new();
    for name in sections {
        let section: Vec<&Row> = rows.iter().filter(|row| row.section == *name).collect();
        let base = section.first().ok_or_else(|| format!("no section is named {name}"))?.fastest;
        all.extend(section[1..].iter().map(|row| Dot {
            label: row.label.clone(),
            figure: row.fastest - base,
            is_ours: row.label.starts_with("heartbeat-"),
        }));
    }
    dots("nanoseconds added to each item", &all, 1)
}

/// A dot plot of one figure of all idle streams with heartbeats.
fn idle_dots(title: &str, figure: impl Fn(&IdleRow) -> Option<f64>, digits: usize) -> Svg {
    let mut all = Vec::new();
    for row in idle::rows()?.iter().filter(|row| row.has_heartbeats()) {
        if let Some(figure) = figure(row) {
            all.push(Dot { label: row.in_words()?, figure, is_ours: row.is_ours() });
        }
    }
    dots(title, &all, digits)
}

/// A dot plot: a logarithmic axis has no zero at which a bar could start. Each dot has its figure next to it.
fn dots(title: &str, all: &[Dot], digits: usize) -> Svg {
    let mut svg = String::new();
    let rows = u32::try_from(all.len())?;
    let root = SVGBackend::with_string(&mut svg, (WIDTH, 70 + 30 * rows)).into_drawing_area();
    root.fill(&BACKGROUND)?;
    let least = all.iter().map(|dot| dot.figure).fold(f64::MAX, f64::min) / 2.0;
    let most = all.iter().map(|dot| dot.figure).fold(least, f64::max) * 2.0;
    let steps: &[f64] = if most / least < 1e3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let ticks = (-1..6).flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
    let ticks = ticks.filter(|tick| (least..most).contains(tick)).collect();
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(30)
        .set_label_area_size(LabelAreaPosition::Left, 390)
        .set_label_area_size(LabelAreaPosition::Bottom, 44)
        .build_cartesian_2d(
            (least..most).log_scale().with_key_points(ticks),
            f64::from(rows)..0.0, // downwards
        )?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(TEXT.mix(0.15))
        .label_style(FONT)
        .x_desc(title)
        .x_label_formatter(&|figure| amount(*figure))
        .draw()?;
    for (row, dot) in (0..rows).map(f64::from).zip(all) {
        let (colour, text) = if dot.is_ours { (OUR_COLOUR, OUR_COLOUR) } else { (OTHERS, TEXT) };
        let font = FONT.into_font().color(&text);
        let (at, height) = ((dot.figure, row + 0.5), row + 0.5);
        chart.draw_series([PathElement::new([(least, height), (most, height)], TEXT.mix(0.1))])?;
        chart.draw_series([Circle::new(at, 6, colour.filled())])?;
        let (x, y) = chart.backend_coord(&at);
        let figure = format!("{:.digits$}", dot.figure);
        root.draw(&Text::new(figure, (x + 12, y - 5), font.clone()))?;
        root.draw(&Text::new(dot.label.clone(), (12, y - 5), font))?;
    }
    root.present()?;
    drop(chart);
    drop(root);
    Ok(with_dark_colours(&svg))
}

/// A number for an axis.
fn amount(number: f64) -> String {
    if number >= 1e6 {
        format!("{} million", number / 1e6)
    } else if number >= 1e3 {
        format!("{},000", number / 1e3)
    } else {
        number.to_string()
    }
}

/// A line chart of the cost of calls by number of members. Both axes are logarithmic.
fn against_members(rows: &[Row]) -> Svg {
    const LINES: [(&str, &str, RGBColor); 9] = [
        ("touch", "memory: one write", OTHERS),
        ("on-send", "HeartbeatSet: an event is sent", OUR_COLOUR),
        ("due", "HeartbeatSet: one heartbeat", OUR_COLOUR),
        ("insert", "HeartbeatSet: insert", OUR_COLOUR),
        ("remove", "HeartbeatSet: remove", OUR_COLOUR),
        ("delay-queue-reset", "DelayQueue: reset", ORANGE),
        ("delay-queue-insert", "DelayQueue: insert", ORANGE),
        ("hash-wheel-reset", "hash wheel: cancel and insert", PURPLE),
        ("hash-wheel-due", "hash wheel: tick and insert", PURPLE),
    ];
    const SIZES: [(&str, f64); 3] = [("set-1k", 1e3), ("set-100k", 1e5), ("set-10M", 1e7)];
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, 520)).into_drawing_area();
    root.fill(&BACKGROUND)?;
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
        .bold_line_style(TEXT.mix(0.15))
        .label_style(FONT)
        .x_desc("members")
        .x_label_formatter(&|size| amount(*size))
        .y_desc("nanoseconds for each call, median")
        .y_label_formatter(&|figure| amount(*figure))
        .draw()?;
    let mut labels = Vec::new();
    for (line, label, colour) in LINES {
        let figure = |section: &str| {
            let row = rows.iter().find(|row| row.section == section && row.line == line);
            row.map(|row| row.median).ok_or_else(|| format!("no line of {section} is named {line}"))
        };
        let points: Result<Vec<(f64, f64)>, String> =
            SIZES.iter().map(|&(section, size)| Ok((size, figure(section)?))).collect();
        let points = points?;
        let style = colour.stroke_width(if colour == OUR_COLOUR { 3 } else { 1 });
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
    Ok(with_dark_colours(&svg))
}
