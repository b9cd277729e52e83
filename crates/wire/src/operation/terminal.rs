//! Bodies that terminals write.

use minicbor::{Decode, Encode};
use qiantai_core::Money;
use qiantai_core::ids::{OrderId, StaffId};
use qiantai_core::operation::{
    AttemptStart, RechargeCash, RechargeOpen, RechargeRecorded, ShiftOpen, StaffProof,
};
use qiantai_core::recharge::AmountChoice;
use qiantai_core::recorded_payment::{PaymentReference, RecordedMethod};

use super::DecodeError;
use super::body::unknown;
use super::envelope::{Around, Staff, True};
use super::quote::WireQuote;
use super::value::{Attempt, Id, Number, Person, Recharge, Shift};
use crate::codes::{ChannelDto, PayMethodDto};

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireShiftOpen {
    #[n(0)]
    shift: Id,
    #[n(1)]
    shift_no: Number<Shift>,
    #[n(2)]
    float: Vec<Coins>,
}

/// Notes or coins of one denomination.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Coins {
    #[n(0)]
    denomination_fen: i64,
    #[n(1)]
    count: u32,
}

impl WireShiftOpen {
    pub fn new(body: &ShiftOpen) -> WireShiftOpen {
        let coins = |&(denomination, count): &(Money, u32)| Coins {
            denomination_fen: denomination.fen(),
            count,
        };
        WireShiftOpen {
            shift: body.shift.into(),
            shift_no: Number::new(&body.shift_no),
            float: body.float.iter().map(coins).collect(),
        }
    }

    pub fn into_core(self) -> ShiftOpen {
        let coins = |coins: Coins| (Money::from_fen(coins.denomination_fen), coins.count);
        ShiftOpen {
            shift: self.shift.into(),
            shift_no: self.shift_no.0,
            float: self.float.into_iter().map(coins).collect(),
        }
    }
}

/// The order is left out when its id is the action's. Since version 2 of `recharge.open` with what is
/// taken in cash before a gateway is asked for the rest; an order without it is written as version 1.
/// Inside of facts there is no such part.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireRechargeOpen {
    #[n(0)]
    order: Option<Id>,
    #[n(1)]
    order_no: Number<Recharge>,
    #[n(2)]
    member: Id,
    #[n(3)]
    package: Option<Chosen>,
    #[n(4)]
    amount_fen: Option<i64>,
    #[n(5)]
    quote: WireQuote,
    #[n(6)]
    seller: Option<Person>,
    #[n(7)]
    duplicate_confirmed: Option<True>,
    #[n(8)]
    cash_part_fen: Option<i64>,
}

/// A package and its version.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Chosen {
    #[n(0)]
    package: Id,
    #[n(1)]
    version: u32,
}

impl WireRechargeOpen {
    pub fn new(body: &RechargeOpen, around: &Around) -> WireRechargeOpen {
        let (package, amount) = match body.choice {
            AmountChoice::Package(package, version) => (
                Some(Chosen {
                    package: package.into(),
                    version,
                }),
                None,
            ),
            AmountChoice::Amount(amount) => (None, Some(amount.fen())),
        };
        WireRechargeOpen {
            order: (body.order.0 != around.action_id).then_some(body.order.into()),
            order_no: Number::new(&body.order_no),
            member: body.member.into(),
            package,
            amount_fen: amount,
            quote: WireQuote::new(&body.quote, around),
            seller: body.seller.map(|seller| Person::of(seller.0, around.staff)),
            duplicate_confirmed: True::when(body.duplicate_confirmed),
            cash_part_fen: body.cash_part.map(Money::fen),
        }
    }

    /// What a fact says of its order, whose parts stand beside it.
    fn into_fact(self, around: &Around) -> Result<RechargeOpen, DecodeError> {
        match self.cash_part_fen {
            None => self.into_core(around),
            Some(_) => Err(DecodeError::Malformed(
                "a part in cash inside of a fact's order".to_owned(),
            )),
        }
    }

    pub fn into_core(self, around: &Around) -> Result<RechargeOpen, DecodeError> {
        let choice = match (self.package, self.amount_fen) {
            (Some(chosen), None) => AmountChoice::Package(chosen.package.into(), chosen.version),
            (None, Some(fen)) => AmountChoice::Amount(Money::from_fen(fen)),
            _ => {
                return Err(DecodeError::Malformed(
                    "one of package and amount".to_owned(),
                ));
            }
        };
        let seller = match self.seller {
            None => None,
            Some(person) => {
                let seller = person
                    .resolve(around.staff)
                    .ok_or_else(|| DecodeError::Malformed("a seller without staff".to_owned()))?;
                Some(StaffId(seller))
            }
        };
        let quote = self.quote.into_quote(around);
        let cash_part = part_of(self.cash_part_fen, quote.pay)?;
        Ok(RechargeOpen {
            order: self.order.map_or(OrderId(around.action_id), OrderId::from),
            order_no: self.order_no.0,
            member: self.member.into(),
            choice,
            quote,
            seller,
            duplicate_confirmed: self.duplicate_confirmed.is_some(),
            cash_part,
        })
    }
}

