//! The colours of all plots in the docs, on light and on dark pages.

use plotters::style::RGBColor;

/// The background.
pub(crate) const BACKGROUND: RGBColor = RGBColor(255, 255, 255);
/// Text, axes and grid.
pub(crate) const TEXT: RGBColor = RGBColor(0, 0, 0);
/// Everything that is of this project.
pub(crate) const OURS: RGBColor = RGBColor(0, 119, 187);
/// Other projects, where one colour is enough.
pub(crate) const OTHERS: RGBColor = RGBColor(110, 110, 110);
/// A project that is to be told from others.
pub(crate) const ORANGE: RGBColor = RGBColor(186, 82, 8);
/// A second one.
pub(crate) const PURPLE: RGBColor = RGBColor(138, 63, 160);

/// The colour on a dark page for each colour on a light one.
const DARK: [(RGBColor, RGBColor); 6] = [
    (BACKGROUND, RGBColor(13, 17, 23)),
    (TEXT, RGBColor(230, 237, 243)),
    (OURS, RGBColor(88, 180, 240)),
    (OTHERS, RGBColor(160, 167, 175)),
    (ORANGE, RGBColor(240, 136, 62)),
    (PURPLE, RGBColor(210, 168, 255)),
];

/// Adds the colours of dark pages to a plot. A browser takes them if the reader prefers dark pages.
pub(crate) fn with_dark_colours(svg: &str) -> String {
    let mut rules = String::from("<style>\n@media (prefers-color-scheme: dark) {\n");
    for (light, dark) in DARK {
        let (light, dark) = (hex(light), hex(dark));
        for property in ["fill", "stroke"] {
            let rule = format!("[{property}=\"{light}\"] {{ {property}: {dark} }}\n");
            rules.push_str(&rule);
        }
    }
    rules += "}\n</style>\n";
    svg.replacen(">\n", &format!(">\n{rules}"), 1)
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}
