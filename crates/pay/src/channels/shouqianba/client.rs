//! The Shouqianba channel as the server uses it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use qiantai_core::clock::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::activation::{self, ActivationFault};
use super::codes::Fault;
use super::message::{self, ACTIVATE, CANCEL, CHECK_IN, PAY, PRECREATE, QUERY, REFUND};
use super::read::{self, Outcome, Reply, lacks, unreadable};
use super::terminal::{Terminal, TerminalStore, TerminalStoreError};
use super::{ID, ShouqianbaConfig};
use crate::answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, QrAnswer, RefundAnswer, ReverseAnswer, UnknownCause,
};
use crate::channel::{Channel, ChannelId, CodeRequest, QrRequest, RefundQuery, RefundRequest};
use crate::channels::errand::{self, Errand};
use crate::channels::exchange::{base_url, wrong};
use crate::crypto::VerifyKey;
use crate::notice::{Notice, NoticeError, NoticeReceipt, PaymentNotice};
use crate::registry::OpenError;
use crate::secret::SecretText;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

/// One terminal at Shouqianba.
pub struct ShouqianbaChannel {
    config: ShouqianbaConfig,
    notice_key: Option<VerifyKey>,
    store: Arc<dyn TerminalStore>,
    /// The terminal as it is saved. The lock is held while its key changes.
    terminal: Mutex<Option<Terminal>>,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
}

impl ShouqianbaChannel {
    /// Checks the settings; nothing is sent.
    pub fn new(
        mut config: ShouqianbaConfig,
        store: Arc<dyn TerminalStore>,
        transport: Arc<dyn HttpTransport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<ShouqianbaChannel, OpenError> {
        config.base_url = base_url(ID, &config.base_url)?;
        if !is_plain(&config.vendor_sn) {
            return Err(wrong(ID, "vendor_sn must be letters and digits"));
        }
        if config.device_id.is_empty() {
            return Err(wrong(ID, "device_id is empty"));
        }
        let notice_key = config.notice_public_key.as_deref();
        let notice_key = notice_key
            .map(VerifyKey::from_text)
            .transpose()
            .map_err(|error| wrong(ID, format!("notice_public_key: {error}")))?;
        let terminal = store.load().map_err(|error| wrong(ID, error))?;
        Ok(ShouqianbaChannel {
            config,
            notice_key,
            store,
            terminal: Mutex::new(terminal),
            transport,
            surroundings,
        })
    }

    /// Makes this machine a terminal where none is kept yet. At most one activation is sent.
    ///
    /// # Errors
    /// See [`ActivationFault`]; repeating it is safe after every one.
    pub async fn activated(&self) -> Result<(), ActivationFault> {
        let mut held = self.terminal.lock().await;
        if held.is_some() {
            return Ok(());
        }
        let terminal = self.ask_for_terminal(&self.errand()).await?;
        self.store
            .save(&terminal)
            .map_err(ActivationFault::NotKept)?;
        *held = Some(terminal);
        Ok(())
    }

    /// One call as the terminal. A call refused for its key was not carried out, so it is repeated
    /// with the next one.
    async fn call(&self, errand: &mut Errand<'_>, path: &str, mut content: Value) -> Outcome {
        let terminal = self.terminal_of_today(errand).await?;
        content["terminal_sn"] = json!(terminal.sn);
        let request = self.request(path, &content, &terminal.sn, &terminal.key)?;
        let refused = match answered(errand.send(path, request).await) {
            Err(refused @ (Fault::WrongKey | Fault::NotActivated)) => refused,
            outcome => return outcome,
        };
        let renewed = self.terminal_after(errand, &terminal, &refused).await?;
        content["terminal_sn"] = json!(renewed.sn);
        let request = self.request(path, &content, &renewed.sn, &renewed.key)?;
        answered(errand.send(path, request).await)
    }

    fn errand(&self) -> Errand<'_> {
        Errand::new(ID, &self.transport)
    }

    fn request(
        &self,
        path: &str,
        content: &Value,
        sn: &str,
        key: &SecretText,
    ) -> Result<http::Request<Bytes>, Fault> {
        let request = message::signed(&self.config, path, content, sn, key.expose());
        request.map_err(|error| unreadable(format!("our request cannot be signed: {error}")))
    }

