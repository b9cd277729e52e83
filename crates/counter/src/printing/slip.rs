//! What a slip says, read from the store at the moment of printing.

use qiantai_core::attempt::Channel;
use qiantai_core::ids::{ActionId, OrderId};
use qiantai_core::operation::{COPIES_ALONE, Operation, OperationBody};
use qiantai_core::policy::Policy;
use qiantai_core::recharge::{Credit, RechargeOrder};
use qiantai_core::{Millis, Timestamp, masking};
use qiantai_print::recharge_receipt::{
    Balance, CashTendered, CouponOnReceipt, Credited, Gifts, MemberOnReceipt, PaymentOnReceipt,
    Reprint, SlipHolder, SplitOnReceipt, StoreHeader,
};
use qiantai_print::{PaperWidth, RechargeReceipt};
use qiantai_store::{NewPrintJob, PrintJob};
use qiantai_wire::SignedOperation;
use qiantai_wire::receipt_qr::receipt_text;
use serde::{Deserialize, Serialize};

use crate::approval::releaser;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::overlay::decode;
use crate::parse;
use crate::settings;
use crate::show::order::OrderFile;
use crate::show::quote::reasons;
use crate::show::{coupon_names, staff_name, tier_name};
use crate::terminal::Draft;
use crate::view::order::{Holder, PrintCopy, PrintJobView, Stage};
use crate::view::session::{Language, PrinterSetting};

/// Kind of print job for the slip of a recharge.
pub const RECEIPT: &str = "recharge_receipt";

/// Name of the receipt printer in the queue.
pub const PRINTER: &str = "receipt";

/// The drawer opens for the change of a sale, and for nothing that comes out later: nobody may
/// stand at the till any more when the printer is back.
const DRAWER_WITHIN: Millis = Millis::minutes(2);

/// What a print job keeps of a slip; everything else is read when it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipRequest {
    /// Who keeps it.
    pub holder: Holder,
    /// Who printed a copy.
    pub operator: Option<String>,
    /// When it was asked for.
    pub asked_ms: i64,
    /// In which language, so that a later setting changes no slip of this order. Jobs of earlier
    /// versions have none.
    #[serde(default)]
    pub language: Language,
}

/// What `job` keeps.
///
/// # Errors
/// The document is not one of a slip.
pub(crate) fn request_of(job: &PrintJob) -> Result<SlipRequest, CallError> {
    serde_json::from_slice(&job.document).map_err(|error| CallError::malformed(&error))
}

impl Counter {
    /// The slips that come with a sale: the shop's first, because it opens the drawer.
    pub(crate) fn slips_of_sale(&self, order: OrderId) -> Result<Vec<NewPrintJob>, CallError> {
        let copies = settings::load(&self.store)?.printer.copies;
        let holders: &[Holder] = if copies >= 2 {
            &[Holder::Shop, Holder::Member]
        } else {
            &[Holder::Member]
        };
        holders
            .iter()
            .map(|holder| self.job(order, 0, *holder, None))
            .collect()
    }

    /// Prints a marked and counted copy; beyond two with a manager's PIN (docs: domain §5.2).
    pub(crate) fn reprint(&self, request: &PrintCopy) -> Result<PrintJobView, CallError> {
        let order = OrderId(parse::id(&request.order_id)?);
        let (staff, proof) = self.staff()?;
        let _sale = self.sale_lock();
        let file = self.order_file(order)?;
        taken_at(&file)?;
        let copy = file.order.copies + 1;
        let approval = match &request.approval {
            _ if copy <= COPIES_ALONE => None,
            None => return Err(CallError::new(ErrorCode::ApprovalNeeded, "reprint_limit")),
            Some(typed) => {
                let policy = self.policy()?;
                let approval = releaser(policy.as_ref(), proof.staff, typed, "reprint_own")?;
                self.check_pin(approval.staff, &typed.pin)?;
                Some(approval)
            }
        };
        let overlay = self.overlay(&[file.order.member])?;
        let draft = Draft {
            action: ActionId(self.surroundings.new_id()),
            staff: Some(proof),
            shift: Some(self.open_shift_id(&overlay)?),
            offline: self.is_offline(),
            body: OperationBody::ReceiptReprint {
                order,
                copy,
                approval,
            },
        };
        let overlay = overlay.with_order(&file);
        let job = self.job(order, copy, Holder::Member, Some(staff.name))?;
        let id = job.id;
        self.commit(&[draft], overlay, vec![job])?;
        self.print_view(id)
    }

    fn job(
        &self,
        order: OrderId,
        copy: u32,
        holder: Holder,
        operator: Option<String>,
    ) -> Result<NewPrintJob, CallError> {
        let now = self.now();
        let request = SlipRequest {
            holder,
            operator,
            asked_ms: now.ms(),
            language: self.slip_language(order)?,
        };
        let document =
            serde_json::to_vec(&request).map_err(|error| CallError::malformed(&error))?;
        Ok(NewPrintJob {
            id: self.surroundings.new_id(),
            kind: RECEIPT.to_owned(),
            order: Some(order),
            copy,
            printer: PRINTER.to_owned(),
            document,
            queued_at: now,
        })
    }

