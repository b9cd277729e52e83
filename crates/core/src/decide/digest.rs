//! The business content of an operation, hashed: two operations of one action must agree on it.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::attempt::GatewayOutcome;
use crate::drawer::DrawerOpen;
use crate::money::Money;
use crate::operation::{
    AttemptResult, AttemptStart, DeviceEnrol, Hash, LeaseGrant, MemberRegister, NamedLease,
    OpeningBalance, OperationBody, RechargeCash, RechargeOpen, RechargeRecorded, ShiftOpen,
    SpendOffline, SurplusRefunded,
};
use crate::recharge::AmountChoice;

/// Groups of content that an answer can name when they differ.
const FIELDS: [&str; TAGS] = [
    "kind", "id", "number", "subject", "choice", "amount", "promise", "rest",
];
const TAGS: usize = 8;
const WHOLE: usize = 32 - TAGS;

/// Digest of what a person or the server meant by `body`.
///
/// The first 24 bytes decide equality; the last 8 hold one byte per group of fields, so that
/// [`differing_field`] can name the group without the first body at hand. Left out is what a
/// repeated try may legitimately see anew: time and rules of the quote, its snapshot, points,
/// growth and tier, the cashier's "yes, again" to either question, and who approved it.
pub fn business_digest(body: &OperationBody) -> Hash {
    let mut groups: [Sha256; TAGS] = std::array::from_fn(|_| Sha256::new());
    feed(
        &mut Feeder {
            groups: &mut groups,
        },
        body,
    );
    let parts: [Hash; TAGS] = groups.map(|group| group.finalize().into());
    let mut whole = Sha256::new();
    parts.iter().for_each(|part| whole.update(part));
    let whole: Hash = whole.finalize().into();
    let mut digest = [0_u8; 32];
    digest[..WHOLE].copy_from_slice(&whole[..WHOLE]);
    for (tag, part) in digest[WHOLE..].iter_mut().zip(&parts) {
        *tag = part[0];
    }
    digest
}

/// The first group of fields in which two digests differ; `None` when they are equal. Groups
/// whose tags collide (1 in 256) are passed over, and `rest` is named for want of a better one.
pub fn differing_field(first: &Hash, other: &Hash) -> Option<&'static str> {
    if first == other {
        return None;
    }
    let tags = first[WHOLE..].iter().zip(&other[WHOLE..]);
    let index = tags.into_iter().position(|(first, other)| first != other);
    Some(FIELDS[index.unwrap_or(TAGS - 1)])
}

/// The group of fields of that name, as [`differing_field`] names it; `None` for another word.
pub fn field_named(name: &str) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| *field == name)
}

/// Indices into [`FIELDS`].
#[derive(Clone, Copy)]
enum Field {
    Kind,
    Id,
    Number,
    Subject,
    Choice,
    Amount,
    Promise,
    Rest,
}

/// Feeds values with their length, so that neighbours cannot be mistaken for each other.
struct Feeder<'a> {
    groups: &'a mut [Sha256; TAGS],
}

impl Feeder<'_> {
    fn bytes(&mut self, field: Field, bytes: &[u8]) {
        let group = &mut self.groups[field as usize];
        group.update((bytes.len() as u64).to_be_bytes());
        group.update(bytes);
    }
    fn text(&mut self, field: Field, text: &str) {
        self.bytes(field, text.as_bytes());
    }
    fn id(&mut self, field: Field, id: Uuid) {
        self.bytes(field, id.as_bytes());
    }
    fn number(&mut self, field: Field, number: i64) {
        self.bytes(field, &number.to_be_bytes());
    }
    fn money(&mut self, field: Field, amount: Money) {
        self.number(field, amount.fen());
    }
    fn optional_id(&mut self, field: Field, id: Option<Uuid>) {
        match id {
            Some(id) => self.id(field, id),
            None => self.bytes(field, &[]),
        }
    }
}

