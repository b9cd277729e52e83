//! Table `action`: the first answer to every action.

use qiantai_core::decide::{ActionRecord, Outcome, Refusal, RefusalCode};
use qiantai_core::ids::{ActionId, OpId, TenantId};
use qiantai_core::quote::Quote;
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::QuoteDto;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::super::row::{Columns, damaged};

/// Writes the first answer. A fact that follows a refused request takes its place.
pub(in super::super) fn save(
    db: &Connection,
    tenant: TenantId,
    action: ActionId,
    record: &ActionRecord,
) -> Result<()> {
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
    db.prepare_cached(
        "INSERT INTO action (tenant_id, action_id, op_id, digest, outcome, refusal_code,
             refusal_quote)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (tenant_id, action_id) DO UPDATE SET
             op_id = excluded.op_id, digest = excluded.digest, outcome = excluded.outcome,
             refusal_code = excluded.refusal_code, refusal_quote = excluded.refusal_quote
         WHERE outcome = 'refused'",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        action.0.as_bytes(),
        record.op_id.0.as_bytes(),
        record.body_digest,
        outcome,
        code,
        quote,
    ])?;
    Ok(())
}

pub(in super::super) fn find(
    db: &Connection,
    tenant: TenantId,
    action: ActionId,
) -> Result<Option<ActionRecord>> {
    db.prepare_cached("SELECT * FROM action WHERE tenant_id = ?1 AND action_id = ?2")?
        .query_row(params![tenant.0.as_bytes(), action.0.as_bytes()], |row| {
            Ok(ActionRecord {
                op_id: OpId(row.id("op_id")?),
                body_digest: row.get("digest")?,
                outcome: outcome(row)?,
            })
        })
        .optional()
}

fn outcome(row: &Row<'_>) -> Result<Outcome> {
    let Some(number) = row.get::<_, Option<u16>>("refusal_code")? else {
        return Ok(Outcome::Applied);
    };
    let code = RefusalCodeDto::from_number(number)
        .ok_or_else(|| damaged(format!("there is no refusal {number}")))?;
    let quote = match row.get::<_, Option<String>>("refusal_quote")? {
        None => None,
        Some(json) => {
            let dto: QuoteDto =
                serde_json::from_str(&json).map_err(|error| damaged(error.to_string()))?;
            Some(Box::new(Quote::from(dto)))
        }
    };
    Ok(Outcome::Refused(Refusal {
        code: RefusalCode::from(code),
        quote,
    }))
}
