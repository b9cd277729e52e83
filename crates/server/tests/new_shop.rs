//! A shop that its owner opens, with nobody's sample in it.

use std::path::Path;
use std::sync::Arc;

use qiantai_core::attempt::Channel;
use qiantai_core::brand::Brand;
use qiantai_core::compliance;
use qiantai_core::ids::{DeviceId, StaffId, StoreId, TenantId};
use qiantai_core::policy::{PinHash, Role, Staff, Store, StoreKind};
use qiantai_server::{Channels, NewShop, Server, ServerOptions, SystemClock};
use uuid::Uuid;

fn server(folder: &Path) -> Server {
    Server::open(ServerOptions {
        path: folder.join("ledger.db"),
        key: Some([1; 32]),
        clock: Arc::new(SystemClock),
        channels: Channels::default(),
    })
    .unwrap()
}

fn shop(bonus: bool) -> NewShop {
    NewShop {
        tenant: TenantId(Uuid::now_v7()),
        server_device: DeviceId(Uuid::now_v7()),
        store: Store {
            id: StoreId(Uuid::now_v7()),
            code: "00001".to_owned(),
            name: "云上美发".to_owned(),
            kind: StoreKind::Salon,
            address: "杭州市西湖区文三路 1 号".to_owned(),
            phone: "0571-88880000".to_owned(),
            complaint_phone: "12315".to_owned(),
            cut_off_minutes: 240,
            refund_rule: "七日内未消费可全额退款。".to_owned(),
            brand: Brand::default(),
        },
        compliance: compliance::cn_service(),
        staff: vec![Staff {
            id: StaffId(Uuid::now_v7()),
            staff_no: "8001".to_owned(),
            name: "周岚".to_owned(),
            role: Role::Manager,
            pin: PinHash {
                salt: [2; 16],
                hash: [3; 32],
            },
            active: true,
        }],
        channels: vec![Channel::Cash, Channel::Wechat],
        merchant_account: None,
        bonus,
    }
}

#[tokio::test]
async fn a_shop_opens_once_however_often_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = shop(false);
    let mut devices = Vec::new();
    for _ in 0..2 {
        let server = server(folder.path());
        for _ in 0..2 {
            server.open_shop(wanted.clone()).await.unwrap();
        }
        let tenants = server.tenants().unwrap();
        assert_eq!(tenants.len(), 1);
        assert_eq!(tenants[0].name, "云上美发");
        let policies = server.ledger().policies(wanted.tenant).unwrap();
        assert_eq!(policies.len(), 1);
        let rules = &policies[0];
        assert_eq!((rules.version, &rules.store), (1, &wanted.store));
        assert_eq!(
            (&rules.staff, &rules.channels),
            (&wanted.staff, &wanted.channels)
        );
        assert_eq!(rules.compliance, compliance::cn_service());
        let terminal = server.enrol_local(wanted.tenant, [9; 32], "01").await;
        devices.push(terminal.unwrap().device);
        server.stop().await;
    }
    assert_eq!(devices[0], devices[1], "the same terminal comes back");
}

/// One that was ended between its books and its rules is completed.
#[tokio::test]
async fn a_shop_without_rules_gets_them() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = shop(true);
    let server = server(folder.path());
    let device = wanted.server_device;
    server
        .create_tenant(wanted.tenant, device, "云上美发", [7; 32])
        .unwrap();
    server.open_shop(wanted.clone()).await.unwrap();
    let policies = server.ledger().policies(wanted.tenant).unwrap();
    assert_eq!(policies.len(), 1);
    assert_eq!(server.tenants().unwrap()[0].server_device, device);
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_given_away_that_the_owner_did_not_choose() {
    for bonus in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let wanted = shop(bonus);
        let server = server(folder.path());
        server.open_shop(wanted.clone()).await.unwrap();
        let rules = server.ledger().policies(wanted.tenant).unwrap().remove(0);
        assert_eq!(rules.ladders.len(), usize::from(bonus));
        assert!(rules.packages.is_empty() && rules.coupon_templates.is_empty());
        assert!(rules.tiers.iter().all(|tier| tier.benefits.is_empty()));
        server.stop().await;
    }
}
