//! The settle transaction (docs: domain §2.2): order, lot, account, journal, postings, growth,
//! points, tier, coupons, care plan and events, all at once or not at all.

use crate::account::{Account, Lot};
use crate::attempt::Channel;
use crate::clock::{self, Timestamp};
use crate::decide::draft::{CaseLinks, Draft, unchanged};
use crate::decide::{Change, Decision, Refusal, RefusalCode, State};
use crate::ids::{CouponId, LotId, OrderId, StaffId, TierId};
use crate::ledger::{
    BizType, Book, CarePlan, CaseKind, Coupon, CouponState, EarningEntry, EarningKind,
    JournalEntry, LedgerAccount, TierEntry, Topic,
};
use crate::member::MemberStatus;
use crate::money::Money;
use crate::operation::Operation;
use crate::policy::Policy;
use crate::recharge::{Credit, OrderState, PaidFact, RechargeOrder};
use crate::tier;

/// Where money comes from, and how much. The sources of an order sum to the amount paid.
pub(super) type Source = (LedgerAccount, Money);

/// Marks the order paid and credits its account. Where the account cannot be credited, the money
/// waits in suspense with a case and the order stays `Paid` (docs: domain §2.2).
///
/// `sources` are debited: the drawer, the clearing account of a channel, or for a split both.
pub(super) fn pay(
    draft: &mut Draft<'_>,
    state: &State,
    mut order: RechargeOrder,
    paid: PaidFact,
    sources: &[Source],
) {
    order.paid = Some(paid);
    order.state = OrderState::Paid;
    order.changed_at = draft.at;
    draft.event(Topic::PaymentSuccess, order.id.0);
    match creditable(state, &order) {
        Ok((account, policy)) => credit(draft, account, policy, order, sources),
        Err(refusal) => {
            let kind = match refusal.code {
                RefusalCode::MemberUnknown => CaseKind::Unattributed,
                _ => CaseKind::CreditBlocked,
            };
            wait(draft, order, sources, kind);
        }
    }
}

/// Marks the order paid and leaves its credit to a person: the money waits in suspense with a case
/// of `kind` (docs: domain §2.2, "money came first").
pub(super) fn pay_and_wait(
    draft: &mut Draft<'_>,
    mut order: RechargeOrder,
    paid: PaidFact,
    sources: &[Source],
    kind: CaseKind,
) {
    order.paid = Some(paid);
    order.state = OrderState::Paid;
    order.changed_at = draft.at;
    draft.event(Topic::PaymentSuccess, order.id.0);
    wait(draft, order, sources, kind);
}

fn wait(draft: &mut Draft<'_>, order: RechargeOrder, sources: &[Source], kind: CaseKind) {
    for (source, amount) in sources {
        suspend(draft, *source, *amount);
    }
    let links = CaseLinks {
        order: Some(order.id),
        attempt: None,
        member: Some(order.member),
    };
    let waiting = sources.iter().map(|(_, amount)| *amount).sum();
    draft.case(kind, links, waiting);
    draft.push(Change::Order(order));
}

/// Tries again to credit an order whose money waits in suspense.
pub(super) fn retry(
    state: &State,
    operation: &Operation,
    order: OrderId,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let order = state.orders.get(&order).ok_or(RefusalCode::OrderUnknown)?;
    match order.state {
        OrderState::Paid => {}
        OrderState::Credited => return Ok(unchanged()),
        _ => return Err(RefusalCode::OrderState.into()),
    }
    let (account, policy) = creditable(state, order)?;
    let own = released_by_taker(state, operation, order, now)?;
    let mut draft = Draft::new(operation, now);
    let mut order = order.clone();
    order.changed_at = now;
    // No other approval ever names who took the money: this is the mark of it.
    order.approver = own.or(order.approver);
    let sources = [(LedgerAccount::Suspense, paid_amount(&order))];
    credit(&mut draft, account, policy, order, &sources);
    Ok(draft.applied())
}

