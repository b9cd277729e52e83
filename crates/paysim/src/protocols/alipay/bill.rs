//! Bills: written from the book, kept for thirty seconds, fetched without a signature.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::Charset;
use qiantai_pay::beijing::dashed;
use qiantai_pay::yuan::yuan;
use serde_json::json;
use time::Date;
use time::macros::format_description;

use super::answer::{Refusal, Said};
use super::archive::archive;
use super::caller::Caller;
use super::page;
use crate::gateway::{Gateway, Movement, MovementKind, Protocol};
use crate::protocols::day_of;

/// Where bills are fetched.
pub(super) const DOWNLOAD: &str = "/downloadBillFile.resource";
/// How long the address of a bill serves.
const ADDRESS_LIVES: Millis = Millis::seconds(30);
/// The hour at which the bill of the day before is there.
const READY_HOUR: u8 = 10;

/// A bill that waits to be downloaded.
#[derive(Clone, Debug)]
pub(super) struct StoredBill {
    file: Vec<u8>,
    until: Timestamp,
}

/// Says where the bill lies. With `lacks_line` its newest line is missing.
pub(super) fn place(
    gateway: &mut Gateway,
    caller: &Caller,
    lacks_line: bool,
    now: Timestamp,
) -> Result<Said, Refusal> {
    if !matches!(caller.content.need("bill_type")?, "trade" | "signcustomer") {
        return Err(Refusal::business(
            "isv.invalid-arguments",
            "bill_type参数无效",
        ));
    }
    let date = caller.content.need("bill_date")?;
    let date = Date::parse(date, format_description!("[year]-[month]-[day]"))
        .map_err(|_| Refusal::business("isv.invalid-arguments", "bill_date参数无效"))?;
    let none = || Refusal::business("isp.bill_not_exist", "账单不存在");
    let local = now.local();
    let age = (local.date() - date).whole_days();
    if age < 1 || (age == 1 && local.hour() < READY_HOUR) {
        return Err(none());
    }
    let (first, end) = day_of(date);
    let app_id = &caller.merchant.app_id;
    let mut movements = gateway.movements(Protocol::Alipay, app_id, first, end);
    if lacks_line {
        movements.pop();
    }
    if movements.is_empty() {
        return Err(none());
    }
    let file = packed(&caller.merchant.seller_id, date, &movements, now);
    let token = gateway.new_nonce();
    let until = now + ADDRESS_LIVES;
    let bills = &mut gateway.sides.alipay.bills;
    bills.insert(token.clone(), StoredBill { file, until });
    let address = format!("http://{}{DOWNLOAD}?token={token}", caller.host);
    Ok(Said::success(json!({ "bill_download_url": address })))
}

/// The file, to whoever knows its address.
pub(super) fn file(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> http::Response<Bytes> {
    let bills = &mut gateway.sides.alipay.bills;
    bills.retain(|_, bill| now < bill.until);
    let token = request
        .uri()
        .query()
        .and_then(|query| query.strip_prefix("token="));
    let Some(bill) = token.and_then(|token| bills.get(token)) else {
        return page(
            StatusCode::FORBIDDEN,
            "链接已失效".as_bytes(),
            Charset::Utf8,
        );
    };
    let mut response = page(StatusCode::OK, &bill.file, Charset::Utf8);
    let kind = HeaderValue::from_static("application/zip");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

const COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,\
    操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,\
    支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,\
    退款批次号/请求号,服务费（元）,分润（元）,备注";

fn packed(seller: &str, date: Date, movements: &[Movement<'_>], now: Timestamp) -> Vec<u8> {
    let gbk = |text: &str| {
        let bytes = Charset::Gbk.encode(text);
        bytes.expect("GB18030 has every character")
    };
    let name = |kind: &str| gbk(&format!("{seller}0156_{}_{kind}.csv", compact(date)));
    let sums = "#支付宝业务汇总查询\r\n";
    archive(&[
        (name("业务明细"), gbk(&written(seller, movements, now))),
        (name("业务明细(汇总)"), gbk(sums)),
    ])
}

fn compact(date: Date) -> String {
    format!(
        "{:04}{:02}{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    )
}

fn written(seller: &str, movements: &[Movement<'_>], now: Timestamp) -> String {
    let mut text = format!(
        "#支付宝业务明细查询\r\n#账号：[{seller}]\r\n\
         #-----------------------------------业务明细列表----------------------------------------\r\n\
         {COLUMNS}\r\n"
    );
    let (mut paid, mut returned) = ((0, Money::ZERO), (0, Money::ZERO));
    for movement in movements {
        let sum = match movement.kind {
            MovementKind::Payment => &mut paid,
            MovementKind::Refund(_) | MovementKind::Reversal => &mut returned,
        };
        *sum = (sum.0 + 1, sum.1 + movement.amount);
        for value in line(movement) {
            text.push_str(&value);
            text.push_str("\t,");
        }
        text.pop();
        text.push_str("\r\n");
    }
    text.push_str(&format!(
        "#----------------------------------业务明细列表结束-------------------------------------\r\n\
         #交易合计：{}笔，商家实收共{}元，商家优惠共0.00元\r\n\
         #退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元\r\n#导出时间：[{}]\r\n",
        paid.0,
        yuan(paid.1),
        returned.0,
        yuan(-returned.1),
        dashed(now),
    ));
    text
}

fn line(movement: &Movement<'_>) -> Vec<String> {
    let payment = movement.payment;
    let number = &payment.key().attempt_no;
    let (kind, amount, refund_no) = match movement.kind {
        MovementKind::Payment => ("交易", movement.amount, ""),
        MovementKind::Refund(refund) => ("退款", -movement.amount, refund.order.refund_no.as_str()),
        MovementKind::Reversal => ("退款", -movement.amount, number.as_str()),
    };
    let none = || "0.00".to_owned();
    let fee = Money::from_fen(-(movement.fee_milli_fen() + 500).div_euclid(1_000));
    let mut values = vec![
        movement.transaction.channel_txn_no.clone(),
        number.clone(),
        kind.to_owned(),
        payment.order.subject.clone(),
        dashed(payment.created_at),
        dashed(movement.at),
    ];
    values.extend([const { String::new() }; 4]);
    values.push("顾客(139****0001)".to_owned());
    values.extend([yuan(amount), yuan(amount)]);
    values.extend([
        none(),
        none(),
        none(),
        none(),
        none(),
        String::new(),
        none(),
        none(),
    ]);
    values.extend([refund_no.to_owned(), yuan(fee), none(), String::new()]);
    values
}
