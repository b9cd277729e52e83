//! What a database is asked and told, without saying which database.

use std::borrow::Cow;
use std::sync::OnceLock;

use qiantai_core::ids::{DeviceId, LotId, MemberId, TenantId};

use super::record::{Kind, Value};
use super::{Cursor, Head};

/// A table as it is written. Its first column is `tenant_id`, which is not listed.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its other columns, in the order of the schema.
    pub columns: &'static [(&'static str, Kind)],
    /// How many of these make the primary key, after the tenant.
    pub keys: usize,
    /// What to do about a row that is there already.
    pub on_conflict: OnConflict,
    /// The statement of each database, made when first needed.
    pub(super) sqlite: OnceLock<String>,
    pub(super) postgres: OnceLock<String>,
}

/// What to do about a row that is there already.
pub enum OnConflict {
    /// It is an error.
    Fail,
    /// These columns take the new values.
    Replace(&'static [&'static str], When),
}

/// Whether a row that is there already takes new values.
pub enum When {
    /// It does.
    Always,
    /// Where a value differs: most are written again as they were.
    Changed,
    /// While this column holds this word.
    Holds(&'static str, &'static str),
}

impl Table {
    /// A table with these columns after the tenant.
    pub const fn new(
        name: &'static str,
        columns: &'static [(&'static str, Kind)],
        keys: usize,
        on_conflict: OnConflict,
    ) -> Table {
        Table {
            name,
            columns,
            keys,
            on_conflict,
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    /// `INSERT INTO … ` up to the rows.
    pub(super) fn insert_head(&self) -> String {
        let columns: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        let comma = if columns.is_empty() { "" } else { ", " };
        format!(
            "INSERT INTO {} (tenant_id{comma}{})",
            self.name,
            columns.join(", ")
        )
    }

    /// `ON CONFLICT …` after the rows.
    pub(super) fn insert_tail(&self) -> String {
        let OnConflict::Replace(columns, when) = &self.on_conflict else {
            return String::new();
        };
        let keys = self.columns[..self.keys].iter().map(|(name, _)| *name);
        let keys: Vec<_> = std::iter::once("tenant_id").chain(keys).collect();
        let set: Vec<_> = columns
            .iter()
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let condition = match when {
            When::Always => String::new(),
            When::Changed => {
                let differs: Vec<_> = columns
                    .iter()
                    .map(|column| format!("{}.{column} <> excluded.{column}", self.name))
                    .collect();
                format!(" WHERE {}", differs.join(" OR "))
            }
            When::Holds(column, word) => format!(" WHERE {}.{column} = '{word}'", self.name),
        };
        format!(
            " ON CONFLICT ({}) DO UPDATE SET {}{condition}",
            keys.join(", "),
            set.join(", ")
        )
    }

    /// The place of a column among [`Table::columns`].
    pub(super) fn place(&self, column: &str) -> usize {
        let place = self.columns.iter().position(|(name, _)| *name == column);
        place.expect("a table replaces and looks at its own columns")
    }
}

/// One thing to write.
pub enum Step {
    /// A row; its values in the order of the table's columns.
    Put(&'static Table, Vec<Value>),
    /// Lots of a member other than these are used up.
    UseUp {
        /// Whose.
        member: MemberId,
        /// Those with anything left.
        left: Vec<LotId>,
    },
    /// Where a device stands.
    MoveCursor(DeviceId, Cursor),
    /// Where the log stands; it must have stood at `from`.
    MoveHead {
        /// The last sequence before.
        from: u64,
        /// Where it stands now.
        to: Head,
    },
}

/// Something to read. Parameters are numbered `?1`, `?2` …, the tenant first where there is one.
///
/// `column IN (?2)` with a list of keys finds the rows of all of them: the databases do this in
/// their own ways, so nothing may be said about the order of rows of different keys.
pub struct Question {
    pub(super) sql: Cow<'static, str>,
    pub(super) postgres: Option<&'static str>,
    pub(super) single: Vec<Value>,
    /// One list for each parameter that stands for a list; all of one length.
    pub(super) lists: Vec<(Kind, Vec<Value>)>,
}

impl Question {
    pub(super) fn new(sql: impl Into<Cow<'static, str>>) -> Question {
        Question {
            sql: sql.into(),
            postgres: None,
            single: Vec::new(),
            lists: Vec::new(),
        }
    }

    /// About the rows of members: the tenant is `?1`, the members are the list `?2`.
    pub(super) fn of_members(
        sql: &'static str,
        tenant: TenantId,
        members: &[MemberId],
    ) -> Question {
        let members = members.iter().map(|id| id.0);
        Question::new(sql).with(tenant.0).each(Kind::Bytes, members)
    }

    /// The next parameter.
    pub(super) fn with(mut self, value: impl Into<Value>) -> Question {
        self.single.push(value.into());
        self
    }

    /// The next parameter, a list of keys. Lists come last.
    pub(super) fn each<T: Into<Value>>(
        mut self,
        kind: Kind,
        keys: impl IntoIterator<Item = T>,
    ) -> Question {
        let keys = keys.into_iter().map(Into::into).collect();
        self.lists.push((kind, keys));
        self
    }

    /// Words for PostgreSQL where several lists belong together row by row.
    pub(super) fn on_postgres(mut self, sql: &'static str) -> Question {
        self.postgres = Some(sql);
        self
    }

    /// How many keys the lists have; `None` without lists.
    pub(super) fn keys(&self) -> Option<usize> {
        self.lists.first().map(|(_, keys)| keys.len())
    }
}
