//! What a bearer token and a manager's identity alone do not open, wherever they were copied from.

use axum::body::Body;
use ed25519_dalek::SigningKey;
use http::Request;
use qiantai_core::Millis;
use qiantai_core::policy::Role;
use qiantai_wire::call::{CALL_HEADER, Call, Challenge};
use qiantai_wire::{ApiError, ErrorCode};
use serde_json::json;
use uuid::Uuid;

use crate::harness::Shop;
use crate::till::Till;

/// Why it is refused; nothing when it is done.
async fn refusal(shop: &Shop, request: Request<Body>) -> Option<ErrorCode> {
    let (status, answer) = shop.send(request).await;
    if status.is_success() {
        return None;
    }
    let refused: ApiError = serde_json::from_slice(&answer).unwrap();
    Some(refused.error_code().unwrap())
}

fn manager(shop: &Shop) -> Uuid {
    let mut staff = shop.policy.staff.iter();
    let manager = staff.find(|person| person.role == Role::Manager);
    manager.unwrap().id.0
}

/// The call of a till, with a signature of its own making.
struct Forged<'a> {
    till: &'a Till,
    path: &'a str,
    body: &'a str,
    device: Uuid,
    key: &'a SigningKey,
    challenge: Challenge,
}

impl Forged<'_> {
    fn signature(&self) -> String {
        let call = Call {
            method: "POST",
            path: self.path,
            body: self.body.as_bytes(),
            device: self.device,
            challenge: self.challenge,
        };
        call.sign(self.key)
    }

    fn request(&self, signature: &str) -> Request<Body> {
        let body = self.body.as_bytes().to_vec();
        let mut request = self.till.request("POST", self.path, body);
        let signature = signature.parse().unwrap();
        request.headers_mut().insert(CALL_HEADER, signature);
        request
    }
}

fn deeds(shop: &Shop) -> usize {
    let books = shop.place.open();
    let deeds = books.audit_page(shop.seeded.tenant, 0, 1_000);
    deeds.unwrap().len()
}

#[tokio::test]
async fn a_copied_token_changes_nothing() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let other = Till::with_key(&shop, [4; 32], "02").await;
    let manager = manager(&shop);
    let revoke = format!("/v1/terminals/{}/revoke", other.join.device);
    let credit = format!("/v1/orders/{}/credit", Uuid::now_v7());
    let floor = json!({
        "per_transaction_fen": 1, "per_member_day_fen": 1, "per_device_fen": 1,
        "count": 1, "hours": 1,
    });
    let calls = [
        (
            "/v1/rules",
            json!({
                "manager": manager, "base_version": 1, "change": {"kind": "risk_floor", "floor": floor},
            }),
        ),
        ("/v1/invitations", json!({ "manager": manager })),
        (
            revoke.as_str(),
            json!({ "manager": manager, "reason": "mine" }),
        ),
        (
            credit.as_str(),
            json!({
                "action": Uuid::now_v7(), "manager": manager, "policy_version": 1,
            }),
        ),
        (
            "/v1/gateways/wechat/check",
            json!({ "manager": manager, "entered": {} }),
        ),
    ];
    let tenant = shop.seeded.tenant;
    let books = shop.server.ledger();
    let head = books.head(tenant).unwrap().server_seq;
    let before = deeds(&shop);
    let thief = SigningKey::from_bytes(&[5; 32]);
    for (path, body) in &calls {
        let body = body.to_string();
        let plain = till.request("POST", path, body.clone().into_bytes());
        let refused = refusal(&shop, plain).await;
        assert_eq!(refused, Some(ErrorCode::CallUnsigned), "{path}");
        let forged = Forged {
            till: &till,
            path,
            body: &body,
            device: till.join.device,
            key: &thief,
            challenge: till.challenge(&shop, "POST", path).await.unwrap(),
        };
        let refused = refusal(&shop, forged.request(&forged.signature())).await;
        assert_eq!(refused, Some(ErrorCode::CallUnsigned), "{path}");
        let nonsense = refusal(&shop, forged.request("QQ")).await;
        assert_eq!(nonsense, Some(ErrorCode::CallUnsigned), "{path}");
    }
    assert_eq!(books.head(tenant).unwrap().server_seq, head);
    assert_eq!(deeds(&shop), before, "nothing was begun");
    let asked = other.request("GET", "/v1/terminals", Vec::new());
    assert_eq!(refusal(&shop, asked).await, None, "it is in service");
}

#[tokio::test]
async fn a_signature_is_of_one_call_and_good_once() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let other = Till::with_key(&shop, [4; 32], "02").await;
    let lost = Till::with_key(&shop, [6; 32], "03").await;
    let path = format!("/v1/terminals/{}/revoke", lost.join.device);
    let body = json!({ "manager": manager(&shop), "reason": "lost" }).to_string();
    let challenge = async || till.challenge(&shop, "POST", &path).await.unwrap();
    let unsigned = Some(ErrorCode::CallUnsigned);
    let forged = Forged {
        till: &till,
        path: &path,
        body: &body,
        device: till.join.device,
        key: &till.key,
        challenge: challenge().await,
    };
    let good = forged.signature();

    let elsewhere = format!("/v1/terminals/{}/revoke", other.join.device);
    let at = Forged {
        path: &elsewhere,
        ..forged
    };
    assert_eq!(refusal(&shop, at.request(&good)).await, unsigned, "path");
    let worse = body.replace("lost", "gone");
    let with = Forged {
        body: &worse,
        ..forged
    };
    assert_eq!(refusal(&shop, with.request(&good)).await, unsigned, "body");
    let by = Forged {
        till: &other,
        ..forged
    };
    assert_eq!(refusal(&shop, by.request(&good)).await, unsigned, "till");

    assert_eq!(refusal(&shop, forged.request(&good)).await, None);
    assert_eq!(
        refusal(&shop, forged.request(&good)).await,
        unsigned,
        "again"
    );
    let late = Forged {
        challenge: challenge().await,
        ..forged
    };
    shop.time.advance(Millis::minutes(3));
    let late = late.request(&late.signature());
    assert_eq!(refusal(&shop, late).await, unsigned, "late");
}
