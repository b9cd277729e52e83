use qiantai_print::decode::{Printed, decode, escpos_text};
use qiantai_print::document::PaperWidth;
use qiantai_print::{Layout, RechargeReceipt, escpos, layout};

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

fn check(receipt: &RechargeReceipt) {
    let layout = lay_out(receipt);
    let printed = escpos_text(&escpos::render(&layout)).unwrap();
    assert_eq!(printed, text_rows(&layout));
}

#[test]
fn the_printer_is_told_what_was_laid_out() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        check(&wechat(width));
        check(&cash_reprint_in_english(width));
    }
}

#[test]
fn rows_with_characters_printers_lack_go_as_pictures() {
    for width in [PaperWidth::Mm58, PaperWidth::Mm80] {
        let layout = lay_out(&extreme(width));
        let printed = decode(&escpos::render(&layout)).unwrap();
        let lines: Vec<_> = printed
            .iter()
            .filter_map(|printed| match printed {
                Printed::Line(line) if !line.is_empty() => Some(line.clone()),
                _ => None,
            })
            .collect();
        // 䶮 has a two-byte code, 㛃 and 㼆 have not.
        let rare = |line: &String| line.contains(['㛃', '㼆']);
        let (pictured, plain): (Vec<_>, Vec<_>) = text_rows(&layout).into_iter().partition(rare);
        assert_eq!(lines, plain);
        assert!(!pictured.is_empty());
        let pictures: Vec<_> = printed
            .iter()
            .filter_map(|printed| match printed {
                Printed::Picture { width, black } => Some((*width, black)),
                _ => None,
            })
            .collect();
        assert_eq!(pictures.len(), pictured.len() + 1, "and the QR code");
        for (dots, black) in &pictures[..pictured.len()] {
            assert_eq!(*dots, width.dots());
            let inked = black.iter().filter(|dot| **dot).count();
            assert!(
                (300..black.len() / 2).contains(&inked),
                "{inked} dots of a name"
            );
        }
    }
}

fn check_qr(receipt: &RechargeReceipt) {
    let printed = decode(&escpos::render(&lay_out(receipt))).unwrap();
    let last = printed.iter().rev().find_map(|printed| match printed {
        Printed::Picture { width, black } => Some((*width, black)),
        _ => None,
    });
    let (dots, black) = last.expect("a QR code");
    assert!(dots <= receipt.width.dots());
    let luma = |x: usize, y: usize| if black[y * dots + x] { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(dots, black.len() / dots, luma);
    let (_, content) = image.detect_grids().first().unwrap().decode().unwrap();
    assert_eq!(content, receipt.qr_payload);
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
    let bytes = escpos::render(&lay_out(&receipt));
    assert!(bytes.starts_with(&[0x1b, 0x40, 0x1c, 0x26, 0x1b, 0x70, 0x00, 0x19, 0xfa]));
    assert!(bytes.ends_with(&[0x1d, 0x56, 0x42, 0x00]));
}

#[test]
fn what_is_typed_into_a_name_is_printed_and_not_obeyed() {
    let mut receipt = wechat(PaperWidth::Mm58);
    receipt.member.masked_name = "张\u{1b}p\u{0}\u{19}\u{fa}\u{1d}V\u{0}".into();
    receipt.store.address = "a\nb".into();
    let printed = decode(&escpos::render(&lay_out(&receipt))).unwrap();
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
