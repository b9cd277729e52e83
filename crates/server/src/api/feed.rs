//! `GET /v1/feed`: the log as terminals replicate it.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use qiantai_core::ids::MemberId;
use qiantai_wire::api::{FEED_LIMIT, FeedQuery};
use qiantai_wire::feed::{FeedChange, FeedEntry, FeedPage, MemberDto};
use qiantai_wire::profile::open_profile;
use qiantai_wire::{ApiError, ErrorCode};

use super::auth::{Origin, Seated};
use super::failure::Failure;
use super::request::{self, read as read_books};
use crate::audit::Viewer;
use crate::db::{Ledger, LedgerError, SealedProfile, Seat};
use crate::embedded::Server;

/// Entries after a cursor, in commit order, without gaps.
#[utoipa::path(
    get,
    path = "/v1/feed",
    params(FeedQuery),
    responses(
        (status = 200, description = "A stretch of the feed", body = FeedPage),
        (status = "default", description = "No feed", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn read(
    State(server): State<Server>,
    Seated(seat): Seated,
    Origin(address): Origin,
    query: Result<Query<FeedQuery>, QueryRejection>,
) -> Result<Json<FeedPage>, Failure> {
    let query = request::query(query)?;
    let limit = query.limit.unwrap_or(FEED_LIMIT).clamp(1, FEED_LIMIT);
    let now = server.now();
    let viewer = Viewer { seat, address, now };
    let (head, rows) = read_rows(&server, viewer, &query, limit).await?;
    if head.timeline != query.timeline {
        return Err(Failure::from(ErrorCode::TimelineChanged).with("timeline", head.timeline));
    }
    Ok(Json(FeedPage {
        timeline: head.timeline,
        head: head.server_seq,
        entries: rows,
        server_time_ms: now.ms(),
    }))
}

async fn read_rows(
    server: &Server,
    viewer: Viewer,
    query: &FeedQuery,
    limit: u32,
) -> Result<(crate::db::Head, Vec<FeedEntry>), Failure> {
    let (timeline, after) = (query.timeline, query.after);
    read_books(server, move |ledger| {
        // The head first: entries that come in between are beyond it, never missing below it.
        let seat = &viewer.seat;
        let head = ledger.head(seat.tenant)?;
        if head.timeline != timeline || after >= head.server_seq {
            return Ok((head, Vec::new()));
        }
        let rows = ledger.feed(seat.tenant, after, limit)?;
        let entries = rows.iter().map(|(_, json)| entry(ledger, seat, json));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let members = entries.iter().map(|entry| with_profiles(&entry.changes));
        viewer.sees(ledger, members.sum(), &format!("feed after {after}"))?;
        Ok((head, entries))
    })
    .await
}

/// How many members come with their personal data.
pub(super) fn with_profiles(changes: &[FeedChange]) -> usize {
    let is_shown =
        |change: &&FeedChange| matches!(change, FeedChange::Member(row) if row.profile.is_some());
    changes.iter().filter(is_shown).count()
}

/// Profiles are not in the feed's rows, so that a person can be erased; they join here. Rules of
/// other stores leave here; the entry stays, so that the cursor has no gap.
fn entry(ledger: &dyn Ledger, seat: &Seat, json: &str) -> Result<FeedEntry, LedgerError> {
    let mut entry: FeedEntry =
        serde_json::from_str(json).map_err(|error| LedgerError::Corrupt(error.to_string()))?;
    entry.changes.retain(
        |change| !matches!(change, FeedChange::Policy(policy) if policy.store.id != seat.store.0),
    );
    for change in &mut entry.changes {
        if let FeedChange::Member(member) = change {
            let sealed = ledger.profile(seat.tenant, MemberId(member.id))?;
            *member = with_profile(member.clone(), sealed.as_ref());
        }
    }
    Ok(entry)
}

/// The member with its profile, unless the person was erased.
pub(super) fn with_profile(member: MemberDto, sealed: Option<&SealedProfile>) -> MemberDto {
    let Some((sealed, key)) = sealed.and_then(|profile| Some((profile, profile.key.as_ref()?)))
    else {
        return member;
    };
    match open_profile(&sealed.sealed, MemberId(member.id), key) {
        Ok(profile) => member.with_profile(&profile),
        Err(error) => {
            tracing::error!(%error, member = %member.id, "a profile does not open");
            member
        }
    }
}
