//! Finding and showing members.

use qiantai_core::ids::MemberId;
use qiantai_core::ledger::CouponState;

use qiantai_store::SearchQuery;

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::parse;
use crate::show::member::{MemberCard, hit};
use crate::view::member::{MemberHit, MemberKey, MemberSearch, MemberView, RecentEntry};

/// Lines of a search result; more than fits a glance is refined by typing on.
const HITS_MAX: usize = 20;

/// Top-ups shown beside a member.
const RECENT_MAX: u32 = 4;

impl Counter {
    /// Finds members.
    pub(crate) fn search_members(
        &self,
        request: &MemberSearch,
    ) -> Result<Vec<MemberHit>, CallError> {
        self.staff()?;
        let query = match request.exact {
            true => SearchQuery::from_scanned(&request.text),
            false => SearchQuery::from_typed(&request.text),
        };
        let Some(query) = query else {
            return Ok(Vec::new());
        };
        let found = self.store.search_members(&query, HITS_MAX)?;
        self.shown(&found)
    }

    /// Members as lines of a result. One without a profile was erased and is not shown.
    pub(crate) fn shown(
        &self,
        found: &[qiantai_store::MemberHit],
    ) -> Result<Vec<MemberHit>, CallError> {
        let policy = self.policy()?;
        let overlay = self.overlay(&[])?;
        let lines = found.iter().filter_map(|found| {
            let known = &found.member;
            let account = overlay
                .account(known.member.id)
                .or(found.account.as_ref())?;
            Some(hit(
                &known.member,
                known.profile.as_ref()?,
                account,
                &policy,
            ))
        });
        Ok(lines.collect())
    }

    /// One member.
    pub(crate) fn member(&self, request: &MemberKey) -> Result<MemberView, CallError> {
        self.staff()?;
        let id = MemberId(parse::id(&request.member_id)?);
        let not_found = || CallError::new(ErrorCode::NotFound, "member_unknown");
        let policy = self.policy()?;
        let overlay = self.overlay(&[id])?;
        let record = self.store.member(id)?.ok_or_else(not_found)?;
        let account = overlay.account(id).ok_or_else(not_found)?;
        let now = self.now();
        let coupons = self.store.coupons_of(id)?;
        let usable = coupons
            .iter()
            .filter(|coupon| coupon.state == CouponState::Issued && coupon.expires_at > now)
            .count();
        let card = MemberCard {
            member: &record.member,
            profile: record.profile.as_ref().ok_or_else(not_found)?,
            account,
            confirmed: overlay.confirmed.get(&id).unwrap_or(account),
            policy: &policy,
            coupons: u32::try_from(usable).unwrap_or(u32::MAX),
            recent: self.recent(id)?,
            as_of: self.store.sync_mark()?.server_time,
            now,
        };
        Ok(card.view())
    }

    fn recent(&self, member: MemberId) -> Result<Vec<RecentEntry>, CallError> {
        let mut entries = Vec::new();
        for file in self.order_files_of(member, RECENT_MAX)? {
            let Some(credit) = &file.order.credit else {
                continue;
            };
            entries.push(RecentEntry {
                at_ms: credit.credited_at.into(),
                pay_fen: file.order.quote.pay.into(),
                bonus_fen: file.order.quote.bonus.into(),
                provisional: file.provisional,
            });
        }
        Ok(entries)
    }
}
