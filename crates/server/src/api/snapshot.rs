//! `GET /v1/snapshot`: what a new terminal needs before it follows the feed.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use qiantai_core::Millis;
use qiantai_core::Timestamp;
use qiantai_core::ids::MemberId;
use qiantai_wire::ApiError;
use qiantai_wire::api::{SNAPSHOT_LIMIT, SnapshotQuery};
use qiantai_wire::feed::{ChainEndDto, FeedChange, MemberDto, SnapshotPage};
use qiantai_wire::text::Hex;

use super::auth::{Origin, Seated};
use super::failure::Failure;
use super::feed::{with_profile, with_profiles};
use super::request::{self, read as read_books};
use crate::audit::Viewer;
use crate::db::{Head, Ledger, LedgerError, Seat};
use crate::embedded::Server;

/// Orders this recent are sent whatever their state, for reprints and the order list.
const RECENT: Millis = Millis::days(7);

/// Most cases in a snapshot.
const CASES: u32 = 200;

/// One page; the first begins with everything that is not a member's.
#[utoipa::path(
    get,
    path = "/v1/snapshot",
    params(SnapshotQuery),
    responses(
        (status = 200, description = "A part of the snapshot", body = SnapshotPage),
        (status = "default", description = "No snapshot", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn read(
    State(server): State<Server>,
    Seated(seat): Seated,
    Origin(address): Origin,
    query: Result<Query<SnapshotQuery>, QueryRejection>,
) -> Result<Json<SnapshotPage>, Failure> {
    let query = request::query(query)?;
    let limit = query
        .limit
        .unwrap_or(SNAPSHOT_LIMIT)
        .clamp(1, SNAPSHOT_LIMIT);
    let now = server.now();
    let after = query.after_member.map(MemberId);
    let page = read_books(&server, move |ledger| {
        let page = page(ledger, &seat, after, limit, now)?;
        let of = match after {
            None => "snapshot".to_owned(),
            Some(after) => format!("snapshot after {after}"),
        };
        let viewer = Viewer { seat, address, now };
        viewer.sees(ledger, with_profiles(&page.rows), &of)?;
        Ok(page)
    })
    .await?;
    Ok(Json(page))
}

fn page(
    ledger: &dyn Ledger,
    seat: &Seat,
    after: Option<MemberId>,
    limit: u32,
    now: Timestamp,
) -> Result<SnapshotPage, LedgerError> {
    let tenant = seat.tenant;
    // The head first: rows read after it may be newer, which whole rows make harmless.
    let (head, chain_end) = head_and_chain(ledger, seat)?;
    let mut rows = match after {
        None => shop_rows(ledger, seat, now)?,
        Some(_) => Vec::new(),
    };
    let members = ledger.member_page(tenant, after, limit)?;
    let is_last = members.len() < limit as usize;
    let next = members
        .last()
        .filter(|_| !is_last)
        .map(|row| row.member.id.0);
    let ids: Vec<MemberId> = members.iter().map(|row| row.member.id).collect();
    let leases = ledger.leases_of(tenant, &ids)?;
    rows.extend(leases.iter().map(|row| FeedChange::Lease(row.into())));
    let coupons = ledger.usable_coupons(tenant, &ids)?;
    rows.extend(coupons.iter().map(|row| FeedChange::Coupon(row.into())));
    for row in &members {
        let member = MemberDto::from(&row.member);
        rows.push(FeedChange::Member(with_profile(
            member,
            row.profile.as_ref(),
        )));
        rows.extend(
            row.account
                .as_ref()
                .map(|account| FeedChange::Account(account.into())),
        );
    }
    Ok(SnapshotPage {
        timeline: head.timeline,
        at_seq: head.server_seq,
        rows,
        member_total: ledger.member_count(tenant)?,
        next,
        chain_end: Some(chain_end),
        server_time_ms: now.ms(),
    })
}

/// The log's head, and where the terminal's own chain ends in it. Beside a writer, two reads are one
/// moment when the chain ended at the same place before and after.
fn head_and_chain(ledger: &dyn Ledger, seat: &Seat) -> Result<(Head, ChainEndDto), LedgerError> {
    let mut before = chain_end(ledger, seat)?;
    loop {
        let head = ledger.head(seat.tenant)?;
        let after = chain_end(ledger, seat)?;
        if after == before {
            return Ok((head, after));
        }
        before = after;
    }
}

fn chain_end(ledger: &dyn Ledger, seat: &Seat) -> Result<ChainEndDto, LedgerError> {
    let device = ledger.device(seat.tenant, seat.device)?;
    let end = device.map_or((0, [0; 32]), |(_, cursor)| {
        (cursor.last_seq, cursor.last_hash)
    });
    Ok(ChainEndDto {
        device_seq: end.0,
        hash: Hex(end.1),
    })
}

/// Prices, staff, shifts and orders of another store are none of this terminal's business; who its
/// tills are stands on receipts.
fn shop_rows(
    ledger: &dyn Ledger,
    seat: &Seat,
    now: Timestamp,
) -> Result<Vec<FeedChange>, LedgerError> {
    let tenant = seat.tenant;
    let mut rows = Vec::new();
    for policy in ledger.policies(tenant)? {
        if policy.store.id == seat.store {
            rows.push(FeedChange::Policy(Box::new(policy.as_ref().into())));
        }
    }
    rows.extend(
        ledger
            .devices(tenant)?
            .iter()
            .map(|(row, _)| FeedChange::Device(row.into())),
    );
    let mut shifts = ledger.open_shifts(tenant)?;
    shifts.retain(|shift| shift.store == seat.store);
    rows.extend(shifts.iter().map(|row| FeedChange::Shift(row.into())));
    for order in ledger.orders_since(tenant, seat.store, now - RECENT)? {
        let attempts = ledger.attempts_of_order(tenant, order.id)?;
        rows.push(FeedChange::Order(Box::new((&order).into())));
        rows.extend(attempts.iter().map(|row| FeedChange::Attempt(row.into())));
    }
    rows.extend(
        ledger
            .cases(tenant, CASES)?
            .iter()
            .map(|row| FeedChange::Case(row.into())),
    );
    Ok(rows)
}
