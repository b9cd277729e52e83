//! The simulated gateway behind a script: every call is noted, answers can be put in its mouth,
//! and it can keep silent.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use qiantai_core::Timestamp;
use qiantai_pay::channels::training::TrainingChannel;
use qiantai_pay::{
    Channel, ChannelId, CloseAnswer, CodeRequest, GatewayAnswer, Notice, NoticeError,
    NoticeReceipt, QrAnswer, QrRequest, RefundAnswer, RefundQuery, RefundRequest, ReverseAnswer,
};
use tokio::sync::watch;

/// What the gateway was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Create,
    Charge,
    Reverse,
    Query,
    Close,
    Refund,
    QueryRefund,
}

/// Answers that come instead of the gateway's own, oldest first.
#[derive(Default)]
pub struct Script {
    pub creates: VecDeque<QrAnswer>,
    pub charges: VecDeque<GatewayAnswer>,
    pub reversals: VecDeque<ReverseAnswer>,
    pub queries: VecDeque<GatewayAnswer>,
    pub closes: VecDeque<CloseAnswer>,
    /// For refunds and for queries about them.
    pub refunds: VecDeque<RefundAnswer>,
    /// The next query brings the asking task down.
    pub panics: bool,
}

/// A gateway under a test's control.
pub struct ScriptedChannel {
    inner: TrainingChannel,
    calls: Mutex<Vec<Call>>,
    script: Mutex<Script>,
    /// While true, queries are not answered.
    is_silent: watch::Sender<bool>,
}

impl ScriptedChannel {
    pub fn new(inner: TrainingChannel) -> ScriptedChannel {
        ScriptedChannel {
            inner,
            calls: Mutex::default(),
            script: Mutex::default(),
            is_silent: watch::channel(false).0,
        }
    }

    pub fn script(&self, write: impl FnOnce(&mut Script)) {
        write(&mut self.script.lock().unwrap());
    }

    pub fn keep_silent(&self, is_silent: bool) {
        self.is_silent.send_replace(is_silent);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub fn count(&self, call: Call) -> usize {
        self.calls().iter().filter(|made| **made == call).count()
    }

    /// Notes the call and takes the answer that the script has for it.
    fn take<T>(&self, call: Call, of: impl FnOnce(&mut Script) -> Option<T>) -> Option<T> {
        self.calls.lock().unwrap().push(call);
        of(&mut self.script.lock().unwrap())
    }
}

#[async_trait]
impl Channel for ScriptedChannel {
    fn id(&self) -> ChannelId {
        self.inner.id()
    }

    async fn create_qr(&self, request: &QrRequest) -> QrAnswer {
        let made = self.inner.create_qr(request).await;
        self.take(Call::Create, |script| script.creates.pop_front())
            .unwrap_or(made)
    }

    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer {
        match self.take(Call::Charge, |script| script.charges.pop_front()) {
            Some(answer) => answer,
            None => self.inner.charge_code(request).await,
        }
    }

    async fn query(&self, attempt_no: &str) -> GatewayAnswer {
        let scripted = self.take(Call::Query, |script| script.queries.pop_front());
        let panics = std::mem::take(&mut self.script.lock().unwrap().panics);
        assert!(!panics, "the script says so");
        let mut is_silent = self.is_silent.subscribe();
        is_silent.wait_for(|is_silent| !is_silent).await.unwrap();
        match scripted {
            Some(answer) => answer,
            None => self.inner.query(attempt_no).await,
        }
    }

    async fn close(&self, attempt_no: &str, asked_at: Option<Timestamp>) -> CloseAnswer {
        match self.take(Call::Close, |script| script.closes.pop_front()) {
            Some(answer) => answer,
            None => self.inner.close(attempt_no, asked_at).await,
        }
    }

    async fn reverse(&self, attempt_no: &str, charged_at: Option<Timestamp>) -> ReverseAnswer {
        match self.take(Call::Reverse, |script| script.reversals.pop_front()) {
            Some(answer) => answer,
            None => self.inner.reverse(attempt_no, charged_at).await,
        }
    }

    async fn refund(&self, request: &RefundRequest) -> RefundAnswer {
        match self.take(Call::Refund, |script| script.refunds.pop_front()) {
            Some(answer) => answer,
            None => self.inner.refund(request).await,
        }
    }

    async fn query_refund(&self, query: &RefundQuery) -> RefundAnswer {
        match self.take(Call::QueryRefund, |script| script.refunds.pop_front()) {
            Some(answer) => answer,
            None => self.inner.query_refund(query).await,
        }
    }

    fn parse_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        self.inner.parse_notice(headers, body)
    }

    fn notice_response(&self, notice: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes> {
        self.inner.notice_response(notice, receipt)
    }
}
