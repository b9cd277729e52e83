//! A manager at a till looks after the tills of the store.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::StatusCode;
use qiantai_core::Millis;
use qiantai_core::ids::StaffId;
use qiantai_core::policy::Role;
use qiantai_server::audit::Act;
use qiantai_wire::api::{
    InvitationAnswer, InvitationRequest, RevocationRequest, TerminalDto, TerminalStandingDto,
    TerminalsAnswer,
};
use qiantai_wire::{ApiError, ErrorCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::harness::{On, Shop};
use crate::till::Till;

const COUNTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 20));

fn person(shop: &Shop, role: Role) -> StaffId {
    let mut staff = shop.policy.staff.iter();
    staff.find(|person| person.role == role).unwrap().id
}

/// Asks as a till of the network does, or as the one in the server's process.
async fn ask<A: DeserializeOwned>(
    shop: &Shop,
    till: &Till,
    from: Option<IpAddr>,
    (method, path): (&str, &str),
    body: &impl Serialize,
) -> Result<A, ErrorCode> {
    let request = till.request(method, path, serde_json::to_vec(body).unwrap());
    let mut request = till.signed(shop, request).await;
    if let Some(from) = from {
        let from = ConnectInfo(SocketAddr::new(from, 40_000));
        request.extensions_mut().insert(from);
    }
    let (status, answer) = shop.send(request).await;
    match status {
        StatusCode::OK => Ok(serde_json::from_slice(&answer).unwrap()),
        _ => {
            let refused: ApiError = serde_json::from_slice(&answer).unwrap();
            Err(refused.error_code().unwrap())
        }
    }
}

async fn invite(
    shop: &Shop,
    till: &Till,
    from: Option<IpAddr>,
    manager: StaffId,
) -> Result<InvitationAnswer, ErrorCode> {
    let asked = InvitationRequest { manager: manager.0 };
    ask(shop, till, from, ("POST", "/v1/invitations"), &asked).await
}

async fn revoke(
    shop: &Shop,
    till: &Till,
    device: Uuid,
    manager: StaffId,
    reason: &str,
) -> Result<TerminalsAnswer, ErrorCode> {
    let path = format!("/v1/terminals/{device}/revoke");
    let asked = RevocationRequest {
        manager: manager.0,
        reason: reason.to_owned(),
    };
    ask(shop, till, Some(COUNTER), ("POST", &path), &asked).await
}

async fn listed(shop: &Shop, till: &Till) -> Vec<TerminalDto> {
    let told = ask::<TerminalsAnswer>(
        shop,
        till,
        Some(COUNTER),
        ("GET", "/v1/terminals"),
        &serde_json::Value::Null,
    );
    told.await.unwrap().terminals
}

fn deeds(shop: &Shop, act: Act) -> Vec<String> {
    let books = shop.place.open();
    let entries = books.audit_page(shop.seeded.tenant, 0, 1_000).unwrap();
    let deeds = entries.into_iter().map(|entry| entry.deed);
    let deeds = deeds.filter(|deed| deed.act == act && deed.address == Some(COUNTER));
    deeds.map(|deed| deed.subject).collect()
}

#[tokio::test]
async fn a_till_is_let_in_once_and_taken_out_for_good() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let till = Till::open(&shop).await;
        let boss = person(&shop, Role::Manager);
        let invited = invite(&shop, &till, Some(COUNTER), boss).await.unwrap();
        assert_eq!(
            invited.expires_at_ms - invited.server_time_ms,
            Millis::minutes(10).0
        );
        let joined = shop.server.join(&invited.invite, [9; 32], "二楼").await;
        let joined = joined.unwrap();
        assert_eq!(joined.store, shop.policy.store.id.0, "{on:?}");
        let again = shop.server.join(&invited.invite, [10; 32], "楼下").await;
        assert!(again.is_err(), "{on:?}: a code is for one till");

        let tills = listed(&shop, &till).await;
        let names: Vec<_> = tills.iter().map(|it| it.terminal_code.as_str()).collect();
        assert_eq!(names, ["01", joined.terminal_code.as_str()], "{on:?}");
        assert_eq!(tills[1].name, "二楼");
        assert_eq!(tills[1].standing, TerminalStandingDto::InService);

        for _ in 0..2 {
            let tills = revoke(&shop, &till, joined.device, boss, " 丢失 ")
                .await
                .unwrap();
            let gone = &tills.terminals[1];
            assert_eq!(gone.standing, TerminalStandingDto::OutOfService, "{on:?}");
            assert_eq!(gone.reason.as_deref(), Some("丢失"));
        }
        let again = revoke(&shop, &till, joined.device, boss, "again")
            .await
            .unwrap();
        assert_eq!(again.terminals[1].reason.as_deref(), Some("丢失"), "{on:?}");

        let invitations = deeds(&shop, Act::TerminalInvited);
        assert_eq!(
            invitations,
            [format!("one more terminal by manager {boss}")]
        );
        let ends = deeds(&shop, Act::TerminalRevoked);
        let (store, code) = (&shop.seeded.store_code, &joined.terminal_code);
        assert_eq!(
            ends,
            [format!(
                "store {store} terminal {code}: 丢失, by manager {boss}"
            )],
            "{on:?}: once"
        );
    }
}

#[tokio::test]
async fn who_may_not_lets_nobody_in_and_takes_nobody_out() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let other = Till::with_key(&shop, [8; 32], "02").await;
    let boss = person(&shop, Role::Manager);
    let cashier = person(&shop, Role::Cashier);
    for nobody in [cashier, StaffId(Uuid::from_u128(9))] {
        let refused = invite(&shop, &till, Some(COUNTER), nobody).await;
        assert_eq!(refused.unwrap_err(), ErrorCode::NoManager);
        let refused = revoke(&shop, &till, other.join.device, nobody, "丢失").await;
        assert_eq!(refused.unwrap_err(), ErrorCode::NoManager);
    }
    let here = invite(&shop, &till, None, boss).await;
    assert_eq!(
        here.unwrap_err(),
        ErrorCode::NoWayIn,
        "no other till reaches it"
    );
    let own = revoke(&shop, &till, till.join.device, boss, "丢失").await;
    assert_eq!(own.unwrap_err(), ErrorCode::OwnTerminal);
    let unknown = revoke(&shop, &till, Uuid::from_u128(7), boss, "丢失").await;
    assert_eq!(unknown.unwrap_err(), ErrorCode::NotFound);
    for reason in ["", "  ", "a\nb", &"长".repeat(101)] {
        let refused = revoke(&shop, &till, other.join.device, boss, reason).await;
        assert_eq!(refused.unwrap_err(), ErrorCode::BadRequest, "{reason:?}");
    }
    let tills = listed(&shop, &till).await;
    let standing = tills.iter().map(|it| it.standing);
    assert!(
        standing
            .into_iter()
            .all(|it| it == TerminalStandingDto::InService)
    );
    assert_eq!(tills.len(), 2);
    for act in [Act::TerminalInvited, Act::TerminalRevoked] {
        assert_eq!(deeds(&shop, act), Vec::<String>::new());
    }
}
