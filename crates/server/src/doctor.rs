//! What an installer or an owner wants to know when something is odd, in plain sentences: the
//! folder, room on the disk, the key, the database, the clock, backups and terminals.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use qiantai_core::ids::{DeviceId, StoreId};
use qiantai_core::{Millis, Timestamp};

use crate::clock::ABSENCE;
use crate::data_folder::{self, DataFolderError};
use crate::db::{Archive, Cursor, DeviceStanding, LedgerError, Link, Tenant};
use crate::tls::{Authority, authority_key_path};
use crate::tree_head;

/// Less free room than this stops the shop soon, in bytes.
const ROOM_MIN: u64 = 200 << 20;

/// Less free room than this asks for care, in bytes.
const ROOM_CARE: u64 = 2 << 30;

/// A backup older than this asks for care: one was left out.
const BACKUP_CARE: Millis = Millis::hours(26);

/// A backup older than this is as good as none.
const BACKUP_BAD: Millis = Millis::days(7);

/// A head of the books that is older asks for care: a day was left out.
const HEAD_CARE: Millis = Millis::hours(26);

/// A terminal that was not heard for so long asks for care (docs: domain §5.6).
const SILENCE_CARE: Millis = Millis::hours(24);

/// What mends a connection to the database that others can read or take over.
const SAY_MORE: &str = "say sslmode=verify-full&sslrootcert=FILE in the database URL";

/// How far two clocks may be apart.
const CLOCKS_APART: Millis = Millis::seconds(2);

/// An authority that ends sooner must be replaced, and every terminal enrolled again.
const AUTHORITY_CARE_DAYS: i32 = 365;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// As it should be.
    Fine,
    /// Works, and somebody should look.
    Care,
    /// Does not work, or will not for long.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub mark: Mark,
    /// What was looked at.
    pub topic: &'static str,
    /// A sentence about it.
    pub says: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::Fine => "ok",
            Mark::Care => "care",
            Mark::Bad => "BAD",
        };
        write!(f, "{mark:<5}{:<10}{}", self.topic, self.says)
    }
}

fn finding(mark: Mark, topic: &'static str, says: impl Into<String>) -> Finding {
    Finding {
        mark,
        topic,
        says: says.into(),
    }
}

/// The folder of an embedded ledger, without opening the ledger.
pub fn look_at_folder(folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    match data_folder::lock(folder) {
        Ok(_) => findings.push(finding(
            Mark::Fine,
            "folder",
            format!("{}: no server works in it now", folder.display()),
        )),
        Err(DataFolderError::InUse(_)) => findings.push(finding(
            Mark::Fine,
            "folder",
            format!("{}: a server works in it", folder.display()),
        )),
        Err(error) => {
            let says = format!("{}: {error}", folder.display());
            findings.push(finding(Mark::Bad, "folder", says));
            return findings;
        }
    }
    findings.push(room(folder));
    findings.push(match data_folder::read_key(folder) {
        Err(error) => finding(Mark::Bad, "key", error.to_string()),
        Ok(_) => private(&data_folder::key_path(folder), "key"),
    });
    findings
}

/// The own certificate authority in `folder`, if there is one.
pub fn look_at_authority(folder: &Path, now: Timestamp) -> Vec<Finding> {
    const TOPIC: &str = "authority";
    if !folder.exists() {
        return Vec::new();
    }
    let left = Authority::open(folder).and_then(|authority| authority.days_left(now));
    let left = match left {
        Err(error) => {
            let says = format!("{error}; without it every terminal must be enrolled again");
            return vec![finding(Mark::Bad, TOPIC, says)];
        }
        Ok(left) => left,
    };
    let mark = match left {
        ..0 => Mark::Bad,
        0..AUTHORITY_CARE_DAYS => Mark::Care,
        _ => Mark::Fine,
    };
    let says = format!("terminals believe it for {left} more days");
    vec![
        finding(mark, TOPIC, says),
        private(&authority_key_path(folder), TOPIC),
    ]
}

fn room(folder: &Path) -> Finding {
    let free = match fs4::available_space(folder) {
        Ok(free) => free,
        Err(error) => {
            let says = format!("how much room is left cannot be told: {error}");
            return finding(Mark::Care, "disk", says);
        }
    };
    let mark = match free {
        _ if free < ROOM_MIN => Mark::Bad,
        _ if free < ROOM_CARE => Mark::Care,
        _ => Mark::Fine,
    };
    finding(mark, "disk", format!("{} MiB are free", free >> 20))
}

#[cfg(unix)]
fn private(path: &Path, topic: &'static str) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path) {
        Err(error) => finding(Mark::Bad, topic, format!("{}: {error}", path.display())),
        Ok(metadata) if metadata.permissions().mode() & 0o077 == 0 => finding(
            Mark::Fine,
            topic,
            format!("{} is the owner's alone", path.display()),
        ),
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            let says = format!(
                "{} can be read by other users of this machine (mode {mode:o}); run chmod 600",
                path.display()
            );
            finding(Mark::Bad, topic, says)
        }
    }
}