    /// The terminal, activated if need be and checked in today. A check-in that brings no answer
    /// stops nothing: the key that we have may well be the one in force.
    async fn terminal_of_today(&self, errand: &Errand<'_>) -> Result<Terminal, Fault> {
        let mut held = self.terminal.lock().await;
        let Some(terminal) = held.clone() else {
            return self.activate(errand, &mut held).await;
        };
        let today = self.surroundings.now().local().date();
        if terminal.changed_at.local().date() >= today {
            return Ok(terminal);
        }
        match self.check_in(errand, &mut held, &terminal).await {
            Err(Fault::Unknown(cause)) => {
                tracing::warn!(channel = %ID, %cause, "the daily check-in brought no answer");
                Ok(terminal)
            }
            outcome => outcome,
        }
    }

    /// The terminal after the gateway refused `used`: the one that another call renewed meanwhile,
    /// or a newly checked-in, or a newly activated one.
    async fn terminal_after(
        &self,
        errand: &Errand<'_>,
        used: &Terminal,
        refused: &Fault,
    ) -> Result<Terminal, Fault> {
        let mut held = self.terminal.lock().await;
        match &*held {
            Some(now) if now.key != used.key || now.sn != used.sn => return Ok(now.clone()),
            _ => {}
        }
        // Another channel of the same terminal, as one that is being replaced, may have renewed it.
        if let Ok(Some(kept)) = self.store.load()
            && (kept.key != used.key || kept.sn != used.sn)
            && Some(&kept.key) != used.previous_key.as_ref()
        {
            *held = Some(kept.clone());
            return Ok(kept);
        }
        if *refused == Fault::NotActivated {
            return self.activate(errand, &mut held).await;
        }
        self.check_in(errand, &mut held, used).await
    }

    /// Changes the key: with the key we have, then with the one before, then by activation.
    async fn check_in(
        &self,
        errand: &Errand<'_>,
        held: &mut Option<Terminal>,
        terminal: &Terminal,
    ) -> Result<Terminal, Fault> {
        let content = message::check_in(&self.config, terminal);
        let keys = [Some(&terminal.key), terminal.previous_key.as_ref()];
        for key in keys.into_iter().flatten() {
            let request = self.request(CHECK_IN, &content, &terminal.sn, key)?;
            match answered(errand.prepare(CHECK_IN, request).await) {
                Ok(reply) => return self.take(held, &reply, Some(key)),
                Err(Fault::WrongKey | Fault::NotActivated) => {}
                Err(fault) => return Err(fault),
            }
        }
        tracing::warn!(channel = %ID, "both keys of the terminal are refused; activating again");
        self.activate(errand, held).await
    }

    async fn activate(
        &self,
        errand: &Errand<'_>,
        held: &mut Option<Terminal>,
    ) -> Result<Terminal, Fault> {
        let terminal = self.ask_for_terminal(errand).await?;
        self.store.save(&terminal).map_err(not_saved)?;
        *held = Some(terminal.clone());
        Ok(terminal)
    }

    async fn ask_for_terminal(&self, errand: &Errand<'_>) -> Result<Terminal, ActivationFault> {
        let (sn, key) = (&self.config.vendor_sn, &self.config.vendor_key);
        let content = message::activate(&self.config);
        let request = message::signed(&self.config, ACTIVATE, &content, sn, key.expose());
        let request = request.map_err(|error| ActivationFault::unreadable(error.to_string()))?;
        let answer = errand.prepare(ACTIVATE, request).await;
        let answer = answer
            .and_then(errand::ok)
            .map_err(ActivationFault::Unclear)?;
        let reply = activation::read(answer.body())?;
        let terminal = self.read_terminal(&reply, None);
        terminal.map_err(|_| ActivationFault::unreadable("it names no terminal".to_owned()))
    }

    /// Takes a new key: saved first, used after.
    fn take(
        &self,
        held: &mut Option<Terminal>,
        reply: &Reply,
        previous_key: Option<&SecretText>,
    ) -> Result<Terminal, Fault> {
        let terminal = self.read_terminal(reply, previous_key)?;
        self.store.save(&terminal).map_err(not_saved)?;
        *held = Some(terminal.clone());
        Ok(terminal)
    }

