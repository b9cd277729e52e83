//! One signed call to the gateway, and what takes several: platform certificates and bills.

use bytes::Bytes;
use http::{HeaderValue, Method, Uri, header};
use qiantai_core::clock::Timestamp;

use super::ID;
use super::account::Account;
use super::bill::{BillError, check_hash, read_bill, unpack};
use super::certificates::{PlatformCertificate, read_certificates};
use super::client::{WechatChannel, incomplete};
use super::codes::{Meaning, meaning};
use super::keyring::PlatformKeys;
use super::message::{BillPlace, CERTIFICATES};
use super::read::{self, Outcome, Trouble, UnknownKey};
use super::signature::{Authorization, SERIAL, Seal, Signer};
use crate::answer::{ConfigCause, UnknownCause};
use crate::bill::{BillAnswer, BillRequest};
use crate::channels::errand::Errand;
use crate::crypto::CryptoError;
use crate::transport::AnswerLimit;

/// Builds and signs one request. `target` is the path with its query, encoded already.
pub(super) fn request(
    account: &Account,
    method: &Method,
    target: &str,
    body: Bytes,
    (nonce, now): (&str, Timestamp),
) -> Result<http::Request<Bytes>, Trouble> {
    let signer = Signer {
        mchid: &account.mchid,
        serial_no: &account.serial_no,
        key: &account.private_key,
        now,
        nonce,
    };
    let authorization = Authorization::sign(signer, method.as_str(), target, &body)
        .map_err(|error| not_signed(&error))?;
    let wrong = |what: &str| incomplete(&format!("{what} cannot stand in a request"));
    let uri = format!("{}{target}", account.base_url);
    let uri: Uri = uri.parse().map_err(|_| wrong("the address"))?;
    let header = HeaderValue::from_str(&authorization.header());
    let mut header = header.map_err(|_| wrong("the signature"))?;
    header.set_sensitive(true);
    let has_body = !body.is_empty();
    let mut request = http::Request::new(body);
    *request.method_mut() = method.clone();
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    let json = HeaderValue::from_static("application/json");
    if has_body {
        headers.insert(header::CONTENT_TYPE, json.clone());
    }
    headers.insert(header::ACCEPT, json);
    headers.insert(header::USER_AGENT, USER_AGENT);
    headers.insert(header::AUTHORIZATION, header);
    if let Some(serial) = &account.asked_key {
        let serial = HeaderValue::from_str(serial).map_err(|_| wrong("the public key's id"))?;
        headers.insert(SERIAL, serial);
    }
    Ok(request)
}

/// The gateway refuses requests without one.
pub(super) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("Qiantai/", env!("CARGO_PKG_VERSION")));

fn not_signed(error: &CryptoError) -> Trouble {
    tracing::error!(channel = %ID, %error, "a request could not be signed");
    Trouble::Config(ConfigCause::Signature)
}

impl WechatChannel {
    /// Makes one call. Fetches certificates first where that is due, and once more when the
    /// answer names one that is not held.
    pub(super) async fn call(&self, method: Method, target: &str, body: Bytes) -> Outcome {
        let mut errand = self.errand();
        self.keep_keys_fresh(&errand).await?;
        let request = self.signed(&method, target, body)?;
        let answer = self.send(&mut errand, request).await?;
        let now = self.surroundings.now();
        let serial = match read::verified(&self.keyring.keys(), &answer, now) {
            Ok(outcome) => return outcome,
            Err(UnknownKey(serial)) => serial,
        };
        tracing::warn!(channel = %ID, %serial, "an answer is signed with an unknown key");
        if self.account.downloads_certificates {
            self.keyring.ask_for_more(now);
            self.keep_keys_fresh(&errand).await?;
            if let Ok(outcome) = read::verified(&self.keyring.keys(), &answer, now) {
                return outcome;
            }
        }
        Err(read::unsigned(&answer, now))
    }