fn feed(to: &mut Feeder<'_>, body: &OperationBody) {
    match body {
        OperationBody::ShiftOpen(body) => shift_open(to, body),
        OperationBody::RechargeOpen(body) => {
            to.text(Field::Kind, "recharge.open");
            recharge_open(to, body);
        }
        OperationBody::AttemptStart(body) => attempt_start(to, body),
        OperationBody::RechargeCash(body) => recharge_cash(to, body),
        OperationBody::RechargeRecorded(body) => recharge_recorded(to, body),
        OperationBody::RechargeCancel { order } => of_order(to, "recharge.cancel", order.0),
        OperationBody::ReceiptReprint { order, copy, .. } => {
            of_order(to, "receipt.reprint", order.0);
            to.number(Field::Rest, i64::from(*copy));
        }
        OperationBody::MemberCreate(body) => {
            to.text(Field::Kind, "member.create");
            to.id(Field::Id, body.member.0);
            to.text(Field::Number, &body.member_no);
        }
        OperationBody::PolicyPublish { version } => {
            to.text(Field::Kind, "policy.publish");
            to.number(Field::Number, i64::from(*version));
        }
        OperationBody::DeviceEnrol(body) => device_enrol(to, body),
        OperationBody::MemberRegister(body) => member_register(to, body),
        OperationBody::OpeningBalance(body) => opening_balance(to, body),
        OperationBody::AttemptResult(body) => attempt_result(to, body),
        OperationBody::OrderExpire { order } => of_order(to, "order.expire", order.0),
        OperationBody::SurplusRefunded(body) => surplus_refunded(to, body),
        OperationBody::CreditRetry { order } => of_order(to, "credit.retry", order.0),
        OperationBody::SpendOffline(body) => spend_offline(to, body),
        OperationBody::LeaseGrant(body) => lease_grant(to, body),
        OperationBody::LeaseRelease(body) => named_lease(to, "lease.release", body),
        OperationBody::LeaseLost(body) => named_lease(to, "lease.lost", body),
        OperationBody::DrawerOpen(body) => drawer_open(to, body),
    }
}

fn of_order(to: &mut Feeder<'_>, kind: &str, order: Uuid) {
    to.text(Field::Kind, kind);
    to.id(Field::Subject, order);
}

fn shift_open(to: &mut Feeder<'_>, body: &ShiftOpen) {
    to.text(Field::Kind, "shift.open");
    to.id(Field::Id, body.shift.0);
    to.text(Field::Number, &body.shift_no);
    for (denomination, count) in &body.float {
        to.money(Field::Amount, *denomination);
        to.number(Field::Amount, i64::from(*count));
    }
}

fn recharge_open(to: &mut Feeder<'_>, body: &RechargeOpen) {
    to.id(Field::Id, body.order.0);
    to.text(Field::Number, &body.order_no);
    to.id(Field::Subject, body.member.0);
    match body.choice {
        AmountChoice::Amount(amount) => to.money(Field::Choice, amount),
        AmountChoice::Package(package, version) => {
            to.id(Field::Choice, package.0);
            to.number(Field::Choice, i64::from(version));
        }
    }
    to.money(Field::Amount, body.quote.pay);
    to.money(Field::Promise, body.quote.bonus);
    for (template, count) in &body.quote.coupons {
        to.id(Field::Promise, template.0);
        to.number(Field::Promise, i64::from(*count));
    }
    to.optional_id(Field::Rest, body.seller.map(|seller| seller.0));
    // Digests of orders without one are older than this field.
    if let Some(cash_part) = body.cash_part {
        to.money(Field::Amount, cash_part);
    }
}

fn recharge_cash(to: &mut Feeder<'_>, body: &RechargeCash) {
    to.text(Field::Kind, "recharge.cash");
    recharge_open(to, &body.open);
    to.money(Field::Amount, body.tendered);
    to.money(Field::Amount, body.change);
}

fn recharge_recorded(to: &mut Feeder<'_>, body: &RechargeRecorded) {
    to.text(Field::Kind, "recharge.recorded");
    recharge_open(to, &body.open);
    to.number(Field::Choice, body.method.channel().number().into());
    to.text(Field::Rest, body.reference.as_str());
    // Digests of payments without one are older than this field.
    if let Some(cash_part) = body.cash_part {
        to.money(Field::Amount, cash_part);
    }
}

fn attempt_start(to: &mut Feeder<'_>, body: &AttemptStart) {
    to.text(Field::Kind, "attempt.start");
    to.id(Field::Id, body.attempt.0);
    to.text(Field::Number, &body.attempt_no);
    to.id(Field::Subject, body.order.0);
    to.number(Field::Choice, body.channel.number().into());
    to.number(Field::Choice, body.method.number().into());
    to.money(Field::Amount, body.amount);
}

fn device_enrol(to: &mut Feeder<'_>, body: &DeviceEnrol) {
    to.text(Field::Kind, "device.enrol");
    to.id(Field::Id, body.device.0);
    to.text(Field::Number, &body.terminal_code);
    to.bytes(Field::Rest, &body.public_key);
}

fn member_register(to: &mut Feeder<'_>, body: &MemberRegister) {
    to.text(Field::Kind, "member.register");
    to.id(Field::Id, body.member.0);
    to.text(Field::Number, &body.member_no);
    to.id(Field::Subject, body.home_store.0);
    to.number(Field::Rest, body.registered_at.ms());
}

