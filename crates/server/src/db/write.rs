//! The steps that write a decided batch.

use std::collections::{HashMap, HashSet};

use qiantai_core::account::{Account, Lot};
use qiantai_core::decide::Change;
use qiantai_core::ids::MemberId;

use super::record::damaged;
use super::table::Step;
use super::tables::{
    account, action, care_plan, cash_movement, coupon, device, earning_log, exception_case, feed,
    held_operation, journal, lease, lease_lot, lot, member, member_key, member_profile, operation,
    outbox, payment_attempt, payment_surplus, policy, posting, recharge_order, shift, tier_log,
};
use super::{Attachment, Batch, Entry, LedgerError, Standing};

/// Every row of the batch, in the order in which it was decided.
pub(super) fn steps(batch: &Batch) -> Result<Vec<Step>, LedgerError> {
    let mut steps = Vec::new();
    let mut lots = Lots::before(batch);
    for entry in &batch.entries {
        self::entry(entry, &mut lots, &mut steps)?;
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

/// The lots of members as they stand at a place in the batch. An account is decided whole and may have
/// many lots; those that stay as they were are not written again.
struct Lots<'a> {
    latest: HashMap<MemberId, &'a Account>,
    /// Members of whom the batch has used up a lot.
    using: HashSet<MemberId>,
}

impl<'a> Lots<'a> {
    fn before(batch: &'a Batch) -> Lots<'a> {
        let accounts = batch.accounts.iter();
        Lots {
            latest: accounts
                .map(|(member, account)| (*member, account))
                .collect(),
            using: HashSet::new(),
        }
    }

    fn change(&mut self, account: &'a Account, steps: &mut Vec<Step>) {
        let member = account.member;
        let before = self.latest.insert(member, account);
        let lots_before: &[Lot] = before.map_or(&[], |before| &before.lots);
        let stays = |lot: &Lot| account.lots.iter().any(|after| after.id == lot.id);
        if before.is_none() || !lots_before.iter().all(stays) {
            self.using.insert(member);
        }
        // Once told, told again with every change: a database may keep only the last word.
        if self.using.contains(&member) {
            steps.push(Step::UseUp {
                member,
                left: account.lots.iter().map(|lot| lot.id).collect(),
            });
        }
        let changed = account.lots.iter().filter(|lot| !lots_before.contains(lot));
        steps.extend(changed.map(|lot| Step::Put(&lot::TABLE, lot::row(member, lot))));
    }
}

fn entry<'a>(
    entry: &'a Entry,
    lots: &mut Lots<'a>,
    steps: &mut Vec<Step>,
) -> Result<(), LedgerError> {
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
        self::change(entry, change, lots, steps)?;
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

fn change<'a>(
    entry: &Entry,
    change: &'a Change,
    lots: &mut Lots<'a>,
    steps: &mut Vec<Step>,
) -> Result<(), LedgerError> {
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
            lots.change(row, steps);
            (&account::TABLE, account::row(row))
        }
        Change::Lease(row) => {
            for (position, left) in (0_u32..).zip(&row.lots) {
                let row = lease_lot::row(row.id, position, left);
                steps.push(Step::Put(&lease_lot::TABLE, row));
            }
            (&lease::TABLE, lease::row(server_seq, row))
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
        Change::SpentBeyond(_) => return Ok(()),
    };
    steps.push(Step::Put(table, row));
    Ok(())
}

#[cfg(test)]
mod tests {
    use qiantai_core::ids::{LotId, TierId};
    use qiantai_core::policy::SpendOrder;
    use qiantai_core::{Money, Timestamp};
    use uuid::Uuid;

    use super::*;

    const MEMBER: MemberId = MemberId(Uuid::from_u128(1));

    /// An account whose lots, by number, hold so much yet.
    fn account(lots: &[(u128, i64)]) -> Account {
        let lots = lots.iter().map(|(number, left)| Lot {
            id: LotId(Uuid::from_u128(*number)),
            order: None,
            principal_init: Money::from_fen(10),
            principal_left: Money::from_fen(*left),
            bonus_init: Money::ZERO,
            bonus_left: Money::ZERO,
            bonus_expires_at: None,
            spend_order: SpendOrder::Proportional,
            credited_at: Timestamp::from_ms(0),
        });
        Account {
            member: MEMBER,
            principal: Money::ZERO,
            bonus: Money::ZERO,
            frozen_principal: Money::ZERO,
            frozen_bonus: Money::ZERO,
            debt: Money::ZERO,
            recharged: Money::ZERO,
            refunded: Money::ZERO,
            bonus_granted: Money::ZERO,
            growth: 0,
            points: 0,
            points_debt: 0,
            tier: TierId(Uuid::nil()),
            tier_valid_until: None,
            last_seq: 0,
            lots: lots.collect(),
        }
    }

    #[test]
    fn lots_are_written_when_they_change() {
        /// Lots written by a change, and those told to be left, if any.
        type Told = (&'static [u128], Option<&'static [u128]>);
        let check = |before: Option<&[(u128, i64)]>, changes: &[(&[(u128, i64)], Told)]| {
            let before = before.map(account);
            let batch = Batch {
                accounts: before.into_iter().map(|row| (MEMBER, row)).collect(),
                ..Batch::default()
            };
            let accounts: Vec<_> = changes.iter().map(|(after, _)| account(after)).collect();
            let mut lots = Lots::before(&batch);
            for (after, (_, (written, left))) in accounts.iter().zip(changes) {
                let mut steps = Vec::new();
                lots.change(after, &mut steps);
                let rows = after.lots.iter().map(|lot| lot::row(MEMBER, lot));
                let written_rows: Vec<_> = rows
                    .zip(&after.lots)
                    .filter(|(_, lot)| written.contains(&lot.id.0.as_u128()))
                    .map(|(row, _)| row)
                    .collect();
                let (mut put, mut told) = (Vec::new(), None);
                for step in steps {
                    match step {
                        Step::Put(_, row) => put.push(row),
                        Step::UseUp { left, .. } => {
                            told = Some(left.iter().map(|id| id.0.as_u128()).collect::<Vec<_>>());
                        }
                        Step::MoveCursor(..) | Step::MoveHead { .. } => {}
                    }
                }
                assert_eq!(put, written_rows, "{after:?}");
                assert_eq!(told.as_deref(), *left);
            }
        };
        let one: &[(u128, i64)] = &[(1, 5)];
        // A lot comes beside another; one is drawn on.
        check(
            Some(one),
            &[
                (&[(1, 5), (2, 7)], (&[2], None)),
                (&[(1, 3), (2, 7)], (&[1], None)),
            ],
        );
        // One is used up: told from then on, for a database may keep only the last word.
        check(
            Some(&[(1, 5), (2, 7)]),
            &[
                (&[(2, 7)], (&[], Some(&[2]))),
                (&[(2, 7), (3, 1)], (&[3], Some(&[2, 3]))),
            ],
        );
        // One is used up and comes back as it was.
        check(
            Some(one),
            &[(&[], (&[], Some(&[]))), (one, (&[1], Some(&[1])))],
        );
        // Nothing is known of the account.
        check(None, &[(one, (&[1], Some(&[1])))]);
    }
}
