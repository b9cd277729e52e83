use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use qiantai_core::Money;
use qiantai_print::layout::Row;
use qiantai_print::{Document, Glyphs, PaperWidth, RechargeReceipt, layout, pdf};

use crate::kinds::{TEST_PAYLOAD, every_slip, payload, test_pages};
use crate::sample::{cash_reprint_in_english, extreme, wechat};

const WIDTHS: [(PaperWidth, &str); 2] = [(PaperWidth::Mm58, "58"), (PaperWidth::Mm80, "80")];

fn rendered(document: &Document) -> Vec<u8> {
    pdf::render(&layout(document).unwrap())
}

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
fn check_text(document: &Document) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.pdf");
    let layout = layout(document).unwrap();
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
    for (width, _) in WIDTHS {
        for (_, slip) in every_slip(width) {
            check_text(&slip);
        }
    }
}

/// The page as `folder/page.png`.
fn draw(pdf: &[u8], folder: &Path, dots_per_inch: &str) -> PathBuf {
    let path = folder.join("receipt.pdf");
    std::fs::write(&path, pdf).unwrap();
    let page = folder.join("page");
    let options = ["-r", dots_per_inch, "-gray", "-png", "-singlefile"]
        .map(OsStr::new)
        .into_iter();
    run(
        "pdftoppm",
        options.chain([path.as_os_str(), page.as_os_str()]),
    );
    page.with_extension("png")
}

fn check_qr(pdf: &[u8], payload: &str) {
    let folder = tempfile::tempdir().unwrap();
    let read = zbarimg(&draw(pdf, folder.path(), "200"));
    assert_eq!(read.trim_end(), payload);
}

/// Resolution of the committed pictures: lines and words can be told apart, and a page is some 25 kB.
const PICTURE_DPI: &str = "48";
/// Edge of the squares whose mean greys are compared: versions of a renderer place and smooth the
/// edge of a stroke differently, and put as much ink on a square.
const SQUARE: u32 = 4;
/// Greys, of 256, by which a square may differ.
const GREYS: u32 = 32;
/// Squares of a thousand that may differ more.
const PER_MILLE: usize = 2;

fn mean_greys(picture: &image::GrayImage) -> Vec<u32> {
    let (width, height) = picture.dimensions();
    let mut means = Vec::new();
    for top in (0..height).step_by(SQUARE as usize) {
        for left in (0..width).step_by(SQUARE as usize) {
            let (mut sum, mut count) = (0, 0);
            for y in top..(top + SQUARE).min(height) {
                for x in left..(left + SQUARE).min(width) {
                    sum += u32::from(picture.get_pixel(x, y).0[0]);
                    count += 1;
                }
            }
            means.push(sum / count);
        }
    }
    means
}

/// How many squares of a thousand differ; all of them where the pages have different sizes.
fn difference(one: &image::GrayImage, other: &image::GrayImage) -> usize {
    if one.dimensions() != other.dimensions() {
        return 1_000;
    }
    let (one, other) = (mean_greys(one), mean_greys(other));
    let pairs = one.iter().zip(&other);
    let far = pairs.filter(|(one, other)| one.abs_diff(**other) > GREYS);
    (far.count() * 1_000).div_ceil(one.len())
}

fn picture(path: &Path) -> image::GrayImage {
    image::open(path).expect("a picture").into_luma8()
}

/// Compares with `tests/golden/<name>.png`; set `GOLDEN=write` to accept a new look.
#[test]
fn pages_look_as_agreed() {
    let folder = tempfile::tempdir().unwrap();
    let mut pages = Vec::new();
    for (width, suffix) in WIDTHS {
        let slips = every_slip(width).into_iter();
        let slips = slips.map(|(name, slip)| (name, rendered(&slip)));
        let test_pages = test_pages(width, Glyphs::default()).into_iter();
        let test_pages = test_pages.map(|(name, page)| (name, page.pdf().unwrap()));
        for (name, pdf) in slips.chain(test_pages) {
            let drawn = draw(&pdf, folder.path(), PICTURE_DPI);
            let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/golden/{name}-{suffix}.png"));
            if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
                std::fs::copy(&drawn, &golden).unwrap();
            }
            let (drawn, golden) = (picture(&drawn), picture(&golden));
            let differs = difference(&drawn, &golden);
            assert!(
                differs <= PER_MILLE,
                "{name}-{suffix}: {differs} ‰ of the page look different"
            );
            pages.push((format!("{name}-{suffix}"), drawn));
        }
    }
    for (at, (name, page)) in pages.iter().enumerate() {
        for (other_name, other) in &pages[..at] {
            // Two differ in a word only, which the text of the page tells.
            let differs = difference(page, other);
            assert!(differs > 0, "{name} looks like {other_name}");
        }
    }
}

/// A line that is missing, or says something else, is seen.
#[test]
fn pictures_tell_slips_apart() {
    let folder = tempfile::tempdir().unwrap();
    let page = |receipt: &RechargeReceipt| {
        let pdf = rendered(&receipt.document());
        picture(&draw(&pdf, folder.path(), PICTURE_DPI))
    };
    let usual = wechat(PaperWidth::Mm58);
    let golden = page(&usual);
    let changes: [fn(&mut RechargeReceipt); 3] = [
        |receipt| receipt.store.address = "青禾".into(),
        |receipt| receipt.paid = Money::from_yuan(9_876),
        |receipt| receipt.qr_payload = Some("QT1:OTHER".into()),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut receipt = usual.clone();
        change(&mut receipt);
        let differs = difference(&page(&receipt), &golden);
        assert!(differs > PER_MILLE, "change {at}: only {differs} ‰");
    }
}

#[test]
fn the_qr_code_reads_from_paper() {
    for (width, _) in WIDTHS {
        for slip in [wechat(width).document(), extreme(width).document()] {
            check_qr(&rendered(&slip), payload(&slip).unwrap());
        }
        for (_, page) in test_pages(width, Glyphs::default()) {
            check_qr(&page.pdf().unwrap(), TEST_PAYLOAD);
        }
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
