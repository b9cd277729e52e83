use std::path::PathBuf;

use qiantai_core::Money;
use qiantai_print::document::{Align, Document, Line};
use qiantai_print::layout::Row;
use qiantai_print::recharge_receipt::Reprint;
use qiantai_print::{Language, PaperWidth, RechargeReceipt, columns_of, layout};

use crate::sample::{cash_reprint_in_english, extreme, not_credited, split, wechat};

/// The text of `document` as a fixed-width printer shows it, other rows in brackets.
fn picture(document: &Document) -> String {
    let layout = layout(document).expect("a sample fits its paper");
    let lines = layout
        .rows
        .iter()
        .map(|row| match (row.plain_text(document.width), row) {
            (Some(line), _) => format!("{line}\n"),
            (None, Row::Feed(count)) => "\n".repeat(usize::from(*count)),
            (
                None,
                Row::Qr {
                    modules,
                    module_dots,
                },
            ) => {
                format!("[QR {} modules of {module_dots} dots]\n", modules.side())
            }
            (None, Row::Cut) => "[cut]\n".to_owned(),
            (None, Row::DrawerPulse) => "[drawer]\n".to_owned(),
            (None, row) => panic!("a row without text: {row:?}"),
        });
    lines.collect()
}

/// Compares with `tests/golden/<name>.txt`; set `GOLDEN=write` to accept a new layout.
fn check(name: &str, receipt: &RechargeReceipt) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
    let picture = picture(&receipt.document());
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, &picture).expect("golden file is writable");
    }
    let golden = std::fs::read_to_string(&path).expect("golden file exists");
    assert_eq!(picture, golden, "{name}");
}

#[test]
fn slips_look_as_agreed() {
    for (width, suffix) in [(PaperWidth::Mm58, "58"), (PaperWidth::Mm80, "80")] {
        check(&format!("wechat-{suffix}"), &wechat(width));
        check(
            &format!("cash-reprint-en-{suffix}"),
            &cash_reprint_in_english(width),
        );
        check(&format!("extreme-{suffix}"), &extreme(width));
        for (language, name) in [(Language::ZhCn, "zh"), (Language::En, "en")] {
            let slip = not_credited(width, language);
            check(&format!("not-credited-{name}-{suffix}"), &slip);
            let slip = split(width, language);
            check(&format!("split-{name}-{suffix}"), &slip);
        }
    }
}

#[test]
fn no_row_is_wider_than_the_paper() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        for receipt in [
            wechat(width),
            cash_reprint_in_english(width),
            extreme(width),
            not_credited(width, Language::ZhCn),
            not_credited(width, Language::En),
            split(width, Language::ZhCn),
            split(width, Language::En),
        ] {
            for row in layout(&receipt.document()).unwrap().rows {
                let Row::Text(cells) = &row else { continue };
                let mut end = 0;
                for cell in cells {
                    assert!(cell.text_start() >= end, "{row:?} overlaps");
                    end = cell.text_start() + cell.text_columns();
                }
                assert!(end <= width.columns(), "{row:?} is too wide");
            }
        }
    }
}

#[test]
fn who_let_their_own_take_be_credited_is_named_so() {
    for (width, language, label) in [
        (PaperWidth::Mm58, Language::ZhCn, "收款人本人放行"),
        (PaperWidth::Mm80, Language::En, "Taken and approved by"),
    ] {
        let mut receipt = split(width, language);
        receipt.approver = Some("周岚".into());
        for released_alone in [true, false] {
            receipt.released_alone = released_alone;
            let picture = picture(&receipt.document());
            assert_eq!(picture.contains(label), released_alone, "{picture}");
        }
    }
}

#[test]
fn figures_end_at_the_right_edge() {
    let receipt = wechat(PaperWidth::Mm58);
    let rows = layout(&receipt.document()).unwrap().rows;
    let lines: Vec<_> = rows
        .iter()
        .filter_map(|row| row.plain_text(receipt.width))
        .collect();
    for figure in ["230.00", "1,660.00", "1,960.00", "+1200"] {
        let line = lines
            .iter()
            .find(|line| line.ends_with(figure))
            .expect(figure);
        assert_eq!(columns_of(line), 32, "{line:?}");
    }
}

#[test]
fn capitals_begin_at_a_thousand() {
    for (fen, expected) in [(99_999, false), (100_000, true)] {
        let mut receipt = wechat(PaperWidth::Mm80);
        receipt.paid = Money::from_fen(fen);
        assert_eq!(
            picture(&receipt.document()).contains("大写"),
            expected,
            "{fen} fen"
        );
    }
}

#[test]
fn the_drawer_opens_for_the_first_print_only() {
    let mut receipt = wechat(PaperWidth::Mm58);
    receipt.open_drawer = true;
    assert_eq!(receipt.document().lines.first(), Some(&Line::DrawerPulse));
    receipt.reprint = Some(Reprint {
        copy: 2,
        operator: "王芳".into(),
    });
    assert!(!receipt.document().lines.contains(&Line::DrawerPulse));
    assert!(picture(&receipt.document()).contains("*** 补打 COPY 2 ***"));
}

#[test]
fn the_preview_says_what_the_paper_says() {
    use qiantai_print::preview::{PreviewRow, render};

    let document = wechat(PaperWidth::Mm58).document();
    let layout = layout(&document).unwrap();
    let preview = render(&layout);
    let shown: Vec<_> = preview
        .rows
        .iter()
        .filter_map(|row| match row {
            PreviewRow::Text(texts) => Some(texts),
            _ => None,
        })
        .flatten()
        .map(|text| (text.text.clone(), text.align, text.end))
        .collect();
    let laid_out: Vec<_> = layout
        .rows
        .into_iter()
        .filter_map(|row| match row {
            Row::Text(cells) => Some(cells),
            _ => None,
        })
        .flatten()
        .map(|cell| (cell.span.text, cell.align, cell.end))
        .collect();
    assert_eq!(shown, laid_out);
    assert!(shown.contains(&("￥1,200.00".to_owned(), Align::Right, 32)));
    assert_eq!(preview.columns, 32);
}
