use qiantai_print::document::{Document, Line, PaperWidth};
use qiantai_print::{PrintError, QrModules, layout};

use crate::sample::{LARGEST, ORDINARY, qr_payload};

fn check(payload: &str) {
    let modules = QrModules::encode(payload).unwrap();
    let png = modules.png(4).unwrap();
    let image = image::load_from_memory(&png).unwrap().into_luma8();
    let edge = u32::try_from((modules.side() + 8) * 4).unwrap();
    assert_eq!((image.width(), image.height()), (edge, edge));
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(
        image.width() as usize,
        image.height() as usize,
        |x, y| image.get_pixel(x as u32, y as u32).0[0],
    );
    let (_, content) = prepared
        .detect_grids()
        .first()
        .expect("a QR code")
        .decode()
        .unwrap();
    assert_eq!(content, payload);

    let runs = modules.runs();
    let dark = (0..modules.side())
        .flat_map(|y| (0..modules.side()).map(move |x| (x, y)))
        .filter(|(x, y)| modules.is_dark(*x, *y))
        .count();
    assert_eq!(runs.iter().map(|run| run.length).sum::<usize>(), dark);
    assert_eq!(modules.svg_path().matches('M').count(), runs.len());
}

#[test]
fn codes_read_back() {
    check("weixin://wxpay/bizpayurl?pr=4nQ7kRzz1");
    check("https://qr.alipay.com/bax08861fjkqkr9v2mzz25a0");
    check("培训收款");
    check(&qr_payload(ORDINARY));
    check(&qr_payload(LARGEST));
}

#[test]
fn a_code_that_cannot_be_read_is_not_printed() {
    assert_eq!(
        QrModules::encode(&"x".repeat(3_000)),
        Err(PrintError::QrTooLong { bytes: 3_000 })
    );
    let document = Document {
        width: PaperWidth::Mm58,
        title: String::new(),
        printed_at: qiantai_core::Timestamp::from_ms(0),
        lines: vec![Line::Qr {
            payload: "x".repeat(1_500),
            caption: String::new(),
        }],
    };
    assert!(matches!(
        layout(&document),
        Err(PrintError::QrTooWide { columns: 32, .. })
    ));
}
