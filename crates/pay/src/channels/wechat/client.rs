//! The channel as the server uses it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use qiantai_core::clock::Timestamp;
use serde::Serialize;
use tokio::sync::Mutex;

use super::ID;
use super::account::{Account, CodeApi};
use super::keyring::Keyring;
use super::message::{
    CODEPAY, CURRENCY, CloseOrder, CodeCharge, CodePayer, NATIVE, NativeOrder, REFUNDS,
    RefundOrder, RefundTotal, ReverseOrder, Scene, Store, Total, order_path, plain_text, written,
};
use super::notice::{open_notice, read_notice};
use super::read::{self, Outcome, Trouble};
use super::v2;
use crate::answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, QrAnswer, RefundAnswer, ReverseAnswer,
};
use crate::bill::{BillAnswer, BillRequest};
use crate::channel::{Channel, ChannelId, CodeRequest, QrRequest, RefundQuery, RefundRequest};
use crate::credentials::Expiry;
use crate::notice::{Notice, NoticeError, NoticeReceipt};
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

/// One merchant account at WeChat Pay.
pub struct WechatChannel {
    pub(super) account: Account,
    pub(super) transport: Arc<dyn HttpTransport>,
    pub(super) surroundings: Arc<dyn Surroundings>,
    pub(super) keyring: Keyring,
    /// One fetch of certificates at a time; the others wait for its result.
    pub(super) fetching: Mutex<()>,
}

impl WechatChannel {
    /// Opens the channel; nothing is sent.
    pub fn new(
        account: Account,
        transport: Arc<dyn HttpTransport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> WechatChannel {
        WechatChannel {
            keyring: Keyring::new(account.keys.clone()),
            account,
            transport,
            surroundings,
            fetching: Mutex::new(()),
        }
    }

    async fn post(&self, target: &str, message: &impl Serialize) -> Outcome {
        let body = serde_json::to_vec(message).expect("messages hold only texts and numbers");
        self.call(Method::POST, target, body.into()).await
    }

    async fn get(&self, target: &str) -> Outcome {
        self.call(Method::GET, target, Bytes::new()).await
    }

    async fn charge_by_v3(&self, request: &CodeRequest, store_id: &str) -> Outcome {
        let message = CodeCharge {
            appid: &self.account.appid,
            mchid: &self.account.mchid,
            description: plain_text(&request.subject, SUBJECT_MAX),
            out_trade_no: checked_order_no(&request.attempt_no)?,
            payer: CodePayer {
                auth_code: request.auth_code.expose(),
            },
            amount: total(request.amount.fen()),
            scene_info: Scene {
                store_info: Store { out_id: store_id },
            },
        };
        self.post(CODEPAY, &message).await
    }

    async fn create(&self, request: &QrRequest) -> Outcome {
        let unattended = self.account.unattended_notify_url.as_deref();
        let notify_url = request.notify_url.as_deref().or(unattended);
        let message = NativeOrder {
            appid: &self.account.appid,
            mchid: &self.account.mchid,
            description: plain_text(&request.subject, SUBJECT_MAX),
            out_trade_no: checked_order_no(&request.attempt_no)?,
            time_expire: written(request.expires_at),
            notify_url: notify_url.ok_or_else(|| {
                incomplete("WeChat Pay wants an address for notices: set unattended_notify_url")
            })?,
            amount: total(request.amount.fen()),
        };
        self.post(NATIVE, &message).await
    }

    async fn send_refund(&self, request: &RefundRequest) -> Outcome {
        let attempt_no = checked_order_no(&request.attempt_no)?;
        let transaction_id = request.channel_txn_no.as_deref();
        let message = RefundOrder {
            transaction_id,
            out_trade_no: transaction_id.is_none().then_some(attempt_no),
            out_refund_no: checked_refund_no(&request.refund_no)?,
            reason: plain_text(&request.reason, REASON_MAX),
            notify_url: request.notify_url.as_deref(),
            amount: RefundTotal {
                refund: request.amount.fen(),
                total: request.paid.fen(),
                currency: CURRENCY,
            },
        };
        self.post(REFUNDS, &message).await
    }
}

/// Most characters of what the customer sees.
pub(super) const SUBJECT_MAX: usize = 127;
const REASON_MAX: usize = 80;

fn total(fen: i64) -> Total {
    Total {
        total: fen,
        currency: CURRENCY,
    }
}

fn bad_request(problem: &str) -> Trouble {
    Trouble::Config(ConfigCause::BadRequest(problem.to_owned()))
}

pub(super) fn incomplete(problem: &str) -> Trouble {
    Trouble::Config(ConfigCause::Incomplete(problem.to_owned()))
}

/// Our own numbers are letters and digits, which a path takes as they are.
pub(super) fn checked_order_no(number: &str) -> Result<&str, Trouble> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (6..=32).contains(&number.len()) && number.bytes().all(is_plain) {
        Ok(number)
    } else {
        Err(bad_request(
            "the order number is not 6 to 32 letters and digits",
        ))
    }
}

