//! Bodies about leases and what is paid from them.

use minicbor::{Decode, Encode};
use qiantai_core::Money;
use qiantai_core::account::Draw;
use qiantai_core::lease::LEASES_MOST;
use qiantai_core::operation::{LeaseDraw, LeaseGrant, NamedLease, SpendOffline, StaffProof};

use super::DecodeError;
use super::envelope::Staff;
use super::value::Id;

/// The draws are left out when no lease pays.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireSpendOffline {
    #[n(0)]
    member: Id,
    #[n(1)]
    amount_fen: i64,
    #[n(2)]
    draws: Option<Vec<WireDraw>>,
    #[n(3)]
    approval: Option<Staff>,
}

/// A lease and what it pays.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct WireDraw {
    #[n(0)]
    lease: Id,
    #[n(1)]
    amount_fen: i64,
}

impl WireSpendOffline {
    pub fn new(body: &SpendOffline) -> WireSpendOffline {
        let draw = |draw: &LeaseDraw| WireDraw {
            lease: draw.lease.into(),
            amount_fen: draw.amount.fen(),
        };
        let draws = body.draws.iter().map(draw).collect();
        WireSpendOffline {
            member: body.member.into(),
            amount_fen: body.amount.fen(),
            draws: Some(draws).filter(|draws: &Vec<_>| !draws.is_empty()),
            approval: body.approval.map(Staff::from),
        }
    }

    pub fn into_core(self) -> Result<SpendOffline, DecodeError> {
        let draws = self.draws.unwrap_or_default();
        if draws.len() > LEASES_MOST {
            return Err(malformed("a payment draws on a few leases"));
        }
        let draw = |draw: WireDraw| LeaseDraw {
            lease: draw.lease.into(),
            amount: Money::from_fen(draw.amount_fen),
        };
        let body = SpendOffline {
            member: self.member.into(),
            amount: Money::from_fen(self.amount_fen),
            draws: draws.into_iter().map(draw).collect(),
            approval: self.approval.map(StaffProof::try_from).transpose()?,
        };
        match body.is_whole() {
            true => Ok(body),
            false => Err(malformed("leases pay at most the amount, each once")),
        }
    }
}

/// A lease and whose money it holds.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireNamedLease {
    #[n(0)]
    lease: Id,
    #[n(1)]
    member: Id,
}

impl WireNamedLease {
    pub fn new(body: &NamedLease) -> WireNamedLease {
        WireNamedLease {
            lease: body.lease.into(),
            member: body.member.into(),
        }
    }

    pub fn into_core(self) -> NamedLease {
        NamedLease {
            lease: self.lease.into(),
            member: self.member.into(),
        }
    }
}

/// The lease is named like the operation.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireLeaseGrant {
    #[n(0)]
    member: Id,
    #[n(1)]
    device: Id,
    #[n(2)]
    lots: Vec<WireHold>,
}

/// A lot, and how much principal and bonus of it.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct WireHold {
    #[n(0)]
    lot: Id,
    #[n(1)]
    principal_fen: i64,
    #[n(2)]
    bonus_fen: i64,
}

impl WireLeaseGrant {
    pub fn new(body: &LeaseGrant) -> WireLeaseGrant {
        let hold = |draw: &Draw| WireHold {
            lot: draw.lot.into(),
            principal_fen: draw.principal.fen(),
            bonus_fen: draw.bonus.fen(),
        };
        WireLeaseGrant {
            member: body.member.into(),
            device: body.device.into(),
            lots: body.lots.iter().map(hold).collect(),
        }
    }

    pub fn into_core(self) -> LeaseGrant {
        let draw = |hold: WireHold| Draw {
            lot: hold.lot.into(),
            principal: Money::from_fen(hold.principal_fen),
            bonus: Money::from_fen(hold.bonus_fen),
        };
        LeaseGrant {
            member: self.member.into(),
            device: self.device.into(),
            lots: self.lots.into_iter().map(draw).collect(),
        }
    }
}

fn malformed(what: &str) -> DecodeError {
    DecodeError::Malformed(what.to_owned())
}
