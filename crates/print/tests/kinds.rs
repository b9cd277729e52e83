//! One piece of paper of every kind that leaves the program.

use qiantai_core::{Money, Timestamp};
use qiantai_print::document::Line;
use qiantai_print::recharge_receipt::{CashTendered, PaymentOnReceipt, Reprint};
use qiantai_print::{Document, Glyphs, Language, PaperWidth, RechargeReceipt, TestPage};

use crate::sample::{cash_reprint_in_english, extreme, not_credited, split, wechat};

/// Every slip, by name.
pub fn every_slip(width: PaperWidth) -> Vec<(&'static str, Document)> {
    let usual = || wechat(width);
    let slips = [
        ("wechat", usual()),
        ("cash", cash_reprint_in_english(width)),
        ("cash-first", cash(width)),
        ("not-credited", not_credited(width, Language::ZhCn)),
        ("not-signed", not_signed(width)),
        ("extreme", extreme(width)),
        ("split", split(width, Language::ZhCn)),
        ("reprint", reprint(width)),
        (
            "offline",
            RechargeReceipt {
                provisional: true,
                ..cash(width)
            },
        ),
        (
            "training",
            RechargeReceipt {
                training: true,
                ..usual()
            },
        ),
        ("approved", approved(width, false)),
        ("released-alone", approved(width, true)),
        ("shop-code", shop_code(width)),
    ];
    let mut documents: Vec<_> = slips
        .into_iter()
        .map(|(name, slip)| (name, slip.document()))
        .collect();
    let mut torn = cash(width).document();
    torn.mark_torn(Language::ZhCn);
    documents.push(("torn", torn));
    documents
}

/// What the code on a test page says: when it was printed.
pub const TEST_PAYLOAD: &str = "QIANTAI 2026-11-21 14:03:57";

/// The page that is printed to try a printer, in every language.
pub fn test_pages(width: PaperWidth, glyphs: Glyphs) -> Vec<(&'static str, TestPage)> {
    [
        ("test-page-zh", Language::ZhCn),
        ("test-page-en", Language::En),
    ]
    .map(|(name, language)| {
        let page = TestPage {
            width,
            language,
            glyphs,
            store: "青禾健身·徐汇店".into(),
            terminal: "01".into(),
            printed_at: Timestamp::from_ms(1_795_241_037_000),
        };
        (name, page)
    })
    .into()
}

/// What the code on a slip says, if it has one.
pub fn payload(document: &Document) -> Option<&str> {
    document.lines.iter().find_map(|line| match line {
        Line::Qr { payload, .. } => Some(payload.as_str()),
        _ => None,
    })
}

/// Cash of this moment: the shop's copy, which opens the drawer.
fn cash(width: PaperWidth) -> RechargeReceipt {
    let mut receipt = wechat(width);
    let cash = CashTendered {
        tendered: Money::from_yuan(1_300),
        change: Money::from_yuan(100),
    };
    receipt.payment = paid_by("现金", None, Some(cash));
    receipt.open_drawer = true;
    receipt
}

/// Through a channel and not credited: nothing is signed that a code could say.
fn not_signed(width: PaperWidth) -> RechargeReceipt {
    let mut receipt = wechat(width);
    receipt.credited = None;
    receipt.qr_payload = None;
    receipt
}

/// The second copy of a sale in cash, whose drawer stays closed.
fn reprint(width: PaperWidth) -> RechargeReceipt {
    let mut receipt = cash(width);
    receipt.reprint = Some(Reprint {
        copy: 2,
        operator: "周岚".into(),
    });
    receipt
}

/// A recorded card that a manager looked at: another one, or who took it.
fn approved(width: PaperWidth, released_alone: bool) -> RechargeReceipt {
    let mut receipt = split(width, Language::ZhCn);
    receipt.approver = Some(if released_alone { "王芳" } else { "周岚" }.into());
    receipt.released_alone = released_alone;
    receipt
}

/// By the shop's own code, whose money nobody has checked.
fn shop_code(width: PaperWidth) -> RechargeReceipt {
    let mut receipt = wechat(width);
    let reference = Some("4200002891202611217350418266".into());
    receipt.payment = paid_by("店码（未核验）", reference, None);
    receipt
}

fn paid_by(
    method: &str,
    channel_txn_no: Option<String>,
    cash: Option<CashTendered>,
) -> PaymentOnReceipt {
    PaymentOnReceipt {
        method: method.into(),
        channel_txn_no,
        cash,
        split: None,
    }
}
