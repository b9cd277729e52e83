//! What those who keep the books ask of them: whole pages of the log with everything that it
//! caused, and members with everything that explains their balance, each as of one moment.

use std::collections::HashMap;

use qiantai_core::account::{Account, Lot};
use qiantai_core::clock::Timestamp;
use qiantai_core::decide::{ActionRecord, Device};
use qiantai_core::ids::{ActionId, MemberId, OrderId, ShiftId, TenantId};
use qiantai_core::lease::Lease;
use qiantai_core::ledger::{JournalEntry, Posting};
use qiantai_core::money::Money;
use qiantai_core::operation::Hash;

use super::copied::RowSink;
use super::database::{By, Database};
use super::leases::with_lots;
use super::load::{accounts, ask_one, exactly};
use super::table::Step;
use super::tables::{
    account, action, backup, cash_movement, device, feed, head, journal, lease, lease_lot, lot,
    member, operation, posting, recharge_order, timeline,
};
use super::{BackupMade, Cursor, Head, Ledger, LedgerError, LogRow, Restored, copied, digest};

/// A ledger as its keepers see it. Every ledger on a database is one.
pub trait Archive: Ledger + RowSink {
    /// The head of the log and every device with its place, as of one moment.
    fn standing(&self, tenant: TenantId) -> Result<LogStanding, LedgerError>;

    /// Rows of the log after `after`, oldest first, with what each caused.
    fn log_page(&self, tenant: TenantId, after: u64, limit: u32) -> Result<LogPage, LedgerError>;

    /// Members after `after` by identity, with what explains their balances.
    fn member_books(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<MemberBooks, LedgerError>;

    /// Cash that moved in each shift's drawer.
    fn drawers(&self, tenant: TenantId) -> Result<Drawers, LedgerError>;

    /// Every lease of the tenant that is not over.
    fn open_leases(&self, tenant: TenantId) -> Result<Vec<Lease>, LedgerError>;

    /// What waits outside the chains of its devices, in the order of these chains.
    fn kept_outside(&self, tenant: TenantId) -> Result<Vec<LogRow>, LedgerError>;

    /// How many members owe anything, and what in all.
    fn debts(&self, tenant: TenantId) -> Result<(u64, Money), LedgerError>;

    /// The newest backup that was made and checked.
    fn newest_backup(&self, tenant: TenantId) -> Result<Option<BackupMade>, LedgerError>;

    /// Records a backup.
    fn save_backup(&self, tenant: TenantId, backup: &BackupMade) -> Result<(), LedgerError>;

    /// Writes the books of these tenants, as of one moment, into an empty ledger; a hash over
    /// every row.
    fn copy_to(&self, tenants: &[TenantId], to: &dyn Archive) -> Result<Hash, LedgerError>;

    /// The hash that copying these tenants gives.
    fn contents(&self, tenants: &[TenantId]) -> Result<Hash, LedgerError>;

    /// A hash over each table that the log determines, with its name.
    fn table_hashes(&self, tenant: TenantId) -> Result<Vec<(&'static str, Hash)>, LedgerError>;

    /// A hash over each row of the table at this place among them, with what the row is found by.
    fn row_hashes(
        &self,
        tenant: TenantId,
        place: usize,
    ) -> Result<Vec<(String, Hash)>, LedgerError>;

    /// Begins a timeline where the log stands.
    fn begin_timeline(&self, tenant: TenantId, restored: &Restored) -> Result<(), LedgerError>;

    /// What the database says about itself and whether it holds together.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] names the first damage found.
    fn examine(&self) -> Result<DatabaseReport, LedgerError>;
}

/// Where the log and its authors stand.
#[derive(Clone, Debug)]
pub struct LogStanding {
    /// End of the log.
    pub head: Head,
    /// The first table that has rows beyond that end.
    pub beyond: Option<&'static str>,
    /// Devices and their places.
    pub devices: Vec<(Device, Cursor)>,
}

/// A stretch of the log.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// The rows.
    pub rows: Vec<LogRow>,
    /// What was posted, by place and leg.
    pub postings: Vec<(u64, Posting)>,
    /// What terminals are told, by place.
    pub feed: Vec<(u64, String)>,
    /// First answers to the actions of these rows.
    pub actions: HashMap<ActionId, ActionRecord>,
}

/// Members and what explains their balances.
#[derive(Clone, Debug)]
pub struct MemberBooks {
    /// End of the log at that moment.
    pub head: Head,
    /// In the order of their identity.
    pub members: Vec<MemberBook>,
}

/// One member.
#[derive(Clone, Debug)]
pub struct MemberBook {
    /// Who.
    pub member: MemberId,
    /// The account with its lots; the member has none before anything was posted.
    pub account: Option<Account>,
    /// Every lot, used up or not.
    pub lots: Vec<Lot>,
    /// 流水, by sequence.
    pub journal: Vec<JournalEntry>,
    /// Leases that are not over.
    pub leases: Vec<Lease>,
    /// Orders that were credited: which, and with how much principal.
    pub credited: Vec<(OrderId, Money)>,
}

/// Cash by shift.
#[derive(Clone, Debug)]
pub struct Drawers {
    /// End of the log at that moment.
    pub head: Head,
    /// Sum of the movements of each shift.
    pub moved: HashMap<ShiftId, i128>,
}

/// What a database says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseReport {
    /// Name and version of the program behind it.
    pub engine: String,
    /// Highest migration applied.
    pub schema: u32,
    /// Its own clock, where it has one.
    pub now: Option<Timestamp>,
    /// How it is reached.
    pub link: Link,
}

