//! The steps that write a decided batch.

use qiantai_core::decide::Change;

use super::record::damaged;
use super::table::Step;
use super::tables::{
    account, action, care_plan, cash_movement, coupon, device, earning_log, exception_case, feed,
    held_operation, journal, lot, member, member_key, member_profile, operation, outbox,
    payment_attempt, payment_surplus, policy, posting, recharge_order, shift, tier_log,
};
use super::{Attachment, Batch, Entry, LedgerError, Standing};

/// Every row of the batch, in the order in which it was decided.
pub(super) fn steps(batch: &Batch) -> Result<Vec<Step>, LedgerError> {
    let mut steps = Vec::new();
    for entry in &batch.entries {
        self::entry(entry, &mut steps)?;
    }
    for (id, cursor) in &batch.cursors {
        steps.push(Step::MoveCursor(*id, *cursor));
    }
    if let (Some(to), Some(first)) = (batch.head, batch.entries.first()) {
        let from = first.row.server_seq.saturating_sub(1);
        steps.push(Step::MoveHead { from, to });
    }
    Ok(steps)
}

fn entry(entry: &Entry, steps: &mut Vec<Step>) -> Result<(), LedgerError> {
    let server_seq = entry.row.server_seq;
    steps.push(Step::Put(&operation::TABLE, operation::row(&entry.row)));
    match entry.row.standing {
        Standing::Decided => {}
        Standing::Held(reason) | Standing::Quarantined(reason) => {
            let row = held_operation::row(server_seq, reason);
            steps.push(Step::Put(&held_operation::TABLE, row));
        }
    }
    for change in &entry.changes {
        self::change(entry, change, steps)?;
    }
    if let Some(Attachment::Profile { member, profile }) = &entry.attachment {
        let row = member_profile::row(*member, &profile.sealed);
        steps.push(Step::Put(&member_profile::TABLE, row));
        if let Some(key) = &profile.key {
            steps.push(Step::Put(&member_key::TABLE, member_key::row(*member, key)));
        }
    }
    if let Some((id, record)) = &entry.action {
        steps.push(Step::Put(&action::TABLE, action::row(*id, record)?));
    }
    steps.push(Step::Put(&feed::TABLE, feed::row(server_seq, &entry.feed)));
    Ok(())
}

fn change(entry: &Entry, change: &Change, steps: &mut Vec<Step>) -> Result<(), LedgerError> {
    let server_seq = entry.row.server_seq;
    let (table, row) = match change {
        Change::Device(row) => (&device::TABLE, device::row(Some(entry.row.store), row)),
        Change::PolicyPublished(version) => match &entry.attachment {
            Some(Attachment::Policy {
                bytes,
                hash,
                policy,
            }) if policy.version == *version => (&policy::TABLE, policy::row(policy, bytes, hash)),
            _ => {
                return Err(damaged(format!(
                    "policy {version} was published without its document"
                )));
            }
        },
        Change::Member(row) => (&member::TABLE, member::row(row)),
        Change::Account(row) => {
            steps.push(Step::UseUp {
                member: row.member,
                left: row.lots.iter().map(|lot| lot.id).collect(),
            });
            for lot in &row.lots {
                steps.push(Step::Put(&lot::TABLE, lot::row(row.member, lot)));
            }
            (&account::TABLE, account::row(row))
        }
        Change::Order(row) => (&recharge_order::TABLE, recharge_order::row(row)?),
        Change::Attempt(row) => {
            for (position, payment) in (0_u32..).zip(&row.surplus) {
                let row = payment_surplus::row(row.id, position, payment);
                steps.push(Step::Put(&payment_surplus::TABLE, row));
            }
            (&payment_attempt::TABLE, payment_attempt::row(row))
        }
        Change::Shift(row) => (&shift::TABLE, shift::row(row)),
        Change::Journal(row) => (&journal::TABLE, journal::row(server_seq, row)),
        Change::Posting(row) => (&posting::TABLE, posting::row(server_seq, row)),
        Change::Earning(row) => (&earning_log::TABLE, earning_log::row(row)),
        Change::Tier(row) => (&tier_log::TABLE, tier_log::row(row)),
        Change::Coupon(row) => (&coupon::TABLE, coupon::row(row)),
        Change::CarePlan(row) => (&care_plan::TABLE, care_plan::row(row)),
        Change::Cash(row) => (&cash_movement::TABLE, cash_movement::row(row)),
        Change::Case(row) => (&exception_case::TABLE, exception_case::row(row)),
        Change::Outbox(row) => (&outbox::TABLE, outbox::row(server_seq, row)),
    };
    steps.push(Step::Put(table, row));
    Ok(())
}
