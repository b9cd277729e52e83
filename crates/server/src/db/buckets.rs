//! Accounts by bucket, and what each bucket comes to: what a terminal compares its replica with.

use qiantai_core::account::Account;
use qiantai_core::ids::TenantId;
use qiantai_wire::api::{Digested, Digests, NEVER};
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
     a.recharged_fen, a.refunded_fen, a.bonus_granted_fen, a.points_debt, a.tier_valid_until_ms,
     a.tier_id,
     l.lot_id, l.principal_left_fen, l.bonus_left_fen
     FROM account a LEFT JOIN lot l
         ON l.tenant_id = a.tenant_id AND l.member_id = a.member_id
         AND (l.principal_left_fen > 0 OR l.bonus_left_fen > 0)
     WHERE a.tenant_id = ?1 ORDER BY a.member_id";

/// Of them, those of the account.
const ACCOUNT_COLUMNS: usize = 15;

pub(super) fn digests(
    db: &impl Database,
    tenant: TenantId,
    version: u32,
) -> Result<(Head, Vec<Hex<32>>), LedgerError> {
    let at = "SELECT timeline, server_seq, chain_hash FROM head WHERE tenant_id = ?1";
    let questions = [at, ACCOUNTS].map(|sql| Question::new(sql).with(tenant.0));
    let mut found = None;
    let mut walk = Walk {
        digests: Digests::of(version),
        account: None,
    };
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
struct Walk {
    digests: Digests,
    account: Option<Digested>,
}

impl Walk {
    fn take(&mut self, row: &[Value]) -> Result<(), LedgerError> {
        let (Some([member, columns @ ..]), Some(lot)) = (
            row.first_chunk::<ACCOUNT_COLUMNS>(),
            row.get(ACCOUNT_COLUMNS..),
        ) else {
            return Err(damaged("an account has too few columns"));
        };
        let member = id(member)?;
        if self.account.as_ref().map(|account| account.member) != Some(member) {
            self.next();
            self.account = Some(account(member, columns)?);
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

fn account(member: Uuid, columns: &[Value]) -> Result<Digested, LedgerError> {
    let too_few = || damaged("an account has too few columns");
    let (numbers, rest) = columns.split_first_chunk::<8>().ok_or_else(too_few)?;
    let (sums, rest) = rest.split_first_chunk::<5>().ok_or_else(too_few)?;
    let [tier] = rest else {
        return Err(too_few());
    };
    Ok(Digested {
        member,
        numbers: each(numbers, int)?,
        sums: each(sums, int_or_never)?,
        tier: id(tier)?,
        lots: Vec::new(),
    })
}

fn each<const N: usize>(
    columns: &[Value; N],
    read: fn(&Value) -> Result<i64, LedgerError>,
) -> Result<[i64; N], LedgerError> {
    let mut numbers = [0; N];
    for (number, column) in numbers.iter_mut().zip(columns) {
        *number = read(column)?;
    }
    Ok(numbers)
}

/// Of these columns only a time may be absent.
fn int_or_never(value: &Value) -> Result<i64, LedgerError> {
    match value {
        Value::Null => Ok(NEVER),
        value => int(value),
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