    /// The language of the order's first slip, else the printer's: every copy says the same.
    pub(crate) fn slip_language(&self, order: OrderId) -> Result<Language, CallError> {
        let jobs = self.store.print_jobs_of(order)?;
        match jobs.first() {
            Some(first) => Ok(request_of(first)?.language),
            None => Ok(settings::load(&self.store)?.printer.language),
        }
    }

    /// The slip of an order for which the shop has the money: credited, or kept by the server for
    /// a person to look at. Nobody who paid leaves without paper.
    pub(crate) fn receipt(
        &self,
        file: &OrderFile,
        copy: u32,
        request: &SlipRequest,
    ) -> Result<RechargeReceipt, CallError> {
        let order = &file.order;
        let taken_at = taken_at(file)?;
        let policy = self.policy_of(order.quote.policy_version)?;
        let settings = settings::load(&self.store)?;
        let language = match request.language {
            Language::ZhCn => qiantai_print::Language::ZhCn,
            Language::En => qiantai_print::Language::En,
        };
        let person = |id| staff_name(&policy, id);
        let reprint = (copy > 0).then(|| Reprint {
            copy,
            operator: request.operator.clone().unwrap_or_default(),
        });
        Ok(RechargeReceipt {
            width: paper(&settings.printer),
            language,
            holder: match request.holder {
                Holder::Shop => SlipHolder::Shop,
                Holder::Member => SlipHolder::Member,
            },
            store: store_header(&policy),
            order_no: order.order_no.clone(),
            taken_at,
            printed_at: self.now(),
            terminal: self.terminal.code.clone(),
            cashier: person(order.cashier),
            seller: order.seller.map(person),
            approver: order.approver.map(person),
            released_alone: order.released_by_taker(),
            member: self.member_on_receipt(order, &policy)?,
            paid: order.quote.pay,
            payment: payment(file, language),
            credited: credit_of(file).map(|credit| Credited {
                gifts: gifts(order, &policy),
                before: Balance {
                    principal: credit.principal.0,
                    bonus: credit.bonus.0,
                },
                after: Balance {
                    principal: credit.principal.1,
                    bonus: credit.bonus.1,
                },
                bonus_valid_until: credit.bonus_expires_at.map(|at| at.local().date()),
            }),
            refund_rule: policy.store.refund_rule.clone(),
            contract_no: None,
            complaint_phone: policy.store.complaint_phone.clone(),
            qr_payload: self.qr_payload(file)?,
            reprint,
            provisional: file.provisional,
            training: self.training,
            open_drawer: self.slip_opens_drawer(&settings.printer, file, copy, request),
        })
    }

    /// The drawer opens for the change of a sale, with the first slip or before it.
    pub(super) fn slip_opens_drawer(
        &self,
        printer: &PrinterSetting,
        file: &OrderFile,
        copy: u32,
        request: &SlipRequest,
    ) -> bool {
        printer.drawer
            && file.has_cash()
            && copy == 0
            && is_of_this_moment(Timestamp::from_ms(request.asked_ms), self.now())
            && (request.holder == Holder::Shop || printer.copies == 1)
    }

    fn member_on_receipt(
        &self,
        order: &RechargeOrder,
        policy: &Policy,
    ) -> Result<MemberOnReceipt, CallError> {
        let known = self.store.member(order.member)?;
        let known = known.ok_or_else(|| CallError::new(ErrorCode::NotFound, "member_unknown"))?;
        let profile = known.profile.as_ref();
        let tiers = match order.credit {
            Some(credit) => credit.tier,
            None => {
                let account = self.store.account(order.member)?;
                let account =
                    account.ok_or_else(|| CallError::new(ErrorCode::NotFound, "member_unknown"))?;
                (account.tier, account.tier)
            }
        };
        Ok(MemberOnReceipt {
            member_no: known.member.member_no.clone(),
            masked_name: profile.map_or_else(String::new, |profile| masking::name(&profile.name)),
            masked_phone: profile
                .map_or_else(String::new, |profile| masking::phone(&profile.phone)),
            tier_before: tier_name(policy, tiers.0),
            tier_after: tier_name(policy, tiers.1),
        })
    }

    /// The signed operation that credited the order: this terminal's own for money that it took,
    /// the server's settlement for everything else (shared sync.md, "Receipt QR"). `None` where
    /// nothing credited it.
    fn qr_payload(&self, file: &OrderFile) -> Result<Option<String>, CallError> {
        let order = file.order.id;
        let signed = match self.own_taking(order)? {
            Some(own) => Some(own),
            None => self.store.settlement(order)?,
        };
        match signed {
            Some(signed) => receipt_text(&signed).map(Some).map_err(|error| {
                tracing::error!(%error, "receipt code");
                CallError::internal()
            }),
            None if credit_of(file).is_none() => Ok(None),
            None => {
                let unsigned = CallError::new(ErrorCode::ServerUnreachable, "receipt_unsigned");
                Err(unsigned.retryable())
            }
        }
    }

