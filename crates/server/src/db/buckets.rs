//! Accounts by bucket, and what each bucket comes to: what a terminal compares its replica with.

use qiantai_core::account::Account;
use qiantai_core::ids::TenantId;
use qiantai_wire::api::{Digested, Digests};
use qiantai_wire::text::Hex;
use uuid::Uuid;

use super::database::Database;
use super::load::{accounts, exactly};
use super::record::{Value, damaged};
use super::table::Question;
use super::tables::{account, head, lot};
use super::{Head, LedgerError};

/// Every account with each of its lots that has anything left; one row for an account without any.
const ACCOUNTS: &str = "SELECT a.member_id, a.principal_fen, a.bonus_fen, a.frozen_principal_fen,
     a.frozen_bonus_fen, a.debt_fen, a.growth, a.points, a.last_seq,
     l.lot_id, l.principal_left_fen, l.bonus_left_fen
     FROM account a LEFT JOIN lot l
         ON l.tenant_id = a.tenant_id AND l.member_id = a.member_id
         AND (l.principal_left_fen > 0 OR l.bonus_left_fen > 0)
     WHERE a.tenant_id = ?1 ORDER BY a.member_id";

pub(super) fn digests(
    db: &impl Database,
    tenant: TenantId,
) -> Result<(Head, Vec<Hex<32>>), LedgerError> {
    let at = "SELECT timeline, server_seq, chain_hash FROM head WHERE tenant_id = ?1";
    let questions = [at, ACCOUNTS].map(|sql| Question::new(sql).with(tenant.0));
    let mut found = None;
    let mut walk = Walk::default();
    let mut read = Ok(());
    db.scan(questions.into(), &mut |question, row| {
        let taken = match question {
            0 => head_of(row).map(|head| found = Some(head)),
            _ => walk.take(row),
        };
        if read.is_ok() {
            read = taken;
        }
    })?;
    read?;
    Ok((found.ok_or(LedgerError::NoTenant(tenant))?, walk.finish()))
}

pub(super) fn bucket(
    db: &impl Database,
    tenant: TenantId,
    bucket: u8,
) -> Result<(Head, Vec<Account>), LedgerError> {
    let answers = db.ask(vec![
        head::of(tenant),
        account::of_bucket(tenant, bucket),
        lot::of_bucket(tenant, bucket),
    ])?;
    let [heads, rows, lots] = exactly(answers)?;
    let head = heads.first().ok_or(LedgerError::NoTenant(tenant))?;
    let mut accounts: Vec<_> = accounts(&rows, &lots)?.into_values().collect();
    accounts.sort_unstable_by_key(|account| account.member);
    Ok((head::read(head)?, accounts))
}

/// The account whose rows are coming, and what those before it came to.
#[derive(Default)]
struct Walk {
    digests: Digests,
    account: Option<Digested>,
}

impl Walk {
    fn take(&mut self, row: &[Value]) -> Result<(), LedgerError> {
        let [
            member,
            principal,
            bonus,
            frozen_principal,
            frozen_bonus,
            debt,
            growth,
            points,
            last_seq,
            lot @ ..,
        ] = row
        else {
            return Err(damaged("an account has too few columns"));
        };
        let member = id(member)?;
        if self.account.as_ref().map(|account| account.member) != Some(member) {
            self.next();
            let columns = [
                principal,
                bonus,
                frozen_principal,
                frozen_bonus,
                debt,
                growth,
                points,
                last_seq,
            ];
            let mut numbers = [0; 8];
            for (number, column) in numbers.iter_mut().zip(columns) {
                *number = int(column)?;
            }
            self.account = Some(Digested {
                member,
                numbers,
                lots: Vec::new(),
            });
        }
        match (lot, &mut self.account) {
            ([Value::Null, ..], _) => Ok(()),
            ([lot, principal, bonus], Some(account)) => {
                let lot = (id(lot)?, int(principal)?, int(bonus)?);
                account.lots.push(lot);
                Ok(())
            }
            _ => Err(damaged("a lot has too few columns")),
        }
    }

    fn next(&mut self) {
        if let Some(account) = self.account.take() {
            self.digests.add(account);
        }
    }

    fn finish(mut self) -> Vec<Hex<32>> {
        self.next();
        self.digests.finish()
    }
}

fn head_of(row: &[Value]) -> Result<Head, LedgerError> {
    let [timeline, server_seq, Value::Bytes(chain_hash)] = row else {
        return Err(damaged("the head has other columns"));
    };
    let unfit = |_| damaged("the head holds a number out of range");
    Ok(Head {
        timeline: u32::try_from(int(timeline)?).map_err(unfit)?,
        server_seq: u64::try_from(int(server_seq)?).map_err(unfit)?,
        chain_hash: chain_hash
            .as_slice()
            .try_into()
            .map_err(|_| damaged("the head holds no hash"))?,
    })
}

fn int(value: &Value) -> Result<i64, LedgerError> {
    match value {
        Value::Int(number) => Ok(*number),
        _ => Err(damaged("an account holds what is no number")),
    }
}

fn id(value: &Value) -> Result<Uuid, LedgerError> {
    match value {
        Value::Bytes(bytes) => Uuid::from_slice(bytes).map_err(|error| damaged(error.to_string())),
        _ => Err(damaged("an account holds what is no identity")),
    }
}
