//! The way to the gateway is encrypted: by the real program, its own network transport, and an
//! authority of the gateway's that it is told to trust.

use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::{Surroundings, SystemSurroundings};
use qiantai_paysim::gateway::{AnswerFault, AnswerRule, Operation};
use qiantai_paysim::protocols::wechat::{CodeApi, KeyMode, WechatOpening};
use qiantai_paysim::tls::{Showing, TestAuthority};
use serde_json::{Value, json};

use crate::pay_command::Street;

const KEY: &str = "wechat-key.json";

impl Street {
    /// Gateways that show this certificate, to a command that trusts their authority.
    async fn showing(showing: Showing) -> Street {
        let now = SystemSurroundings.now();
        let mut authority = TestAuthority::draw([5; 32], now);
        let mut street = Street::open_behind(Some(authority.front(showing, now))).await;
        let trusted = street.folder.path().join("authority.pem");
        std::fs::write(&trusted, authority.pem()).unwrap();
        street.trusted = Some(trusted);
        street
    }

    /// What the command printed of an answer that is not certain.
    async fn doubt(&self, account: &str, words: &[&str], input: &str) -> Value {
        let (status, said) = self.run(account, words, input).await;
        assert_eq!(status, 2, "{words:?}: {said}");
        serde_json::from_str(&said).unwrap()
    }

    fn code(&self) -> String {
        let shown = |gateway: &mut qiantai_paysim::Gateway, now| {
            gateway.show_code(WalletName::Wechat, true, now).digits
        };
        self.simulator.with(shown)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_in_order_is_trusted() {
    let street = Street::showing(Showing::Good).await;
    let (_, said) = street.run(KEY, &["wechat", "check"], "").await;
    assert!(said.contains("the connection is secure"), "{said}");
    assert!(said.contains("The channel is ready."), "{said}");
    let create = ["wechat", "create", "--amount", "0.01"];
    let made = street.answer(KEY, &create, "").await;
    assert_eq!(made["result"], "created");
}

/// Nothing is sent, so nothing is charged, and nothing is called declined.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_wrong_lets_nothing_out() {
    let not_sent = json!("the gateway could not be reached");
    for showing in [
        Showing::Expired,
        Showing::NotYetValid,
        Showing::AnotherName,
        Showing::Stranger,
    ] {
        let street = Street::showing(showing).await;
        let code = street.code();
        for (words, input) in [
            (&["wechat", "create", "--amount", "0.01"][..], ""),
            (&["wechat", "charge", "--amount", "0.01"], code.as_str()),
            (&["wechat", "query", "ZF2611211400000201010000X"], ""),
        ] {
            let answer = street.doubt(KEY, words, input).await;
            assert_eq!(answer["result"], "unknown", "{showing:?}: {answer}");
            assert_eq!(answer["cause"], not_sent, "{showing:?}: {answer}");
        }
        let (_, said) = street.run(KEY, &["wechat", "check"], "").await;
        assert!(said.contains("(TLS)"), "{showing:?}: {said}");
        let arrived = street
            .simulator
            .with(|gateway, now| gateway.recent_payments(9, now));
        assert!(arrived.is_empty(), "{showing:?}: {arrived:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_after_the_request_leaves_it_unknown() {
    let street = Street::showing(Showing::Good).await;
    street.simulator.with(|gateway, _| {
        gateway.faults().answers.push(AnswerRule {
            attempt_no: None,
            operation: Some(Operation::Charge),
            fault: AnswerFault::Cut,
            times: Some(1),
        });
    });
    let charge = ["wechat", "charge", "--amount", "12.50"];
    let answer = street.doubt(KEY, &charge, &street.code()).await;
    assert_eq!(answer["result"], "unknown", "{answer}");
    let number = answer["number"].as_str().unwrap();
    let asked = street.answer(KEY, &["wechat", "query", number], "").await;
    assert_eq!(asked["state"], "user_paying", "it had arrived");
}

/// Reversing by API v2 takes the merchant's certificate in the handshake.
#[tokio::test(flavor = "multi_thread")]
async fn the_merchant_s_certificate_is_shown_where_the_gateway_asks_for_it() {
    const V2: &str = "wechat-v2.json";
    let street = Street::showing(Showing::Good).await;
    let settings = std::fs::read(street.folder.path().join(KEY)).unwrap();
    let settings: Value = serde_json::from_slice(&settings).unwrap();
    let base = settings["base_url"].as_str().unwrap().to_owned();
    let opened = street.simulator.with(|gateway, now| {
        let opening = WechatOpening {
            name: "悦动健身",
            mchid: "1900000111",
            mode: KeyMode::PublicKey,
            codes: CodeApi::V2,
        };
        gateway.open_wechat(opening, &base, now)
    });
    std::fs::write(street.folder.path().join(V2), opened.to_string()).unwrap();
    let charge = ["wechat", "charge", "--amount", "12.50"];
    let paying = street.answer(V2, &charge, &street.code()).await;
    assert_eq!(paying["state"], "user_paying");
    let reverse = ["wechat", "reverse", paying["number"].as_str().unwrap()];
    // The gateway has seen who asks, and wants to be asked again: no reversal in the first
    // fifteen seconds.
    let answer = street.doubt(V2, &reverse, "").await;
    assert!(
        answer["cause"].as_str().unwrap().contains("recall"),
        "{answer}"
    );
    // Another merchant's certificate is none.
    street.edit(V2, |changed| {
        changed["certificate"] = settings["certificate"].clone();
        changed["private_key"] = settings["private_key"].clone();
    });
    let answer = street.doubt(V2, &reverse, "").await;
    assert!(
        answer["cause"].as_str().unwrap().contains("status 400"),
        "{answer}"
    );
}
