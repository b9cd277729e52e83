//! Writes a slip of every kind as PDF and ESC/POS into a folder, with what a reader of the ESC/POS
//! must find, and says how long they take.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use qiantai_print::document::{Document, Size};
use qiantai_print::layout::{Cell, Row};
use qiantai_print::{Glyphs, Layout, PaperWidth, escpos, layout, pdf};

#[path = "../tests/kinds.rs"]
mod kinds;
#[path = "../tests/sample.rs"]
mod sample;

const GLYPHS: [(Glyphs, &str); 3] = [
    (Glyphs::Gb18030, "gb18030"),
    (Glyphs::Gbk, "gbk"),
    (Glyphs::Pictures, "pictures"),
];

/// What every drawer is sent.
const PULSE: &str = "[drawer 0 for 50 ms]";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(
        std::env::args_os()
            .nth(1)
            .ok_or("name a folder to write into")?,
    );
    std::fs::create_dir_all(&folder)?;
    for (width, suffix) in [(PaperWidth::Mm58, "58"), (PaperWidth::Mm80, "80")] {
        for (name, slip) in kinds::every_slip(width) {
            write(&folder, &format!("{name}-{suffix}"), &slip)?;
        }
        write_test_pages(&folder, width, suffix)?;
    }
    let expected = Expected {
        columns: PaperWidth::Mm58.columns(),
        encoding: "gb18030",
        lines: vec![PULSE.to_owned()],
    };
    expected.write(&folder.join("drawer"), &escpos::drawer_pulse())
}

#[expect(
    clippy::print_stdout,
    reason = "an example talks to the person who runs it"
)]
fn write(folder: &Path, name: &str, slip: &Document) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let layout = layout(slip)?;
    let pdf = pdf::render(&layout);
    println!(
        "{name}: {:?}, {} bytes of PDF",
        started.elapsed(),
        pdf.len()
    );
    std::fs::write(folder.join(name).with_extension("pdf"), pdf)?;
    for (glyphs, letters) in GLYPHS {
        let expected = Expected {
            columns: layout.width.columns(),
            encoding: if glyphs == Glyphs::Gbk {
                "cp936"
            } else {
                "gb18030"
            },
            lines: lines(&layout, glyphs, kinds::payload(slip)),
        };
        let file = folder.join(format!("{name}-{letters}"));
        expected.write(&file, &escpos::render(&layout, glyphs))?;
    }
    Ok(())
}

fn write_test_pages(folder: &Path, width: PaperWidth, suffix: &str) -> Result<(), Box<dyn Error>> {
    for (glyphs, letters) in GLYPHS {
        for (name, page) in kinds::test_pages(width, glyphs) {
            let parts = page.parts()?;
            let parts = parts.iter();
            let expected = Expected {
                columns: width.columns(),
                // Its samples go beyond what the printer is set to.
                encoding: "gb18030",
                lines: parts
                    .flat_map(|(part, glyphs)| lines(part, *glyphs, Some(kinds::TEST_PAYLOAD)))
                    .collect(),
            };
            let file = folder.join(format!("{name}-{suffix}-{letters}"));
            expected.write(&file, &page.escpos()?)?;
        }
    }
    Ok(())
}

/// What a reader of one file must find.
struct Expected {
    columns: usize,
    encoding: &'static str,
    lines: Vec<String>,
}

impl Expected {
    fn write(&self, file: &Path, escpos: &[u8]) -> Result<(), Box<dyn Error>> {
        std::fs::write(file.with_extension("escpos"), escpos)?;
        std::fs::write(file.with_extension("expected.json"), self.json())?;
        Ok(())
    }

    /// Slips hold no control characters; quotes and backslashes they might.
    fn json(&self) -> String {
        let quoted = self.lines.iter().map(|line| {
            let escaped = line.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\"")
        });
        let lines = quoted.collect::<Vec<_>>().join(",\n");
        let Expected {
            columns, encoding, ..
        } = self;
        format!("{{\"columns\": {columns}, \"encoding\": \"{encoding}\", \"lines\": [{lines}]}}\n")
    }
}

/// What comes out, line by line: words with their column and style, pictures by their size and
/// place, codes by what they say.
fn lines(layout: &Layout, glyphs: Glyphs, payload: Option<&str>) -> Vec<String> {
    let rows = layout.rows.iter();
    rows.map(|row| match row {
        Row::Cut => "[cut, a bridge left]".to_owned(),
        Row::DrawerPulse => PULSE.to_owned(),
        Row::Feed(count) => format!("[feed {count}]"),
        Row::Qr {
            modules,
            module_dots,
        } => {
            let edge = (modules.side() + 8) * module_dots;
            let width = edge.div_ceil(8) * 8;
            let left = (layout.width.dots() - width) / 2;
            let payload = payload.unwrap_or_default();
            format!("[picture {width}x{edge} at {left}: {payload}]")
        }
        Row::Text(cells) => text(row, cells, layout.width, glyphs),
        Row::Rule(_) | Row::Signature { .. } => text(row, &[], layout.width, glyphs),
    })
    .collect()
}

/// A rule and a line to sign on have no cells, and begin at the edge.
fn text(row: &Row, cells: &[Cell], width: PaperWidth, glyphs: Glyphs) -> String {
    let plain = row.plain_text(width).unwrap_or_default();
    if !glyphs.cover(&plain) {
        let scales = cells.iter().map(|cell| cell.span.size.scale());
        let height = 30 * scales.max().unwrap_or(1);
        return format!("[picture {}x{height} at 0]", width.dots());
    }
    let mut line = String::new();
    if cells.is_empty() {
        words(&plain, 0, 1, "", &mut line);
    }
    for cell in cells {
        let style = match (cell.span.bold, cell.span.size) {
            (false, Size::Normal) => "",
            (true, Size::Normal) => "b",
            (false, Size::Double) => "d",
            (true, Size::Double) => "bd",
        };
        let scale = cell.span.size.scale();
        words(&cell.span.text, cell.text_start(), scale, style, &mut line);
    }
    line
}

fn words(text: &str, start: usize, scale: usize, style: &str, line: &mut String) {
    let mut column = start;
    for word in text.split(' ') {
        if !word.is_empty() {
            let space = if line.is_empty() { "" } else { " " };
            write!(line, "{space}{column}{style}:{word}").expect("a String takes any text");
        }
        column += (qiantai_print::columns_of(word) + 1) * scale;
    }
}
