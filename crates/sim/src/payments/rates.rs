//! How often what goes wrong, and what customers and cashiers do: the table of docs/simulation.md.

use qiantai_core::Millis;
use qiantai_paysim::gateway::{AnswerFault, NoticeFault, Operation};
use rand::RngExt;

use crate::dice::Dice;

/// A chance, in thousandths, and what it is the chance of.
pub type Rate<T> = (u32, &'static str, T);

/// What can happen to the calls of one kind about one attempt.
pub const CALLS: [Rate<AnswerFault>; 10] = [
    (30, "request lost", AnswerFault::Lost),
    (30, "done and not answered", AnswerFault::Silent),
    (20, "done, the line is cut", AnswerFault::Cut),
    (20, "done, answered with 500", AnswerFault::FailAfterDone),
    (30, "too many calls", AnswerFault::Busy),
    (10, "signature wrong", AnswerFault::WrongSignature),
    (5, "signature is a probe", AnswerFault::Probe),
    (10, "answer unreadable", AnswerFault::Garbled),
    (
        20,
        "answer after the caller gave up",
        AnswerFault::Delay { delay_ms: 12_000 },
    ),
    (20, "answer slow", AnswerFault::Delay { delay_ms: 4_000 }),
];

/// What can happen to the request for a QR code or of a charge beside that.
pub const ARRIVALS: [Rate<AnswerFault>; 3] = [
    (30, "arrives after 20 s", arrives_late(20)),
    (30, "arrives after 35 s", arrives_late(35)),
    (30, "arrives after 50 s", arrives_late(50)),
];

const fn arrives_late(seconds: u64) -> AnswerFault {
    AnswerFault::ArrivesLate {
        delay_ms: seconds * 1_000,
    }
}

/// Chance that the line fails for one call, once a gateway has answered the first about an attempt.
pub const LINE_SNAPS: u32 = 60;

/// What can happen to the refund of an attempt beside that.
pub const REFUNDS: [Rate<AnswerFault>; 2] = [
    (100, "merchant's funds short", AnswerFault::FundsShort),
    (
        200,
        "stuck until staff act (WeChat Pay)",
        AnswerFault::RefundStuck,
    ),
];

/// What can happen to the notices of an attempt.
pub const NOTICES: [Rate<NoticeFault>; 6] = [
    (60, "first try lost", NoticeFault::Lose { tries: 1 }),
    (60, "every try lost", NoticeFault::Lose { tries: 99 }),
    (60, "doubled", NoticeFault::Double),
    (
        60,
        "ten minutes late",
        NoticeFault::Late { delay_ms: 600_000 },
    ),
    (40, "a forgery comes first", NoticeFault::Forged),
    (20, "a probe comes first", NoticeFault::Probe),
];

/// What the customer does before an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Customer {
    /// Pays.
    Pays,
    /// Pays, and the gateway sends no notice.
    PaysUnnoticed,
    /// Is declined once, then pays.
    IsDeclinedThenPays,
    /// Is declined and leaves.
    IsDeclined,
    /// Scans, and puts the phone away.
    Looks,
    /// Leaves without scanning.
    Leaves,
    /// Pays so slowly that the money comes after the end.
    PaysLate,
    /// Pays twice.
    PaysTwice,
    /// Pays another amount by a fen.
    PaysAmountOff,
    /// Pays nothing; a stranger sends a notice that says so.
    IsImpersonated,
    /// Pays, and gets it all back on the platform before the server hears of it.
    IsPaidBack,
    /// Pays, and gets half back on the platform before the server hears of it.
    IsPaidBackHalf,
}

/// What customers do.
pub const CUSTOMERS: [Rate<Customer>; 12] = [
    (520, "pays", Customer::Pays),
    (80, "pays, no notice is sent", Customer::PaysUnnoticed),
    (60, "is declined, then pays", Customer::IsDeclinedThenPays),
    (40, "is declined and leaves", Customer::IsDeclined),
    (50, "scans and puts the phone away", Customer::Looks),
    (70, "never scans", Customer::Leaves),
    (
        50,
        "pays, the money comes after the end",
        Customer::PaysLate,
    ),
    (40, "pays twice", Customer::PaysTwice),
    (30, "pays a fen less", Customer::PaysAmountOff),
    (
        20,
        "pays nothing, a forged notice comes",
        Customer::IsImpersonated,
    ),
    (
        20,
        "pays, all is returned on the platform",
        Customer::IsPaidBack,
    ),
    (
        20,
        "pays, half is returned on the platform",
        Customer::IsPaidBackHalf,
    ),
];

/// What the customer does who shows a payment code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeCustomer {
    /// Pays without being asked.
    Pays,
    /// Is asked for the password, and gives it.
    Confirms,
    /// Is asked for the password, and never gives it.
    NeverConfirms,
    /// Is declined.
    IsDeclined,
}

