//! Trade bills: written from the book, kept for five minutes, downloaded once or more.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::StatusCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::beijing::dashed;
use qiantai_pay::crypto::sha1;
use qiantai_pay::yuan::yuan;
use serde_json::json;
use time::Date;
use time::macros::format_description;

use super::account::WechatMerchant;
use super::refusal::Refusal;
use super::v3::Answer;
use crate::gateway::{Gateway, Movement, MovementKind, Protocol};
use crate::protocols::day_of;

/// How long the address of a bill serves.
const ADDRESS_LIVES: Millis = Millis::minutes(5);
/// Days that bills reach back.
const DAYS_MAX: i64 = 92;
/// The hour at which the bill of the day before is there.
const READY_HOUR: u8 = 10;

/// A bill that waits to be downloaded.
#[derive(Clone, Debug)]
pub(super) struct StoredBill {
    mchid: String,
    file: Vec<u8>,
    until: Timestamp,
}

/// Which bill is asked for.
pub(super) struct BillWish {
    date: Date,
    kind: BillType,
    is_packed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BillType {
    All,
    Success,
    Refund,
}

impl BillWish {
    pub fn read(query: &str) -> Result<BillWish, Refusal> {
        let find = |name: &str| -> Option<String> {
            form_urlencoded::parse(query.as_bytes())
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.into_owned())
        };
        let date = find("bill_date")
            .and_then(|text| Date::parse(&text, format_description!("[year]-[month]-[day]")).ok());
        let kind = match find("bill_type").as_deref() {
            None | Some("ALL") => BillType::All,
            Some("SUCCESS") => BillType::Success,
            Some("REFUND") => BillType::Refund,
            Some(_) => return Err(Refusal::parameter("bill_type取值错误")),
        };
        let is_packed = match find("tar_type").as_deref() {
            None => false,
            Some("GZIP") => true,
            Some(_) => return Err(Refusal::parameter("tar_type取值错误")),
        };
        Ok(BillWish {
            date: date.ok_or_else(|| Refusal::parameter("bill_date格式须为YYYY-MM-DD"))?,
            kind,
            is_packed,
        })
    }
}

/// Says where the bill lies. With `lacks_line` its newest line is missing.
pub(super) fn place(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    wish: &BillWish,
    host: &str,
    lacks_line: bool,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let local = now.local();
    let age = (local.date() - wish.date).whole_days();
    if age < 1 || (age == 1 && local.hour() < READY_HOUR) {
        let message = "账单生成中，请在次日10点后下载";
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "STATEMENT_CREATING",
            message,
        ));
    }
    if age > DAYS_MAX {
        return Err(Refusal::request("账单日期超出三个月的可查询范围"));
    }
    let (first, end) = day_of(wish.date);
    let mut movements = gateway.movements(Protocol::Wechat, &merchant.mchid, first, end);
    movements.retain(|movement| match (wish.kind, movement.kind) {
        (BillType::All, _) | (BillType::Success, MovementKind::Payment) => true,
        (BillType::Refund, MovementKind::Refund(_)) => true,
        (BillType::Success | BillType::Refund, _) => false,
    });
    if lacks_line {
        movements.pop();
    }
    if movements.is_empty() {
        let message = "账单不存在：当日没有交易";
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "NO_STATEMENT_EXIST",
            message,
        ));
    }
    let text = written(merchant, &movements);
    let hash = sha1(text.as_bytes()).expect("the library digests any text");
    let file = match wish.is_packed {
        true => packed(text.as_bytes()),
        false => text.into_bytes(),
    };
    let token = gateway.new_nonce();
    let bill = StoredBill {
        mchid: merchant.mchid.clone(),
        file,
        until: now + ADDRESS_LIVES,
    };
    gateway.sides.wechat.bills.insert(token.clone(), bill);
    let download_url = format!("http://{host}/v3/billdownload/file?token={token}");
    Ok(Answer::json(
        StatusCode::OK,
        &json!({
            "hash_type": "SHA1",
            "hash_value": hex::encode(hash),
            "download_url": download_url,
        }),
    ))
}

