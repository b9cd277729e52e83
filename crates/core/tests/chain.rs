//! The hash chain over the books.

use qiantai_core::Money;
use qiantai_core::decide::{Change, Outcome, Refusal, RefusalCode};
use qiantai_core::ledger::chain::{self, BrokenLink, Link, START};
use qiantai_core::ledger::{Book, LedgerAccount, Posting};
use qiantai_core::operation::{Hash, OperationBody};

use crate::shop::{Shop, amount, policy};

/// Sequence, hash of the operation, answer (`None` while held) and postings.
type Row = (u64, Hash, Option<Outcome>, Vec<Posting>);

/// The log of a short day as links, with the hash of each.
fn links(seqs: std::ops::RangeInclusive<u64>) -> Vec<Row> {
    let mut shop = Shop::open(policy());
    for pay in [100, 300, 500] {
        let body = shop.cash_body(amount(pay));
        shop.run_body(OperationBody::RechargeCash(body));
    }
    let rows = shop
        .log
        .iter()
        .zip(seqs)
        .map(|((operation, _, decision), server_seq)| {
            let postings = decision.changes.iter().filter_map(|change| match change {
                Change::Posting(posting) => Some(posting.clone()),
                _ => None,
            });
            let hash = [operation.op_id.0.as_bytes()[15]; 32];
            (
                server_seq,
                hash,
                Some(decision.outcome.clone()),
                postings.collect(),
            )
        });
    rows.collect()
}

fn link(row: &Row) -> Link<'_> {
    Link {
        server_seq: row.0,
        operation: &row.1,
        outcome: row.2.as_ref(),
        postings: &row.3,
    }
}

fn hashes(rows: &[Row]) -> Vec<Hash> {
    let mut prev = START;
    rows.iter()
        .map(|row| {
            prev = chain::next(&prev, &link(row));
            prev
        })
        .collect()
}

#[test]
fn an_honest_chain_holds() {
    let rows = links(1..=5);
    let stored = hashes(&rows);
    let pairs = rows.iter().map(link).zip(stored.iter().copied());
    assert_eq!(chain::verify(START, pairs), Ok(stored[4]));
    assert_eq!(chain::verify(START, []), Ok(START));
    // A chain is followed from any known hash.
    let tail = rows[2..].iter().map(link).zip(stored[2..].iter().copied());
    assert_eq!(chain::verify(stored[1], tail), Ok(stored[4]));
}

#[test]
fn every_edit_breaks_it() {
    let edits: [fn(&mut Row); 10] = [
        |row| row.2 = None,
        |row| row.0 += 1,
        |row| row.1[0] ^= 1,
        |row| row.2 = Some(Outcome::Exists),
        |row| row.2 = Some(Outcome::Refused(Refusal::new(RefusalCode::MemberUnknown))),
        |row| row.2 = Some(Outcome::ExistsWithDifferent { field: "amount" }),
        |row| row.3[0].amount += Money::from_fen(1),
        |row| row.3[0].account = LedgerAccount::Suspense,
        |row| row.3[0].book = Book::Bonus,
        |row| {
            row.3.pop();
        },
    ];
    for (index, edit) in edits.into_iter().enumerate() {
        let mut rows = links(1..=5);
        let stored = hashes(&rows);
        edit(&mut rows[3]);
        let server_seq = rows[3].0;
        let pairs = rows.iter().map(link).zip(stored);
        assert_eq!(
            chain::verify(START, pairs),
            Err(BrokenLink { server_seq }),
            "edit {index}"
        );
    }
}
