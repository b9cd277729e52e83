//! Alipay from the gateway's side: one address for every method, in key mode and certificate mode
//! (docs: protocols, alipay).

mod account;
mod answer;
mod archive;
mod bill;
mod caller;
mod content;
mod notice;
mod refund;
mod trade;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use qiantai_core::clock::Timestamp;
use qiantai_pay::Charset;

pub use account::{AlipayOpening, Mode};
pub(crate) use notice::notice;

use super::{Call, Reply, Said, Seal, conduct};
use crate::gateway::{AnswerFault, Gateway, Operation};
use crate::issuer::Issuer;
use account::AlipayMerchant;
use answer::{Refusal, Said as Node};
use bill::StoredBill;
use caller::{Caller, admitted};

/// Where methods are called, and where bills lie.
pub(crate) const PATHS: [&str; 2] = [GATEWAY, bill::DOWNLOAD];
const GATEWAY: &str = "/gateway.do";

/// Merchants, keys and bills.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    merchants: BTreeMap<String, AlipayMerchant>,
    keys: Option<Issuer>,
    /// Bills that wait to be downloaded, by their token.
    bills: BTreeMap<String, StoredBill>,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Precreate,
    Pay,
    Query,
    Cancel,
    Close,
    Refund,
    RefundQuery,
    BillAddress,
    Certificate,
}

impl Method {
    fn of(name: &str) -> Option<Method> {
        Some(match name {
            "alipay.trade.precreate" => Method::Precreate,
            "alipay.trade.pay" => Method::Pay,
            "alipay.trade.query" => Method::Query,
            "alipay.trade.cancel" => Method::Cancel,
            "alipay.trade.close" => Method::Close,
            "alipay.trade.refund" => Method::Refund,
            "alipay.trade.fastpay.refund.query" => Method::RefundQuery,
            "alipay.data.dataservice.bill.downloadurl.query" => Method::BillAddress,
            "alipay.open.app.alipaycert.download" => Method::Certificate,
            _ => return None,
        })
    }

    fn operation(self) -> Operation {
        match self {
            Method::Precreate => Operation::Create,
            Method::Pay => Operation::Charge,
            Method::Query => Operation::Query,
            Method::Cancel => Operation::Reverse,
            Method::Close => Operation::Close,
            Method::Refund => Operation::Refund,
            Method::RefundQuery => Operation::QueryRefund,
            Method::BillAddress => Operation::Bill,
            Method::Certificate => Operation::Certificates,
        }
    }
}

/// Answers one request.
pub(crate) fn answer(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Reply {
    if request.uri().path() == bill::DOWNLOAD {
        return Reply::at_once(bill::file(gateway, request, now));
    }
    let caller = match admitted(gateway, request, now) {
        Ok(caller) => caller,
        Err(refusal) => return Reply::at_once(answer::unsigned(&refusal)),
    };
    let call = Call {
        operation: caller.method.operation(),
        attempt_no: caller.content.text("out_trade_no"),
    };
    conduct(
        gateway,
        call,
        now,
        Gateway::renew_alipay_keys,
        |gateway, fault| perform(gateway, &caller, fault, now),
        |gateway, said, seal| match said {
            Said::Result(outcome) => {
                answer::signed(gateway, &caller, outcome, seal == Seal::Genuine)
            }
            Said::Busy => page(StatusCode::TOO_MANY_REQUESTS, b"", Charset::Utf8),
            Said::Garbled => page(StatusCode::OK, b"<html>gateway busy</html>", Charset::Utf8),
        },
    )
}

fn perform(
    gateway: &mut Gateway,
    caller: &Caller,
    fault: Option<AnswerFault>,
    now: Timestamp,
) -> Result<Node, Refusal> {
    match caller.method {
        Method::Precreate => trade::precreate(gateway, caller, now),
        Method::Pay => trade::pay(gateway, caller, now),
        Method::Query => trade::query(gateway, caller, now),
        Method::Cancel => trade::cancel(gateway, caller, now),
        Method::Close => trade::close(gateway, caller, now),
        Method::Refund if fault == Some(AnswerFault::FundsShort) => Err(Refusal::business(
            "ACQ.SELLER_BALANCE_NOT_ENOUGH",
            "商户余额不足",
        )),
        Method::Refund => refund::refund(gateway, caller, now),
        Method::RefundQuery => refund::query(gateway, caller, now),
        Method::BillAddress => {
            let lacks_line = fault == Some(AnswerFault::BillLineMissing);
            bill::place(gateway, caller, lacks_line, now)
        }
        Method::Certificate => answer::certificate(gateway, caller),
    }
}

fn page(status: StatusCode, body: &[u8], charset: Charset) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(match charset {
        Charset::Utf8 => "text/html;charset=utf-8",
        Charset::Gbk => "text/html;charset=GBK",
    });
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