    /// Whether the server is to be asked for the settlement that the slip's code is made of.
    pub(crate) fn lacks_settlement(&self, order: OrderId) -> Result<bool, CallError> {
        let is_here = self.own_taking(order)?.is_some() || self.store.settlement(order)?.is_some();
        Ok(!is_here && !is_not_credited(&self.order_file(order)?))
    }

    fn own_taking(&self, order: OrderId) -> Result<Option<SignedOperation>, CallError> {
        let is_taking = |operation: &Operation| {
            matches!(
                operation.body,
                OperationBody::RechargeCash(_) | OperationBody::RechargeRecorded(_)
            )
        };
        let rows = self.store.operations_of_order(order)?;
        let taking = rows
            .into_iter()
            .find(|row| decode(row).is_ok_and(|own| is_taking(&own)));
        Ok(taking.map(|row| row.signed))
    }
}

/// What credited the order.
fn credit_of(file: &OrderFile) -> Option<Credit> {
    let credit = file.order.credit;
    credit.filter(|_| file.stage() == Stage::Credited)
}

/// Whether the shop has the money and the member's account does not.
fn is_not_credited(file: &OrderFile) -> bool {
    file.order.paid.is_some() && credit_of(file).is_none()
}

/// When the order was credited, or paid where it is not; `None` while the shop has nothing.
pub(crate) fn money_since(file: &OrderFile) -> Option<Timestamp> {
    let credited = credit_of(file).map(|credit| credit.credited_at);
    credited.or(file.order.paid.as_ref().map(|paid| paid.paid_at))
}

/// When the shop got what the slip is about.
///
/// # Errors
/// It has not: nothing is paid.
fn taken_at(file: &OrderFile) -> Result<Timestamp, CallError> {
    money_since(file).ok_or_else(|| CallError::new(ErrorCode::WrongState, "order_state"))
}

/// What is from the future happened before the clock was set back, nobody knows how long ago.
pub(super) fn is_of_this_moment(at: Timestamp, now: Timestamp) -> bool {
    (now - at).0.saturating_abs() <= DRAWER_WITHIN.0
}

fn paper(printer: &PrinterSetting) -> PaperWidth {
    if printer.paper_mm == 58 {
        PaperWidth::Mm58
    } else {
        PaperWidth::Mm80
    }
}

fn store_header(policy: &Policy) -> StoreHeader {
    let store = &policy.store;
    StoreHeader {
        name: store.name.clone(),
        address: store.address.clone(),
        phone: store.phone.clone(),
    }
}

fn payment(file: &OrderFile, language: qiantai_print::Language) -> PaymentOnReceipt {
    let paid = file.order.paid.as_ref();
    let tendered = paid.and_then(|paid| paid.tendered);
    PaymentOnReceipt {
        method: file
            .channel()
            .map_or("—", |channel| method_name(channel, language))
            .to_owned(),
        channel_txn_no: paid.and_then(|paid| paid.channel_txn_no.clone()),
        cash: tendered.map(|tendered| CashTendered {
            tendered,
            change: tendered - file.order.quote.pay,
        }),
        split: paid.and_then(|paid| {
            paid.cash_part.map(|cash| SplitOnReceipt {
                other: paid.by_channel(),
                cash_method: method_name(Channel::Cash, language).to_owned(),
                cash,
            })
        }),
    }
}

fn gifts(order: &RechargeOrder, policy: &Policy) -> Gifts {
    let coupons = coupon_names(policy, &order.quote.coupons).into_iter();
    Gifts {
        bonus: order.quote.bonus,
        points: order.quote.points,
        coupons: coupons
            .map(|(name, count)| CouponOnReceipt {
                name,
                count: u32::from(count),
            })
            .collect(),
        rules: reasons(&order.quote).into_iter().take(1).collect(),
    }
}

fn method_name(channel: Channel, language: qiantai_print::Language) -> &'static str {
    let (chinese, english) = match channel {
        Channel::Wechat => ("微信支付", "WeChat Pay"),
        Channel::Alipay => ("支付宝", "Alipay"),
        Channel::Unionpay => ("云闪付", "UnionPay"),
        Channel::Ecny => ("数字人民币", "e-CNY"),
        Channel::Card => ("刷卡（人工登记）", "Card (recorded)"),
        Channel::Cash => ("现金", "Cash"),
        Channel::Transfer => ("转账（人工登记）", "Transfer (recorded)"),
        Channel::ShopCode => ("店码（未核验）", "Shop code (unverified)"),
    };
    match language {
        qiantai_print::Language::ZhCn => chinese,
        qiantai_print::Language::En => english,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawer_opens_within_two_minutes_of_the_sale_only() {
        let now = Timestamp::from_ms(1_795_000_000_000);
        let cases = [
            ("at once", Millis(0), true),
            ("two minutes", Millis::minutes(2), true),
            ("a moment more", Millis(120_001), false),
            ("hours", Millis::hours(5), false),
            ("the clock was put right by a little", Millis(-90_000), true),
            ("the clock was set back by a day", Millis::days(-1), false),
        ];
        for (name, age, opens) in cases {
            assert_eq!(is_of_this_moment(now - age, now), opens, "{name}");
        }
    }
}
