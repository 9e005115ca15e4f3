//! A plot of the cost per day against the interval.

use std::error::Error;
use std::time::Duration;

use heartbeat_frame::cost::{Cost, Frame, Http, Ip, Rate, Transport};
use heartbeat_frame::{HeartbeatMessage, SseHeartbeat};
use plotters::element;
use plotters::prelude::*;

use crate::theme::{BACKGROUND, ORANGE, OURS, TEXT, with_dark_colours};

const SECONDS: [u32; 7] = [5, 10, 15, 20, 30, 60, 120];
const BYTES_A_DAY: [f64; 9] = [20e3, 50e3, 100e3, 200e3, 500e3, 1e6, 2e6, 5e6, 10e6];

/// Bandwidth of a million streams, in megabits per second for each byte per day of one stream.
const BANDWIDTH: f64 = 1e6 * 8.0 / 86_400.0 / 1e6;

fn bytes_a_day(seconds: u32, bytes: u64) -> f64 {
    let rate = Rate { interval: Duration::from_secs(seconds.into()), streams: 1 };
    let bytes = u32::try_from(rate.bytes_per_day(bytes)).expect("one stream has few");
    bytes.into()
}

/// A line: its name, its bytes, its colour, and the length of its dashes, or 0 for a solid line.
type Line = (&'static str, u64, RGBColor, u32);

/// The lines, by decreasing cost.
fn lines() -> [Line; 4] {
    let over = |http, tls| Transport { http, tls, ip: Ip::V4 };
    let grpc = Frame::envelope(&HeartbeatMessage::default());
    let ping = Cost::new(Frame::ping(), over(Http::Http1, true));
    let tls = Cost::new(grpc, over(Http::Http2, true));
    let comment = Cost::new(Frame::sse(&SseHeartbeat::default()), over(Http::Http1, false));
    let written = Cost::new(grpc, over(Http::Http2, false));
    [
        ("WebSocket Ping, with TLS", ping.total_bytes(), ORANGE, 0),
        ("gRPC heartbeat, with TLS", tls.total_bytes(), OURS, 0),
        ("SSE heartbeat over HTTP/1.1, without TLS", comment.total_bytes(), OURS, 10),
        ("gRPC heartbeat alone, without TLS, TCP/IP and ACK", written.wire_bytes(), OURS, 3),
    ]
}

fn amount(bytes: f64) -> String {
    if bytes < 1e6 { format!("{} kB", bytes / 1e3) } else { format!("{} MB", bytes / 1e6) }
}

pub(crate) fn svg() -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (920, 540)).into_drawing_area();
    root.fill(&BACKGROUND)?;
    let x = || (5.0..120.0).log_scale().with_key_points(SECONDS.map(f64::from).to_vec());
    let (least, most) = (20e3, 20e6); // above the lines there is room for the legend
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .set_label_area_size(LabelAreaPosition::Left, 76)
        .set_label_area_size(LabelAreaPosition::Right, 120)
        .set_label_area_size(LabelAreaPosition::Bottom, 52)
        .build_cartesian_2d(x(), (least..most).log_scale().with_key_points(BYTES_A_DAY.to_vec()))?
        .set_secondary_coord(
            x(),
            (least * BANDWIDTH..most * BANDWIDTH)
                .log_scale()
                .with_key_points(vec![2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0]),
        );
    let font = ("sans-serif", 17);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(font)
        .x_desc("interval between two heartbeats")
        .x_label_formatter(&|seconds| format!("{seconds} s"))
        .y_desc("one stream, in a day")
        .y_label_formatter(&|bytes| amount(*bytes))
        .draw()?;
    chart
        .configure_secondary_axes()
        .label_style(font)
        .y_desc("a million streams")
        .y_label_formatter(&|megabits| format!("{megabits} Mbit/s"))
        .draw()?;
    for (name, bytes, colour, dash) in lines() {
        let style = colour.stroke_width(2);
        let points = SECONDS.map(|seconds| (f64::from(seconds), bytes_a_day(seconds, bytes)));
        let label = format!("{name}: {bytes} bytes");
        if dash == 0 {
            chart
                .draw_series(LineSeries::new(points, style))?
                .label(label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 30, y)], style));
        } else {
            chart
                .draw_series(DashedLineSeries::new(points, dash, dash, style))?
                .label(label)
                .legend(move |(x, y)| {
                    element::DashedPathElement::new([(x, y), (x + 30, y)], dash, dash, style)
                });
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .margin(12)
        .label_font(font)
        .legend_area_size(40)
        .background_style(BACKGROUND)
        .border_style(TEXT.mix(0.2))
        .draw()?;
    root.present()?;
    drop(chart);
    drop(root);
    Ok(with_dark_colours(&svg))
}
