//! Changing a shop's rules one thing at a time: its people, what a receipt says of it, how people
//! may pay, what tills risk without the server. Prices and promotions are other documents' business and stay as they are.

use std::collections::BTreeSet;

use crate::attempt::Channel;
use crate::brand::{self, Brand, ShortNameError};
use crate::clock::Timestamp;
use crate::half_width::half_width;
use crate::ids::StaffId;
use crate::member_input::{self, NameError};
use crate::merchant_account::{AccountFault, AccountField, MerchantAccount};
use crate::policy::{PinHash, Policy, Role, Staff};
use crate::risk_floor::RiskFloor;

/// Most people who work in one store at a time.
pub const PEOPLE_MAX: usize = 30;

/// Digits and signs of a phone number as it is printed.
const PHONE_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=20;

/// Digits of a staff number.
const STAFF_NO_DIGITS: std::ops::RangeInclusive<usize> = 1..=8;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyChange {
    /// A person is new.
    Join(Staff),
    /// A person is described anew. Who leaves stays in the list, no longer active: old orders name
    /// them.
    Person(Person),
    /// A person has a new PIN.
    Pin {
        /// Whose.
        person: StaffId,
        /// It.
        pin: PinHash,
    },
    /// What a receipt says of the shop.
    Receipt(ReceiptWords),
    /// Payment methods in the order of the screen.
    Methods(Vec<Channel>),
    /// Where the money of the shop's own code goes. The first account brings the code to the
    /// counter, behind the other methods; without an account there is none.
    Account(Option<MerchantAccount>),
    /// How the shop looks to its customers.
    Brand(Brand),
    /// What terminals may take of stored value beyond their leases.
    RiskFloor(RiskFloor),
}

/// A person who works in the store already, as they are to be. Number and PIN stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Identity.
    pub id: StaffId,
    /// Name on screen and receipt.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// False after leaving the shop.
    pub active: bool,
}

/// What a receipt says of the shop besides its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptWords {
    /// Where the shop is.
    pub address: String,
    /// Its phone.
    pub phone: String,
    /// Where members complain.
    pub complaint_phone: String,
    /// One line on refunds.
    pub refund_rule: String,
}

/// Why rules stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A line that cannot be read out or printed; the field, and why.
    #[error("{0}: {1}")]
    Line(&'static str, NameError),
    /// A field that holds no phone number.
    #[error("{0} is no phone number")]
    Phone(&'static str),
    /// Not a short number, or somebody else's.
    #[error("the staff number is not free")]
    StaffNo,
    /// Nobody of that identity works here, or somebody does already.
    #[error("the person is not who was meant")]
    Person,
    /// Only cashiers and managers are made at the counter.
    #[error("that role is not given here")]
    Role,
    /// More people than [`PEOPLE_MAX`].
    #[error("too many people")]
    TooMany,
    /// Nobody could approve anything any more.
    #[error("no manager would be left")]
    NoManager,
    /// No code can be made of the account.
    #[error("{field}: {fault}", field = .0.name(), fault = .1)]
    Account(AccountField, AccountFault),
    /// No short name.
    #[error("short name: {0}")]
    ShortName(ShortNameError),
    /// Nobody could pay.
    #[error("no payment method, one twice, or a code without an account")]
    Methods,
    /// Some caps without the others, one above the next, or more than any shop should risk.
    #[error("the risk floor is neither off nor whole")]
    RiskFloor,
}

impl Unfit {
    /// Name of the field that it is about.
    pub const fn field(self) -> &'static str {
        match self {
            Unfit::Line(field, _) | Unfit::Phone(field) => field,
            Unfit::StaffNo => "staff_no",
            Unfit::Person => "person",
            Unfit::Role | Unfit::NoManager => "role",
            Unfit::TooMany => "name",
            Unfit::Account(field, _) => field.name(),
            Unfit::ShortName(_) => "short_name",
            Unfit::Methods => "methods",
            Unfit::RiskFloor => "risk_floor",
        }
    }
}

impl Policy {
    /// The rules after these, with one change, in force from `now`: not before the rules that they
    /// replace.
    ///
    /// # Errors
    /// [`Unfit`] names the first thing wrong with the change.
    pub fn changed_by(&self, change: PolicyChange, now: Timestamp) -> Result<Policy, Unfit> {
        let mut next = self.clone();
        next.version += 1;
        next.effective_from = self.effective_from.max(now);
        match change {
            PolicyChange::Join(person) => next.join(person)?,
            PolicyChange::Person(person) => next.describe(person)?,
            PolicyChange::Pin { person, pin } => next.person(person)?.pin = pin,
            PolicyChange::Receipt(words) => {
                next.store.address = line("address", &words.address)?;
                next.store.phone = phone("phone", &words.phone)?;
                next.store.complaint_phone = phone("complaint_phone", &words.complaint_phone)?;
                next.store.refund_rule = line("refund_rule", &words.refund_rule)?;
            }
            PolicyChange::Methods(methods) => {
                let different: BTreeSet<Channel> = methods.iter().copied().collect();
                let needs_account = methods.contains(&Channel::ShopCode);
                let lacks_account = needs_account && self.merchant_account.is_none();
                if methods.is_empty() || different.len() < methods.len() || lacks_account {
                    return Err(Unfit::Methods);
                }
                next.channels = methods;
            }
            PolicyChange::Account(account) => next.pays_into(account)?,
            PolicyChange::Brand(Brand { accent, short_name }) => {
                let typed = short_name.unwrap_or_default();
                let short_name = brand::short_name(&typed).map_err(Unfit::ShortName)?;
                next.store.brand = Brand { accent, short_name };
            }
            PolicyChange::RiskFloor(floor) if floor.is_whole() => next.offline.risk_floor = floor,
            PolicyChange::RiskFloor(_) => return Err(Unfit::RiskFloor),
        }
        Ok(next)
    }