    pub(super) fn errand(&self) -> Errand<'_> {
        Errand::new(ID, &self.transport)
    }

    fn signed(
        &self,
        method: &Method,
        target: &str,
        body: Bytes,
    ) -> Result<http::Request<Bytes>, Trouble> {
        let nonce = self.surroundings.nonce();
        let stamp = (nonce.as_str(), self.surroundings.now());
        request(&self.account, method, target, body, stamp)
    }

    /// Every status is an answer.
    pub(super) async fn send(
        &self,
        errand: &mut Errand<'_>,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Trouble> {
        let path = request.uri().path().to_owned();
        let answer = errand.send(&path, request).await;
        answer.map_err(Trouble::Unknown)
    }

    /// Fails only when no key is held at all: then nothing may be sent, as no answer could be
    /// believed.
    async fn keep_keys_fresh(&self, errand: &Errand<'_>) -> Result<(), Trouble> {
        if !self.account.downloads_certificates {
            return Ok(());
        }
        let _turn = self.fetching.lock().await;
        let now = self.surroundings.now();
        if !self.keyring.is_due(now) {
            return self.keys_at_hand(errand, None);
        }
        match self.fetch_certificates(errand).await {
            Ok(keys) => {
                self.keyring.fetched(keys, now);
                self.keys_at_hand(errand, None)
            }
            Err(trouble) => {
                tracing::warn!(channel = %ID, ?trouble, "platform certificates not fetched");
                self.keyring.failed(now);
                self.keys_at_hand(errand, Some(trouble))
            }
        }
    }

    fn keys_at_hand(&self, errand: &Errand<'_>, trouble: Option<Trouble>) -> Result<(), Trouble> {
        if !self.keyring.keys().is_empty() {
            return Ok(());
        }
        Err(match trouble {
            Some(config @ Trouble::Config(_)) => config,
            Some(Trouble::Refused { code, .. }) if code == "RESOURCE_NOT_EXISTS" => incomplete(
                "the merchant has no platform certificates: set its WeChat Pay public key",
            ),
            _ => Trouble::Unknown(errand.not_sent()),
        })
    }

    async fn fetch_certificates(&self, errand: &Errand<'_>) -> Result<PlatformKeys, Trouble> {
        let request = self.signed(&Method::GET, CERTIFICATES, Bytes::new())?;
        let answer = errand.prepare(CERTIFICATES, request).await;
        let answer = answer.map_err(Trouble::Unknown)?;
        let now = self.surroundings.now();
        if !answer.status().is_success() {
            // Nothing is believed of a refusal but that there is no list.
            return Err(match read::unsigned(&answer, now) {
                Trouble::Unknown(UnknownCause::NotFound) => Trouble::Refused {
                    code: "RESOURCE_NOT_EXISTS".to_owned(),
                    message: String::new(),
                },
                other => other,
            });
        }
        let unreadable = |problem| Trouble::Unknown(UnknownCause::Unreadable(problem));
        let listed =
            read_certificates(&self.account.api_v3_key, answer.body()).map_err(unreadable)?;
        let keys = held(&listed).map_err(|error| unreadable(error.to_string()))?;
        // Certificates that decrypt are the gateway's; the list must be signed by one of them.
        Seal::read(answer.headers())
            .and_then(|seal| seal.verify(&keys, answer.body(), now))
            .map_err(|_| Trouble::Unknown(UnknownCause::BadSignature))?;
        Ok(keys)
    }
}

fn held(listed: &[PlatformCertificate]) -> Result<PlatformKeys, CryptoError> {
    let mut keys = PlatformKeys::default();
    for listed in listed {
        keys.hold_certificate(&listed.certificate)?;
    }
    Ok(keys)
}

/// Path of trade bills.
const TRADE_BILL: &str = "/v3/bill/tradebill";
/// Days that bills reach back.
const BILL_DAYS: i64 = 92;

impl WechatChannel {
    /// Asks where the bill lies, downloads it, checks its hash and reads it.
    pub(super) async fn bill(&self, request: &BillRequest) -> BillAnswer {
        let today = self.surroundings.now().local().date();
        let age = (today - request.date).whole_days();
        if age < 1 {
            return BillAnswer::NotYet;
        }
        if age > BILL_DAYS {
            return BillAnswer::OutOfRange;
        }
        match self.bill_file(request).await {
            Ok(file) => match file.and_then(|file| read_bill(&file, Some(&self.account.mchid))) {
                Ok(lines) => BillAnswer::Ready(lines),
                Err(error) => BillAnswer::Damaged(error.to_string()),
            },
            Err(trouble) => no_bill(trouble),
        }
    }

    async fn bill_file(
        &self,
        request: &BillRequest,
    ) -> Result<Result<Vec<u8>, BillError>, Trouble> {
        let date = request.date;
        let (month, day) = (u8::from(date.month()), date.day());
        let target = format!(
            "{TRADE_BILL}?bill_date={:04}-{month:02}-{day:02}&bill_type=ALL&tar_type=GZIP",
            date.year()
        );
        let reply = self.call(Method::GET, &target, Bytes::new()).await?;
        let place: BillPlace = read::parse(&reply.body).map_err(Trouble::Unknown)?;
        let address: Result<Uri, _> = place.download_url.parse();
        // Only ever from the configured address, whatever host the answer names.
        let target = address.ok().and_then(|uri| {
            uri.path_and_query()
                .map(|target| target.as_str().to_owned())
        });
        let Some(target) = target.filter(|target| target.starts_with("/v3/")) else {
            let problem = "the bill's address is not one".to_owned();
            return Err(Trouble::Unknown(UnknownCause::Unreadable(problem)));
        };
        let mut request = self.signed(&Method::GET, &target, Bytes::new())?;
        request.extensions_mut().insert(AnswerLimit::BILL);
        let answer = self.send(&mut self.errand(), request).await?;
        if !answer.status().is_success() {
            return Err(read::unsigned(&answer, self.surroundings.now()));
        }
        if place.hash_type != "SHA1" {
            return Ok(Err(BillError::HashType(place.hash_type)));
        }
        // The file itself is not signed; its hash is.
        Ok(unpack(answer.body()).and_then(|file| {
            check_hash(&file, &place.hash_value)?;
            Ok(file)
        }))
    }
}

fn no_bill(trouble: Trouble) -> BillAnswer {
    match trouble {
        Trouble::Refused { code, message } => match code.as_str() {
            "NO_STATEMENT_EXIST" => BillAnswer::Ready(Vec::new()),
            "STATEMENT_CREATING" => BillAnswer::NotYet,
            _ => match meaning(&code, &message) {
                Meaning::Config(cause) => BillAnswer::ConfigError(cause),
                Meaning::Busy => BillAnswer::Unknown(UnknownCause::Busy),
                _ => BillAnswer::Unknown(UnknownCause::Unlisted(code)),
            },
        },
        Trouble::Unknown(cause) => BillAnswer::Unknown(cause),
        Trouble::Config(cause) => BillAnswer::ConfigError(cause),
    }
}
