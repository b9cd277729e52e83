use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use qiantai_print::layout::Row;
use qiantai_print::{PaperWidth, RechargeReceipt, layout, pdf};

use crate::sample::{cash_reprint_in_english, extreme, wechat};

#[test]
fn files_are_small() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        for receipt in [
            wechat(width),
            cash_reprint_in_english(width),
            extreme(width),
        ] {
            let bytes = pdf::render(&layout(&receipt.document()).unwrap());
            assert!(bytes.starts_with(b"%PDF-"));
            assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
        }
    }
}

/// The texts of the layout, found in the file by another program.
fn check_text(receipt: &RechargeReceipt) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.pdf");
    let layout = layout(&receipt.document()).unwrap();
    std::fs::write(&path, pdf::render(&layout)).unwrap();
    let text = run(
        "pdftotext",
        [OsStr::new("-layout"), path.as_os_str(), OsStr::new("-")],
    );
    let words = without_spaces(&text);
    for row in layout.rows {
        let Row::Text(cells) = row else { continue };
        for cell in cells {
            let cell = without_spaces(&cell.span.text);
            assert!(words.contains(&cell), "{cell} is missing in\n{text}");
        }
    }
}

#[test]
fn text_can_be_copied() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        check_text(&wechat(width));
        check_text(&cash_reprint_in_english(width));
        check_text(&extreme(width));
    }
}

fn check_qr(receipt: &RechargeReceipt) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.pdf");
    std::fs::write(&path, pdf::render(&layout(&receipt.document()).unwrap())).unwrap();
    let page = folder.path().join("page");
    let options = ["-r", "200", "-png", "-singlefile"]
        .map(OsStr::new)
        .into_iter();
    run(
        "pdftoppm",
        options.chain([path.as_os_str(), page.as_os_str()]),
    );
    assert_eq!(
        zbarimg(&page.with_extension("png")).trim_end(),
        receipt.qr_payload
    );
}

#[test]
fn the_qr_code_reads_from_paper() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        check_qr(&wechat(width));
        check_qr(&extreme(width));
    }
}

fn zbarimg(image: &Path) -> String {
    run(
        "zbarimg",
        ["--quiet", "--raw"]
            .map(OsStr::new)
            .into_iter()
            .chain([image.as_os_str()]),
    )
}

/// What a program that every machine for tests has says: of poppler-utils and zbar-tools.
fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install poppler-utils and zbar-tools"));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace()).collect()
}
