//! What a gateway answered, as JSON for people and scripts.

use qiantai_pay::{
    BillAnswer, BillKind, BillLine, CloseAnswer, ConfigCause, GatewayAnswer, PaidFact,
    PendingState, QrAnswer, RefundAnswer, ReverseAnswer, UnknownCause,
};
use serde_json::{Value, json};

fn unknown(cause: &UnknownCause) -> Value {
    json!({"result": "unknown", "cause": cause.to_string()})
}

fn config(cause: &ConfigCause) -> Value {
    json!({"result": "config_error", "cause": cause.to_string()})
}

pub(super) fn created(answer: &QrAnswer) -> Value {
    match answer {
        QrAnswer::Created { payload } => json!({"result": "created", "qr": payload}),
        QrAnswer::Declined(code) => json!({"result": "declined", "code": format!("{code:?}")}),
        QrAnswer::Closed => json!({"result": "closed"}),
        QrAnswer::Unknown(cause) => unknown(cause),
        QrAnswer::ConfigError(cause) => config(cause),
    }
}

pub(super) fn standing(answer: &GatewayAnswer) -> Value {
    match answer {
        GatewayAnswer::Success(paid) => fact("success", paid),
        GatewayAnswer::Returned(paid) => fact("returned", paid),
        GatewayAnswer::Declined(code) => json!({"result": "declined", "code": format!("{code:?}")}),
        GatewayAnswer::Pending(PendingState::NotScanned) => {
            json!({"result": "pending", "state": "not_scanned"})
        }
        GatewayAnswer::Pending(PendingState::UserPaying) => {
            json!({"result": "pending", "state": "user_paying"})
        }
        GatewayAnswer::Closed => json!({"result": "closed"}),
        GatewayAnswer::Unknown(cause) => unknown(cause),
        GatewayAnswer::ConfigError(cause) => config(cause),
    }
}

fn fact(result: &str, paid: &PaidFact) -> Value {
    json!({
        "result": result,
        "channel_txn_no": paid.channel_txn_no,
        "amount_fen": paid.amount.fen(),
        "paid_at_ms": paid.paid_at.ms(),
    })
}

pub(super) fn closed(answer: &CloseAnswer) -> Value {
    match answer {
        CloseAnswer::Closed => json!({"result": "closed"}),
        CloseAnswer::AlreadyPaid => json!({"result": "already_paid"}),
        CloseAnswer::Unknown(cause) => unknown(cause),
        CloseAnswer::ConfigError(cause) => config(cause),
    }
}

pub(super) fn reversed(answer: &ReverseAnswer) -> Value {
    match answer {
        ReverseAnswer::Reversed { money_returned } => {
            json!({"result": "reversed", "money_returned": money_returned})
        }
        ReverseAnswer::WindowPassed => json!({"result": "window_passed"}),
        ReverseAnswer::Unknown(cause) => unknown(cause),
        ReverseAnswer::ConfigError(cause) => config(cause),
    }
}

pub(super) fn refunded(answer: &RefundAnswer) -> Value {
    match answer {
        RefundAnswer::Succeeded {
            channel_refund_no,
            amount,
        } => json!({
            "result": "succeeded",
            "channel_refund_no": channel_refund_no,
            "amount_fen": amount.fen(),
        }),
        RefundAnswer::Accepted => json!({"result": "accepted"}),
        RefundAnswer::MerchantFundsShort => json!({"result": "merchant_funds_short"}),
        RefundAnswer::Refused(why) => json!({"result": "refused", "why": format!("{why:?}")}),
        RefundAnswer::NeedsHandling => json!({"result": "needs_handling"}),
        RefundAnswer::Unknown(cause) => unknown(cause),
        RefundAnswer::ConfigError(cause) => config(cause),
    }
}

pub(super) fn bill(answer: &BillAnswer) -> Value {
    match answer {
        BillAnswer::Ready(lines) => {
            let lines: Vec<_> = lines.iter().map(line).collect();
            json!({"result": "ready", "lines": lines})
        }
        BillAnswer::NotYet => json!({"result": "not_yet"}),
        BillAnswer::OutOfRange => json!({"result": "out_of_range"}),
        BillAnswer::NotOffered => json!({"result": "not_offered"}),
        BillAnswer::Damaged(what) => json!({"result": "damaged", "what": what}),
        BillAnswer::Unknown(cause) => unknown(cause),
        BillAnswer::ConfigError(cause) => config(cause),
    }
}

fn line(line: &BillLine) -> Value {
    let kind = match line.kind {
        BillKind::Payment => "payment",
        BillKind::Refund => "refund",
        BillKind::Reversal => "reversal",
    };
    json!({
        "kind": kind,
        "attempt_no": line.attempt_no,
        "channel_txn_no": line.channel_txn_no,
        "refund_no": line.refund_no,
        "channel_refund_no": line.channel_refund_no,
        "amount_fen": line.amount.fen(),
        "settled_fen": line.settled.fen(),
        "at_ms": line.at.ms(),
    })
}
