//! Writes sample receipts as PDF and ESC/POS into a folder and says how long they take.

use std::path::PathBuf;
use std::time::Instant;

use qiantai_print::{Glyphs, PaperWidth, RechargeReceipt, escpos, layout, pdf};

#[path = "../tests/sample.rs"]
mod sample;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(
        std::env::args_os()
            .nth(1)
            .ok_or("name a folder to write into")?,
    );
    std::fs::create_dir_all(&folder)?;
    for (width, suffix) in [(PaperWidth::Mm58, "58"), (PaperWidth::Mm80, "80")] {
        write(&folder, &format!("wechat-{suffix}"), &sample::wechat(width))?;
        write(
            &folder,
            &format!("cash-{suffix}"),
            &sample::cash_reprint_in_english(width),
        )?;
        write(
            &folder,
            &format!("extreme-{suffix}"),
            &sample::extreme(width),
        )?;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "an example talks to the person who runs it"
)]
fn write(
    folder: &std::path::Path,
    name: &str,
    receipt: &RechargeReceipt,
) -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let layout = layout(&receipt.document())?;
    let (pdf, escpos) = (pdf::render(&layout), escpos::render(&layout, Glyphs::Gbk));
    println!(
        "{name}: {:?}, {} and {} bytes",
        started.elapsed(),
        pdf.len(),
        escpos.len()
    );
    std::fs::write(folder.join(name).with_extension("pdf"), pdf)?;
    std::fs::write(folder.join(name).with_extension("escpos"), escpos)?;
    Ok(())
}
