//! Operations: everything that changes the ledger (shared sync.md).

use crate::account::{Draw, Lot};
use crate::attempt::{Channel, GatewayOutcome, PayMethod};
use crate::clock::{Millis, Timestamp};
use crate::drawer::DrawerOpen;
use crate::ids::{
    ActionId, AttemptId, DeviceId, LeaseId, MemberId, OpId, OrderId, ShiftId, StaffId, StoreId,
    TenantId, TierId,
};
use crate::lease::LEASES_MOST;
use crate::money::Money;
use crate::quote::{MOST_PER_ORDER, Quote};
use crate::recharge::AmountChoice;
use crate::recorded_payment::{PaymentReference, RecordedMethod};
use uuid::Uuid;

/// SHA-256.
pub type Hash = [u8; 32];

/// One thing that a person or the server did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Names this signed record.
    pub op_id: OpId,
    /// Names the intent; posts once per tenant.
    pub action_id: ActionId,
    /// Whose books.
    pub tenant: TenantId,
    /// Which store.
    pub store: StoreId,
    /// Which device wrote it.
    pub device: DeviceId,
    /// Counts key changes of the device.
    pub epoch: u32,
    /// Gapless per device and epoch, from 1.
    pub device_seq: u64,
    /// Hash of the device's operation before this one; zeros for the first.
    pub prev_hash: Hash,
    /// Who did it, for operations of people.
    pub staff: Option<StaffProof>,
    /// In which shift.
    pub shift: Option<ShiftId>,
    /// The device's clock.
    pub wall_time: Timestamp,
    /// Which start of the device's system.
    pub boot_id: Uuid,
    /// Milliseconds since that start.
    pub monotonic_ms: u64,
    /// Last server time seen.
    pub server_anchor: Option<Timestamp>,
    /// How far the device had read the server's log.
    pub cursor: Option<Cursor>,
    /// True when written without an answer from the server.
    pub offline: bool,
    /// Hash of bytes that travel beside the operation (sealed profile, policy document).
    pub attachment: Option<Hash>,
    /// What was done.
    pub body: OperationBody,
}

/// A position in the server's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Changes when the server is restored from a backup.
    pub timeline: u32,
    /// Commit order of the tenant, from 1.
    pub server_seq: u64,
}

/// Who acted and how that was established.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaffProof {
    /// The person.
    pub staff: StaffId,
    /// How.
    pub method: StaffMethod,
    /// Policy version against which it was checked.
    pub policy_version: u32,
}

/// How a person was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffMethod {
    /// PIN on the terminal.
    Pin,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationBody {
    /// Fact: a shift began with this float.
    ShiftOpen(ShiftOpen),
    /// Request: open an order that waits for payment.
    RechargeOpen(RechargeOpen),
    /// Request: ask a gateway for the money of an order.
    AttemptStart(AttemptStart),
    /// Fact: cash was taken for a top-up. Opens, pays and credits the order at once.
    RechargeCash(RechargeCash),
    /// Fact: money was taken on the bank's card terminal or by transfer, and its reference keyed
    /// in; a part of it may be cash. Opens, pays and credits the order at once.
    RechargeRecorded(RechargeRecorded),
    /// Request: stop waiting; takes effect once the gateway confirms that nothing was paid.
    RechargeCancel {
        /// The order.
        order: OrderId,
    },
    /// Fact: a receipt was printed again.
    ReceiptReprint {
        /// The order.
        order: OrderId,
        /// 1 for the first copy.
        copy: u32,
        /// The manager whose PIN let it, beyond [`COPIES_ALONE`].
        approval: Option<StaffProof>,
    },
    /// Fact: somebody became a member at the counter; the sealed profile is the attachment.
    MemberCreate(MemberCreate),
    /// Fact: a service was paid from stored value without asking the server.
    SpendOffline(SpendOffline),
    /// Fact: the terminal gives a lease back and will not draw on it again.
    LeaseRelease(NamedLease),
    /// Fact: the drawer was opened, and no sale opened it.
    DrawerOpen(DrawerOpen),
    /// Server: rules were published; the document is the attachment.
    PolicyPublish {
        /// The new version.
        version: u32,
    },
    /// Server: a terminal joined.
    DeviceEnrol(DeviceEnrol),
    /// Server: a member was registered; the sealed profile is the attachment.
    MemberRegister(MemberRegister),
    /// Server: balances brought from an older system (期初导入).
    OpeningBalance(OpeningBalance),
    /// Server: a gateway answered.
    AttemptResult(AttemptResult),
    /// Server: an order waited too long and no attempt is open.
    OrderExpire {
        /// The order.
        order: OrderId,
    },
    /// Server: a second success was sent back by the gateway.
    SurplusRefunded(SurplusRefunded),
    /// Server: try again to credit an order that is paid and was blocked.
    CreditRetry {
        /// The order.
        order: OrderId,
    },
    /// Server: a terminal may spend so much of a member's stored value without asking. The signed
    /// operation is the lease that the terminal keeps.
    LeaseGrant(LeaseGrant),
    /// Server: an administrator declared that the terminal of a lease will not come back.
    LeaseLost(NamedLease),
}

