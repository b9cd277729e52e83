//! Table `action`: the first answer to every action.

use qiantai_core::decide::{ActionRecord, Outcome, Refusal, RefusalCode};
use qiantai_core::ids::{ActionId, OpId, TenantId};
use qiantai_core::quote::Quote;
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::QuoteDto;

use crate::db::LedgerError;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, damaged, values};
use crate::db::table::{OnConflict, Question, Table, When};

/// The first answer stands. A fact that follows a refused request takes its place.
pub(in crate::db) static TABLE: Table = Table::new(
    "action",
    &[
        ("action_id", Bytes),
        ("op_id", Bytes),
        ("digest", Bytes),
        ("outcome", Text),
        ("refusal_code", Int),
        ("refusal_quote", Text),
    ],
    1,
    OnConflict::Replace(
        &[
            "op_id",
            "digest",
            "outcome",
            "refusal_code",
            "refusal_quote",
        ],
        When::Holds("outcome", "refused"),
    ),
);

pub(in crate::db) fn row(
    action: ActionId,
    record: &ActionRecord,
) -> Result<Vec<Value>, LedgerError> {
    let (outcome, refusal) = match &record.outcome {
        Outcome::Refused(refusal) => ("refused", Some(refusal)),
        Outcome::Applied | Outcome::Exists | Outcome::ExistsWithDifferent { .. } => {
            ("applied", None)
        }
    };
    let code = refusal.map(|refusal| RefusalCodeDto::from(refusal.code).number());
    let quote = refusal
        .and_then(|refusal| refusal.quote.as_deref())
        .map(|quote| serde_json::to_string(&QuoteDto::from(quote)))
        .transpose()
        .map_err(|error| damaged(error.to_string()))?;
    Ok(values![
        action.0,
        record.op_id.0,
        &record.body_digest,
        outcome,
        code,
        quote,
    ])
}

pub(in crate::db) fn of_ids(tenant: TenantId, ids: impl IntoIterator<Item = ActionId>) -> Question {
    Question::new("SELECT * FROM action WHERE tenant_id = ?1 AND action_id IN (?2)")
        .with(tenant.0)
        .each(Bytes, ids.into_iter().map(|id| id.0))
}

pub(in crate::db) fn read(row: &Record) -> Result<(ActionId, ActionRecord), LedgerError> {
    let record = ActionRecord {
        op_id: OpId(row.id("op_id")?),
        body_digest: row.array("digest")?,
        outcome: outcome(row)?,
    };
    Ok((ActionId(row.id("action_id")?), record))
}

fn outcome(row: &Record) -> Result<Outcome, LedgerError> {
    match row.text("outcome")? {
        "applied" => return Ok(Outcome::Applied),
        "refused" => {}
        other => return Err(damaged(format!("there is no outcome {other:?}"))),
    }
    let number = row.count("refusal_code")?;
    let code = RefusalCodeDto::from_number(number)
        .ok_or_else(|| damaged(format!("there is no refusal {number}")))?;
    let quote = match row.text_opt("refusal_quote")? {
        None => None,
        Some(json) => {
            let dto: QuoteDto =
                serde_json::from_str(json).map_err(|error| damaged(error.to_string()))?;
            Some(Box::new(Quote::from(dto)))
        }
    };
    Ok(Outcome::Refused(Refusal {
        code: RefusalCode::from(code),
        quote,
    }))
}