/// Elsewhere the folder's own access list decides.
#[cfg(not(unix))]
fn private(path: &Path, topic: &'static str) -> Finding {
    finding(Mark::Fine, topic, format!("{} is there", path.display()))
}

/// The books, as they stand at `now`.
pub fn look_at_books(ledger: &dyn Archive, now: Timestamp) -> Vec<Finding> {
    let mut findings = vec![database(ledger, now)];
    match ledger.tenants() {
        Err(error) => findings.push(finding(Mark::Bad, "books", error.to_string())),
        Ok(tenants) if tenants.is_empty() => {
            findings.push(finding(Mark::Care, "books", "there are no shops in them"));
        }
        Ok(tenants) => {
            for tenant in &tenants {
                match look_at_tenant(ledger, tenant, now) {
                    Ok(more) => findings.extend(more),
                    Err(error) => {
                        let says = format!("{}: {error}", tenant.name);
                        findings.push(finding(Mark::Bad, "books", says));
                    }
                }
            }
        }
    }
    match ledger.held_count() {
        Ok(0) => {}
        Ok(held) => findings.push(finding(
            Mark::Care,
            "held",
            format!("{held} operations wait for a person to look at them"),
        )),
        Err(error) => findings.push(finding(Mark::Bad, "held", error.to_string())),
    }
    findings
}

/// The daily heads of the books in `folder`, if any are kept.
pub fn look_at_tree_heads(
    ledger: &dyn Archive,
    folder: Option<&Path>,
    now: Timestamp,
) -> Vec<Finding> {
    const TOPIC: &str = "head";
    let Some(folder) = folder else {
        let says = "no heads of the books are kept; set tree_heads to a folder elsewhere, and a \
             history that is rewritten whole can be told from the true one";
        return vec![finding(Mark::Care, TOPIC, says)];
    };
    let tenants = match ledger.tenants() {
        Ok(tenants) => tenants,
        Err(error) => return vec![finding(Mark::Bad, TOPIC, error.to_string())],
    };
    let mut findings = Vec::new();
    for tenant in tenants {
        let name = &tenant.name;
        findings.push(match tree_head::newest_in(folder, tenant.id.0) {
            Err(error) => finding(Mark::Bad, TOPIC, format!("{name}: {error}")),
            Ok(None) => {
                let says = format!("{name}: none is in {} yet", folder.display());
                finding(Mark::Care, TOPIC, says)
            }
            Ok(Some(head)) => {
                let age = now - Timestamp::from_ms(head.made_ms);
                let mark = match age > HEAD_CARE {
                    true => Mark::Care,
                    false => Mark::Fine,
                };
                let says = format!(
                    "{name}: the last one is {} old, of {} operations",
                    span(age),
                    head.server_seq
                );
                finding(mark, TOPIC, says)
            }
        });
    }
    findings
}

fn database(ledger: &dyn Archive, now: Timestamp) -> Finding {
    let report = match ledger.examine() {
        Ok(report) => report,
        Err(error) => return finding(Mark::Bad, "database", error.to_string()),
    };
    let says = format!("{}, schema {}", report.engine, report.schema);
    let (mark, says) = match report.link {
        Link::Here => (Mark::Fine, says),
        Link::Verified => (
            Mark::Fine,
            format!("{says}, reached encrypted and verified"),
        ),
        Link::Unverified => (
            Mark::Care,
            format!("{says}, reached encrypted, and whoever answers is believed: {SAY_MORE}"),
        ),
        Link::Plain => (
            Mark::Care,
            format!(
                "{says}, reached in plain text, and whoever is on the network reads names and \
                 phones: {SAY_MORE}"
            ),
        ),
    };
    match report.now {
        Some(its) if (now - its).0.abs() > CLOCKS_APART.0 => finding(
            Mark::Care,
            "clock",
            format!(
                "{says}: its clock is {} away from this machine's",
                span(Millis((now - its).0.abs()))
            ),
        ),
        _ => finding(mark, "database", says),
    }
}

fn look_at_tenant(
    ledger: &dyn Archive,
    tenant: &Tenant,
    now: Timestamp,
) -> Result<Vec<Finding>, LedgerError> {
    let standing = ledger.standing(tenant.id)?;
    let taken = ledger.last_taken(tenant.id)?;
    let (name, head) = (&tenant.name, standing.head);
    let mut findings = vec![
        finding(
            Mark::Fine,
            "books",
            format!(
                "{name}: {} operations on timeline {}",
                head.server_seq, head.timeline
            ),
        ),
        clock(name, taken.values().copied().max(), now),
        backup(ledger, tenant, head.server_seq, now)?,
    ];
    let mut stores: HashMap<StoreId, String> = HashMap::new();
    for policy in ledger.policies(tenant.id)? {
        stores.insert(policy.store.id, policy.store.code.clone());
    }
    let contacts = ledger.contacts(tenant.id)?;
    for (device, cursor) in &standing.devices {
        let Some(store) = cursor.store else { continue };
        let store = stores.get(&store).map_or("?", String::as_str);
        let who = format!("terminal {} of store {store}", device.terminal_code);
        let heard = last_heard(device.id, &contacts, &taken);
        findings.push(terminal(&who, cursor, heard, now));
    }
    Ok(findings)
}

