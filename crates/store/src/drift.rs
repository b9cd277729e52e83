//! Comparing the accounts of the replica with the server's, and taking over again what differs
//! (docs: sync, "Pull").

use qiantai_core::operation::Cursor;
use qiantai_wire::api::{BucketAnswer, Digested, Digests, DigestsAnswer, bucket_of};
use qiantai_wire::feed::AccountDto;
use qiantai_wire::text::Hex;
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::row::{from_json, revision};
use crate::tables::{cursor, replica_account};

/// A replica beside what the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// It stands at another place of the log: ask again.
    Elsewhere,
    /// These buckets differ; none if it shows what the server has.
    Here(Vec<u8>),
}

/// A bucket that was taken over again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mended {
    /// The replica stands at another place of the log: ask again.
    Elsewhere,
    /// The accounts of these members differed.
    Here(Vec<Uuid>),
}

impl Store {
    /// Which buckets of accounts differ from the server's.
    pub fn compare_accounts(&self, answer: &DigestsAnswer) -> Result<Compared, StoreError> {
        self.read(|connection| {
            if !is_at(connection, answer.cursor.into())? {
                return Ok(Compared::Elsewhere);
            }
            let (ours, unreadable) = digests(connection, answer.version)?;
            let differing = (0..=u8::MAX).filter(|bucket| {
                let place = usize::from(*bucket);
                unreadable.contains(bucket) || ours.get(place) != answer.buckets.get(place)
            });
            Ok(Compared::Here(differing.collect()))
        })
    }

    /// Takes over the accounts of a bucket as the server has them: all of them, and no others.
    pub fn mend_bucket(&self, bucket: u8, answer: &BucketAnswer) -> Result<Mended, StoreError> {
        self.write(|transaction| {
            let at = answer.cursor.into();
            if !is_at(transaction, at)? {
                return Ok(Mended::Elsewhere);
            }
            let mut members = Vec::new();
            let mut known = replica_account::of_bucket(transaction, bucket)?;
            for account in &answer.accounts {
                let before = known.remove(&account.member);
                let before = before.and_then(|json| read(&json).ok());
                if before.as_ref() != Some(account) {
                    // A row that was changed may claim to be newer than it can be.
                    replica_account::remove(transaction, account.member)?;
                    replica_account::upsert(transaction, account, revision(at)?)?;
                    members.push(account.member);
                }
            }
            for member in known.into_keys() {
                replica_account::remove(transaction, member)?;
                members.push(member);
            }
            members.sort_unstable();
            Ok(Mended::Here(members))
        })
    }
}

fn is_at(connection: &Connection, place: Cursor) -> Result<bool, StoreError> {
    let mark = cursor::find(connection)?;
    // A snapshot under way brings rows that are newer than the cursor.
    Ok(mark.snapshot.is_none() && mark.cursor == Some(place))
}

/// Of every bucket, and which hold a row that cannot be read.
fn digests(connection: &Connection, version: u32) -> Result<(Vec<Hex<32>>, Vec<u8>), StoreError> {
    let mut digests = Digests::of(version);
    let mut unreadable = Vec::new();
    replica_account::each(connection, |member, json| match read(json) {
        Ok(account) if account.member == member => digests.add(Digested::from(&account)),
        Ok(_) | Err(_) => unreadable.push(bucket_of(member)),
    })?;
    Ok((digests.finish(), unreadable))
}

fn read(json: &str) -> Result<AccountDto, StoreError> {
    from_json(replica_account::TABLE, json)
}
