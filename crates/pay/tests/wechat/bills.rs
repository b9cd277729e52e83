//! Bills: where they lie, their hash, their lines and sums.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::channels::wechat::{BillError, read_bill, unpack};
use qiantai_pay::crypto::sha1;
use qiantai_pay::transport::AnswerLimit;
use qiantai_pay::{BillAnswer, BillKind, BillRequest, Channel, UnknownCause};
use time::Date;

use super::gateway::{Answer, MCHID, channel_with, settings, signed, unsigned};

const HEADER: &str = "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,货币种类,应结订单金额,微信退款单号,商户退款单号,退款金额,商品名称,手续费,订单金额,申请退款金额";
const SUMS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
const PAYMENT: &str = "`2025-12-31 08:01:10,`wx8888888888888888,`1900000109,`42001,`ZF000001,`SUCCESS,`CNY,`490.00,`0,`0,`0.00,`储值, 500元,`2.94000,`500.00,`0.00";
const REFUND: &str = "`2025-12-31 09:00:00,`wx8888888888888888,`1900000109,`42001,`ZF000001,`REFUND,`CNY,`0.00,`50300,`TK000001,`180.00,`储值,`-1.08000,`0.00,`180.00";
const REVERSAL: &str = "`2025-12-31 10:00:00,`wx8888888888888888,`1900000109,`42002,`ZF000002,`REVOKED,`CNY,`0.00,`0,`0,`100.00,`储值,`0.00000,`0.00,`100.00";
const TOTAL: &str = "`3.0,`490.00,`280.00,`0.00,`1.86000,`500.00,`280.00";

fn file(lines: &[&str]) -> String {
    format!("\u{feff}{}\r\n", lines.join("\r\n"))
}