pub(crate) fn last_heard(
    device: DeviceId,
    contacts: &HashMap<DeviceId, Timestamp>,
    taken: &HashMap<DeviceId, Timestamp>,
) -> Option<Timestamp> {
    let contact = contacts.get(&device).copied();
    contact.max(taken.get(&device).copied())
}

fn clock(name: &str, newest: Option<Timestamp>, now: Timestamp) -> Finding {
    match newest {
        Some(newest) if newest - now > CLOCKS_APART => finding(
            Mark::Bad,
            "clock",
            format!(
                "{name}: the newest operation is from {} in the future; set this machine's clock. \
                 A server counts on from the newest operation meanwhile, and follows a clock that \
                 is right once it is started with --believe-clock; so does a till that keeps the \
                 books itself",
                span(newest - now)
            ),
        ),
        Some(newest) if now - newest > ABSENCE => finding(
            Mark::Care,
            "clock",
            format!(
                "{name}: the newest operation is {} old; if this machine's clock is right, start \
                 the server with --believe-clock",
                span(now - newest)
            ),
        ),
        _ => finding(Mark::Fine, "clock", format!("{name}: not behind the books")),
    }
}

fn backup(
    ledger: &dyn Archive,
    tenant: &Tenant,
    head: u64,
    now: Timestamp,
) -> Result<Finding, LedgerError> {
    let name = &tenant.name;
    let Some(backup) = ledger.newest_backup(tenant.id)? else {
        let says = format!("{name}: none was ever made; run `qiantai-server backup` every day");
        return Ok(finding(Mark::Bad, "backup", says));
    };
    let age = now - backup.made_at;
    let mark = match age {
        _ if age > BACKUP_BAD => Mark::Bad,
        _ if age > BACKUP_CARE => Mark::Care,
        _ => Mark::Fine,
    };
    let says = format!(
        "{name}: the last one is {} old, lacks {} operations, and is {}",
        span(age),
        head.saturating_sub(backup.server_seq),
        backup.place
    );
    Ok(finding(mark, "backup", says))
}

fn terminal(who: &str, cursor: &Cursor, heard: Option<Timestamp>, now: Timestamp) -> Finding {
    let heard_text = match heard {
        None => "has never been heard".to_owned(),
        Some(at) => format!("was last heard {} ago", span(now - at)),
    };
    match cursor.believed() {
        DeviceStanding::Revoked => finding(
            Mark::Care,
            "terminal",
            format!("{who} is out of service and {heard_text}"),
        ),
        DeviceStanding::Quarantined => finding(
            Mark::Bad,
            "terminal",
            format!(
                "{who} sent two histories: admit what it took, join its machine again with a new \
                 data folder, and take it out of service. It {heard_text}"
            ),
        ),
        DeviceStanding::Active => {
            let is_silent = heard.is_none_or(|at| now - at > SILENCE_CARE);
            let mark = if is_silent { Mark::Care } else { Mark::Fine };
            finding(mark, "terminal", format!("{who} {heard_text}"))
        }
    }
}

/// A span in the largest unit that it has two of.
pub(crate) fn span(span: Millis) -> String {
    let seconds = (span.0 / 1_000).max(0);
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = units.iter().find(|(length, _)| seconds >= 2 * length);
    match unit {
        Some((length, name)) => format!("{} {name}", seconds / length),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_fitting_units() {
        let check = |millis: i64, said: &str| assert_eq!(span(Millis(millis)), said);
        check(-5, "0 seconds");
        check(119_000, "119 seconds");
        check(120_000, "2 minutes");
        check(7_199_000, "119 minutes");
        check(7_200_000, "2 hours");
        check(172_800_000, "2 days");
    }

    #[test]
    fn a_clock_behind_the_books_is_bad() {
        let now = Timestamp::from_ms(1_000_000);
        let check = |newest: Option<i64>, mark| {
            let newest = newest.map(Timestamp::from_ms);
            assert_eq!(clock("x", newest, now).mark, mark);
        };
        check(None, Mark::Fine);
        check(Some(1_002_000), Mark::Fine);
        check(Some(1_002_001), Mark::Bad);
        let years_ago = now - ABSENCE;
        check(Some(years_ago.ms()), Mark::Fine);
        check(Some(years_ago.ms() - 1), Mark::Care);
    }
}