    fn pays_into(&mut self, account: Option<MerchantAccount>) -> Result<(), Unfit> {
        let is_code = |method: &Channel| *method == Channel::ShopCode;
        match account {
            Some(account) => {
                let account = account.as_typed();
                let checked = account.check();
                checked.map_err(|(field, fault)| Unfit::Account(field, fault))?;
                // Who has an account already has decided whether the counter offers the code.
                if self.merchant_account.is_none() && !self.channels.iter().any(is_code) {
                    self.channels.push(Channel::ShopCode);
                }
                self.merchant_account = Some(account);
            }
            None => {
                self.channels.retain(|method| !is_code(method));
                self.merchant_account = None;
                if self.channels.is_empty() {
                    return Err(Unfit::Methods);
                }
            }
        }
        Ok(())
    }

    fn join(&mut self, mut person: Staff) -> Result<(), Unfit> {
        person.name = line("name", &person.name)?;
        let is_number = person.staff_no.bytes().all(|byte| byte.is_ascii_digit())
            && STAFF_NO_DIGITS.contains(&person.staff_no.len());
        let mut others = self.staff.iter();
        if !is_number || others.any(|other| other.staff_no == person.staff_no) {
            return Err(Unfit::StaffNo);
        }
        if self.staff.iter().any(|other| other.id == person.id) || !person.active {
            return Err(Unfit::Person);
        }
        is_given_here(person.role)?;
        self.staff.push(person);
        self.is_staffed()
    }

    fn describe(&mut self, described: Person) -> Result<(), Unfit> {
        let name = line("name", &described.name)?;
        let person = self.person(described.id)?;
        if person.role != described.role {
            is_given_here(described.role)?;
        }
        person.name = name;
        person.role = described.role;
        person.active = described.active;
        self.is_staffed()
    }

    fn person(&mut self, id: StaffId) -> Result<&mut Staff, Unfit> {
        let mut staff = self.staff.iter_mut();
        staff.find(|person| person.id == id).ok_or(Unfit::Person)
    }

    fn is_staffed(&self) -> Result<(), Unfit> {
        let active = || self.staff.iter().filter(|person| person.active);
        if active().count() > PEOPLE_MAX {
            return Err(Unfit::TooMany);
        }
        match active().any(|person| person.role == Role::Manager) {
            true => Ok(()),
            false => Err(Unfit::NoManager),
        }
    }
}

/// A manager at a counter makes nobody more than a manager.
fn is_given_here(role: Role) -> Result<(), Unfit> {
    match role {
        Role::Cashier | Role::Manager => Ok(()),
        Role::Finance | Role::ExceptionHandler | Role::Auditor | Role::HeadOffice => {
            Err(Unfit::Role)
        }
    }
}

/// A phone number as it is printed: digits, spaces and the usual signs.
pub fn printed_phone(typed: &str) -> Option<String> {
    let phone: String = typed.trim().chars().map(half_width).collect();
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '-' | ' ' | '+' | '(' | ')');
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let fits = PHONE_CHARACTERS.contains(&phone.chars().count());
    (fits && digits >= *PHONE_CHARACTERS.start() && phone.chars().all(allowed)).then_some(phone)
}

fn line(field: &'static str, typed: &str) -> Result<String, Unfit> {
    member_input::name(typed).map_err(|error| Unfit::Line(field, error))
}

fn phone(field: &'static str, typed: &str) -> Result<String, Unfit> {
    printed_phone(typed).ok_or(Unfit::Phone(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_printed_as_they_are_typed() {
        for (typed, expected) in [
            ("12315", Some("12315")),
            (" 021-6488 0088 ", Some("021-6488 0088")),
            ("＋86 13812345678", Some("+86 13812345678")),
            ("(0571) 88880000", Some("(0571) 88880000")),
            ("", None),
            ("--- ---", None),
            ("请来电", None),
            ("010-1234-5678-9012-345", None),
        ] {
            assert_eq!(printed_phone(typed).as_deref(), expected, "{typed}");
        }
    }
}
