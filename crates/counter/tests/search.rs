//! Finding a member.

use crate::shop::Shop;
use crate::till::Till;

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_found_by_what_people_type() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let finds = async |text: &str, name: &str| {
        let hits = till.search(text).await;
        assert!(hits.iter().any(|hit| hit.name == name), "{text}: {hits:?}");
    };
    for text in [
        "13812345678",
        " 138 1234 5678 ",
        "138-1234-5678",
        "１３８１２３４５６７８",
        "1381234",
        "5678",
        "张伟",
        "伟",
        "zw",
        "ZW",
        "zhangwei",
        "zhangw",
        "00201-9000001",
        "00201000001",
    ] {
        finds(text, "张伟").await;
    }
    for (text, name) in [
        ("sy", "单雨"),
        ("shanyu", "单雨"),
        ("zk", "曾可"),
        ("zengke", "曾可"),
        ("xf", "解放"),
        ("ycm", "尉迟敏"),
        ("yuchimin", "尉迟敏"),
        ("gy", "龚䶮"),
        ("龚䶮", "龚䶮"),
        ("ouyangna", "欧阳娜"),
        ("qiulan", "仇岚"),
        ("Anna", "Anna Müller"),
    ] {
        finds(text, name).await;
    }
}

/// What the empty screen proposes to type, out of its own source.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_idle_screen_proposes_finds_somebody() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let idle = include_str!("../../../ui/src/features/top-up/Idle.svelte");
    let proposed: Vec<&str> = idle
        .split("example: \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(proposed.len(), 5);
    for text in &proposed {
        assert!(!till.search(text).await.is_empty(), "{text} finds nobody");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hits_are_masked_and_few() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let hits = till.search("13812345678").await;
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].phone, "138****5678");
    assert_eq!(
        (hits[0].tier.as_str(), hits[0].available_fen.0),
        ("银卡", 53_000)
    );
    for text in [
        "",
        "   ",
        "00000000000",
        "没有这个人",
        "%",
        "'; DROP TABLE member; --",
    ] {
        assert_eq!(till.search(text).await, [], "{text:?}");
    }
    assert_eq!(till.search(&"9".repeat(10_000)).await, []);
    let many = till.search("1").await;
    assert!(!many.is_empty() && many.len() <= 20, "{}", many.len());
    for hit in &many {
        assert!(hit.phone.contains("****"), "{}", hit.phone);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_shown_with_what_matters_at_the_counter() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let view = till.member(&till.zhang_wei().await).await;
    assert_eq!(
        (view.name.as_str(), view.phone.as_str()),
        ("张伟", "138****5678")
    );
    assert_eq!((view.principal_fen.0, view.bonus_fen.0), (46_000, 7_000));
    assert_eq!((view.available_fen.0, view.provisional_fen.0), (53_000, 0));
    assert_eq!(view.recharged_fen.0, 380_000);
    let next = view.next_tier.unwrap();
    assert_eq!(
        (next.name.as_str(), next.missing_fen.0, next.percent),
        ("金卡", 120_000, 60)
    );
    assert_eq!(view.expiring.unwrap().amount_fen.0, 2_000);
    assert!(view.active && view.recent.is_empty() && view.as_of_ms.is_some());
}
