//! What the books must hold: each top-up whose cash was taken, once, and nothing else.

use std::collections::HashMap;

use qiantai_core::Money;
use qiantai_core::ids::{MemberId, OrderId, TenantId};
use qiantai_core::ledger::{CaseKind, ExceptionCase};
use qiantai_core::member::MemberStatus;
use qiantai_server::db::Archive;
use uuid::Uuid;

use crate::Outcome;

/// Members in one reading.
const PAGE: u32 = 500;
/// Every top-up.
pub const TOP_UP: Money = Money::from_yuan(10);

/// What was there before the first top-up, and what was taken since.
pub struct Expected {
    tenant: TenantId,
    members: Vec<String>,
    /// Orders that were credited before.
    before: HashMap<OrderId, Money>,
    taken: HashMap<OrderId, Money>,
}

impl Expected {
    pub fn of(ledger: &dyn Archive) -> Outcome<Expected> {
        let tenant = ledger.tenants()?.pop().ok_or("the books are empty")?.id;
        let active = ledger.member_page(tenant, None, u32::MAX >> 1)?;
        let active = active
            .iter()
            .filter(|row| row.member.status == MemberStatus::Active);
        Ok(Expected {
            tenant,
            members: active.map(|row| row.member.id.0.to_string()).collect(),
            before: credited(ledger, tenant)?,
            taken: HashMap::new(),
        })
    }

    /// Whoever may be served.
    pub fn members(&self) -> Vec<String> {
        self.members.clone()
    }

    /// A terminal said that these are done.
    pub fn took(&mut self, orders: Vec<OrderId>) -> Outcome<()> {
        for order in orders {
            if self.taken.insert(order, TOP_UP).is_some() {
                return Err(format!("two offers came to one order {order}").into());
            }
        }
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.taken.len()
    }

    pub fn sum(&self) -> Money {
        self.taken.values().copied().sum()
    }

    /// Everybody is at rest: the books hold exactly what was taken. How many receipts promised points
    /// or a tier that another terminal, not yet heard of, made different: a person is to look at each.
    pub fn compare(&self, ledger: &dyn Archive) -> Outcome<usize> {
        let now = credited(ledger, self.tenant)?;
        let due = || self.before.iter().chain(&self.taken);
        for (order, amount) in due() {
            match now.get(order) {
                Some(credited) if credited == amount => {}
                found => return Err(format!("order {order} of {amount} is {found:?}").into()),
            }
        }
        if let Some((order, amount)) = now
            .iter()
            .find(|(order, _)| !due().any(|it| it.0 == *order))
        {
            return Err(format!("{amount} of order {order} was taken from nobody").into());
        }
        let cases = ledger.cases(self.tenant, u32::MAX >> 1)?;
        let differs = |case: &&ExceptionCase| {
            case.kind != CaseKind::QuoteDiffers || case.amount != Money::ZERO
        };
        match cases.iter().find(differs) {
            None => Ok(cases.len()),
            Some(case) => Err(format!("a top-up was not ordinary: {case:?}").into()),
        }
    }

    /// What these members have, in fen.
    pub fn balances(&self, ledger: &dyn Archive, members: &[String]) -> Outcome<Vec<i64>> {
        let mut balances = Vec::new();
        for member in members {
            let id = MemberId(Uuid::parse_str(member)?);
            let account = ledger.account(self.tenant, id)?;
            balances.push(account.ok_or("a member has no account")?.principal.fen());
        }
        Ok(balances)
    }
}

/// Every order with a credit, and how much principal. One that was credited twice is no answer.
fn credited(ledger: &dyn Archive, tenant: TenantId) -> Outcome<HashMap<OrderId, Money>> {
    let mut orders = HashMap::new();
    let mut after = None;
    loop {
        let page = ledger.member_books(tenant, after, PAGE)?;
        let Some(last) = page.members.last() else {
            return Ok(orders);
        };
        after = Some(last.member);
        for book in page.members {
            let mut lots = HashMap::new();
            for lot in book.lots.iter().filter_map(|lot| Some((lot.order?, lot))) {
                *lots.entry(lot.0).or_insert(Money::ZERO) += lot.1.principal_init;
                if lot.1.principal_init == TOP_UP && lot.1.bonus_init != Money::ZERO {
                    return Err(format!("order {} brought a bonus of its own", lot.0).into());
                }
            }
            for (order, amount) in book.credited {
                if lots.get(&order) != Some(&amount) {
                    return Err(format!("order {order} and its lots differ").into());
                }
                if orders.insert(order, amount).is_some() {
                    return Err(format!("order {order} was credited twice").into());
                }
            }
        }
    }
}