impl CodeCustomer {
    /// Whether the wallet asks for the password.
    pub fn asks_password(self) -> bool {
        matches!(self, CodeCustomer::Confirms | CodeCustomer::NeverConfirms)
    }
}

/// Chance that an attempt is by payment code.
pub const BY_CODE: u32 = 350;

/// What customers with payment codes do.
pub const CODE_CUSTOMERS: [Rate<CodeCustomer>; 4] = [
    (500, "shows a code, pays at once", CodeCustomer::Pays),
    (
        300,
        "shows a code, gives the password",
        CodeCustomer::Confirms,
    ),
    (
        120,
        "shows a code, never gives the password",
        CodeCustomer::NeverConfirms,
    ),
    (80, "shows a code, is declined", CodeCustomer::IsDeclined),
];

/// What a cashier does about an order while it runs, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impatience {
    /// Starts another attempt for the same order, whatever the first is doing.
    ChargesAgain,
    /// Asks for the state, several times.
    Asks,
    /// Cancels the order.
    Cancels,
}

/// What cashiers do.
pub const CASHIERS: [Rate<Impatience>; 3] = [
    (
        400,
        "starts another attempt at once",
        Impatience::ChargesAgain,
    ),
    (500, "asks for the state, over and over", Impatience::Asks),
    (150, "cancels", Impatience::Cancels),
];

/// Chance that another attempt follows one that ended unpaid.
pub const FOLLOWS: u32 = 500;

/// What befalls the shop in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// No gateway can be reached.
    NoLine,
    /// Gateways take everything and answer nothing.
    NoAnswers,
    /// The server dies at one of its next writes, and starts again within five minutes.
    ServerDies,
    /// Gateways that certify their keys begin to sign with new ones.
    NewKeys,
    /// The merchant's staff send on the refunds that are stuck.
    StaffAct,
}

/// What befalls the shop, per day.
pub const MISHAPS: [Rate<Mishap>; 5] = [
    (300, "gateways out of reach", Mishap::NoLine),
    (200, "gateways answer nothing", Mishap::NoAnswers),
    (400, "server dies at a write", Mishap::ServerDies),
    (150, "gateways change their keys", Mishap::NewKeys),
    (
        500,
        "staff act at the gateway on stuck refunds",
        Mishap::StaffAct,
    ),
];

/// Longest time that gateways are out of reach or silent.
pub const OUTAGE_MOST: Millis = Millis::minutes(20);

/// Kinds of calls that [`CALLS`] spoil.
pub const SPOILT: [Operation; 7] = [
    Operation::Create,
    Operation::Charge,
    Operation::Reverse,
    Operation::Query,
    Operation::Close,
    Operation::Refund,
    Operation::QueryRefund,
];

/// One of `rates`, or none for what is left of a thousand.
pub fn pick<T: Copy>(rates: &[Rate<T>], dice: &mut Dice) -> Option<(&'static str, T)> {
    let mut thrown = dice.random_range(0..1_000);
    for (chance, name, what) in rates {
        if thrown < *chance {
            return Some((name, *what));
        }
        thrown -= chance;
    }
    None
}

/// Each of `rates` by itself.
pub fn each<'a, T: Copy>(
    rates: &'a [Rate<T>],
    dice: &'a mut Dice,
) -> impl Iterator<Item = (&'static str, T)> + 'a {
    rates
        .iter()
        .filter(|(chance, ..)| dice.random_range(0..1_000) < *chance)
        .map(|(_, name, what)| (*name, *what))
}

/// The table of the document.
pub fn table() -> String {
    let mut lines = vec![
        "| Where | What | In a thousand |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    let mut add = |place: &str, chance: u32, what: &str| {
        lines.push(format!("| {place} | {what} | {chance} |"));
    };
    for (chance, what, _) in CALLS {
        add("calls of a kind about an attempt", chance, what);
    }
    for (chance, what, _) in ARRIVALS {
        add("request for a QR code, or of a charge", chance, what);
    }
    add(
        "line, at the second call about an attempt",
        LINE_SNAPS,
        "fails for this call",
    );
    for (chance, what, _) in REFUNDS {
        add("refunds of an attempt", chance, what);
    }
    for (chance, what, _) in NOTICES {
        add("notices of an attempt", chance, what);
    }
    for (chance, what, _) in CUSTOMERS {
        add("customer", chance, what);
    }
    add("attempt", BY_CODE, "by payment code instead of QR code");
    for (chance, what, _) in CODE_CUSTOMERS {
        add("customer with a payment code", chance, what);
    }
    for (chance, what, _) in CASHIERS {
        add("cashier, each by itself", chance, what);
    }
    add(
        "cashier, after an attempt ended unpaid",
        FOLLOWS,
        "starts another",
    );
    for (chance, what, _) in MISHAPS {
        add("day, each by itself", chance, what);
    }
    lines.join("\n")
}
