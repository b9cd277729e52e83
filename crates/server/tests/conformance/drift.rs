//! What a terminal compares its replica with: digests of accounts by bucket, and a bucket whole.

use http::StatusCode;
use qiantai_wire::api::{BUCKETS, BucketAnswer, Digested, Digests, DigestsAnswer, bucket_of};
use qiantai_wire::feed::{AccountDto, FeedChange, SnapshotPage};
use qiantai_wire::{ApiError, ErrorCode};

use super::day::day;
use crate::harness::{On, Shop};
use crate::till::Till;

async fn digests(shop: &Shop, till: &Till) -> DigestsAnswer {
    till.call(shop, "GET", "/v1/digests?version=2", Vec::new())
        .await
}

/// As a terminal of before asks.
async fn first_digests(shop: &Shop, till: &Till) -> DigestsAnswer {
    till.call(shop, "GET", "/v1/digests", Vec::new()).await
}

async fn bucket(shop: &Shop, till: &Till, bucket: u8) -> BucketAnswer {
    let path = format!("/v1/buckets/{bucket}");
    till.call(shop, "GET", &path, Vec::new()).await
}

/// The accounts that a new terminal gets.
async fn accounts(shop: &Shop, till: &Till) -> Vec<AccountDto> {
    let page: SnapshotPage = till.call(shop, "GET", "/v1/snapshot", Vec::new()).await;
    assert_eq!(page.next, None);
    let accounts = page.rows.into_iter().filter_map(|row| match row {
        FeedChange::Account(account) => Some(account),
        _ => None,
    });
    accounts.collect()
}

#[tokio::test]
async fn digests_are_those_of_a_fresh_snapshot_on_both_databases() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 40).await;
        day(&shop).await;
        let till = Till::with_key(&shop, [8; 32], "02").await;
        let told = digests(&shop, &till).await;
        let head = shop.server.head(shop.seeded.tenant).unwrap();
        assert_eq!(told.cursor.timeline, head.timeline, "{on:?}");
        assert_eq!(told.cursor.server_seq, head.server_seq, "{on:?}");
        let accounts = accounts(&shop, &till).await;
        assert!(accounts.iter().any(|account| account.lots.len() > 1));
        assert!(accounts.iter().any(|account| account.lots.is_empty()));
        assert_eq!(told.buckets.len(), BUCKETS);
        let newest: DigestsAnswer = till
            .call(&shop, "GET", "/v1/digests?version=4294967295", Vec::new())
            .await;
        assert_eq!(
            newest, told,
            "{on:?}: a version to come is answered by the newest"
        );
        for (version, told) in [(1, &first_digests(&shop, &till).await), (2, &told)] {
            let mut ours = Digests::of(version);
            for account in &accounts {
                ours.add(Digested::from(account));
            }
            assert_eq!(
                (told.version, &told.buckets),
                (version, &ours.finish()),
                "{on:?}"
            );
        }
        for account in &accounts {
            let found = bucket(&shop, &till, bucket_of(account.member)).await;
            assert_eq!(found.cursor, told.cursor, "{on:?}");
            assert!(found.accounts.contains(account), "{on:?} {account:?}");
            let other = bucket(&shop, &till, bucket_of(account.member).wrapping_add(1)).await;
            assert!(!other.accounts.contains(account), "{on:?} {account:?}");
        }
    }
}

#[tokio::test]
async fn one_fen_changes_the_digest_of_its_bucket_and_no_other() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 40).await;
        let till = Till::open(&shop).await;
        let before = digests(&shop, &till).await;
        for change in [
            "UPDATE account SET principal_fen = principal_fen + 1 WHERE member_id = ",
            "UPDATE account SET points = points + 1 WHERE member_id = ",
            "UPDATE account SET last_seq = last_seq + 1 WHERE member_id = ",
            "UPDATE account SET recharged_fen = recharged_fen + 1 WHERE member_id = ",
            "UPDATE account SET tier_valid_until_ms = coalesce(tier_valid_until_ms, 0) + 1
                 WHERE member_id = ",
            "UPDATE lot SET bonus_left_fen = bonus_left_fen - 1
                 WHERE bonus_left_fen > 0 AND member_id = ",
        ] {
            let earlier = digests(&shop, &till).await;
            let first = first_digests(&shop, &till).await;
            let member = "(SELECT member_id FROM lot WHERE bonus_left_fen > 0
                           ORDER BY member_id LIMIT 1)";
            shop.place.execute(&format!("{change}{member}"));
            let later = digests(&shop, &till).await;
            let differing = earlier.buckets.iter().zip(&later.buckets);
            let differing = differing.filter(|(one, other)| one != other).count();
            assert_eq!(differing, 1, "{on:?} {change}");
            let is_new = ["recharged_fen", "tier_valid"]
                .iter()
                .any(|it| change.contains(it));
            let is_same = first_digests(&shop, &till).await == first;
            assert_eq!(is_same, is_new, "{on:?} {change}: a terminal of before");
        }
        assert_eq!(digests(&shop, &till).await.cursor, before.cursor);
    }
}

#[tokio::test]
async fn a_bucket_that_is_none_and_a_stranger_are_refused() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    for path in [
        "/v1/buckets/256",
        "/v1/buckets/-1",
        "/v1/buckets/x",
        "/v1/digests?version=0",
        "/v1/digests?version=x",
    ] {
        let (status, answer) = shop.send(till.request("GET", path, Vec::new())).await;
        let error: ApiError = serde_json::from_slice(&answer).unwrap();
        assert_eq!(error.error_code(), Some(ErrorCode::BadRequest), "{path}");
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    for path in ["/v1/buckets/0", "/v1/digests"] {
        let mut request = till.request("GET", path, Vec::new());
        request.headers_mut().remove("authorization");
        let (status, _) = shop.send(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
}
