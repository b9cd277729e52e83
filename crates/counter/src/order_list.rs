//! Finding orders by day, state, method, cashier, member and number.

use std::collections::HashSet;

use qiantai_core::half_width::half_width;
use qiantai_core::ids::{MemberId, OrderId, StaffId};
use qiantai_core::recharge::RechargeOrder;
use qiantai_core::{Money, Timestamp};
use qiantai_store::SearchQuery;
use time::{Date, Duration};

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::orders::is_open;
use crate::overlay::Overlay;
use crate::parse;
use crate::show::order::OrderFile;
use crate::show::staff_name;
use crate::view::Ms;
use crate::view::order::Stage;
use crate::view::order_list::{OrderFilter, OrderGroup, OrderLine, OrderList, OrderPeriod};
use crate::view::top_up::ChannelView;

/// Lines of one answer; more is refined by the filters.
const LINES_MAX: usize = 200;
/// Orders looked at for one answer.
const LOOKED_AT_MAX: u32 = 20_000;
/// Members that a text may mean.
const MEMBERS_MAX: usize = 200;

impl Counter {
    /// Orders of the shop known here that fit `filter`, newest first.
    pub(crate) fn find_orders(&self, filter: &OrderFilter) -> Result<OrderList, CallError> {
        self.staff()?;
        let now = self.now();
        let (since, until) = self.span(filter, now)?;
        let sought = self.sought(filter)?;
        let overlay = self.overlay(&[])?;
        let (orders, cut) = self.opened_between(&overlay, since, until)?;
        let mut files = Vec::new();
        for order in orders.into_iter().filter(|order| sought.fits(order)) {
            files.push(self.file_in(&overlay, order)?);
        }
        files.extend(self.held_files()?.into_iter().filter(|file| {
            let opened = file.order.opened_at;
            opened >= since && opened < until && sought.fits(&file.order)
        }));
        files.retain(|file| fits(file, filter));
        files.sort_by_key(|file| std::cmp::Reverse(file.order.opened_at));
        self.list(&files, cut, now)
    }

    fn list(&self, files: &[OrderFile], cut: bool, now: Timestamp) -> Result<OrderList, CallError> {
        let credited = files.iter().filter(|file| file.stage() == Stage::Credited);
        let (mut count, mut paid, mut bonus) = (0_u32, Money::ZERO, Money::ZERO);
        for file in credited {
            count += 1;
            paid += file.order.quote.pay;
            bonus += file.order.quote.bonus;
        }
        let policy = self.policy()?;
        let cut_off = policy.store.cut_off_minutes;
        let today_ends = end_of(now.business_date(cut_off), cut_off);
        let lines = files.iter().take(LINES_MAX).map(|file| OrderLine {
            order: file.summary(),
            cashier: staff_name(&policy, file.order.cashier),
        });
        Ok(OrderList {
            lines: lines.collect(),
            count: u32::try_from(files.len()).unwrap_or(u32::MAX),
            credited: count,
            paid_fen: paid.into(),
            bonus_fen: bonus.into(),
            cut,
            today_left_ms: Ms((today_ends - now).0),
        })
    }

    /// Orders of the replica and those that only this terminal knows yet; true when there are more.
    fn opened_between(
        &self,
        overlay: &Overlay,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<(Vec<RechargeOrder>, bool), CallError> {
        let mut orders = self.store.orders_between(since, until, LOOKED_AT_MAX)?;
        let cut = orders.len() >= usize::try_from(LOOKED_AT_MAX).unwrap_or(usize::MAX);
        let known: HashSet<OrderId> = orders.iter().map(|order| order.id).collect();
        let own = overlay.state.orders.values().filter(|order| {
            order.opened_at >= since && order.opened_at < until && !known.contains(&order.id)
        });
        orders.extend(own.cloned());
        Ok((orders, cut))
    }

    /// From the start of the first business day until before the end of the last.
    fn span(
        &self,
        filter: &OrderFilter,
        now: Timestamp,
    ) -> Result<(Timestamp, Timestamp), CallError> {
        let cut_off = self.policy()?.store.cut_off_minutes;
        let today = now.business_date(cut_off);
        let day = |text: &str, field: &str| {
            parse::day(text, today).map_err(|error| error.with("field", field))
        };
        let (first, last) = match filter.period {
            OrderPeriod::Today => (today, today),
            OrderPeriod::Yesterday => (days_before(today, 1), days_before(today, 1)),
            OrderPeriod::Week => (days_before(today, 6), today),
            OrderPeriod::Days => (
                day(&filter.from, "from")?.unwrap_or(Date::MIN),
                day(&filter.to, "to")?.unwrap_or(today),
            ),
        };
        if first > last {
            let error = CallError::new(ErrorCode::InvalidInput, "day_order");
            return Err(error.with("field", "to"));
        }
        let since = Timestamp::start_of_business_day(first, cut_off);
        Ok((since, end_of(last, cut_off)))
    }

    fn sought(&self, filter: &OrderFilter) -> Result<Sought, CallError> {
        let text = filter.text.trim();
        let cashier = filter.cashier_id.as_deref();
        let cashier = cashier.map(parse::id).transpose()?.map(StaffId);
        let mut members = HashSet::new();
        if let Some(query) = SearchQuery::from_typed(text) {
            let hits = self.store.search_members(&query, MEMBERS_MAX)?;
            members.extend(hits.iter().map(|hit| hit.member.member.id));
        }
        Ok(Sought {
            number: text
                .chars()
                .map(half_width)
                .collect::<String>()
                .to_ascii_uppercase(),
            members,
            cashier,
        })
    }
}

/// What can be told of an order without its payments.
struct Sought {
    number: String,
    members: HashSet<MemberId>,
    cashier: Option<StaffId>,
}

impl Sought {
    fn fits(&self, order: &RechargeOrder) -> bool {
        let by_text = self.number.is_empty()
            || order.order_no.contains(&self.number)
            || self.members.contains(&order.member);
        by_text && self.cashier.is_none_or(|cashier| order.cashier == cashier)
    }
}

fn fits(file: &OrderFile, filter: &OrderFilter) -> bool {
    let stage = file.stage();
    // A split is found under either of its methods.
    let by_channel = filter.channel.is_none_or(|wanted| match wanted {
        ChannelView::Cash => file.has_cash(),
        other => file.channel().map(Into::into) == Some(other),
    });
    by_channel && filter.group.is_none_or(|group| group_of(stage) == group)
}

fn group_of(stage: Stage) -> OrderGroup {
    match stage {
        Stage::Credited => OrderGroup::Credited,
        Stage::Ended | Stage::Refused => OrderGroup::Unpaid,
        Stage::Paid | Stage::Abnormal => OrderGroup::Trouble,
        open => {
            debug_assert!(is_open(open), "{open:?}");
            OrderGroup::Open
        }
    }
}

/// When the business day after `day` begins.
fn end_of(day: Date, cut_off_minutes: u16) -> Timestamp {
    let start = |date| Timestamp::start_of_business_day(date, cut_off_minutes);
    day.next_day().map_or(Timestamp::from_ms(i64::MAX), start)
}

fn days_before(day: Date, days: i64) -> Date {
    day.saturating_sub(Duration::days(days))
}