/// Who took the money and lets it be credited, where the store has nobody else who could.
fn released_by_taker(
    state: &State,
    operation: &Operation,
    order: &RechargeOrder,
    now: Timestamp,
) -> Result<Option<StaffId>, Refusal> {
    let own = operation.staff.map(|proof| proof.staff);
    let Some(own) = own.filter(|staff| *staff == order.cashier) else {
        return Ok(None);
    };
    let rules = state.policy_of(order.store, now);
    let rules = rules.ok_or(RefusalCode::PolicyUnknown)?;
    match rules.releaser(order.cashier, own) {
        Ok(_) => Ok(Some(own)),
        Err(_) => Err(RefusalCode::RoleNotAllowed.into()),
    }
}

/// The account to credit and the rules that the order was priced by.
fn creditable<'a>(
    state: &'a State,
    order: &RechargeOrder,
) -> Result<(&'a Account, &'a Policy), Refusal> {
    let member = state
        .members
        .get(&order.member)
        .ok_or(RefusalCode::MemberUnknown)?;
    let account = state
        .accounts
        .get(&order.member)
        .ok_or(RefusalCode::MemberUnknown)?;
    if member.status != MemberStatus::Active {
        return Err(RefusalCode::MemberNotActive.into());
    }
    let policy = state
        .policy(order.quote.policy_version)
        .ok_or(RefusalCode::PolicyUnknown)?;
    Ok((account, policy))
}

fn credit(
    draft: &mut Draft<'_>,
    before: &Account,
    policy: &Policy,
    mut order: RechargeOrder,
    sources: &[Source],
) {
    let lot = new_lot(draft, policy, &order);
    post(draft, &order, &lot, sources);
    let mut account = before.clone();
    account.principal += lot.principal_init;
    account.recharged += lot.principal_init;
    account.bonus += lot.bonus_init;
    account.bonus_granted += lot.bonus_init;
    account.last_seq += 1;
    let entry = journal_row(draft, &account, &lot, &order);
    draft.push(Change::Journal(entry));
    draft.event(Topic::AccountCredited, order.id.0);
    let order_id = Some(order.id);
    earn(
        draft,
        &mut account,
        order_id,
        order.quote.growth,
        order.quote.points,
    );
    let net = tier::net_recharged(&account);
    let reached = tier::after_credit(&policy.tiers, account.tier, net);
    change_tier(draft, &mut account, policy, order_id, reached);
    let tier = (before.tier, account.tier);
    order.credit = Some(Credit {
        principal: (before.principal, account.principal),
        bonus: (before.bonus, account.bonus),
        points: order.quote.points,
        growth: order.quote.growth,
        tier,
        bonus_expires_at: lot.bonus_expires_at,
        credited_at: draft.at,
    });
    order.state = OrderState::Credited;
    account.add_lot(lot);
    issue_coupons(draft, policy, &order);
    let care = CarePlan {
        id: draft.row_id(),
        member: order.member,
        order: order.id,
        starts_at: draft.at,
    };
    draft.push(Change::CarePlan(care));
    draft.push(Change::Account(account));
    draft.push(Change::Order(order));
}

fn new_lot(draft: &Draft<'_>, policy: &Policy, order: &RechargeOrder) -> Lot {
    let paid = paid_amount(order);
    let valid_days = order.quote.bonus_valid_days;
    Lot {
        id: LotId(draft.operation.op_id.derive("lot", 0)),
        order: Some(order.id),
        principal_init: paid,
        principal_left: paid,
        bonus_init: order.quote.bonus,
        bonus_left: order.quote.bonus,
        bonus_expires_at: valid_days.map(|days| clock::end_of_day_after(draft.at, days)),
        spend_order: policy.spend_order,
        credited_at: draft.at,
    }
}

fn paid_amount(order: &RechargeOrder) -> Money {
    let paid = order.paid.as_ref();
    paid.map_or(order.quote.pay, |paid| paid.amount)
}

fn post(draft: &mut Draft<'_>, order: &RechargeOrder, lot: &Lot, sources: &[Source]) {
    let principal = LedgerAccount::MemberPrincipal(order.member, lot.id);
    for (source, amount) in sources {
        draft.transfer(Book::Money, *source, principal, *amount);
    }
    let bonus = LedgerAccount::MemberBonus(order.member, lot.id);
    let granted = LedgerAccount::BonusGranted(order.store);
    draft.transfer(Book::Bonus, granted, bonus, lot.bonus_init);
}