    fn read_terminal(
        &self,
        reply: &Reply,
        previous_key: Option<&SecretText>,
    ) -> Result<Terminal, Fault> {
        let need = |name: &str| reply.business.text(name).ok_or_else(|| lacks(name));
        let sn = need("terminal_sn")?;
        if !is_plain(&sn) {
            return Err(unreadable("terminal_sn is no number".to_owned()));
        }
        Ok(Terminal {
            sn,
            key: SecretText::new(need("terminal_key")?),
            previous_key: previous_key.cloned(),
            changed_at: self.surroundings.now(),
        })
    }

    async fn cancel(&self, attempt_no: &str, sent_at: Option<Timestamp>) -> ReverseAnswer {
        let order = message::order(attempt_no);
        let mut errand = self.errand();
        let outcome = self.call(&mut errand, CANCEL, order.clone()).await;
        match read::cancelled(attempt_no, outcome, sent_at, self.surroundings.now()) {
            Some(answer) => answer,
            None => {
                let outcome = self.call(&mut errand, QUERY, order).await;
                read::cancelled_by_standing(attempt_no, outcome)
            }
        }
    }
}

fn answered(answer: Result<http::Response<Bytes>, UnknownCause>) -> Outcome {
    Reply::read(answer.and_then(errand::ok).map_err(Fault::Unknown)?.body())
}

/// A key that cannot be saved must not be used: after a restart nobody would know it.
fn not_saved(error: TerminalStoreError) -> Fault {
    tracing::error!(channel = %ID, %error, "the terminal's new key cannot be saved");
    Fault::Config(ConfigCause::Incomplete(error.to_string()))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[async_trait]
impl Channel for ShouqianbaChannel {
    fn id(&self) -> ChannelId {
        ID
    }

    async fn create_qr(&self, request: &QrRequest) -> QrAnswer {
        let Some(content) = message::precreate(&self.config, request) else {
            return QrAnswer::ConfigError(ConfigCause::NotPermitted);
        };
        let outcome = self.call(&mut self.errand(), PRECREATE, content).await;
        read::created(&request.attempt_no, outcome)
    }

    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer {
        let content = message::pay(&self.config, request);
        let outcome = self.call(&mut self.errand(), PAY, content).await;
        read::standing(&request.attempt_no, outcome)
    }

    async fn query(&self, attempt_no: &str) -> GatewayAnswer {
        let order = message::order(attempt_no);
        let outcome = self.call(&mut self.errand(), QUERY, order).await;
        read::standing(attempt_no, outcome)
    }

    async fn confirm(&self, notice: &PaymentNotice) -> GatewayAnswer {
        let order = message::paid_order(notice);
        read::confirmed(notice, self.call(&mut self.errand(), QUERY, order).await)
    }

    /// The gateway cancels paid orders as well, so one that is paid is not cancelled here.
    async fn close(&self, attempt_no: &str, asked_at: Option<Timestamp>) -> CloseAnswer {
        let standing = self.query(attempt_no).await;
        match read::closed_already(attempt_no, &standing, asked_at, self.surroundings.now()) {
            Some(answer) => answer,
            None => read::closed(self.cancel(attempt_no, asked_at).await),
        }
    }

    async fn reverse(&self, attempt_no: &str, charged_at: Option<Timestamp>) -> ReverseAnswer {
        self.cancel(attempt_no, charged_at).await
    }

    async fn refund(&self, request: &RefundRequest) -> RefundAnswer {
        let content = message::refund(&self.config, request);
        let mut errand = self.errand();
        let outcome = self.call(&mut errand, REFUND, content).await;
        match read::refunded(request, outcome) {
            Some(answer) => answer,
            None => {
                let order = message::order(&request.attempt_no);
                let outcome = self.call(&mut errand, QUERY, order).await;
                read::refunded_by_standing(request, outcome)
            }
        }
    }

    /// The gateway answers questions about orders, not about refunds. A refund is known by
    /// repeating it with the same number, which never pays twice.
    async fn query_refund(&self, _query: &RefundQuery) -> RefundAnswer {
        RefundAnswer::Unknown(UnknownCause::NotFound)
    }

    fn parse_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        read::notice(self.notice_key.as_ref(), headers, body)
    }

    fn notice_response(&self, _: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes> {
        let (status, word): (_, &'static [u8]) = match receipt {
            NoticeReceipt::Taken => (StatusCode::OK, b"success"),
            NoticeReceipt::Refused => (StatusCode::SERVICE_UNAVAILABLE, b"fail"),
        };
        let mut response = http::Response::new(Bytes::from_static(word));
        *response.status_mut() = status;
        response
    }
}
