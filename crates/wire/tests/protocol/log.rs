//! Links of the chain that a server keeps over its log: one for each kind of answer.

use qiantai_core::Money;
use qiantai_core::attempt::Channel;
use qiantai_core::decide::{Outcome, Refusal, RefusalCode};
use qiantai_core::ids::{LotId, MemberId, ShiftId, StoreId};
use qiantai_core::ledger::chain::{self, Link};
use qiantai_core::ledger::{Book, LedgerAccount, Posting};
use qiantai_wire::SignedOperation;
use serde_json::{Value, json};

use crate::samples::{self, NOW, id, key};

pub fn links() -> Vec<Value> {
    let operation = SignedOperation::sign(&samples::recharge_cash(), &key()).hash();
    let refusal = Refusal::new(RefusalCode::QuoteStale);
    let differs = Outcome::ExistsWithDifferent { field: "amount" };
    let entries = [
        (Some(Outcome::Applied), credited()),
        (Some(Outcome::Exists), vec![]),
        (Some(differs), in_suspense()),
        (Some(Outcome::Refused(refusal)), vec![]),
        (None, vec![]),
    ];
    let mut prev = chain::START;
    let mut links = Vec::new();
    for (server_seq, (outcome, postings)) in (1..).zip(&entries) {
        let link = Link {
            server_seq,
            operation: &operation,
            outcome: outcome.as_ref(),
            postings,
        };
        let next = chain::next(&prev, &link);
        links.push(json!({
            "prev": hex::encode(prev),
            "server_seq": server_seq,
            "operation": hex::encode(operation),
            "outcome": outcome_words(outcome.as_ref()),
            "postings": postings.iter().map(posting).collect::<Vec<_>>(),
            "hash": hex::encode(next),
        }));
        prev = next;
    }
    links
}

fn credited() -> Vec<Posting> {
    let (member, lot) = (MemberId(id(NOW, 21)), LotId(id(NOW, 40)));
    let shift = ShiftId(id(NOW - 20_000_000, 16));
    let store = StoreId(id(NOW - 90_000_000, 13));
    let legs = [
        (Book::Money, LedgerAccount::Drawer(shift), 30_000),
        (
            Book::Money,
            LedgerAccount::MemberPrincipal(member, lot),
            -30_000,
        ),
        (Book::Bonus, LedgerAccount::BonusGranted(store), 5_000),
        (Book::Bonus, LedgerAccount::MemberBonus(member, lot), -5_000),
    ];
    posted(&legs)
}

fn in_suspense() -> Vec<Posting> {
    let legs = [
        (
            Book::Money,
            LedgerAccount::Clearing(Channel::Wechat),
            30_000,
        ),
        (Book::Money, LedgerAccount::Suspense, -30_000),
    ];
    posted(&legs)
}

fn posted(legs: &[(Book, LedgerAccount, i64)]) -> Vec<Posting> {
    let leg = |(leg, (book, account, fen)): (u16, &(Book, LedgerAccount, i64))| Posting {
        leg,
        book: *book,
        account: *account,
        amount: Money::from_fen(*fen),
    };
    (0..).zip(legs).map(leg).collect()
}

fn outcome_words(outcome: Option<&Outcome>) -> Value {
    match outcome {
        None => json!({ "status": "held" }),
        Some(Outcome::Applied) => json!({ "status": "applied" }),
        Some(Outcome::Exists) => json!({ "status": "exists" }),
        Some(Outcome::ExistsWithDifferent { field }) => {
            json!({ "status": "exists_with_different", "field": field })
        }
        Some(Outcome::Refused(refusal)) => {
            json!({ "status": "refused", "code": refusal.code as u16 })
        }
    }
}

fn posting(posting: &Posting) -> Value {
    let (account, of) = match posting.account {
        LedgerAccount::MemberPrincipal(member, lot) => {
            ("member principal", json!([member.0, lot.0]))
        }
        LedgerAccount::MemberDebt(member) => ("member debt", json!([member.0])),
        LedgerAccount::Drawer(shift) => ("drawer", json!([shift.0])),
        LedgerAccount::Clearing(channel) => ("clearing", json!([channel.number()])),
        LedgerAccount::Revenue(store) => ("revenue", json!([store.0])),
        LedgerAccount::Suspense => ("suspense", json!([])),
        LedgerAccount::Opening => ("opening", json!([])),
        LedgerAccount::MemberBonus(member, lot) => ("member bonus", json!([member.0, lot.0])),
        LedgerAccount::BonusGranted(store) => ("bonus granted", json!([store.0])),
    };
    let book = match posting.book {
        Book::Money => "money",
        Book::Bonus => "bonus",
    };
    json!({
        "leg": posting.leg,
        "book": book,
        "account": account,
        "of": of,
        "amount_fen": posting.amount.fen(),
    })
}
