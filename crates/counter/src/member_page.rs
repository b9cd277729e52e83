//! The member page: balance by lot, coupons, history.

use qiantai_core::account::Lot;
use qiantai_core::ids::MemberId;
use qiantai_core::ledger::{Coupon, CouponState};
use qiantai_core::policy::Policy;

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::overlay::Overlay;
use crate::parse;
use crate::show::member::EXPIRY_WARNING;
use crate::view::member::MemberKey;
use crate::view::member_page::{CouponView, EarlierOrders, LotView, MemberOrders, MemberPage};

/// Orders that the page shows at first, and by how many more each time.
const ORDERS_STEP: u32 = 20;

impl Counter {
    /// One member with lots, coupons and history.
    pub(crate) fn member_page(&self, request: &MemberKey) -> Result<MemberPage, CallError> {
        let member = self.member(request)?;
        let id = MemberId(parse::id(&request.member_id)?);
        let policy = self.policy()?;
        let overlay = self.overlay(&[id])?;
        let account = overlay
            .account(id)
            .ok_or_else(|| CallError::new(ErrorCode::NotFound, "member_unknown"))?;
        let mut lots: Vec<&Lot> = account.lots.iter().filter(|lot| !is_empty(lot)).collect();
        // As payments draw: earliest bonus expiry, then oldest (docs: domain §3.1).
        lots.sort_by_key(|lot| {
            let never = lot.bonus_expires_at.is_none();
            (never, lot.bonus_expires_at, lot.credited_at)
        });
        let lots = lots.into_iter().map(|lot| self.lot(&overlay, lot));
        let now = self.now();
        let mut coupons = self.store.coupons_of(id)?;
        coupons.retain(|coupon| coupon.state == CouponState::Issued && coupon.expires_at > now);
        coupons.sort_by_key(|coupon| coupon.expires_at);
        Ok(MemberPage {
            member,
            lots: lots.collect::<Result<_, _>>()?,
            coupons: counted(coupons.iter().map(|coupon| coupon_view(&policy, coupon))),
            history: self.history(id, ORDERS_STEP)?,
        })
    }

    /// The history with twenty orders more than are shown.
    pub(crate) fn earlier_orders(
        &self,
        request: &EarlierOrders,
    ) -> Result<MemberOrders, CallError> {
        self.staff()?;
        let id = MemberId(parse::id(&request.member_id)?);
        self.history(id, request.shown.saturating_add(ORDERS_STEP))
    }

    fn history(&self, id: MemberId, most: u32) -> Result<MemberOrders, CallError> {
        let files = self.order_files_of(id, most.saturating_add(1))?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let orders = files.iter().take(most).map(|file| file.summary());
        Ok(MemberOrders {
            orders: orders.collect(),
            has_earlier: files.len() > most,
        })
    }

    fn lot(&self, overlay: &Overlay, lot: &Lot) -> Result<LotView, CallError> {
        let order = match lot.order {
            None => None,
            Some(id) => match overlay.state.orders.get(&id) {
                Some(order) => Some(order.clone()),
                None => self.store.order(id)?,
            },
        };
        let until = lot
            .bonus_expires_at
            .filter(|_| lot.bonus_left.is_positive());
        let now = self.now();
        Ok(LotView {
            order_no: order.map(|order| order.order_no),
            credited_at_ms: lot.credited_at.into(),
            principal_fen: lot.principal_init.into(),
            principal_left_fen: lot.principal_left.into(),
            bonus_fen: lot.bonus_init.into(),
            bonus_left_fen: lot.bonus_left.into(),
            bonus_expires_ms: until.map(Into::into),
            expires_soon: until.is_some_and(|at| at > now && at <= now + EXPIRY_WARNING),
        })
    }
}

/// Equal coupons in one line.
fn counted(coupons: impl Iterator<Item = CouponView>) -> Vec<CouponView> {
    let mut lines: Vec<CouponView> = Vec::new();
    for coupon in coupons {
        let alike = |line: &&mut CouponView| {
            let count = line.count;
            **line
                == CouponView {
                    count,
                    ..coupon.clone()
                }
        };
        match lines.iter_mut().find(alike) {
            Some(line) => line.count += 1,
            None => lines.push(coupon),
        }
    }
    lines
}

fn is_empty(lot: &Lot) -> bool {
    lot.principal_left.is_zero() && lot.bonus_left.is_zero()
}

/// A template that the rules no longer have is shown by its number, so that nothing is hidden.
fn coupon_view(policy: &Policy, coupon: &Coupon) -> CouponView {
    let mut templates = policy.coupon_templates.iter();
    let template = templates.find(|template| template.id == coupon.template);
    CouponView {
        name: template.map_or_else(
            || coupon.template.to_string(),
            |template| template.name.clone(),
        ),
        face_fen: template.map(|template| template.face.into()),
        threshold_fen: template
            .filter(|template| template.threshold.is_positive())
            .map(|template| template.threshold.into()),
        expires_ms: coupon.expires_at.into(),
        count: 1,
    }
}
