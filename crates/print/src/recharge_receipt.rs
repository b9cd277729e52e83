//! The slip of a recharge (充值单).

use qiantai_core::{Money, Timestamp};
use time::Date;

use crate::capitals::{CAPITALS_FROM, capitals};
use crate::document::{Align, Document, Line, PaperWidth, Rule, Span};
use crate::slip::{Slip, date, date_time};
use crate::texts::Language;

/// Everything a recharge slip says (docs: domain §5.5). Names and phone numbers come masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RechargeReceipt {
    /// The paper.
    pub width: PaperWidth,
    /// The language of the labels.
    pub language: Language,
    /// Who keeps this slip.
    pub holder: SlipHolder,
    /// The store.
    pub store: StoreHeader,
    /// Recharge order number (docs: domain §3.10).
    pub order_no: String,
    /// When the balance was credited; for an offline order and for money that is not credited,
    /// when the money was taken.
    pub taken_at: Timestamp,
    /// When this slip is printed.
    pub printed_at: Timestamp,
    /// Code of the terminal.
    pub terminal: String,
    /// The cashier.
    pub cashier: String,
    /// Who sold the recharge, if someone else did.
    pub seller: Option<String>,
    /// The manager who let it pass a limit.
    pub approver: Option<String>,
    /// That manager took the money too, and let it be credited alone.
    pub released_alone: bool,
    /// The member.
    pub member: MemberOnReceipt,
    /// What the member paid.
    pub paid: Money,
    /// How.
    pub payment: PaymentOnReceipt,
    /// What it did to the account; `None` for money that the shop has and the account does not:
    /// the slip then says so, and what happens next.
    pub credited: Option<Credited>,
    /// The refund rule in one sentence.
    pub refund_rule: String,
    /// The member's contract.
    pub contract_no: Option<String>,
    /// Where to complain.
    pub complaint_phone: String,
    /// The signed operation, `QT1:` and base45 (docs: sync); `None` where the money came through
    /// a channel and is not credited: nothing is signed yet that the code could say.
    pub qr_payload: Option<String>,
    /// Set on every print after the first.
    pub reprint: Option<Reprint>,
    /// Taken offline; figures are provisional until the server has them.
    pub provisional: bool,
    /// Printed in training mode.
    pub training: bool,
    /// Opens the cash drawer. A reprint never does.
    pub open_drawer: bool,
}

/// Who keeps a slip. Two are printed by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlipHolder {
    /// The shop (商户联).
    Shop,
    /// The member (会员联).
    Member,
}

/// Head of the slip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreHeader {
    /// Name of the store.
    pub name: String,
    /// Street address.
    pub address: String,
    /// Phone of the store.
    pub phone: String,
}

/// The member as the slip may show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberOnReceipt {
    /// Member number.
    pub member_no: String,
    /// Masked name.
    pub masked_name: String,
    /// Masked phone.
    pub masked_phone: String,
    /// Name of the tier before the recharge.
    pub tier_before: String,
    /// Name of the tier after it.
    pub tier_after: String,
}

/// The payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOnReceipt {
    /// Name of the method in the slip's language.
    pub method: String,
    /// Number the channel gave the payment.
    pub channel_txn_no: Option<String>,
    /// For cash.
    pub cash: Option<CashTendered>,
    /// For a part in cash beside the method.
    pub split: Option<SplitOnReceipt>,
}

/// The parts of a payment by two methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitOnReceipt {
    /// What came by the method.
    pub other: Money,
    /// Name of cash in the slip's language.
    pub cash_method: String,
    /// What came in cash.
    pub cash: Money,
}

/// Cash over the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashTendered {
    /// What the member handed over.
    pub tendered: Money,
    /// What went back.
    pub change: Money,
}

/// What a recharge did to the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credited {
    /// What came on top.
    pub gifts: Gifts,
    /// Balance before the recharge.
    pub before: Balance,
    /// Balance after the recharge.
    pub after: Balance,
    /// Last day on which the bonus of this order can be spent, if it expires.
    pub bonus_valid_until: Option<Date>,
}

