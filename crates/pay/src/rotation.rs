//! A channel whose credentials were replaced while the old ones are still in use on the way.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use qiantai_core::clock::{Millis, Timestamp};

use crate::answer::{CloseAnswer, GatewayAnswer, QrAnswer, RefundAnswer, ReverseAnswer};
use crate::bill::{BillAnswer, BillRequest};
use crate::channel::{Channel, ChannelId, CodeRequest, QrRequest, RefundQuery, RefundRequest};
use crate::credentials::Expiry;
use crate::notice::{Notice, NoticeError, NoticeReceipt, PaymentNotice};
use crate::surroundings::Surroundings;

/// Gateways repeat a notice for about a day, sealed as it was.
const OVERLAP: Millis = Millis::hours(25);

/// Calls go out with the new credentials; notices are believed by the new or, for a day, by the
/// old ones.
pub(crate) struct Rotated {
    current: Arc<dyn Channel>,
    previous: Arc<dyn Channel>,
    until: Timestamp,
    surroundings: Arc<dyn Surroundings>,
}

impl Rotated {
    pub(crate) fn new(
        current: Arc<dyn Channel>,
        previous: Arc<dyn Channel>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Rotated {
        Rotated {
            current,
            previous,
            until: surroundings.now() + OVERLAP,
            surroundings,
        }
    }
}

/// Only what another key can cure.
fn is_of_the_key(error: &NoticeError) -> bool {
    matches!(
        error,
        NoticeError::UnknownKey(_) | NoticeError::WrongSignature | NoticeError::DoesNotDecrypt
    )
}

#[async_trait]
impl Channel for Rotated {
    fn id(&self) -> ChannelId {
        self.current.id()
    }

    async fn create_qr(&self, request: &QrRequest) -> QrAnswer {
        self.current.create_qr(request).await
    }

    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer {
        self.current.charge_code(request).await
    }

    async fn query(&self, attempt_no: &str) -> GatewayAnswer {
        self.current.query(attempt_no).await
    }

    async fn confirm(&self, notice: &PaymentNotice) -> GatewayAnswer {
        self.current.confirm(notice).await
    }

    async fn close(&self, attempt_no: &str, asked_at: Option<Timestamp>) -> CloseAnswer {
        self.current.close(attempt_no, asked_at).await
    }

    async fn reverse(&self, attempt_no: &str, charged_at: Option<Timestamp>) -> ReverseAnswer {
        self.current.reverse(attempt_no, charged_at).await
    }

    async fn refund(&self, request: &RefundRequest) -> RefundAnswer {
        self.current.refund(request).await
    }

    async fn query_refund(&self, query: &RefundQuery) -> RefundAnswer {
        self.current.query_refund(query).await
    }

    async fn fetch_bill(&self, request: &BillRequest) -> BillAnswer {
        self.current.fetch_bill(request).await
    }

    fn parse_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        match self.current.parse_notice(headers, body) {
            // The merchant account itself may have been replaced.
            Ok(Notice::PaidElsewhere(found)) if self.surroundings.now() <= self.until => {
                match self.previous.parse_notice(headers, body) {
                    Ok(ours @ (Notice::Payment(_) | Notice::Refund(_))) => Ok(ours),
                    _ => Ok(Notice::PaidElsewhere(found)),
                }
            }
            Err(error) if is_of_the_key(&error) && self.surroundings.now() <= self.until => {
                match self.previous.parse_notice(headers, body) {
                    Err(also) if is_of_the_key(&also) => Err(error),
                    answer => answer,
                }
            }
            answer => answer,
        }
    }

    fn notice_response(&self, notice: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes> {
        self.current.notice_response(notice, receipt)
    }

    fn expiries(&self) -> Vec<Expiry> {
        self.current.expiries()
    }
}
