//! Which bills are believed.

use std::io::{Cursor, Write as _};

use qiantai_pay::channels::alipay::{AlipayBill, AlipayBillError};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）,商家实收（元）,\
    退款批次号/请求号,服务费（元）";
const PAID: &str = "#交易合计：1笔，商家实收共500.00元，商家优惠共0.00元";
const NONE_BACK: &str = "#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元";

fn payment(yuan: &str) -> String {
    format!("{TRADE}\t,ZF1\t,交易\t,2026-01-01 08:01:10\t,{yuan}\t,{yuan}\t,\t,-3.00\t")
}

fn read(rows: &[&str]) -> Result<usize, AlipayBillError> {
    let text = [&[COLUMNS], rows].concat().join("\r\n");
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file("2088_20260101_业务明细.csv", SimpleFileOptions::default())
        .unwrap();
    archive.write_all(&GBK.encode(&text).0).unwrap();
    let file = archive.finish().unwrap().into_inner();
    AlipayBill::read(&file)?.lines().map(|lines| lines.len())
}

#[test]
fn a_bill_without_the_totals_that_end_it_is_not_believed() {
    let row = payment("500.00");
    let check = |rows: &[&str], expected| assert_eq!(read(rows), expected, "{rows:?}");
    let cut_off = Err(AlipayBillError::NoTotals);
    check(&[&row, PAID, NONE_BACK], Ok(1));
    check(&[&row, NONE_BACK, PAID], Ok(1));
    check(&[&row], cut_off.clone());
    check(&[], cut_off.clone());
    check(&[&row, PAID], cut_off.clone());
    check(&[&row, NONE_BACK], cut_off.clone());
    check(
        &[&row, &PAID.replace("500.00", "500,00"), NONE_BACK],
        cut_off.clone(),
    );
    check(&[&row, &PAID.replace("1笔", "一笔"), NONE_BACK], cut_off);
    let wrong = Err(AlipayBillError::Totals);
    check(
        &[&row, &PAID.replace("500.00", "500.01"), NONE_BACK],
        wrong.clone(),
    );
    check(
        &[&row, &PAID.replace("1笔", "2笔"), NONE_BACK],
        wrong.clone(),
    );
    check(&[&row, &row, PAID, NONE_BACK], wrong);
}

#[test]
fn sums_beyond_every_amount_are_wrong_and_not_a_crash() {
    let row = payment("92233720368547758.07");
    let sum = PAID.replace("1笔", "2笔");
    let found = read(&[&row, &row, &sum, NONE_BACK]);
    assert_eq!(found, Err(AlipayBillError::Totals));
}
