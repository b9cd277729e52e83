//! A gateway with one merchant, in process, on tokio's clock (which tests may pause).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::training::{TrainingChannel, TrainingConfig};
use qiantai_pay::{Channel, Notice, PaymentNotice, QrAnswer, QrRequest, Surroundings, Wallet};
use qiantai_paysim::gateway::{PhoneAction, PhoneRefusal, PhoneView};
use qiantai_paysim::{Gateway, RouterTransport, Simulator, serve};

pub const ATTEMPT: &str = "ZF202611211403124800000101ABCD";
pub const START: Timestamp = Timestamp::from_ms(1_795_298_592_480);
pub const NOTIFY_URL: &str = "http://shop.test/notices/training";

/// Surroundings on tokio's clock.
pub struct TokioSurroundings {
    started: tokio::time::Instant,
    nonces: AtomicU32,
}

impl TokioSurroundings {
    pub fn new() -> TokioSurroundings {
        TokioSurroundings {
            started: tokio::time::Instant::now(),
            nonces: AtomicU32::new(0),
        }
    }
}

impl Surroundings for TokioSurroundings {
    fn now(&self) -> Timestamp {
        START + Millis(i64::try_from(self.started.elapsed().as_millis()).unwrap())
    }
    fn nonce(&self) -> String {
        format!("nonce{}", self.nonces.fetch_add(1, Ordering::Relaxed))
    }
}

pub struct World {
    pub simulator: Simulator,
    pub channel: Arc<TrainingChannel>,
    pub config: TrainingConfig,
}

impl World {
    pub fn new() -> World {
        let (gateway, config) = Gateway::practice([7; 32], "悦动健身", "http://gateway.test");
        let surroundings = Arc::new(TokioSurroundings::new());
        let simulator = Simulator::new(gateway, surroundings.clone());
        let router = serve::router(simulator.clone());
        let transport = Arc::new(RouterTransport::new(router, Duration::from_secs(10)));
        let channel = TrainingChannel::new(config.clone(), transport, surroundings).unwrap();
        World {
            simulator,
            channel: Arc::new(channel),
            config,
        }
    }

    /// Shows a QR code of 300 yuan for 15 minutes and returns its token.
    pub async fn show_qr(&self, attempt_no: &str) -> String {
        match self.channel.create_qr(&self.qr_request(attempt_no)).await {
            QrAnswer::Created { payload } => token_of(&payload).to_owned(),
            other => panic!("no QR code: {other:?}"),
        }
    }

    pub fn qr_request(&self, attempt_no: &str) -> QrRequest {
        QrRequest {
            attempt_no: attempt_no.to_owned(),
            amount: Money::from_yuan(300),
            subject: "储值 300 送 50".to_owned(),
            wallet: Wallet::Wechat,
            expires_at: START + Millis::minutes(15),
            notify_url: Some(NOTIFY_URL.to_owned()),
        }
    }

    pub fn act(&self, token: &str, action: PhoneAction) -> Result<PhoneView, PhoneRefusal> {
        self.simulator
            .with(|gateway, now| gateway.act(token, &action, now))
    }

    /// Delivers what is due now to a merchant who takes everything; forgeries are counted apart.
    pub fn deliver_due(&self) -> Received {
        let mut received = Received::default();
        self.simulator.with(|gateway, now| {
            for delivery in gateway.due_notices(now) {
                assert_eq!(delivery.request.uri(), NOTIFY_URL);
                let genuine = received.take(&*self.channel, &delivery.request);
                gateway.delivered(delivery.id, genuine, now);
            }
        });
        received
    }

    pub fn takings(&self) -> Money {
        self.simulator
            .with(|gateway, _| gateway.takings(&self.config.merchant))
    }
}

/// What a merchant received.
#[derive(Debug, Default)]
pub struct Received {
    pub genuine: Vec<PaymentNotice>,
    pub forged: usize,
}

impl Received {
    fn take(&mut self, channel: &dyn Channel, request: &http::Request<Bytes>) -> bool {
        match channel.parse_notice(request.headers(), request.body()) {
            Ok(Notice::Payment(notice)) => {
                self.genuine.push(notice);
                true
            }
            Err(qiantai_pay::NoticeError::WrongSignature) => {
                self.forged += 1;
                false
            }
            other => panic!("a notice tells of a payment or is forged, not {other:?}"),
        }
    }

    pub fn amounts_fen(&self) -> Vec<i64> {
        self.genuine
            .iter()
            .map(|notice| notice.paid.amount.fen())
            .collect()
    }
}

pub fn token_of(payload: &str) -> &str {
    payload
        .strip_prefix("qiantai-training://pay/")
        .expect("a training payload")
}