/// Body of [`OperationBody::ShiftOpen`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftOpen {
    /// Identity.
    pub shift: ShiftId,
    /// `JB…`.
    pub shift_no: String,
    /// Notes and coins: denomination and count.
    pub float: Vec<(Money, u32)>,
}

/// Body of [`OperationBody::RechargeOpen`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RechargeOpen {
    /// Identity of the order.
    pub order: OrderId,
    /// `CZ…`.
    pub order_no: String,
    /// Who is topped up.
    pub member: MemberId,
    /// What was chosen.
    pub choice: AmountChoice,
    /// What the cashier was shown; refused when the server computes another price or bonus.
    pub quote: Quote,
    /// Who sold it.
    pub seller: Option<StaffId>,
    /// The cashier confirmed that an equal order within 120 s is meant (docs: domain §3.9).
    pub duplicate_confirmed: bool,
    /// For a split whose rest a gateway is asked for: what the cashier takes in cash first, more than
    /// nothing and less than all (docs: adr 0039). Facts say their parts themselves.
    pub cash_part: Option<Money>,
}

/// Body of [`OperationBody::AttemptStart`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptStart {
    /// Identity of the attempt.
    pub attempt: AttemptId,
    /// `ZF…`.
    pub attempt_no: String,
    /// The order.
    pub order: OrderId,
    /// By which channel.
    pub channel: Channel,
    /// How.
    pub method: PayMethod,
    /// Equal to the order's amount; of a split, to what is not cash.
    pub amount: Money,
}

/// Body of [`OperationBody::RechargeCash`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RechargeCash {
    /// What a QR order would say too.
    pub open: RechargeOpen,
    /// Cash handed over.
    pub tendered: Money,
    /// Cash given back; `tendered − change` is the order's amount.
    pub change: Money,
    /// The manager whose PIN let it pass the cap on offline cash (docs: domain §5.2, sync,
    /// "Offline top-up").
    pub approval: Option<StaffProof>,
}

/// Body of [`OperationBody::RechargeRecorded`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RechargeRecorded {
    /// What a QR order would say too; its amount is what was taken.
    pub open: RechargeOpen,
    /// How the money came; of a split, all of it but the part in cash.
    pub method: RecordedMethod,
    /// What the bank calls the payment.
    pub reference: PaymentReference,
    /// The cashier confirmed that a reference used before is another payment
    /// (see [`RecordedMethod::may_repeat`]).
    pub reference_confirmed: bool,
    /// The manager whose PIN let it be recorded without the server (docs: sync, "Offline top-up").
    pub approval: Option<StaffProof>,
    /// For a split: the part of the amount that lies in the drawer, more than nothing and less than
    /// all of it. Written with the rest, so that no order ever stands with one part (docs: adr
    /// 0029).
    pub cash_part: Option<Money>,
}

/// Body of [`OperationBody::MemberCreate`]. Store and time are the operation's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberCreate {
    /// Identity.
    pub member: MemberId,
    /// Number on card and receipt.
    pub member_no: String,
}

/// Body of [`OperationBody::SpendOffline`]. What no lease pays is `amount` less the draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendOffline {
    /// Whose stored value.
    pub member: MemberId,
    /// Price of the service.
    pub amount: Money,
    /// What each lease of this terminal pays of it, in the order drawn.
    pub draws: Vec<LeaseDraw>,
    /// The manager whose PIN let it pass what the leases hold (docs: sync, "Offline spending:
    /// leases").
    pub approval: Option<StaffProof>,
}

/// What one lease pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseDraw {
    /// The lease.
    pub lease: LeaseId,
    /// More than nothing.
    pub amount: Money,
}

impl SpendOffline {
    /// Whether it can be a payment: an amount that a counter takes, of which at most all is drawn
    /// on a few leases, each once.
    pub fn is_whole(&self) -> bool {
        let draws = &self.draws;
        let is_first = |(index, draw): (usize, &LeaseDraw)| {
            draws[..index].iter().all(|known| known.lease != draw.lease)
        };
        let is_within = |amount: Money| amount.is_positive() && amount <= self.amount;
        self.amount.is_positive()
            && self.amount <= MOST_PER_ORDER
            && draws.len() <= LEASES_MOST
            && draws.iter().all(|draw| is_within(draw.amount))
            && draws.iter().enumerate().all(is_first)
            && !self.beyond_leases().is_negative()
    }

    /// What no lease pays.
    pub fn beyond_leases(&self) -> Money {
        self.amount - self.draws.iter().map(|draw| draw.amount).sum()
    }
}