/// What a recharge earned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gifts {
    /// Bonus money.
    pub bonus: Money,
    /// Points.
    pub points: i64,
    /// Coupons.
    pub coupons: Vec<CouponOnReceipt>,
    /// Names of the rules that gave all this, each once.
    pub rules: Vec<String>,
}

/// Coupons of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponOnReceipt {
    /// Name of the coupon.
    pub name: String,
    /// How many.
    pub count: u32,
}

/// A balance, principal and bonus apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Principal (本金).
    pub principal: Money,
    /// Bonus (赠金).
    pub bonus: Money,
}

impl Balance {
    fn total(self) -> Money {
        self.principal + self.bonus
    }
}

/// A print after the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reprint {
    /// Counts from 1.
    pub copy: u32,
    /// Who printed it.
    pub operator: String,
}

impl RechargeReceipt {
    /// The slip as a document.
    pub fn document(&self) -> Document {
        let mut slip = Slip::new(self.language);
        if self.open_drawer && self.reprint.is_none() {
            slip.lines.push(Line::DrawerPulse);
        }
        self.marks(&mut slip);
        self.header(&mut slip);
        self.order(&mut slip);
        self.member(&mut slip);
        self.payment(&mut slip);
        match &self.credited {
            Some(credited) => {
                credited.gifts.write(&mut slip);
                credited.balance(&mut slip);
            }
            None => not_credited(&mut slip),
        }
        self.terms(&mut slip);
        self.foot(&mut slip);
        Document {
            width: self.width,
            title: self.order_no.clone(),
            printed_at: self.printed_at,
            lines: slip.lines,
        }
    }

    fn marks(&self, slip: &mut Slip) {
        let texts = slip.texts;
        if self.training {
            slip.centred(Span::bold(format!("*** {} ***", texts.training)));
        }
        if let Some(reprint) = &self.reprint {
            slip.centred(Span::bold(format!(
                "*** {} {} ***",
                texts.reprint, reprint.copy
            )));
            let printed_at = date_time(self.printed_at);
            slip.centred(Span::plain(format!("{printed_at} {}", reprint.operator)));
        }
        if self.provisional {
            slip.centred(Span::bold(format!("*** {} ***", texts.offline)));
            slip.centred(Span::plain(texts.offline_note));
        }
        if self.credited.is_none() {
            slip.centred(Span::bold(format!("*** {} ***", texts.not_credited)));
        }
        let is_marked = self.training || self.provisional || self.reprint.is_some();
        if is_marked || self.credited.is_none() {
            slip.lines.push(Line::Feed(1));
        }
    }

    fn header(&self, slip: &mut Slip) {
        slip.centred(Span::headline(&self.store.name));
        slip.centred(Span::plain(&self.store.address));
        slip.centred(Span::plain(format!(
            "{} {}",
            slip.texts.store_phone, self.store.phone
        )));
        slip.rule(Rule::Heavy);
    }

    fn order(&self, slip: &mut Slip) {
        let texts = slip.texts;
        let holder = match self.holder {
            SlipHolder::Shop => texts.shop_copy,
            SlipHolder::Member => texts.member_copy,
        };
        slip.columns(Span::bold(texts.recharge_slip), Span::plain(holder));
        slip.entry(texts.order_no, &self.order_no);
        slip.entry(texts.time, date_time(self.taken_at));
        slip.entry(texts.terminal, &self.terminal);
        slip.entry(texts.cashier, &self.cashier);
        if let Some(seller) = &self.seller {
            slip.entry(texts.seller, seller);
        }
        if let Some(approver) = &self.approver {
            let alone = self.released_alone;
            slip.entry(
                if alone {
                    texts.released_alone
                } else {
                    texts.approver
                },
                approver,
            );
        }
        slip.rule(Rule::Light);
    }