/// Who is on the way between the server and its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Nobody: it is on this machine.
    Here,
    /// Whoever is on the network, and they can read along.
    Plain,
    /// Whoever can pretend to be the database.
    Unverified,
    /// Nobody: the database has shown a certificate of the given authority.
    Verified,
}

impl<D: Database> Archive for D {
    fn standing(&self, tenant: TenantId) -> Result<LogStanding, LedgerError> {
        let answers = self.ask(vec![
            head::of(tenant),
            device::all(tenant),
            operation::last(tenant),
            posting::last(tenant),
            feed::last(tenant),
        ])?;
        let [heads, devices, operations, postings, feed] = exactly(answers)?;
        let head = heads.first().ok_or(LedgerError::NoTenant(tenant))?;
        let head = head::read(head)?;
        let named = [
            ("operation", operations),
            ("posting", postings),
            ("feed", feed),
        ];
        let mut beyond = None;
        for (table, rows) in named {
            let last: u64 = match rows.first() {
                Some(row) => row.count("last_seq")?,
                None => 0,
            };
            if last > head.server_seq && beyond.is_none() {
                beyond = Some(table);
            }
        }
        let devices = devices.iter().map(device::read);
        Ok(LogStanding {
            head,
            beyond,
            devices: devices.collect::<Result<_, _>>()?,
        })
    }

    fn log_page(&self, tenant: TenantId, after: u64, limit: u32) -> Result<LogPage, LedgerError> {
        let rows = self.log(tenant, after, limit)?;
        let end = rows.last().map_or(after, |row| row.server_seq);
        let actions = rows.iter().map(|row| row.action_id);
        let answers = self.ask(vec![
            posting::between(tenant, after, end),
            feed::after(tenant, after, limit),
            action::of_ids(tenant, actions),
        ])?;
        let [postings, feed, actions] = exactly(answers)?;
        let postings = postings.iter().map(posting::read);
        let feed = feed.iter().map(feed::read);
        let actions = actions.iter().map(action::read);
        let mut page = LogPage {
            rows,
            postings: postings.collect::<Result<_, _>>()?,
            feed: feed.collect::<Result<_, _>>()?,
            actions: actions.collect::<Result<_, _>>()?,
        };
        page.feed.retain(|(server_seq, _)| *server_seq <= end);
        Ok(page)
    }

