//! Numbers with their words, and the document that must name them all.

use qiantai_wire::ErrorCode;
use qiantai_wire::codes::*;
use qiantai_wire::operation::Kind;
use serde_json::{Value, json};

use super::document;

macro_rules! enumerations {
    ($($name:literal: $of:ident,)*) => {
        fn enumerations() -> Vec<(&'static str, Vec<(u16, Value)>)> {
            vec![$((
                $name,
                $of::ALL.iter().map(|value| (value.number(), json!(value))).collect(),
            )),*]
        }
    };
}

enumerations! {
    "channel": ChannelDto,
    "method": PayMethodDto,
    "attempt state": AttemptStateDto,
    "decline": DeclineCodeDto,
    "set-up fault": ConfigFaultDto,
    "order state": OrderStateDto,
    "member status": MemberStatusDto,
    "spend order": SpendOrderDto,
    "store kind": StoreKindDto,
    "accent": AccentDto,
    "role": RoleDto,
    "limit": LimitKindDto,
    "limit action": LimitActionDto,
    "rule": RuleKindDto,
    "rule verdict": RuleVerdictDto,
    "lease state": LeaseStateDto,
    "drawer reason": DrawerReasonDto,
    "coupon state": CouponStateDto,
    "shift state": ShiftStateDto,
    "case": CaseKindDto,
}

/// Every table, for programs.
pub fn all() -> Value {
    let words = |(name, values): (&'static str, Vec<(u16, Value)>)| {
        let rows = values.iter().map(|(number, word)| json!([number, word]));
        (name.to_owned(), rows.collect::<Value>())
    };
    let errors = ErrorCode::ALL.iter().map(|code| {
        json!({
            "code": code.number(),
            "status": code.http_status(),
            "message_key": code.message_key(),
            "retryable": code.is_retryable(),
        })
    });
    let refusals = RefusalCodeDto::ALL.iter().map(|code| {
        json!({
            "code": code.number(),
            "reason": code,
            "message_key": code.message_key(),
        })
    });
    let kinds = Kind::ALL.iter().map(
        |kind| json!({ "kind": kind.number(), "version": kind.version(), "name": kind.name() }),
    );
    json!({
        "kinds": kinds.collect::<Value>(),
        "errors": errors.collect::<Value>(),
        "refusals": refusals.collect::<Value>(),
        "words": enumerations().into_iter().map(words).collect::<serde_json::Map<_, _>>(),
    })
}

#[test]
fn the_document_names_every_number() {
    let codes = std::fs::read_to_string(document("codes.md")).unwrap();
    let mut rows = 0;
    let mut check = |row: String| {
        let times = codes.lines().filter(|line| line.starts_with(&row)).count();
        assert_eq!(times, 1, "docs/protocol/codes.md needs one row `{row}…`");
        rows += 1;
    };
    for code in ErrorCode::ALL {
        let retry = if code.is_retryable() { "yes" } else { "no" };
        let key = code.message_key().replace("error.", "");
        let (number, status) = (code.number(), code.http_status());
        check(format!("| {number} | {status} | `{key}` | {retry} |"));
    }
    for code in RefusalCodeDto::ALL {
        let reason = json!(code);
        let reason = reason.as_str().unwrap();
        assert_eq!(code.message_key(), format!("refusal.{reason}"));
        check(format!("| {} | `{reason}` |", code.number()));
    }
    for kind in Kind::ALL {
        let (number, version, name) = (kind.number(), kind.version(), kind.name());
        check(format!("| {number} | `{name}` | {version} |"));
    }
    for (name, values) in enumerations() {
        let word = |(number, word): &(u16, Value)| format!("{number} `{}`", word.as_str().unwrap());
        let words: Vec<_> = values.iter().map(word).collect();
        check(format!("| {name} | {} |", words.join(", ")));
    }
    let told = codes.lines().filter(|line| line.starts_with("| "));
    let heads = codes.lines().filter(|line| line.starts_with("|--")).count();
    assert_eq!(
        told.count(),
        rows + heads,
        "a row of codes.md is of nothing known"
    );
}
