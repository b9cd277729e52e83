//! The invariants of domain §2.3 over a whole log, told apart from the code that asserts them.

use std::collections::{BTreeMap, BTreeSet};

use qiantai_core::Money;
use qiantai_core::decide::{Change, State};
use qiantai_core::ids::{LotId, MemberId, OrderId};
use qiantai_core::ledger::{Book, CaseKind, ExceptionCase, JournalEntry, LedgerAccount, Topic};
use qiantai_core::recharge::{OrderState, RechargeOrder};

/// Everything that was written, added up.
#[derive(Default)]
pub struct Books {
    journal: Vec<JournalEntry>,
    balances: BTreeMap<(Book, LedgerAccount), i128>,
    cash: BTreeMap<uuid::Uuid, Money>,
    sold: BTreeMap<OrderId, Money>,
    cases: Vec<ExceptionCase>,
    events: Vec<(Topic, uuid::Uuid)>,
}

impl Books {
    pub fn of<'a>(decisions: impl Iterator<Item = &'a [Change]>) -> Books {
        let mut books = Books::default();
        for change in decisions.flatten() {
            match change {
                Change::Journal(row) => books.journal.push(row.clone()),
                Change::Posting(row) => {
                    *books.balances.entry((row.book, row.account)).or_default() +=
                        i128::from(row.amount.fen());
                }
                Change::Cash(row) => {
                    *books.cash.entry(row.shift.0).or_default() += row.amount;
                    if let Some(order) = row.order {
                        *books.sold.entry(order).or_default() += row.amount;
                    }
                }
                Change::Case(row) => books.cases.push(row.clone()),
                Change::Outbox(row) => books.events.push((row.topic, row.subject)),
                _ => {}
            }
        }
        books
    }

    /// Invariants 1–4, 6, 8, 9 and that no fen came from nowhere.
    pub fn assert_agree_with(&self, state: &State) {
        self.assert_balanced();
        self.assert_accounts(state);
        self.assert_journal_is_gapless_and_unique();
        self.assert_orders(state);
        self.assert_drawers(state);
        self.assert_suspense(state);
        self.assert_cases_are_told();
    }

    fn assert_balanced(&self) {
        for book in [Book::Money, Book::Bonus] {
            let legs = self.balances.iter().filter(|((of, _), _)| *of == book);
            assert_eq!(legs.map(|(_, sum)| sum).sum::<i128>(), 0, "{book:?}");
        }
    }

    /// 1, 4 and 9: journal, postings and lots all say the same.
    fn assert_accounts(&self, state: &State) {
        for (member, account) in &state.accounts {
            let rows = self.journal.iter().filter(|row| row.member == *member);
            let (principal, bonus) = rows.fold((Money::ZERO, Money::ZERO), |sums, row| {
                (sums.0 + row.d_principal, sums.1 + row.d_bonus)
            });
            assert_eq!(
                (account.principal, account.bonus),
                (principal, bonus),
                "{member}"
            );
            let lots = account.lots.iter();
            let left: (Vec<Money>, Vec<Money>) =
                lots.map(|lot| (lot.principal_left, lot.bonus_left)).unzip();
            assert_eq!(account.principal, left.0.into_iter().sum());
            assert_eq!(account.bonus, left.1.into_iter().sum());
            assert!(account.frozen_principal <= account.principal);
            assert!(account.frozen_bonus <= account.bonus);
        }
        let owed = self.sum(|account| matches!(account, LedgerAccount::MemberPrincipal(..)));
        let held: Money = state
            .accounts
            .values()
            .map(|account| account.principal)
            .sum();
        assert_eq!(owed, -i128::from(held.fen()));
    }

    /// 2 and 3.
    fn assert_journal_is_gapless_and_unique(&self) {
        let mut last: BTreeMap<MemberId, (u64, Money, Money)> = BTreeMap::new();
        let mut seen: BTreeSet<(u8, uuid::Uuid, u16, LotId)> = BTreeSet::new();
        for row in &self.journal {
            let (seq, principal, bonus) = last.entry(row.member).or_default();
            (*seq, *principal, *bonus) =
                (*seq + 1, *principal + row.d_principal, *bonus + row.d_bonus);
            assert_eq!(
                (*seq, *principal, *bonus),
                (row.seq, row.principal_after, row.bonus_after)
            );
            assert!(seen.insert((row.biz as u8, row.biz_id, row.leg, row.lot)));
        }
    }

    /// 6 and 8.
    fn assert_orders(&self, state: &State) {
        for order in state.orders.values() {
            let credits = self
                .journal
                .iter()
                .filter(|row| row.biz_id == order.id.0)
                .count();
            let told = |topic| {
                self.events
                    .iter()
                    .filter(|event| **event == (topic, order.id.0))
                    .count()
            };
            let is_credited = order.state == OrderState::Credited;
            assert_eq!(credits, usize::from(is_credited), "credits of {}", order.id);
            assert_eq!(told(Topic::AccountCredited), usize::from(is_credited));
            assert_eq!(
                told(Topic::PaymentSuccess),
                usize::from(order.paid.is_some())
            );
            assert_eq!(told(Topic::OrderCreated), 1);
            if is_credited {
                assert!(
                    !order.quote.rules.is_empty(),
                    "no snapshot for {}",
                    order.id
                );
                assert!(order.credit.is_some());
            }
            let has_case = self.cases.iter().any(|case| case.order == Some(order.id));
            let needs_case = matches!(order.state, OrderState::Paid | OrderState::Abnormal);
            assert!(!needs_case || has_case, "{} waits unseen", order.id);
        }
    }

    /// The drawer's account is the sum of its movements, and of a split by a gateway its part in cash is
    /// there once the order is paid, and not before.
    fn assert_drawers(&self, state: &State) {
        for order in state.orders.values() {
            let Some(part) = order.cash_part else {
                continue;
            };
            let moved = self.sold.get(&order.id).copied().unwrap_or_default();
            let expected = order.paid.as_ref().map_or(Money::ZERO, |_| part);
            assert_eq!(moved, expected, "cash of {} in a drawer", order.id);
            let lot = |row: &&JournalEntry| row.biz_id == order.id.0;
            let credited: Money = self
                .journal
                .iter()
                .filter(lot)
                .map(|row| row.d_principal)
                .sum();
            assert!(credited.is_zero() || credited == part + order.asked());
        }
        for ((_, account), sum) in &self.balances {
            if let LedgerAccount::Drawer(shift) = account {
                let moved = self.cash.get(&shift.0).copied().unwrap_or_default();
                assert_eq!(*sum, i128::from(moved.fen()), "drawer of {shift}");
            }
        }
    }

    /// Suspense is what the cases say, less what was credited or sent back since.
    fn assert_suspense(&self, state: &State) {
        let opened: Money = self.cases.iter().map(|case| case.amount).sum();
        let was_blocked = |order: &&RechargeOrder| {
            let is_credited = order.state == OrderState::Credited;
            is_credited
                && self.cases.iter().any(|case| {
                    let is_block = matches!(
                        case.kind,
                        CaseKind::CreditBlocked
                            | CaseKind::Unattributed
                            | CaseKind::ReferenceUsed
                            | CaseKind::LimitPassed
                    );
                    // Of cash a passed limit is told, and nothing of it waits.
                    is_block
                        && !case.amount.is_zero()
                        && case.order == Some(order.id)
                        && case.member.is_some()
                })
        };
        let credited: Money = state
            .orders
            .values()
            .filter(was_blocked)
            .map(|order| order.quote.pay)
            .sum();
        let surplus = state.attempts.values().flat_map(|attempt| &attempt.surplus);
        let returned: Money = surplus
            .filter(|paid| paid.refunded)
            .map(|paid| paid.amount)
            .sum();
        let held = -self.sum(|account| *account == LedgerAccount::Suspense);
        assert_eq!(held, i128::from((opened - credited - returned).fen()));
    }

    /// 8: every case was announced with it.
    fn assert_cases_are_told(&self) {
        let told = self
            .events
            .iter()
            .filter(|(topic, _)| *topic == Topic::CaseOpened)
            .count();
        assert_eq!(told, self.cases.len());
    }

    fn sum(&self, of: impl Fn(&LedgerAccount) -> bool) -> i128 {
        self.balances
            .iter()
            .filter(|((_, account), _)| of(account))
            .map(|(_, sum)| sum)
            .sum()
    }
}