pub fn whole() -> String {
    file(&[HEADER, PAYMENT, REFUND, REVERSAL, SUMS, TOTAL])
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

#[test]
fn lines_are_read_by_the_names_of_their_columns() {
    let lines = read_bill(whole().as_bytes(), Some(MCHID)).unwrap();
    let [payment, refund, reversal] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(payment.kind, BillKind::Payment);
    assert_eq!(payment.attempt_no, "ZF000001");
    assert_eq!(payment.channel_txn_no, "42001");
    assert_eq!(payment.amount, Money::from_yuan(500));
    assert_eq!(payment.settled, Money::from_yuan(490));
    assert_eq!(payment.fee.rounded(), Money::from_fen(294));
    assert_eq!(payment.at, Timestamp::from_ms(1_767_139_270_000));
    assert_eq!(payment.refund_no, None);
    assert_eq!(refund.kind, BillKind::Refund);
    assert_eq!(refund.refund_no.as_deref(), Some("TK000001"));
    assert_eq!(refund.channel_refund_no.as_deref(), Some("50300"));
    assert_eq!(refund.amount, Money::from_yuan(180));
    assert_eq!(refund.fee.rounded(), Money::from_fen(-108));
    assert_eq!(reversal.kind, BillKind::Reversal);
    assert_eq!(
        (reversal.refund_no.as_ref(), reversal.amount),
        (None, Money::from_yuan(100))
    );
    let empty = file(&[HEADER, SUMS, "`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00"]);
    assert_eq!(read_bill(empty.as_bytes(), Some(MCHID)), Ok(Vec::new()));
}

#[test]
fn a_bill_that_is_not_whole_is_refused() {
    let check = |lines: &[&str], expected: BillError| {
        let found = read_bill(file(lines).as_bytes(), Some(MCHID));
        assert_eq!(found, Err(expected), "{lines:?}");
    };
    check(&[], BillError::NoSums);
    check(&[HEADER, PAYMENT, REFUND], BillError::NoSums);
    check(
        &[HEADER, PAYMENT, REFUND, REVERSAL, SUMS],
        BillError::NoSums,
    );
    check(
        &[HEADER, PAYMENT, REVERSAL, SUMS, TOTAL],
        BillError::Sums("总交易单数"),
    );
    let changed = TOTAL.replace("490.00", "490.01");
    check(
        &[HEADER, PAYMENT, REFUND, REVERSAL, SUMS, &changed],
        BillError::Sums("应结订单总金额"),
    );
    let changed = TOTAL.replace("1.86", "1.87");
    check(
        &[HEADER, PAYMENT, REFUND, REVERSAL, SUMS, &changed],
        BillError::Sums("手续费总金额"),
    );
    check(&[HEADER, &PAYMENT[..40], SUMS, TOTAL], BillError::Width(2));
    let value = |column| BillError::Value { line: 2, column };
    let check_line = |from: &str, to: &str, expected: BillError| {
        check(&[HEADER, &PAYMENT.replace(from, to), SUMS, TOTAL], expected);
    };
    check_line("1900000109", "1900000108", value("商户号"));
    check_line("SUCCESS", "PENDING", value("交易状态"));
    check_line("CNY", "USD", value("货币种类"));
    check_line("490.00", "490.001", value("应结订单金额"));
    check_line("2025-12-31 08", "2025-13-31 08", value("交易时间"));
    let without = HEADER.replace("手续费", "费");
    check(
        &[&without, PAYMENT, SUMS, TOTAL],
        BillError::Column("手续费"),
    );
    assert_eq!(read_bill(&[0xff], Some(MCHID)), Err(BillError::NotText));
}

#[test]
fn a_file_that_unpacks_without_end_is_refused() {
    let bomb = gzip(&"0".repeat(65 * 1024 * 1024));
    assert!(bomb.len() < 100_000);
    assert_eq!(unpack(&bomb), Err(BillError::Packing));
    assert_eq!(unpack(b"no gzip"), Err(BillError::Packing));
}

fn place(hash: &str, address: &str) -> Answer {
    signed(
        200,
        &format!(r#"{{"hash_type":"SHA1","hash_value":"{hash}","download_url":"{address}"}}"#),
    )
}

fn download(text: &str) -> Answer {
    let mut answer = unsigned(200, "").unwrap();
    *answer.body_mut() = Bytes::from(gzip(text));
    Ok(answer)
}

const ADDRESS: &str = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc&x=1";

fn on(year: i32, day: u16) -> BillRequest {
    BillRequest {
        date: Date::from_ordinal_date(year, day).unwrap(),
    }
}

#[tokio::test]
async fn a_bill_is_fetched_from_the_configured_address_and_checked() {
    let hash = hex::encode(sha1(whole().as_bytes()).unwrap());
    let answers = vec![place(&hash, ADDRESS), download(&whole())];
    let (channel, gateway) = channel_with(settings(), answers);
    let BillAnswer::Ready(lines) = channel.fetch_bill(&on(2025, 365)).await else {
        panic!("the bill is ready")
    };
    assert_eq!(lines.len(), 3);
    let expected = [
        "/v3/bill/tradebill?bill_date=2025-12-31&bill_type=ALL&tar_type=GZIP",
        "/v3/billdownload/file?token=abc&x=1",
    ];
    assert_eq!(gateway.targets(), expected);
    let requests = gateway.requests.lock().unwrap();
    assert_eq!(requests[1].uri().host(), Some("gateway.test"));
    assert!(requests[1].headers().contains_key("authorization"));
    assert_eq!(requests[1].extensions().get(), Some(&AnswerLimit::BILL));
}

#[tokio::test]
async fn what_is_no_bill_is_told_apart() {
    let check = async |answers: Vec<Answer>, request: BillRequest, expected: BillAnswer| {
        let (channel, _) = channel_with(settings(), answers);
        assert_eq!(channel.fetch_bill(&request).await, expected, "{request:?}");
    };
    let day = on(2025, 365);
    let fault = |status, code| vec![signed(status, &format!(r#"{{"code":"{code}"}}"#))];
    check(
        fault(400, "NO_STATEMENT_EXIST"),
        day,
        BillAnswer::Ready(Vec::new()),
    )
    .await;
    check(fault(400, "STATEMENT_CREATING"), day, BillAnswer::NotYet).await;
    let busy = BillAnswer::Unknown(UnknownCause::Busy);
    check(fault(429, "FREQUENCY_LIMITED"), day, busy).await;
    check(Vec::new(), on(2026, 1), BillAnswer::NotYet).await;
    check(Vec::new(), on(2026, 2), BillAnswer::NotYet).await;
    check(Vec::new(), on(2025, 200), BillAnswer::OutOfRange).await;
    let damaged = |text: &str| BillAnswer::Damaged(text.to_owned());
    let hash = hex::encode(sha1(whole().as_bytes()).unwrap());
    let missing_line = whole().replace(REFUND, "");
    let other = "the file's hash is not what the gateway stated";
    check(
        vec![place(&hash, ADDRESS), download(&missing_line)],
        day,
        damaged(other),
    )
    .await;
    let hash = hex::encode(sha1(missing_line.as_bytes()).unwrap());
    let short = "the lines do not add up to the stated 总交易单数";
    check(
        vec![place(&hash, ADDRESS), download(&missing_line)],
        day,
        damaged(short),
    )
    .await;
    let packing = vec![place(&hash, ADDRESS), unsigned(200, "not gzip")];
    check(packing, day, damaged("the file does not unpack")).await;
    let late = vec![place(&hash, ADDRESS), unsigned(500, "")];
    check(late, day, BillAnswer::Unknown(UnknownCause::BadSignature)).await;
    let address = UnknownCause::Unreadable("the bill's address is not one".to_owned());
    for wrong in ["", "file:///etc/passwd", "https://gateway.test/other"] {
        check(
            vec![place(&hash, wrong)],
            day,
            BillAnswer::Unknown(address.clone()),
        )
        .await;
    }
}
