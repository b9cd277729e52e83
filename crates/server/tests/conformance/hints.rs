//! Notices that name nobody are kept across restarts; a repetition changes nothing, and what was
//! settled stays so.

use qiantai_core::ids::{AttemptId, RowId};
use qiantai_core::{Millis, Money};
use qiantai_server::db::{Hint, HintState};
use uuid::Uuid;

use crate::harness::{On, START, Shop};

/// The `number`-th notice.
pub fn hint(number: u128) -> Hint {
    let after = Millis::seconds(i64::try_from(number).unwrap());
    Hint {
        id: RowId(Uuid::from_u128(number)),
        attempt: AttemptId(Uuid::from_u128(7)),
        gateway: "shouqianba".into(),
        channel_txn_no: format!("78952594854691{number}"),
        amount: Money::from_fen(30_001),
        paid_at: START,
        heard_at: START + after,
        state: HintState::Open,
    }
}

#[tokio::test]
async fn a_hint_is_kept_until_it_is_settled_and_settled_once() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 1).await;
        let tenant = shop.seeded.tenant;
        let (first, second) = (hint(1), hint(2));
        let ledger = shop.server.ledger();
        assert_eq!(ledger.open_hints().unwrap(), [], "{on:?}");
        for hint in [&second, &first] {
            ledger.save_hint(tenant, hint).unwrap();
        }
        // It comes again, later.
        let again = Hint {
            heard_at: START + Millis::hours(2),
            ..first.clone()
        };
        ledger.save_hint(tenant, &again).unwrap();
        let open = [(tenant, first.clone()), (tenant, second.clone())];
        assert_eq!(ledger.open_hints().unwrap(), open, "{on:?}");

        shop.restart().await;
        let ledger = shop.server.ledger();
        assert_eq!(ledger.open_hints().unwrap(), open, "{on:?}: restarted");
        let settled = |hint: &Hint, state| Hint {
            state,
            ..hint.clone()
        };
        let confirmed = settled(&first, HintState::Confirmed);
        ledger.save_hint(tenant, &confirmed).unwrap();
        for late in [HintState::Open, HintState::Denied, HintState::Unclear] {
            ledger.save_hint(tenant, &settled(&first, late)).unwrap();
        }
        assert_eq!(ledger.open_hints().unwrap(), open[1..], "{on:?}");
        let unclear = settled(&second, HintState::Unclear);
        ledger.save_hint(tenant, &unclear).unwrap();
        assert_eq!(ledger.hints(tenant).unwrap(), [confirmed, unclear]);
        assert_eq!(ledger.open_hints().unwrap(), [], "{on:?}");
    }
}
