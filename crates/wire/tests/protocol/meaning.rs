//! What an operation says, in the words of the document: ids as text, hashes in hexadecimal,
//! amounts in fen, times in milliseconds, `null` where there is nothing.

use qiantai_core::Money;
use qiantai_core::attempt::GatewayOutcome;
use qiantai_core::operation::{Operation, OperationBody, RechargeOpen, StaffProof};
use qiantai_core::recharge::AmountChoice;
use qiantai_wire::codes::{ChannelDto, DrawerReasonDto, PayMethodDto};
use serde_json::{Value, json};

/// Everything around the body, and the body where terminals write or must read it.
pub fn of(operation: &Operation) -> Value {
    json!({
        "op_id": operation.op_id.0,
        "action_id": operation.action_id.0,
        "tenant": operation.tenant.0,
        "store": operation.store.0,
        "device": operation.device.0,
        "epoch": operation.epoch,
        "device_seq": operation.device_seq,
        "prev_hash": hex::encode(operation.prev_hash),
        "staff": operation.staff.map(proof),
        "shift": operation.shift.map(|shift| shift.0),
        "wall_time_ms": operation.wall_time.ms(),
        "boot_id": operation.boot_id,
        "monotonic_ms": operation.monotonic_ms,
        "server_anchor_ms": operation.server_anchor.map(|anchor| anchor.ms()),
        "cursor": operation.cursor.map(|cursor| json!({
            "timeline": cursor.timeline,
            "server_seq": cursor.server_seq,
        })),
        "offline": operation.offline,
        "attachment": operation.attachment.map(hex::encode),
        "body": body(&operation.body),
    })
}

fn proof(proof: StaffProof) -> Value {
    json!({
        "staff": proof.staff.0,
        "method": "pin",
        "policy_version": proof.policy_version,
    })
}

fn body(body: &OperationBody) -> Value {
    match body {
        OperationBody::ShiftOpen(body) => {
            let coins = |(denomination, count): &(qiantai_core::Money, u32)| {
                json!([denomination.fen(), count])
            };
            json!({
                "shift": body.shift.0,
                "shift_no": body.shift_no,
                "float": body.float.iter().map(coins).collect::<Vec<_>>(),
            })
        }
        OperationBody::RechargeOpen(body) => recharge_open(body),
        OperationBody::RechargeCash(body) => json!({
            "open": recharge_open(&body.open),
            "tendered_fen": body.tendered.fen(),
            "change_fen": body.change.fen(),
            "approval": body.approval.map(proof),
        }),
        OperationBody::RechargeRecorded(body) => json!({
            "open": recharge_open(&body.open),
            "channel": ChannelDto::from(body.method.channel()),
            "reference": body.reference.as_str(),
            "reference_confirmed": body.reference_confirmed,
            "approval": body.approval.map(proof),
            "cash_part_fen": body.cash_part.map(qiantai_core::Money::fen),
        }),
        OperationBody::AttemptStart(body) => json!({
            "attempt": body.attempt.0,
            "attempt_no": body.attempt_no,
            "order": body.order.0,
            "channel": ChannelDto::from(body.channel),
            "method": PayMethodDto::from(body.method),
            "amount_fen": body.amount.fen(),
        }),
        OperationBody::RechargeCancel { order } => json!({ "order": order.0 }),
        OperationBody::ReceiptReprint {
            order,
            copy,
            approval,
        } => json!({
            "order": order.0,
            "copy": copy,
            "approval": approval.map(proof),
        }),
        OperationBody::MemberCreate(body) => json!({
            "member": body.member.0,
            "member_no": body.member_no,
        }),
        OperationBody::SpendOffline(body) => {
            let draws = body.draws.iter();
            let draws = draws.map(|draw| json!([draw.lease.0, draw.amount.fen()]));
            json!({
                "member": body.member.0,
                "amount_fen": body.amount.fen(),
                "draws": draws.collect::<Vec<_>>(),
                "approval": body.approval.map(proof),
            })
        }
        OperationBody::LeaseRelease(body) => json!({
            "lease": body.lease.0,
            "member": body.member.0,
        }),
        OperationBody::DrawerOpen(body) => json!({
            "reason": DrawerReasonDto::from(body.reason),
            "words": body.words,
            "approval": proof(body.approval),
        }),
        OperationBody::LeaseGrant(body) => {
            let lots = body.lots.iter();
            let lots = lots.map(|hold| json!([hold.lot.0, hold.principal.fen(), hold.bonus.fen()]));
            json!({
                "member": body.member.0,
                "device": body.device.0,
                "lots": lots.collect::<Vec<_>>(),
            })
        }
        OperationBody::AttemptResult(body) => json!({
            "attempt": body.attempt.0,
            "outcome": outcome(&body.outcome),
        }),
        _ => Value::Null,
    }
}

fn recharge_open(open: &RechargeOpen) -> Value {
    let (package, amount) = match open.choice {
        AmountChoice::Package(package, version) => (Some(json!([package.0, version])), None),
        AmountChoice::Amount(amount) => (None, Some(amount.fen())),
    };
    let coupons = open.quote.coupons.iter();
    let coupons = coupons.map(|(template, count)| json!([template.0, count]));
    json!({
        "order": open.order.0,
        "order_no": open.order_no,
        "member": open.member.0,
        "package": package,
        "amount_fen": amount,
        "quote": {
            "policy_version": open.quote.policy_version,
            "quoted_at_ms": open.quote.quoted_at.ms(),
            "pay_fen": open.quote.pay.fen(),
            "bonus_fen": open.quote.bonus.fen(),
            "points": open.quote.points,
            "growth": open.quote.growth,
            "bonus_valid_days": open.quote.bonus_valid_days,
            "tier_before": open.quote.tier.0.0,
            "tier_after": open.quote.tier.1.0,
            "coupons": coupons.collect::<Vec<_>>(),
        },
        "seller": open.seller.map(|seller| seller.0),
        "duplicate_confirmed": open.duplicate_confirmed,
        "cash_part_fen": open.cash_part.map(Money::fen),
    })
}

fn outcome(outcome: &GatewayOutcome) -> Value {
    match outcome {
        GatewayOutcome::Success {
            channel_txn_no,
            amount,
            paid_at,
        } => json!({
            "success": {
                "channel_txn_no": channel_txn_no,
                "amount_fen": amount.fen(),
                "paid_at_ms": paid_at.ms(),
            }
        }),
        _ => Value::Null,
    }
}
