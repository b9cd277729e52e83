//! Digests of accounts in each version.

use qiantai_wire::api::{DIGEST_VERSION, Digested, Digests, bucket_of};
use qiantai_wire::codes::SpendOrderDto;
use qiantai_wire::feed::{AccountDto, LotDto};
use serde_json::{Value, json};

use crate::samples::{NOW, id};

pub fn all() -> Vec<Value> {
    let accounts = [
        account(21, vec![lot(41, 20_000, 3_000), lot(40, 10_000, 0)]),
        account(22, Vec::new()),
    ];
    let versions = 1..=DIGEST_VERSION;
    let of_account = |account: &AccountDto| {
        let digests = versions.clone().map(|version| {
            let mut digests = Digests::of(version);
            digests.add(Digested::from(account));
            let digest = digests.finish()[usize::from(bucket_of(account.member))];
            json!({ "version": version, "digest": hex::encode(digest.0) })
        });
        json!({
            "account": account,
            "bucket": bucket_of(account.member),
            "digests": digests.collect::<Vec<_>>(),
        })
    };
    accounts.iter().map(of_account).collect()
}

fn account(number: u8, lots: Vec<LotDto>) -> AccountDto {
    let has_any = !lots.is_empty();
    AccountDto {
        member: id(NOW, number),
        principal_fen: lots.iter().map(|lot| lot.principal_left_fen).sum(),
        bonus_fen: lots.iter().map(|lot| lot.bonus_left_fen).sum(),
        frozen_principal_fen: i64::from(has_any) * 1_500,
        frozen_bonus_fen: 0,
        debt_fen: i64::from(!has_any) * 800,
        recharged_fen: 50_000,
        refunded_fen: 20_000,
        bonus_granted_fen: 5_000,
        growth: 300,
        points: 120,
        points_debt: 7,
        tier: id(NOW, 30),
        tier_valid_until_ms: has_any.then_some(NOW + 86_400_000),
        last_seq: 5,
        lots,
    }
}

fn lot(number: u8, principal_left_fen: i64, bonus_left_fen: i64) -> LotDto {
    LotDto {
        id: id(NOW, number),
        order: None,
        principal_init_fen: 30_000,
        principal_left_fen,
        bonus_init_fen: 5_000,
        bonus_left_fen,
        bonus_expires_at_ms: None,
        spend_order: SpendOrderDto::Proportional,
        credited_at_ms: NOW,
    }
}