/// The part in cash of a split of `whole`.
fn part_of(part_fen: Option<i64>, whole: Money) -> Result<Option<Money>, DecodeError> {
    let Some(part) = part_fen.map(Money::from_fen) else {
        return Ok(None);
    };
    if part.is_positive() && part < whole {
        return Ok(Some(part));
    }
    let what = "a part in cash is more than nothing and less than all";
    Err(DecodeError::Malformed(what.to_owned()))
}

/// The change is left out when it is what the amount asked for implies. Since version 2 with the
/// manager's approval; a top-up without one is written as version 1.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireRechargeCash {
    #[n(0)]
    open: WireRechargeOpen,
    #[n(1)]
    tendered_fen: i64,
    #[n(2)]
    change_fen: Option<i64>,
    #[n(3)]
    approval: Option<Staff>,
}

impl WireRechargeCash {
    pub fn new(body: &RechargeCash, around: &Around) -> WireRechargeCash {
        let tendered = body.tendered.fen();
        let implied = tendered.wrapping_sub(body.open.quote.pay.fen());
        WireRechargeCash {
            open: WireRechargeOpen::new(&body.open, around),
            tendered_fen: tendered,
            change_fen: (body.change.fen() != implied).then_some(body.change.fen()),
            approval: body.approval.map(Staff::from),
        }
    }

    pub fn into_core(self, around: &Around) -> Result<RechargeCash, DecodeError> {
        let open = self.open.into_fact(around)?;
        let implied = self.tendered_fen.wrapping_sub(open.quote.pay.fen());
        Ok(RechargeCash {
            tendered: Money::from_fen(self.tendered_fen),
            change: Money::from_fen(self.change_fen.unwrap_or(implied)),
            approval: self.approval.map(StaffProof::try_from).transpose()?,
            open,
        })
    }
}

/// The amount taken is that of the price. Since version 2 with the part of a split that is cash; a
/// payment without one is written as version 1. Since version 3 by the shop's own code: an older
/// server keeps such a payment until it can read it, where it would call the channel nonsense.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireRechargeRecorded {
    #[n(0)]
    open: WireRechargeOpen,
    #[n(1)]
    channel: u16,
    #[n(2)]
    reference: String,
    #[n(3)]
    reference_confirmed: Option<True>,
    #[n(4)]
    approval: Option<Staff>,
    #[n(5)]
    cash_part_fen: Option<i64>,
}

impl WireRechargeRecorded {
    pub fn new(body: &RechargeRecorded, around: &Around) -> WireRechargeRecorded {
        WireRechargeRecorded {
            open: WireRechargeOpen::new(&body.open, around),
            channel: ChannelDto::from(body.method.channel()).number(),
            reference: body.reference.as_str().to_owned(),
            reference_confirmed: True::when(body.reference_confirmed),
            approval: body.approval.map(Staff::from),
            cash_part_fen: body.cash_part.map(Money::fen),
        }
    }

    pub fn into_core(self, around: &Around) -> Result<RechargeRecorded, DecodeError> {
        let channel = ChannelDto::from_number(self.channel)
            .ok_or_else(|| unknown("channel", self.channel))?;
        let method = RecordedMethod::of(channel.into())
            .ok_or_else(|| unknown("recorded method", self.channel))?;
        let reference = PaymentReference::parse(method, &self.reference)
            .map_err(|fault| DecodeError::Malformed(format!("reference: {fault}")))?;
        let open = self.open.into_fact(around)?;
        let cash_part = part_of(self.cash_part_fen, open.quote.pay)?;
        Ok(RechargeRecorded {
            open,
            method,
            reference,
            reference_confirmed: self.reference_confirmed.is_some(),
            approval: self.approval.map(StaffProof::try_from).transpose()?,
            cash_part,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireAttemptStart {
    #[n(0)]
    attempt: Id,
    #[n(1)]
    attempt_no: Number<Attempt>,
    #[n(2)]
    order: Id,
    #[n(3)]
    channel: u16,
    #[n(4)]
    method: u16,
    #[n(5)]
    amount_fen: i64,
}

impl WireAttemptStart {
    pub fn new(body: &AttemptStart) -> WireAttemptStart {
        WireAttemptStart {
            attempt: body.attempt.into(),
            attempt_no: Number::new(&body.attempt_no),
            order: body.order.into(),
            channel: ChannelDto::from(body.channel).number(),
            method: PayMethodDto::from(body.method).number(),
            amount_fen: body.amount.fen(),
        }
    }

    pub fn into_core(self) -> Result<AttemptStart, DecodeError> {
        let channel = ChannelDto::from_number(self.channel)
            .ok_or_else(|| unknown("channel", self.channel))?;
        let method =
            PayMethodDto::from_number(self.method).ok_or_else(|| unknown("method", self.method))?;
        Ok(AttemptStart {
            attempt: self.attempt.into(),
            attempt_no: self.attempt_no.0,
            order: self.order.into(),
            channel: channel.into(),
            method: method.into(),
            amount: Money::from_fen(self.amount_fen),
        })
    }
}

/// Bodies that name an order and nothing else.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireOrder {
    #[n(0)]
    pub order: Id,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireReprint {
    #[n(0)]
    pub order: Id,
    #[n(1)]
    pub copy: u32,
    #[n(2)]
    pub approval: Option<Staff>,
}