/// Body of [`OperationBody::LeaseRelease`] and [`OperationBody::LeaseLost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedLease {
    /// The lease.
    pub lease: LeaseId,
    /// Whose money it holds.
    pub member: MemberId,
}

/// Body of [`OperationBody::LeaseGrant`]; the lease is named like the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseGrant {
    /// Whose stored value.
    pub member: MemberId,
    /// Which terminal may spend it.
    pub device: DeviceId,
    /// How much of each lot.
    pub lots: Vec<Draw>,
}

/// Body of [`OperationBody::DeviceEnrol`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceEnrol {
    /// The device.
    pub device: DeviceId,
    /// Two digits within the store.
    pub terminal_code: String,
    /// Ed25519.
    pub public_key: [u8; 32],
}

/// Body of [`OperationBody::MemberRegister`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRegister {
    /// Identity.
    pub member: MemberId,
    /// Number on card and receipt.
    pub member_no: String,
    /// Store of registration.
    pub home_store: StoreId,
    /// Claimed time of registration.
    pub registered_at: Timestamp,
}

/// Body of [`OperationBody::OpeningBalance`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningBalance {
    /// The member.
    pub member: MemberId,
    /// Lots as they were left.
    pub lots: Vec<Lot>,
    /// Σ principal ever recharged there, net of refunds.
    pub net_recharged: Money,
    /// Growth.
    pub growth: i64,
    /// Points.
    pub points: i64,
    /// Tier held.
    pub tier: TierId,
}

/// Body of [`OperationBody::AttemptResult`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptResult {
    /// The attempt.
    pub attempt: AttemptId,
    /// What the gateway said.
    pub outcome: GatewayOutcome,
}

/// Body of [`OperationBody::SurplusRefunded`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurplusRefunded {
    /// The attempt that was paid too much.
    pub attempt: AttemptId,
    /// The payment that was sent back.
    pub channel_txn_no: String,
    /// How much.
    pub amount: Money,
}

impl OperationBody {
    /// Facts happened in the shop and are never rejected; everything else is a request or the
    /// server's own word (shared sync.md).
    pub fn is_fact(&self) -> bool {
        matches!(
            self,
            OperationBody::ShiftOpen(_)
                | OperationBody::RechargeCash(_)
                | OperationBody::RechargeRecorded(_)
                | OperationBody::ReceiptReprint { .. }
                | OperationBody::MemberCreate(_)
                | OperationBody::SpendOffline(_)
                | OperationBody::LeaseRelease(_)
                | OperationBody::DrawerOpen(_)
        )
    }

    /// True for bodies that only the server's own device may write.
    pub fn is_server_only(&self) -> bool {
        !matches!(
            self,
            OperationBody::ShiftOpen(_)
                | OperationBody::RechargeOpen(_)
                | OperationBody::AttemptStart(_)
                | OperationBody::RechargeCash(_)
                | OperationBody::RechargeRecorded(_)
                | OperationBody::RechargeCancel { .. }
                | OperationBody::ReceiptReprint { .. }
                | OperationBody::MemberCreate(_)
                | OperationBody::SpendOffline(_)
                | OperationBody::LeaseRelease(_)
                | OperationBody::DrawerOpen(_)
        )
    }
}

/// Copies of one receipt that a cashier prints alone (docs: domain §5.2).
pub const COPIES_ALONE: u32 = 2;

/// How far a device's clock may be off before somebody is warned (docs: domain §3.10).
pub const MOST_CLOCK_SKEW: Millis = Millis::seconds(60);

impl Operation {
    /// How far the device's clock was off, when that is worth a warning: more than 60 s from
    /// `now` while online, behind the last server time it had seen, or ahead of `now`.
    /// Positive when the device's clock is ahead.
    pub fn clock_skew(&self, now: Timestamp) -> Option<Millis> {
        let from_now = self.wall_time - now;
        let from_anchor = self
            .server_anchor
            .map_or(Millis(0), |anchor| self.wall_time - anchor);
        let is_late = !self.offline && from_now.0 < -MOST_CLOCK_SKEW.0;
        if from_now.0 > MOST_CLOCK_SKEW.0 || is_late {
            Some(from_now)
        } else if from_anchor.0 < -MOST_CLOCK_SKEW.0 {
            Some(from_anchor)
        } else {
            None
        }
    }

    /// When the work was done, for facts: the claimed time, not before the last server time that
    /// the device had seen and not after `now`. Requests happen when they are decided.
    pub fn business_time(&self, now: Timestamp) -> Timestamp {
        if !self.body.is_fact() {
            return now;
        }
        let earliest = self
            .server_anchor
            .map_or(self.wall_time, |anchor| anchor.min(now));
        self.wall_time.max(earliest).min(now)
    }
}
