//! The sample shops.

use std::collections::HashSet;
use std::sync::Arc;

use qiantai_core::Money;
use qiantai_core::ids::MemberId;
use qiantai_server::sample::{self, ShopKind};
use qiantai_server::{Channels, Server, ServerOptions, SystemClock};
use qiantai_wire::profile::open_profile;

#[tokio::test]
async fn three_shops_share_a_ledger_and_have_plausible_members() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::open(ServerOptions {
        path: folder.path().join("ledger.db"),
        key: Some([1; 32]),
        clock: Arc::new(SystemClock),
        channels: Channels::default(),
    })
    .unwrap();
    for (kind, code) in [
        (ShopKind::Salon, "00201"),
        (ShopKind::Gym, "00101"),
        (ShopKind::Beauty, "00301"),
    ] {
        let shop = sample::seed(&server, kind, 300, 7).await.unwrap();
        assert_eq!(shop.store_code, code);
        let ledger = server.ledger();
        let rows = ledger.member_page(shop.tenant, None, 1_000).unwrap();
        assert_eq!(rows.len(), 300);
        let mut phones = HashSet::new();
        let mut names = Vec::new();
        let mut sketch = None;
        let mut greatest = Money::ZERO;
        for row in &rows {
            let sealed = row.profile.as_ref().unwrap();
            let key = sealed.key.as_ref().unwrap();
            let profile = open_profile(&sealed.sealed, MemberId(row.member.id.0), key).unwrap();
            let digits = profile.phone.chars().all(|digit| digit.is_ascii_digit());
            assert!(digits && profile.phone.len() == 11, "{}", profile.phone);
            assert!(
                phones.insert(profile.phone.clone()),
                "{} twice",
                profile.phone
            );
            if profile.phone == "13812345678" {
                sketch = row.account.clone();
            }
            if let Some(card) = &profile.card_no {
                let serial = card
                    .strip_prefix(code)
                    .and_then(|rest| rest.strip_prefix("-9"));
                let is_serial = |serial: &str| serial.len() == 6 && serial.parse::<u32>().is_ok();
                assert!(serial.is_some_and(is_serial), "{card} is unlike the others");
            }
            greatest = greatest.max(row.account.as_ref().unwrap().principal);
            names.push(profile.name);
        }
        for hard in ["单雨", "曾可", "解放", "尉迟敏", "龚䶮", "欧阳娜"] {
            assert!(
                names.iter().any(|name| name == hard),
                "{hard} is missing in {kind:?}"
            );
        }
        assert_eq!(names.iter().filter(|name| *name == "张伟").count(), 3);
        let account = sketch.unwrap();
        assert_eq!(
            (account.principal, account.bonus),
            (Money::from_yuan(460), Money::from_yuan(70))
        );
        assert_eq!(
            account.recharged - account.refunded,
            Money::from_yuan(3_800)
        );
        let policy = ledger.policies(shop.tenant).unwrap().pop().unwrap();
        let tier = policy
            .tiers
            .iter()
            .find(|tier| tier.id == account.tier)
            .unwrap();
        assert_eq!(tier.name, "银卡");
        let expected = match kind {
            ShopKind::Salon => Money::from_fen(99_999_999),
            ShopKind::Gym | ShopKind::Beauty => greatest.min(Money::from_yuan(5_000)),
        };
        assert_eq!(greatest, expected, "{kind:?}");
    }
    server.stop().await;
}
