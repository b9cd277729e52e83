//! Writes sample receipts as PDF and ESC/POS into a folder, with what a reader of the ESC/POS must
//! find, and says how long they take.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use qiantai_print::layout::Row;
use qiantai_print::{Glyphs, Layout, PaperWidth, RechargeReceipt, escpos, layout, pdf};

#[path = "../tests/sample.rs"]
mod sample;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(
        std::env::args_os()
            .nth(1)
            .ok_or("name a folder to write into")?,
    );
    std::fs::create_dir_all(&folder)?;
    for (width, suffix) in [(PaperWidth::Mm58, "58"), (PaperWidth::Mm80, "80")] {
        for (name, receipt) in sample::every_kind(width) {
            write(&folder, &format!("{name}-{suffix}"), &receipt)?;
        }
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "an example talks to the person who runs it"
)]
fn write(folder: &Path, name: &str, receipt: &RechargeReceipt) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let layout = layout(&receipt.document())?;
    let pdf = pdf::render(&layout);
    println!(
        "{name}: {:?}, {} bytes of PDF",
        started.elapsed(),
        pdf.len()
    );
    std::fs::write(folder.join(name).with_extension("pdf"), pdf)?;
    for (glyphs, letters) in [
        (Glyphs::Gb18030, "gb18030"),
        (Glyphs::Gbk, "gbk"),
        (Glyphs::Pictures, "pictures"),
    ] {
        let file = folder.join(format!("{name}-{letters}"));
        std::fs::write(
            file.with_extension("escpos"),
            escpos::render(&layout, glyphs),
        )?;
        let expected = expected(&layout, glyphs);
        std::fs::write(file.with_extension("expected.json"), json(&expected))?;
    }
    Ok(())
}

/// What comes out, line by line: text without the spaces around it, pictures by their size.
fn expected(layout: &Layout, glyphs: Glyphs) -> Vec<String> {
    let row_height = |row: &Row| match row {
        Row::Text(cells) => {
            let scales = cells.iter().map(|cell| cell.span.size.scale());
            30 * scales.max().unwrap_or(1)
        }
        _ => 30,
    };
    let lines = layout.rows.iter().filter_map(|row| match row {
        Row::Cut => Some("[cut]".to_owned()),
        Row::DrawerPulse => Some("[drawer]".to_owned()),
        Row::Feed(_) => None,
        Row::Qr {
            modules,
            module_dots,
        } => {
            let edge = (modules.side() + 8) * module_dots;
            Some(format!("[picture {}x{edge}]", edge.div_ceil(8) * 8))
        }
        Row::Text(_) | Row::Rule(_) | Row::Signature { .. } => {
            let text = row.plain_text(layout.width)?;
            Some(if glyphs.cover(&text) {
                text.trim().to_owned()
            } else {
                format!("[picture {}x{}]", layout.width.dots(), row_height(row))
            })
        }
    });
    lines.collect()
}

/// Slips hold no control characters; quotes and backslashes they might.
fn json(lines: &[String]) -> String {
    let quoted = lines.iter().map(|line| {
        let escaped = line.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    });
    format!("[{}]\n", quoted.collect::<Vec<_>>().join(",\n"))
}