    fn member_books(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<MemberBooks, LedgerError> {
        let known = ask_one(self, member::page(tenant, after, limit))?;
        let known = known.iter().map(member::read);
        let known: Vec<_> = known.collect::<Result<_, _>>()?;
        let ids: Vec<MemberId> = known.iter().map(|member| member.id).collect();
        let answers = self.ask(vec![
            head::of(tenant),
            account::of_members(tenant, &ids),
            lot::all_of_members(tenant, &ids),
            journal::of_members(tenant, &ids),
            recharge_order::credited_of(tenant, &ids),
            lease::open_of(tenant, &ids),
            lease_lot::open_of(tenant, &ids),
        ])?;
        let [heads, rows, lots, journal_rows, credited, leases, left] = exactly(answers)?;
        let head = heads.first().ok_or(LedgerError::NoTenant(tenant))?;
        let mut books: HashMap<MemberId, MemberBook> = ids
            .iter()
            .map(|&member| (member, MemberBook::empty(member)))
            .collect();
        let mut accounts = accounts(&rows, &[])?;
        for row in &lots {
            let (member, lot) = lot::read(row)?;
            if let Some(book) = books.get_mut(&member) {
                book.lots.push(lot);
            }
        }
        for (lease, _) in with_lots(&leases, &left)? {
            if let Some(book) = books.get_mut(&lease.member) {
                book.leases.push(lease);
            }
        }
        for row in &journal_rows {
            let entry = journal::read(row)?;
            if let Some(book) = books.get_mut(&entry.member) {
                book.journal.push(entry);
            }
        }
        for row in &credited {
            let (member, order, paid) = recharge_order::read_credited(row)?;
            if let Some(book) = books.get_mut(&member) {
                book.credited.push((order, paid));
            }
        }
        let members = ids.iter().filter_map(|member| {
            let mut book = books.remove(member)?;
            book.account = accounts.remove(member);
            book.journal.sort_unstable_by_key(|entry| entry.seq);
            Some(book)
        });
        Ok(MemberBooks {
            head: head::read(head)?,
            members: members.collect(),
        })
    }

    fn drawers(&self, tenant: TenantId) -> Result<Drawers, LedgerError> {
        let answers = self.ask(vec![head::of(tenant), cash_movement::sums(tenant)])?;
        let [heads, sums] = exactly(answers)?;
        let head = heads.first().ok_or(LedgerError::NoTenant(tenant))?;
        let moved = sums.iter().map(|row| {
            let sum = i128::from(row.int("moved_fen")?);
            Ok((ShiftId(row.id("shift_id")?), sum))
        });
        Ok(Drawers {
            head: head::read(head)?,
            moved: moved.collect::<Result<_, LedgerError>>()?,
        })
    }

    fn kept_outside(&self, tenant: TenantId) -> Result<Vec<LogRow>, LedgerError> {
        let rows = ask_one(self, operation::kept_outside(tenant))?;
        rows.iter().map(operation::read).collect()
    }

    fn open_leases(&self, tenant: TenantId) -> Result<Vec<Lease>, LedgerError> {
        let answers = self.ask(vec![lease::all_open(tenant), lease_lot::all_open(tenant)])?;
        let [leases, left] = exactly(answers)?;
        let leases = with_lots(&leases, &left)?.into_iter();
        Ok(leases.map(|(lease, _)| lease).collect())
    }

    fn debts(&self, tenant: TenantId) -> Result<(u64, Money), LedgerError> {
        let rows = ask_one(self, account::debts(tenant))?;
        match rows.first() {
            Some(row) => Ok((row.count("debtors")?, row.fen("owed_fen")?)),
            None => Ok((0, Money::ZERO)),
        }
    }

    fn newest_backup(&self, tenant: TenantId) -> Result<Option<BackupMade>, LedgerError> {
        let rows = ask_one(self, backup::newest(tenant))?;
        rows.first().map(backup::read).transpose()
    }

    fn save_backup(&self, tenant: TenantId, backup: &BackupMade) -> Result<(), LedgerError> {
        let row = backup::row(backup);
        self.change(tenant, By::Anyone, vec![Step::Put(&backup::TABLE, row)])
    }

    fn copy_to(&self, tenants: &[TenantId], to: &dyn Archive) -> Result<Hash, LedgerError> {
        copied::copy(self, tenants, to)
    }

    fn contents(&self, tenants: &[TenantId]) -> Result<Hash, LedgerError> {
        copied::contents(self, tenants)
    }

    fn table_hashes(&self, tenant: TenantId) -> Result<Vec<(&'static str, Hash)>, LedgerError> {
        digest::of_tables(self, tenant)
    }

    fn row_hashes(
        &self,
        tenant: TenantId,
        place: usize,
    ) -> Result<Vec<(String, Hash)>, LedgerError> {
        digest::of_rows(self, tenant, place)
    }

    fn begin_timeline(&self, tenant: TenantId, restored: &Restored) -> Result<(), LedgerError> {
        let head = self.head(tenant)?;
        let to = Head {
            timeline: restored.timeline,
            ..head
        };
        let from = head.server_seq;
        let steps = vec![
            Step::MoveHead { from, to },
            Step::Put(&timeline::TABLE, timeline::row(restored)),
        ];
        self.change(tenant, By::Anyone, steps)
    }

    fn examine(&self) -> Result<DatabaseReport, LedgerError> {
        Database::examine(self)
    }
}

impl MemberBook {
    fn empty(member: MemberId) -> MemberBook {
        MemberBook {
            member,
            account: None,
            lots: Vec::new(),
            journal: Vec::new(),
            leases: Vec::new(),
            credited: Vec::new(),
        }
    }
}
