//! One receipt as the printer queue renders it: layout, PDF and ESC/POS.

use std::time::{Duration, Instant};

use qiantai_print::{Glyphs, PaperWidth, RechargeReceipt, escpos, layout, pdf};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::figure::{Figure, Goal, Report, Series, Unit, micros};
use crate::{Outcome, Scale};

#[expect(
    dead_code,
    reason = "the tests print more kinds of slips than are timed"
)]
#[path = "../../print/tests/sample.rs"]
mod sample;

/// A receipt is no answer that a person waits for: its queue prints after the sale is shown.
const MEDIAN_US_MAX: u64 = 20_000;
/// Hashed as the baseline: says how fast this machine is, and uses no part of the product.
const HASHED_BYTES: usize = 1 << 20;

/// Measures an ordinary receipt, an English copy and the largest one, each in turn with a hash.
pub fn measure(scale: Scale) -> Outcome<Report> {
    let receipts: [(&str, &str, RechargeReceipt); 3] = [
        (
            "wechat_80mm",
            "an ordinary receipt",
            sample::wechat(PaperWidth::Mm80),
        ),
        (
            "english_copy_58mm",
            "a copy in English on narrow paper",
            sample::cash_reprint_in_english(PaperWidth::Mm58),
        ),
        (
            "largest_80mm",
            "the longest names and the largest code",
            sample::extreme(PaperWidth::Mm80),
        ),
    ];
    let began = Instant::now();
    let bytes = render(&receipts[0].2)?;
    let first_us = micros(began.elapsed());

    let block = vec![0xA5; HASHED_BYTES];
    let mut figures = Vec::new();
    for (name, what, receipt) in receipts {
        let (mut rendered, mut hashed) = (Vec::new(), Vec::new());
        for _ in 0..scale.sales {
            let began = Instant::now();
            render(&receipt)?;
            rendered.push(began.elapsed());
            hashed.push(hash(&block));
        }
        figures.push(Figure {
            name,
            what: format!("{what} as PDF and as ESC/POS"),
            unit: Unit::Micros,
            measured: Series::of_times(rendered),
            baseline_what: "SHA-256 over 1 MiB",
            baseline: Series::of_times(hashed),
            goal: Some(Goal::Median(MEDIAN_US_MAX)),
        });
    }
    let mut report = Report {
        name: "receipt",
        figures,
        facts: serde_json::Map::new(),
    };
    // It parses the face, which the counter does once.
    report.facts.insert("first_us".to_owned(), json!(first_us));
    report.facts.insert("bytes".to_owned(), json!(bytes));
    Ok(report)
}

fn render(receipt: &RechargeReceipt) -> Outcome<usize> {
    let layout = layout(&receipt.document())?;
    let (pdf, escpos) = (pdf::render(&layout), escpos::render(&layout, Glyphs::Gbk));
    Ok(std::hint::black_box(pdf).len() + std::hint::black_box(escpos).len())
}

fn hash(block: &[u8]) -> Duration {
    let began = Instant::now();
    std::hint::black_box(Sha256::digest(std::hint::black_box(block)));
    began.elapsed()
}