fn checked_refund_no(number: &str) -> Result<&str, Trouble> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=64).contains(&number.len()) && number.bytes().all(is_plain) {
        Ok(number)
    } else {
        Err(bad_request(
            "the refund number is not 1 to 64 letters and digits",
        ))
    }
}

#[async_trait]
impl Channel for WechatChannel {
    fn id(&self) -> ChannelId {
        ID
    }

    async fn create_qr(&self, request: &QrRequest) -> QrAnswer {
        read::created(self.create(request).await)
    }

    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer {
        match &self.account.code_api {
            CodeApi::Off => GatewayAnswer::ConfigError(ConfigCause::NotPermitted),
            CodeApi::V3 { store_id } => {
                let outcome = self.charge_by_v3(request, store_id).await;
                read::standing(&self.account, &request.attempt_no, outcome)
            }
            CodeApi::V2 { key, device_ip, .. } => {
                let outcome = v2::charge(self, request, key, *device_ip).await;
                v2::charged(&self.account, &request.attempt_no, outcome)
            }
        }
    }

    /// By API v3 also for payment codes that were charged by API v2: an order is an order.
    async fn query(&self, attempt_no: &str) -> GatewayAnswer {
        let outcome = match checked_order_no(attempt_no) {
            Ok(number) => {
                let target = format!("{}?mchid={}", order_path(number), self.account.mchid);
                self.get(&target).await
            }
            Err(trouble) => Err(trouble),
        };
        read::standing(&self.account, attempt_no, outcome)
    }

    async fn close(&self, attempt_no: &str, asked_at: Option<Timestamp>) -> CloseAnswer {
        let message = CloseOrder {
            mchid: &self.account.mchid,
        };
        let outcome = match checked_order_no(attempt_no) {
            Ok(number) => {
                let target = format!("{}/close", order_path(number));
                self.post(&target, &message).await
            }
            Err(trouble) => Err(trouble),
        };
        read::closed(attempt_no, outcome, asked_at, self.surroundings.now())
    }

    async fn reverse(&self, attempt_no: &str, charged_at: Option<Timestamp>) -> ReverseAnswer {
        if let CodeApi::V2 { key, identity, .. } = &self.account.code_api {
            let outcome = v2::reverse(self, attempt_no, key, identity).await;
            let now = self.surroundings.now();
            return v2::reversed(&self.account, attempt_no, outcome, charged_at, now);
        }
        let message = ReverseOrder {
            appid: &self.account.appid,
            mchid: &self.account.mchid,
        };
        let outcome = match checked_order_no(attempt_no) {
            Ok(number) => {
                let target = format!("{}/reverse", order_path(number));
                self.post(&target, &message).await
            }
            Err(trouble) => Err(trouble),
        };
        let now = self.surroundings.now();
        read::reversed(&self.account, attempt_no, outcome, charged_at, now)
    }

    async fn refund(&self, request: &RefundRequest) -> RefundAnswer {
        let outcome = self.send_refund(request).await;
        read::refunded(&request.attempt_no, &request.refund_no, outcome)
    }

    async fn query_refund(&self, query: &RefundQuery) -> RefundAnswer {
        let outcome = match checked_refund_no(&query.refund_no) {
            Ok(number) => self.get(&format!("{REFUNDS}/{number}")).await,
            Err(trouble) => Err(trouble),
        };
        read::refunded(&query.attempt_no, &query.refund_no, outcome)
    }

    async fn fetch_bill(&self, request: &BillRequest) -> BillAnswer {
        self.bill(request).await
    }

    fn expiries(&self) -> Vec<Expiry> {
        self.account.expiries.clone()
    }

    fn parse_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        if let CodeApi::V2 { key, .. } = &self.account.code_api
            && v2::is_notice(body)
        {
            return v2::read_notice(&self.account, key, body);
        }
        let now = self.surroundings.now();
        let opened = open_notice(
            &self.keyring.keys(),
            &self.account.api_v3_key,
            headers,
            body,
            now,
        );
        if let Err(NoticeError::UnknownKey(_)) = opened {
            // Fetched with the next call; the gateway repeats the notice meanwhile.
            self.keyring.ask_for_more(now);
        }
        read_notice(&self.account, opened?)
    }

    fn notice_response(&self, notice: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes> {
        if v2::is_notice(notice) {
            return v2::notice_response(receipt);
        }
        let mut response = http::Response::new(Bytes::new());
        match receipt {
            NoticeReceipt::Taken => *response.status_mut() = StatusCode::NO_CONTENT,
            NoticeReceipt::Refused => {
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                let body = r#"{"code":"FAIL","message":"not taken"}"#;
                *response.body_mut() = Bytes::from_static(body.as_bytes());
            }
        }
        response
    }
}
