//! What the gateways' own protocols ask of the engine, and gateways that fail.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qiantai_core::attempt::{AttemptState, Channel, GatewayOutcome};
use qiantai_core::operation::{AttemptResult, OperationBody};
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money};
use qiantai_pay::SecretText;
use qiantai_pay::credentials::{Credentials, KeyStoreSource};
use qiantai_pay::{
    CloseAnswer, ConfigCause, GatewayAnswer, QrAnswer, Registry, Surroundings, UnknownCause,
};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_paysim::protocols::alipay::{AlipayOpening, Mode};
use qiantai_paysim::protocols::wechat::{CodeApi, KeyMode, WechatOpening};
use qiantai_paysim::{RouterTransport, serve};
use qiantai_server::Channels;
use qiantai_server::gateways::{Found, GatewaySettings, Gateways};
use qiantai_wire::api::{ChannelsAnswer, StandingDto};
use serde_json::json;

use crate::gateway::Call;
use crate::harness::{START, Shop};
use crate::till::Till;

/// A salon whose WeChat attempts are carried by Alipay's own protocol.
async fn shop_with_alipay() -> (Shop, Till) {
    let mut shop = Shop::open(2).await;
    let settings = shop.simulator.with(|gateway, now| {
        let opening = AlipayOpening {
            name: "简单美发",
            app_id: "2021000000000001",
            mode: Mode::Keys,
        };
        gateway.open_alipay(opening, "http://gateway", now)
    });
    let router = serve::router(shop.simulator.clone());
    let transport = RouterTransport::new(router, Duration::from_secs(60));
    let surroundings = Arc::clone(&shop.time) as Arc<dyn Surroundings>;
    let mut registry = Registry::new();
    registry
        .open("alipay", settings, Arc::new(transport), surroundings)
        .unwrap();
    let routes = [(Channel::Wechat, "alipay")];
    let base = Some("http://server".to_owned());
    shop.channels = Channels::new(registry, routes.into(), base);
    shop.restart().await;
    let till = Till::open(&shop).await;
    (shop, till)
}

#[tokio::test]
async fn a_code_that_nobody_scanned_waits_until_its_end() {
    let (shop, mut till) = shop_with_alipay().await;
    let member = shop.members()[0];
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    let end = attempt.expires_at;
    for _ in 0..6 {
        shop.pass(Millis::seconds(20)).await;
        assert_eq!(shop.attempt(attempt.id).state, AttemptState::Submitted);
    }
    // At its end it is not yet known to be unpaid; half a minute later it is.
    shop.pass(end - shop.now()).await;
    assert!(shop.attempt(attempt.id).state.is_open());
    for _ in 0..8 {
        shop.pass(Millis::minutes(1)).await;
    }
    assert_eq!(shop.attempt(attempt.id).state, AttemptState::Closed);
    assert_eq!(shop.balance("clearing"), 0);
    assert!(shop.order(order.id).state != OrderState::Credited);
}

#[tokio::test]
async fn a_cancelled_code_that_cannot_be_closed_is_watched_on() {
    let (shop, mut till) = shop_with_alipay().await;
    let member = shop.members()[0];
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    let cancel = OperationBody::RechargeCancel { order: order.id };
    till.act(&shop, cancel).await;
    shop.pass(Millis::seconds(1)).await;
    assert_eq!(shop.attempt(attempt.id).state, AttemptState::Closed);
    assert_eq!(shop.order(order.id).state, OrderState::Cancelled);
    shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
    shop.pass(Millis::seconds(30)).await;
    assert_eq!(shop.order(order.id).state, OrderState::Abnormal);
    assert_eq!(shop.cases(), ["LatePayment"]);
}

#[tokio::test]
async fn several_notices_of_one_payment_credit_once_and_a_refund_touches_nothing() {
    let (shop, mut till) = shop_with_alipay().await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::Pay);
    assert_eq!(shop.deliver_notices().await, [true]);
    let paid = shop.attempt(attempt.id);
    // Alipay's word after a full refund, and an older word told late.
    for outcome in [GatewayOutcome::Closed, GatewayOutcome::Unknown] {
        let result = AttemptResult {
            attempt: attempt.id,
            outcome,
        };
        let body = OperationBody::AttemptResult(result);
        let said = qiantai_server::writer::OwnOperation {
            op_id: qiantai_core::ids::OpId(uuid::Uuid::now_v7()),
            action_id: qiantai_core::ids::ActionId(uuid::Uuid::now_v7()),
            store: order.store,
            staff: None,
            body,
            attachment: None,
        };
        shop.server
            .say(shop.seeded.tenant, vec![said])
            .await
            .unwrap();
    }
    shop.pass(Millis::minutes(30)).await;
    assert_eq!(shop.attempt(attempt.id), paid);
    assert_eq!(shop.order(order.id).state, OrderState::Credited);
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
    assert_eq!(shop.balance("clearing"), 30_000);
    assert!(shop.cases().is_empty());
}