pub(super) fn file(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    token: &str,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let bills = &mut gateway.sides.wechat.bills;
    bills.retain(|_, bill| now < bill.until);
    let bill = bills.get(token).filter(|bill| bill.mchid == merchant.mchid);
    let bill = bill.ok_or_else(|| Refusal::parameter("token无效或已过期，请重新申请账单"))?;
    Ok(Answer::file(bill.file.clone()))
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer
        .write_all(text)
        .and_then(|()| packer.finish())
        .expect("memory takes what is written")
}

const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,\
    交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,\
    充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const SUMS_HEADER: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

fn written(merchant: &WechatMerchant, movements: &[Movement<'_>]) -> String {
    let mut text = format!("\u{feff}{HEADER}\r\n");
    let (mut paid, mut returned, mut fees) = (Money::ZERO, Money::ZERO, 0);
    for movement in movements {
        match movement.kind {
            MovementKind::Payment => paid += movement.amount,
            MovementKind::Refund(_) | MovementKind::Reversal => returned += movement.amount,
        }
        fees += movement.fee_milli_fen();
        text.push_str(&row(&line(merchant, movement)));
    }
    text.push_str(SUMS_HEADER);
    text.push_str("\r\n");
    let count = movements.len().to_string();
    let (paid, returned) = (yuan(paid), yuan(returned));
    text.push_str(&row(&[
        count,
        paid.clone(),
        returned.clone(),
        "0.00".to_owned(),
        yuan_of_milli_fen(fees),
        paid,
        returned,
    ]));
    text
}

fn row(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("`{value}")).collect();
    format!("{}\r\n", values.join(","))
}

fn line(merchant: &WechatMerchant, movement: &Movement<'_>) -> Vec<String> {
    let payment = movement.payment;
    let none = || "0.00".to_owned();
    let amount = yuan(movement.amount);
    let (state, paid, returned, numbers, refund_kind, refund_state) = match movement.kind {
        MovementKind::Payment => {
            let numbers = ("0".to_owned(), "0".to_owned());
            ("SUCCESS", amount.clone(), none(), numbers, "", "")
        }
        MovementKind::Refund(refund) => {
            let numbers = (
                refund.channel_refund_no.clone(),
                refund.order.refund_no.clone(),
            );
            (
                "REFUND",
                none(),
                amount.clone(),
                numbers,
                "ORIGINAL",
                "SUCCESS",
            )
        }
        MovementKind::Reversal => {
            let numbers = ("0".to_owned(), "0".to_owned());
            (
                "REVOKED",
                none(),
                amount.clone(),
                numbers,
                "ORIGINAL",
                "SUCCESS",
            )
        }
    };
    let kind = if payment.is_qr() {
        "NATIVE"
    } else {
        "MICROPAY"
    };
    vec![
        dashed(movement.at),
        merchant.appid.clone(),
        merchant.mchid.clone(),
        "0".to_owned(),
        String::new(),
        movement.transaction.channel_txn_no.clone(),
        payment.key().attempt_no.clone(),
        movement.transaction.payer.clone(),
        kind.to_owned(),
        state.to_owned(),
        "OTHERS".to_owned(),
        "CNY".to_owned(),
        paid.clone(),
        none(),
        numbers.0,
        numbers.1,
        returned.clone(),
        none(),
        refund_kind.to_owned(),
        refund_state.to_owned(),
        payment.order.subject.clone(),
        String::new(),
        yuan_of_milli_fen(movement.fee_milli_fen()),
        "0.60%".to_owned(),
        paid,
        returned,
        String::new(),
    ]
}

/// Five decimals: fees are smaller than a fen.
fn yuan_of_milli_fen(parts: i64) -> String {
    let sign = if parts < 0 { "-" } else { "" };
    let parts = parts.unsigned_abs();
    format!("{sign}{}.{:05}", parts / 100_000, parts % 100_000)
}