fn journal_row(
    draft: &mut Draft<'_>,
    after: &Account,
    lot: &Lot,
    order: &RechargeOrder,
) -> JournalEntry {
    JournalEntry {
        id: draft.row_id(),
        member: order.member,
        seq: after.last_seq,
        biz: BizType::Recharge,
        biz_id: order.id.0,
        leg: 0,
        lot: lot.id,
        d_principal: lot.principal_init,
        d_bonus: lot.bonus_init,
        principal_after: after.principal,
        bonus_after: after.bonus,
        store: order.store,
        shift: Some(order.shift),
        operator: Some(order.cashier),
        at: draft.at,
    }
}

/// Adds growth and points; points first pay back what a refund left owing (docs: domain §3.2).
pub(super) fn earn(
    draft: &mut Draft<'_>,
    account: &mut Account,
    order: Option<OrderId>,
    growth: i64,
    points: i64,
) {
    account.growth += growth;
    earning(draft, account, order, EarningKind::Growth, growth);
    let owed = account.points_debt.min(points.max(0));
    account.points_debt -= owed;
    account.points += points - owed;
    earning(draft, account, order, EarningKind::Points, points - owed);
}

fn earning(
    draft: &mut Draft<'_>,
    account: &Account,
    order: Option<OrderId>,
    kind: EarningKind,
    delta: i64,
) {
    if delta == 0 {
        return;
    }
    let (after, expires_at) = match kind {
        EarningKind::Growth => (account.growth, None),
        EarningKind::Points => (account.points, Some(clock::end_of_next_year(draft.at))),
    };
    let entry = EarningEntry {
        id: draft.row_id(),
        member: account.member,
        kind,
        delta,
        after,
        order,
        expires_at,
        at: draft.at,
    };
    draft.push(Change::Earning(entry));
}

/// Moves the account to `to` and starts that tier's validity; nothing when it holds it already.
pub(super) fn change_tier(
    draft: &mut Draft<'_>,
    account: &mut Account,
    policy: &Policy,
    order: Option<OrderId>,
    to: TierId,
) {
    let Some(tier) = policy.tiers.iter().find(|tier| tier.id == to) else {
        return;
    };
    if account.tier == to {
        return;
    }
    let valid_until = clock::months_later(draft.at, tier.valid_months);
    let entry = TierEntry {
        id: draft.row_id(),
        member: account.member,
        from: account.tier,
        to,
        order,
        basis: tier::net_recharged(account),
        valid_until,
        policy_version: policy.version,
        at: draft.at,
    };
    account.tier = to;
    account.tier_valid_until = Some(valid_until);
    draft.push(Change::Tier(entry));
    draft.event(Topic::TierChanged, account.member.0);
}

fn issue_coupons(draft: &mut Draft<'_>, policy: &Policy, order: &RechargeOrder) {
    let granted = order
        .quote
        .coupons
        .iter()
        .flat_map(|(template, count)| (0..*count).map(move |_| *template));
    for (index, id) in (0_u32..).zip(granted) {
        let Some(template) = policy.coupon_templates.iter().find(|kind| kind.id == id) else {
            continue;
        };
        draft.push(Change::Coupon(Coupon {
            id: CouponId(draft.operation.op_id.derive("coupon", index)),
            template: id,
            member: order.member,
            order: order.id,
            state: CouponState::Issued,
            expires_at: clock::end_of_day_after(draft.at, template.valid_days),
            issued_at: draft.at,
        }));
    }
    if !order.quote.coupons.is_empty() {
        draft.event(Topic::CouponIssued, order.id.0);
    }
}

/// The account that a channel's money comes from.
pub(super) fn clearing(channel: Channel) -> LedgerAccount {
    LedgerAccount::Clearing(channel)
}

/// Money that nobody can place yet goes from `source` to suspense. A negative amount is money
/// that left without a reason.
pub(super) fn suspend(draft: &mut Draft<'_>, source: LedgerAccount, amount: Money) {
    draft.transfer(Book::Money, source, LedgerAccount::Suspense, amount);
}