/// The answer that carried the code was lost, and the gateway does not repeat it.
#[tokio::test]
async fn a_code_that_was_never_seen_is_closed_and_not_shown() {
    for cause in [UnknownCause::AlreadyPaid, UnknownCause::NumberReused] {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        shop.gateway.script(|script| {
            let lost = QrAnswer::Unknown(UnknownCause::Timeout);
            script.creates.extend([lost, QrAnswer::Unknown(cause)]);
            let nothing = UnknownCause::NotFoundOrNotScanned;
            script.queries.push_back(GatewayAnswer::Unknown(nothing));
            let unknown = CloseAnswer::Unknown(UnknownCause::NotFound);
            script.closes.push_back(unknown);
        });
        let member = shop.members()[0];
        let (_, attempt) = till.show_qr(&shop, member, 300).await;
        assert_eq!(attempt.state, AttemptState::Unknown);
        shop.pass(Millis::seconds(5)).await;
        let attempt = shop.attempt(attempt.id);
        assert_eq!(
            (attempt.state, attempt.qr_payload),
            (AttemptState::Closed, None)
        );
        assert_eq!(shop.gateway.count(Call::Create), 2);
    }
}

async fn standings(shop: &Shop, till: &Till) -> Vec<StandingDto> {
    let answer: ChannelsAnswer = till.call(shop, "GET", "/v1/channels", Vec::new()).await;
    let channels = answer.channels.into_iter();
    channels.map(|channel| channel.standing).collect()
}

#[tokio::test]
async fn terminals_are_told_which_channels_have_a_gateway() {
    use StandingDto::{Absent, Up};
    let (shop, till) = shop_with_alipay().await;
    assert_eq!(standings(&shop, &till).await, [Up, Absent, Absent, Absent]);
}

#[tokio::test]
async fn a_gateway_that_fails_is_down_and_comes_back_by_itself() {
    use StandingDto::{Down, Up};
    let failures = [
        GatewayAnswer::Unknown(UnknownCause::Timeout),
        GatewayAnswer::Unknown(UnknownCause::NotSent),
        GatewayAnswer::ConfigError(ConfigCause::Signature),
        // The title of each order is the shop's name.
        GatewayAnswer::ConfigError(ConfigCause::ForbiddenWord("店".to_owned())),
        GatewayAnswer::ConfigError(ConfigCause::Incomplete("no key".to_owned())),
    ];
    for failure in failures {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        let member = shop.members()[0];
        till.show_qr(&shop, member, 300).await;
        let say = |answer: &GatewayAnswer| {
            let answer = answer.clone();
            shop.gateway
                .script(|script| script.queries.push_back(answer));
        };
        say(&failure);
        say(&failure);
        shop.pass(Millis::seconds(5)).await;
        shop.pass(Millis::seconds(5)).await;
        assert_eq!(standings(&shop, &till).await, [Up; 4], "{failure:?}");
        say(&failure);
        shop.pass(Millis::seconds(10)).await;
        assert_eq!(standings(&shop, &till).await, [Down; 4], "{failure:?}");
        shop.pass(Millis::seconds(30)).await;
        assert_eq!(standings(&shop, &till).await, [Up; 4], "{failure:?}");
    }
}

/// A key store with one entry.
#[derive(Default)]
struct Shelf(Mutex<Option<String>>);

impl KeyStoreSource for Shelf {
    fn read(&self, name: &str) -> Result<Option<SecretText>, String> {
        assert_eq!(name, "certificate");
        Ok(self.0.lock().unwrap().clone().map(SecretText::new))
    }
}

#[tokio::test]
async fn new_keys_come_into_force_and_wrong_ones_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut street = qiantai_paysim::Gateway::new([7; 32]);
    let opening = |mchid| WechatOpening {
        name: "简单美发",
        mchid,
        mode: KeyMode::PublicKey,
        codes: CodeApi::V3,
    };
    let first = street.open_wechat(opening("1900000109"), "http://gateway", START);
    let second = street.open_wechat(opening("1900000110"), "http://gateway", START);
    let shelf = Arc::new(Shelf::default());
    let put = |settings: &serde_json::Value| {
        let text = |field: &str| settings[field].as_str().unwrap();
        std::fs::write(folder.path().join("key.pem"), text("private_key")).unwrap();
        *shelf.0.lock().unwrap() = Some(text("certificate").to_owned());
    };
    let mut settings = first.clone();
    settings["private_key"] = json!({"file": "key.pem"});
    settings["certificate"] = json!({"key_store": "certificate"});
    let settings = GatewaySettings::read("wechat", settings).unwrap();
    let credentials = Credentials::new(folder.path()).with_key_store(shelf.clone());
    let mut gateways = Gateways::open(vec![settings], credentials, None).unwrap();
    let channels = gateways.channels();
    assert!(
        channels.of(Channel::Wechat).is_none(),
        "the keys are not there yet"
    );
    put(&first);
    assert_eq!(gateways.look(), [Found::Opened("wechat")]);
    assert!(channels.of(Channel::Wechat).is_some());
    assert_eq!(gateways.look(), [], "nothing is new");
    put(&second);
    assert_eq!(gateways.look(), [Found::Opened("wechat")]);
    std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
    assert!(matches!(gateways.look()[..], [Found::Problem("wechat", _)]));
    assert!(
        channels.of(Channel::Wechat).is_some(),
        "the old stay in force"
    );
}