    fn member(&self, slip: &mut Slip) {
        let texts = slip.texts;
        let member = &self.member;
        slip.entry(texts.member_no, &member.member_no);
        slip.entry(texts.member, &member.masked_name);
        slip.entry(texts.phone, &member.masked_phone);
        if member.tier_before == member.tier_after {
            slip.entry(texts.tier, &member.tier_after);
        } else {
            slip.entry(
                texts.tier,
                format!("{} → {}", member.tier_before, member.tier_after),
            );
        }
        slip.rule(Rule::Light);
    }

    fn payment(&self, slip: &mut Slip) {
        let texts = slip.texts;
        slip.columns(
            Span::bold(texts.paid),
            Span::headline(format!("￥{}", self.paid)),
        );
        if self.paid >= CAPITALS_FROM {
            slip.entry(texts.capitals, capitals(self.paid));
        }
        match &self.payment.split {
            None => slip.entry(texts.method, &self.payment.method),
            Some(split) => {
                slip.entry(texts.method, texts.split);
                slip.entry(&self.payment.method, split.other.to_string());
                slip.entry(&split.cash_method, split.cash.to_string());
            }
        }
        if let Some(cash) = &self.payment.cash {
            slip.entry(texts.tendered, cash.tendered.to_string());
            slip.entry(texts.change, cash.change.to_string());
        }
        if let Some(channel_txn_no) = &self.payment.channel_txn_no {
            slip.entry(texts.channel_txn_no, channel_txn_no);
        }
        slip.rule(Rule::Light);
    }

    fn terms(&self, slip: &mut Slip) {
        let texts = slip.texts;
        if let Some(contract_no) = &self.contract_no {
            slip.entry(texts.contract_no, contract_no);
        }
        slip.entry(texts.complaints, &self.complaint_phone);
        let refund = Span::plain(format!("{}{}", texts.refund, self.refund_rule));
        slip.lines.push(Line::Text {
            span: refund,
            align: Align::Left,
        });
    }

    fn foot(&self, slip: &mut Slip) {
        let texts = slip.texts;
        slip.lines.extend([
            Line::Feed(1),
            Line::Signature {
                label: texts.signature.to_owned(),
            },
            Line::Feed(1),
        ]);
        slip.lines
            .extend(self.qr_payload.as_ref().map(|payload| Line::Qr {
                payload: payload.clone(),
                caption: texts.qr.to_owned(),
            }));
        slip.centred(Span::plain(format!(
            "{} {}",
            texts.printed_at,
            date_time(self.printed_at)
        )));
        slip.lines.extend([Line::Feed(1), Line::Cut]);
    }
}

impl Gifts {
    fn write(&self, slip: &mut Slip) {
        let texts = slip.texts;
        slip.columns(Span::plain(texts.bonus), Span::bold(self.bonus.to_string()));
        for coupon in &self.coupons {
            slip.entry(texts.coupon, format!("{} ×{}", coupon.name, coupon.count));
        }
        slip.entry(texts.points, format!("{:+}", self.points));
        for rule in &self.rules {
            slip.entry(texts.rule, rule);
        }
        slip.rule(Rule::Light);
    }
}

impl Credited {
    fn balance(&self, slip: &mut Slip) {
        let texts = slip.texts;
        let (before, after) = (self.before, self.after);
        slip.table(Span::plain, "", texts.before, texts.after);
        slip.table(
            Span::plain,
            texts.principal,
            before.principal,
            after.principal,
        );
        slip.table(Span::plain, texts.bonus_balance, before.bonus, after.bonus);
        slip.table(Span::bold, texts.balance, before.total(), after.total());
        if let Some(day) = self.bonus_valid_until {
            slip.entry(texts.bonus_valid_until, date(day));
        }
        slip.rule(Rule::Light);
    }
}

/// Promises nothing that a person has still to decide: no bonus, no balance, no day.
fn not_credited(slip: &mut Slip) {
    let texts = slip.texts;
    slip.columns(Span::plain(texts.balance), Span::bold(texts.unchanged));
    slip.lines.push(Line::Text {
        span: Span::plain(texts.not_credited_note),
        align: Align::Left,
    });
    slip.rule(Rule::Light);
}
