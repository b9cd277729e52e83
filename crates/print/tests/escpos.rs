use qiantai_core::Timestamp;
use qiantai_print::decode::{Printed, decode, escpos_text};
use qiantai_print::document::PaperWidth;
use qiantai_print::{Glyphs, Language, Layout, RechargeReceipt, TestPage, escpos, layout};

use crate::sample::{cash_reprint_in_english, extreme, wechat};

fn lay_out(receipt: &RechargeReceipt) -> Layout {
    layout(&receipt.document()).unwrap()
}

fn text_rows(layout: &Layout) -> Vec<String> {
    let lines = layout
        .rows
        .iter()
        .filter_map(|row| row.plain_text(layout.width));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// What comes out as text, in order, and the pictures between it.
fn print(layout: &Layout, glyphs: Glyphs) -> (Vec<String>, Vec<(usize, Vec<bool>)>) {
    let (mut lines, mut pictures) = (Vec::new(), Vec::new());
    for printed in decode(&escpos::render(layout, glyphs)).unwrap() {
        match printed {
            Printed::Line(line) if !line.is_empty() => lines.push(line),
            Printed::Picture { width, black } => pictures.push((width, black)),
            Printed::Line(_) | Printed::Cut | Printed::DrawerPulse => {}
        }
    }
    (lines, pictures)
}

fn check(receipt: &RechargeReceipt) {
    let layout = lay_out(receipt);
    let (lines, pictures) = print(&layout, Glyphs::Gbk);
    assert_eq!(lines, text_rows(&layout));
    assert_eq!(pictures.len(), 1, "the QR code");
}

#[test]
fn the_printer_is_told_what_was_laid_out() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        check(&wechat(width));
        check(&cash_reprint_in_english(width));
    }
}

/// Rows that hold one of `lacking` go as pictures, everything else as text.
fn check_pictures(receipt: &RechargeReceipt, glyphs: Glyphs, lacking: &[char]) {
    let layout = lay_out(receipt);
    let (lines, pictures) = print(&layout, glyphs);
    let is_rare = |line: &String| glyphs == Glyphs::Pictures || line.contains(lacking);
    let (pictured, plain): (Vec<_>, Vec<_>) = text_rows(&layout).into_iter().partition(is_rare);
    assert_eq!(lines, plain, "{glyphs:?}");
    assert_eq!(
        pictures.len(),
        pictured.len() + 1,
        "{glyphs:?} and the QR code"
    );
    let rows = pictures.iter().zip(&pictured).filter(|((dots, black), _)| {
        // All but the QR code, which is square and stands somewhere between.
        *dots == layout.width.dots() && black.len() / dots < 100
    });
    for ((_, black), row) in rows {
        let inked = black.iter().filter(|dot| **dot).count();
        assert!(
            (20..black.len() / 2).contains(&inked),
            "{inked} dots of {row}"
        );
    }
}

#[test]
fn rows_with_characters_the_printer_lacks_go_as_pictures() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        let mut receipt = extreme(width);
        check_pictures(&receipt, Glyphs::Gbk, &['䶮', '㛃', '㼆']);
        // 䶮 has two bytes, 㛃 and 㼆 four.
        check_pictures(&receipt, Glyphs::Gb18030, &[]);
        check_pictures(&receipt, Glyphs::Pictures, &[]);
        receipt.member.masked_name = "㛃😀𠮷e\u{301}\u{20d2}".into();
        check_pictures(&receipt, Glyphs::Gb18030, &['😀']);
        check_pictures(&receipt, Glyphs::Gbk, &['䶮', '😀']);
    }
}

/// Rare characters in the picture are themselves, not the mark for a missing one.
#[test]
fn every_rare_character_has_a_picture_of_its_own() {
    let mut seen = std::collections::HashMap::new();
    for name in ["㛃", "㼆", "䶮", "〓", "😀"] {
        let mut receipt = wechat(PaperWidth::Mm58);
        receipt.member.masked_name = name.into();
        let (_, pictures) = print(&lay_out(&receipt), Glyphs::Pictures);
        let (_, other) = print(&lay_out(&wechat(PaperWidth::Mm58)), Glyphs::Pictures);
        let changed = pictures
            .iter()
            .zip(&other)
            .filter(|(ours, theirs)| ours != theirs);
        let row: Vec<_> = changed.map(|(ours, _)| ours.1.clone()).collect();
        assert_eq!(row.len(), 1, "{name} stands on one row");
        seen.entry(row).or_insert_with(Vec::new).push(name);
    }
    let mut alike: Vec<_> = seen.into_values().collect();
    alike.sort();
    // An emoji is in no receipt printer's face and not in ours: it prints as the geta mark.
    assert_eq!(
        alike,
        [vec!["〓", "😀"], vec!["㛃"], vec!["㼆"], vec!["䶮"]]
    );
}

