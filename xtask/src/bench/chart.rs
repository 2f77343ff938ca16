//! A chart of the figures, as SVG.

use std::fmt::Write as _;

use serde_json::Value;

use super::{number, text};

/// Width of a bar of the largest value, and where bars begin, in pixels.
const BAR: (f64, u32) = (520.0, 220);
/// Height of a line.
const LINE: u32 = 22;

/// Bytes per frame of each workload, on a logarithmic scale: the codec alone and every way.
pub(super) fn draw(codec: &[Value], path: &[Value]) -> String {
    let of_codec = codec.iter().filter_map(|row| {
        let bytes = number(row, "bytes")? / number(row, "frames")?.max(1.0);
        Some((text(row, "workload"), "codec alone", bytes))
    });
    let of_path = path.iter().filter_map(|row| {
        let path = row.get("path")?;
        let bytes = number(path, "bytes")? / number(path, "offered")?.max(1.0);
        Some((text(row, "workload"), text(row, "way"), bytes))
    });
    let mut bars: Vec<(&str, &str, f64)> = of_codec.chain(of_path).collect();
    // Stable: workloads together, ways in the order in which they were measured.
    let order: Vec<&str> = codec.iter().map(|row| text(row, "workload")).collect();
    bars.sort_by_key(|(workload, ..)| order.iter().position(|name| name == workload));
    let largest = bars.iter().map(|(_, _, bytes)| *bytes).fold(10.0, f64::max);
    let height = LINE * (bars.len() as u32 + 3);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"15\">Bytes per frame, lossless, logarithmic</text>\n"
    );
    for ((workload, way, bytes), line) in bars.iter().zip(2_u32..) {
        let y = line * LINE;
        let width = (bytes.max(1.0).ln() / largest.ln()).max(0.0) * BAR.0;
        let color =
            if way.starts_with("lotse") || *way == "codec alone" { "#0b3d66" } else { "#b0b7c3" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"10\" y=\"{text_y}\">{workload} · {way}</text>\
             <rect x=\"{left}\" y=\"{y}\" width=\"{width:.1}\" height=\"14\" fill=\"{color}\"/>\
             <text x=\"{after:.1}\" y=\"{text_y}\">{bytes:.0}</text>",
            text_y = y + 12,
            left = BAR.1,
            after = f64::from(BAR.1) + width + 6.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}