fn opening_balance(to: &mut Feeder<'_>, body: &OpeningBalance) {
    to.text(Field::Kind, "opening.balance");
    to.id(Field::Subject, body.member.0);
    for lot in &body.lots {
        to.id(Field::Id, lot.id.0);
        to.money(Field::Amount, lot.principal_init);
        to.money(Field::Amount, lot.principal_left);
        to.money(Field::Amount, lot.bonus_init);
        to.money(Field::Amount, lot.bonus_left);
        to.number(
            Field::Rest,
            lot.bonus_expires_at.map_or(i64::MIN, |at| at.ms()),
        );
        to.number(Field::Rest, lot.spend_order.number().into());
        to.number(Field::Rest, lot.credited_at.ms());
    }
    to.money(Field::Amount, body.net_recharged);
    to.number(Field::Promise, body.growth);
    to.number(Field::Promise, body.points);
    to.id(Field::Promise, body.tier.0);
}

fn attempt_result(to: &mut Feeder<'_>, body: &AttemptResult) {
    to.text(Field::Kind, "attempt.result");
    to.id(Field::Subject, body.attempt.0);
    let kind = match &body.outcome {
        GatewayOutcome::QrReady { payload } => {
            to.text(Field::Rest, payload);
            "qr_ready"
        }
        GatewayOutcome::Success {
            channel_txn_no,
            amount,
            paid_at,
        } => {
            to.text(Field::Number, channel_txn_no);
            to.money(Field::Amount, *amount);
            to.number(Field::Rest, paid_at.ms());
            "success"
        }
        GatewayOutcome::Declined(code) => {
            to.number(Field::Rest, code.number().into());
            "declined"
        }
        GatewayOutcome::UserPaying => "user_paying",
        GatewayOutcome::Waiting => "waiting",
        GatewayOutcome::Unknown => "unknown",
        GatewayOutcome::Closed => "closed",
        GatewayOutcome::Reversing => "reversing",
        GatewayOutcome::Reversed { money_returned } => {
            if let Some(returned) = money_returned {
                to.number(Field::Rest, i64::from(*returned));
            }
            "reversed"
        }
        GatewayOutcome::ConfigError(fault) => {
            if let Some(fault) = fault {
                to.number(Field::Rest, fault.number().into());
            }
            "config_error"
        }
        GatewayOutcome::PaidElsewhere {
            channel_txn_no,
            amount,
        } => {
            to.text(Field::Number, channel_txn_no);
            to.money(Field::Amount, *amount);
            "paid_elsewhere"
        }
        GatewayOutcome::ReturnedOutside {
            channel_txn_no,
            amount,
        } => {
            to.text(Field::Number, channel_txn_no);
            to.money(Field::Amount, *amount);
            "returned_outside"
        }
        GatewayOutcome::ReversalUnclear => "reversal_unclear",
        GatewayOutcome::NoticeUnconfirmed {
            channel_txn_no,
            amount,
        } => {
            to.text(Field::Number, channel_txn_no);
            to.money(Field::Amount, *amount);
            "notice_unconfirmed"
        }
    };
    to.text(Field::Choice, kind);
}

fn surplus_refunded(to: &mut Feeder<'_>, body: &SurplusRefunded) {
    to.text(Field::Kind, "surplus.refunded");
    to.id(Field::Subject, body.attempt.0);
    to.text(Field::Number, &body.channel_txn_no);
    to.money(Field::Amount, body.amount);
}

/// Which leases paid is how it was paid, not what was meant: a try that the server did not answer may
/// go on with others.
fn spend_offline(to: &mut Feeder<'_>, body: &SpendOffline) {
    to.text(Field::Kind, "spend.offline");
    to.id(Field::Subject, body.member.0);
    to.money(Field::Amount, body.amount);
}

fn lease_grant(to: &mut Feeder<'_>, body: &LeaseGrant) {
    to.text(Field::Kind, "lease.grant");
    to.id(Field::Subject, body.member.0);
    to.id(Field::Rest, body.device.0);
    for draw in &body.lots {
        to.id(Field::Id, draw.lot.0);
        to.money(Field::Amount, draw.principal);
        to.money(Field::Amount, draw.bonus);
    }
}

fn drawer_open(to: &mut Feeder<'_>, body: &DrawerOpen) {
    to.text(Field::Kind, "drawer.open");
    to.number(Field::Choice, body.reason.number().into());
    if let Some(words) = &body.words {
        to.text(Field::Rest, words);
    }
}

fn named_lease(to: &mut Feeder<'_>, kind: &str, body: &NamedLease) {
    to.text(Field::Kind, kind);
    to.id(Field::Id, body.lease.0);
    to.id(Field::Subject, body.member.0);
}