#[test]
fn a_slip_after_a_torn_one_says_so_and_opens_no_drawer() {
    for (language, mark) in [(Language::ZhCn, "重打"), (Language::En, "PRINTED AGAIN")] {
        let mut receipt = wechat(PaperWidth::Mm58);
        receipt.open_drawer = true;
        let mut document = receipt.document();
        document.mark_torn(language);
        let bytes = escpos::render(&layout(&document).unwrap(), Glyphs::Gbk);
        let printed = decode(&bytes).unwrap();
        assert!(!printed.contains(&Printed::DrawerPulse));
        assert_eq!(printed[0], Printed::Line(format!("*** {mark} ***")));
        let rest = escpos_text(&bytes).unwrap();
        assert!(
            rest.ends_with(&text_rows(&lay_out(&receipt))),
            "the whole slip follows"
        );
    }
}

#[test]
fn the_test_page_shows_what_the_printer_can_do() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        for language in [Language::ZhCn, Language::En] {
            let page = TestPage {
                width,
                language,
                glyphs: Glyphs::Gbk,
                store: "青禾健身·徐汇店".into(),
                terminal: "01".into(),
                printed_at: Timestamp::from_ms(1_795_241_037_000),
            };
            let bytes = page.escpos().unwrap();
            let lines = escpos_text(&bytes).unwrap();
            let ruler = lines.iter().find(|line| line.starts_with("1234567890123"));
            assert_eq!(ruler.unwrap().len(), width.columns());
            let ending = |text: &str| lines.iter().any(|line| line.ends_with(text));
            assert!(ending("张伟 龚 ￥300.00") && ending("㛃 㼆"), "{lines:#?}");
            let printed = decode(&bytes).unwrap();
            let pictures = printed
                .iter()
                .filter(|printed| matches!(printed, Printed::Picture { .. }));
            assert_eq!(pictures.count(), 2, "the third sample and the code");
            assert_eq!(printed.last(), Some(&Printed::Cut));
            assert!(!printed.contains(&Printed::DrawerPulse));
            assert!(page.pdf().unwrap().starts_with(b"%PDF-"));
        }
    }
}

fn check_qr(receipt: &RechargeReceipt) {
    let printed = decode(&escpos::render(&lay_out(receipt), Glyphs::Gbk)).unwrap();
    let last = printed.iter().rev().find_map(|printed| match printed {
        Printed::Picture { width, black } => Some((*width, black)),
        _ => None,
    });
    let (dots, black) = last.expect("a QR code");
    assert!(dots <= receipt.width.dots());
    let luma = |x: usize, y: usize| if black[y * dots + x] { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(dots, black.len() / dots, luma);
    let (_, content) = image.detect_grids().first().unwrap().decode().unwrap();
    assert_eq!(Some(content), receipt.qr_payload);
}

#[test]
fn the_qr_picture_reads_back() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        check_qr(&wechat(width));
        check_qr(&extreme(width));
    }
}

#[test]
fn commands_are_those_of_the_manual() {
    let mut receipt = wechat(PaperWidth::Mm58);
    receipt.open_drawer = true;
    let bytes = escpos::render(&lay_out(&receipt), Glyphs::Gbk);
    assert!(bytes.starts_with(&[0x1b, 0x40, 0x1c, 0x26, 0x1b, 0x70, 0x00, 0x19, 0xfa]));
    assert!(bytes.ends_with(&[0x1d, 0x56, 0x42, 0x00]));
}

#[test]
fn what_is_typed_into_a_name_is_printed_and_not_obeyed() {
    let mut receipt = wechat(PaperWidth::Mm58);
    receipt.member.masked_name = "张\u{1b}p\u{0}\u{19}\u{fa}\u{1d}V\u{0}".into();
    receipt.store.address = "a\nb".into();
    let printed = decode(&escpos::render(&lay_out(&receipt), Glyphs::Gbk)).unwrap();
    assert!(!printed.contains(&Printed::DrawerPulse));
    assert_eq!(
        printed
            .iter()
            .filter(|printed| **printed == Printed::Cut)
            .count(),
        1
    );
    assert!(printed.contains(&Printed::Line("a b".into())));
}
