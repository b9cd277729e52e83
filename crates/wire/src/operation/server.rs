//! Bodies that the server's own device writes.

use minicbor::{Decode, Encode};
use qiantai_core::account::Lot;
use qiantai_core::attempt::GatewayOutcome;
use qiantai_core::operation::{
    AttemptResult, DeviceEnrol, MemberRegister, OpeningBalance, SurplusRefunded,
};
use qiantai_core::{Money, Timestamp};

use super::DecodeError;
use super::body::unknown;
use super::value::{Bytes32, Id};
use crate::codes::{ConfigFaultDto, DeclineCodeDto, SpendOrderDto};

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WirePolicyPublish {
    #[n(0)]
    pub version: u32,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireDeviceEnrol {
    #[n(0)]
    device: Id,
    #[n(1)]
    terminal_code: String,
    #[n(2)]
    public_key: Bytes32,
}

impl WireDeviceEnrol {
    pub fn new(body: &DeviceEnrol) -> WireDeviceEnrol {
        WireDeviceEnrol {
            device: body.device.into(),
            terminal_code: body.terminal_code.clone(),
            public_key: Bytes32(body.public_key),
        }
    }

    pub fn into_core(self) -> DeviceEnrol {
        DeviceEnrol {
            device: self.device.into(),
            terminal_code: self.terminal_code,
            public_key: self.public_key.0,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireMemberRegister {
    #[n(0)]
    member: Id,
    #[n(1)]
    member_no: String,
    #[n(2)]
    home_store: Id,
    #[n(3)]
    registered_at_ms: i64,
}

impl WireMemberRegister {
    pub fn new(body: &MemberRegister) -> WireMemberRegister {
        WireMemberRegister {
            member: body.member.into(),
            member_no: body.member_no.clone(),
            home_store: body.home_store.into(),
            registered_at_ms: body.registered_at.ms(),
        }
    }

    pub fn into_core(self) -> MemberRegister {
        MemberRegister {
            member: self.member.into(),
            member_no: self.member_no,
            home_store: self.home_store.into(),
            registered_at: Timestamp::from_ms(self.registered_at_ms),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireOpeningBalance {
    #[n(0)]
    member: Id,
    #[n(1)]
    lots: Vec<WireLot>,
    #[n(2)]
    net_recharged_fen: i64,
    #[n(3)]
    growth: i64,
    #[n(4)]
    points: i64,
    #[n(5)]
    tier: Id,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireLot {
    #[n(0)]
    id: Id,
    #[n(1)]
    order: Option<Id>,
    #[n(2)]
    principal_init_fen: i64,
    #[n(3)]
    principal_left_fen: i64,
    #[n(4)]
    bonus_init_fen: i64,
    #[n(5)]
    bonus_left_fen: i64,
    #[n(6)]
    bonus_expires_at_ms: Option<i64>,
    #[n(7)]
    spend_order: u16,
    #[n(8)]
    credited_at_ms: i64,
}

impl From<&Lot> for WireLot {
    fn from(lot: &Lot) -> WireLot {
        WireLot {
            id: lot.id.into(),
            order: lot.order.map(Id::from),
            principal_init_fen: lot.principal_init.fen(),
            principal_left_fen: lot.principal_left.fen(),
            bonus_init_fen: lot.bonus_init.fen(),
            bonus_left_fen: lot.bonus_left.fen(),
            bonus_expires_at_ms: lot.bonus_expires_at.map(Timestamp::ms),
            spend_order: SpendOrderDto::from(lot.spend_order).number(),
            credited_at_ms: lot.credited_at.ms(),
        }
    }
}

impl TryFrom<WireLot> for Lot {
    type Error = DecodeError;

    fn try_from(lot: WireLot) -> Result<Lot, DecodeError> {
        let spend_order = SpendOrderDto::from_number(lot.spend_order)
            .ok_or_else(|| unknown("spend order", lot.spend_order))?;
        Ok(Lot {
            id: lot.id.into(),
            order: lot.order.map(Into::into),
            principal_init: Money::from_fen(lot.principal_init_fen),
            principal_left: Money::from_fen(lot.principal_left_fen),
            bonus_init: Money::from_fen(lot.bonus_init_fen),
            bonus_left: Money::from_fen(lot.bonus_left_fen),
            bonus_expires_at: lot.bonus_expires_at_ms.map(Timestamp::from_ms),
            spend_order: spend_order.into(),
            credited_at: Timestamp::from_ms(lot.credited_at_ms),
        })
    }
}

impl WireOpeningBalance {
    pub fn new(body: &OpeningBalance) -> WireOpeningBalance {
        WireOpeningBalance {
            member: body.member.into(),
            lots: body.lots.iter().map(WireLot::from).collect(),
            net_recharged_fen: body.net_recharged.fen(),
            growth: body.growth,
            points: body.points,
            tier: body.tier.into(),
        }
    }

    pub fn into_core(self) -> Result<OpeningBalance, DecodeError> {
        Ok(OpeningBalance {
            member: self.member.into(),
            lots: self
                .lots
                .into_iter()
                .map(Lot::try_from)
                .collect::<Result<_, _>>()?,
            net_recharged: Money::from_fen(self.net_recharged_fen),
            growth: self.growth,
            points: self.points,
            tier: self.tier.into(),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireAttemptResult {
    #[n(0)]
    attempt: Id,
    #[n(1)]
    outcome: WireOutcome,
}

/// What the gateway said: `[number, {fields}]`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub enum WireOutcome {
    #[n(1)]
    QrReady {
        #[n(0)]
        payload: String,
    },
    #[n(2)]
    Success {
        #[n(0)]
        channel_txn_no: String,
        #[n(1)]
        amount_fen: i64,
        #[n(2)]
        paid_at_ms: i64,
    },
    #[n(3)]
    Declined {
        #[n(0)]
        code: u16,
    },
    #[n(4)]
    UserPaying,
    #[n(5)]
    Waiting,
    #[n(6)]
    Unknown,
    #[n(7)]
    Closed,
    #[n(8)]
    Reversing,
    #[n(9)]
    Reversed {
        #[n(0)]
        money_returned: Option<bool>,
    },
    #[n(10)]
    ConfigError {
        #[n(0)]
        fault: Option<u16>,
    },
    #[n(11)]
    PaidElsewhere {
        #[n(0)]
        channel_txn_no: String,
        #[n(1)]
        amount_fen: i64,
    },
    #[n(12)]
    ReversalUnclear,
    #[n(13)]
    NoticeUnconfirmed {
        #[n(0)]
        channel_txn_no: String,
        #[n(1)]
        amount_fen: i64,
    },
    #[n(14)]
    ReturnedOutside {
        #[n(0)]
        channel_txn_no: String,
        #[n(1)]
        amount_fen: i64,
    },
}

impl From<&GatewayOutcome> for WireOutcome {
    fn from(outcome: &GatewayOutcome) -> WireOutcome {
        match outcome {
            GatewayOutcome::QrReady { payload } => WireOutcome::QrReady {
                payload: payload.clone(),
            },
            GatewayOutcome::Success {
                channel_txn_no,
                amount,
                paid_at,
            } => WireOutcome::Success {
                channel_txn_no: channel_txn_no.clone(),
                amount_fen: amount.fen(),
                paid_at_ms: paid_at.ms(),
            },
            GatewayOutcome::Declined(code) => WireOutcome::Declined {
                code: DeclineCodeDto::from(*code).number(),
            },
            GatewayOutcome::UserPaying => WireOutcome::UserPaying,
            GatewayOutcome::Waiting => WireOutcome::Waiting,
            GatewayOutcome::Unknown => WireOutcome::Unknown,
            GatewayOutcome::Closed => WireOutcome::Closed,
            GatewayOutcome::Reversing => WireOutcome::Reversing,
            GatewayOutcome::Reversed { money_returned } => WireOutcome::Reversed {
                money_returned: *money_returned,
            },
            GatewayOutcome::ConfigError(fault) => WireOutcome::ConfigError {
                fault: fault.map(|fault| ConfigFaultDto::from(fault).number()),
            },
            GatewayOutcome::PaidElsewhere {
                channel_txn_no,
                amount,
            } => WireOutcome::PaidElsewhere {
                channel_txn_no: channel_txn_no.clone(),
                amount_fen: amount.fen(),
            },
            GatewayOutcome::ReversalUnclear => WireOutcome::ReversalUnclear,
            GatewayOutcome::NoticeUnconfirmed {
                channel_txn_no,
                amount,
            } => WireOutcome::NoticeUnconfirmed {
                channel_txn_no: channel_txn_no.clone(),
                amount_fen: amount.fen(),
            },
            GatewayOutcome::ReturnedOutside {
                channel_txn_no,
                amount,
            } => WireOutcome::ReturnedOutside {
                channel_txn_no: channel_txn_no.clone(),
                amount_fen: amount.fen(),
            },
        }
    }
}

impl TryFrom<WireOutcome> for GatewayOutcome {
    type Error = DecodeError;

    fn try_from(outcome: WireOutcome) -> Result<GatewayOutcome, DecodeError> {
        Ok(match outcome {
            WireOutcome::QrReady { payload } => GatewayOutcome::QrReady { payload },
            WireOutcome::Success {
                channel_txn_no,
                amount_fen,
                paid_at_ms,
            } => GatewayOutcome::Success {
                channel_txn_no,
                amount: Money::from_fen(amount_fen),
                paid_at: Timestamp::from_ms(paid_at_ms),
            },
            WireOutcome::Declined { code } => {
                let code = DeclineCodeDto::from_number(code)
                    .ok_or_else(|| unknown("decline code", code))?;
                GatewayOutcome::Declined(code.into())
            }
            WireOutcome::UserPaying => GatewayOutcome::UserPaying,
            WireOutcome::Waiting => GatewayOutcome::Waiting,
            WireOutcome::Unknown => GatewayOutcome::Unknown,
            WireOutcome::Closed => GatewayOutcome::Closed,
            WireOutcome::Reversing => GatewayOutcome::Reversing,
            WireOutcome::Reversed { money_returned } => GatewayOutcome::Reversed { money_returned },
            WireOutcome::ConfigError { fault: None } => GatewayOutcome::ConfigError(None),
            WireOutcome::ConfigError { fault: Some(fault) } => {
                let fault = ConfigFaultDto::from_number(fault)
                    .ok_or_else(|| unknown("set-up fault", fault))?;
                GatewayOutcome::ConfigError(Some(fault.into()))
            }
            WireOutcome::PaidElsewhere {
                channel_txn_no,
                amount_fen,
            } => GatewayOutcome::PaidElsewhere {
                channel_txn_no,
                amount: Money::from_fen(amount_fen),
            },
            WireOutcome::ReversalUnclear => GatewayOutcome::ReversalUnclear,
            WireOutcome::NoticeUnconfirmed {
                channel_txn_no,
                amount_fen,
            } => GatewayOutcome::NoticeUnconfirmed {
                channel_txn_no,
                amount: Money::from_fen(amount_fen),
            },
            WireOutcome::ReturnedOutside {
                channel_txn_no,
                amount_fen,
            } => GatewayOutcome::ReturnedOutside {
                channel_txn_no,
                amount: Money::from_fen(amount_fen),
            },
        })
    }
}

impl WireAttemptResult {
    pub fn new(body: &AttemptResult) -> WireAttemptResult {
        WireAttemptResult {
            attempt: body.attempt.into(),
            outcome: (&body.outcome).into(),
        }
    }

    pub fn into_core(self) -> Result<AttemptResult, DecodeError> {
        Ok(AttemptResult {
            attempt: self.attempt.into(),
            outcome: self.outcome.try_into()?,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireSurplusRefunded {
    #[n(0)]
    attempt: Id,
    #[n(1)]
    channel_txn_no: String,
    #[n(2)]
    amount_fen: i64,
}

impl WireSurplusRefunded {
    pub fn new(body: &SurplusRefunded) -> WireSurplusRefunded {
        WireSurplusRefunded {
            attempt: body.attempt.into(),
            channel_txn_no: body.channel_txn_no.clone(),
            amount_fen: body.amount.fen(),
        }
    }

    pub fn into_core(self) -> SurplusRefunded {
        SurplusRefunded {
            attempt: self.attempt.into(),
            channel_txn_no: self.channel_txn_no,
            amount: Money::from_fen(self.amount_fen),
        }
    }
}
