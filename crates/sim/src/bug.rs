//! Bugs to plant: what a component hands on is altered as the bug would alter it. They show that
//! the simulation sees what it claims to see, and touch no line of the product.

use std::str::FromStr;

macro_rules! bugs {
    ($($bug:ident = $name:literal: $place:literal, $what:literal;)*) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            $(
                #[doc = $what]
                $bug,
            )*
        }

        impl Bug {
            /// Every bug.
            pub const ALL: &[Bug] = &[$(Bug::$bug),*];

            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Bug::$bug => $name),* }
            }

            /// Where it is planted.
            pub fn place(self) -> &'static str {
                match self { $(Bug::$bug => $place),* }
            }

            /// What goes wrong.
            pub fn what(self) -> &'static str {
                match self { $(Bug::$bug => $what),* }
            }
        }
    };
}

bugs! {
    AckBeforeCommit = "ack-before-commit": "server, write",
        "The server answers some batches without writing them.";
    TornBatch = "torn-batch": "server, write",
        "Of batches only the first operation is written.";
    LogLost = "log-lost": "server, disk",
        "A crash loses what the write-ahead log held: the disk lied about writing it.";
    SkipDedupe = "skip-dedupe": "server, load",
        "The server does not recognise an operation that was sent again.";
    ForgetActions = "forget-actions": "server, write",
        "The server does not remember what was done under an intent.";
    StaleAccount = "stale-account": "server, load",
        "Decisions look at the account as it was one load ago.";
    DoublePost = "double-post": "server, write",
        "Some operations post their postings twice.";
    LostPosting = "lost-posting": "server, write",
        "Some postings lack their last leg.";
    WrongDrawer = "wrong-drawer": "server, write",
        "Some cash is posted to another shift's drawer.";
    CashMovementLost = "cash-movement-lost": "server, write",
        "Some cash movements are not written.";
    AccountNotWritten = "account-not-written": "server, write",
        "Some accounts are not written, their postings are.";
    PrincipalOffByOne = "principal-off-by-one": "server, write",
        "Some balances gain a fen.";
    LostBonus = "lost-bonus": "server, write",
        "Some top-ups bring no bonus.";
    TierNotRecomputed = "tier-not-recomputed": "server, write",
        "A member who earned a tier keeps the old one.";
    JournalLost = "journal-lost": "server, write",
        "Some lines of a member's statement are missing.";
    OrderNotWritten = "order-not-written": "server, write",
        "Some orders are not written, though terminals are told.";
    CouponLost = "coupon-lost": "server, write",
        "Some coupons are not written, though terminals are told.";
    ChainOff = "chain-off": "server, write",
        "Some hashes of the tenant's chain are wrong.";
    SequenceByArrival = "sequence-by-arrival": "server, write",
        "Two operations of a batch change places in the log.";
    HeadNotMoved = "head-not-moved": "server, write",
        "The log's head stays where it was.";
    FeedRowsLost = "feed-rows-lost": "server, feed",
        "Some entries of the feed come without their rows.";
    EarlyOverlayDrop = "early-overlay-drop": "terminal, answers",
        "An operation leaves the overlay when it is acknowledged, not when its rows are here.";
    NeverCovered = "never-covered": "terminal, answers and feed",
        "A terminal recognises its own operations neither in answers nor in the feed.";
    AckWhatWasNotSent = "ack-what-was-not-sent": "terminal, answers",
        "A terminal takes every answer for one to all it has.";
    AnswerOfAnother = "answer-of-another": "terminal, answers",
        "A terminal keeps the answer to one operation for another.";
    SkipFirstPending = "skip-first-pending": "terminal, push",
        "A push begins one operation too late.";
    PageHalfApplied = "page-half-applied": "terminal, feed",
        "A terminal moves its cursor over a page and leaves out rows of others.";
    OldRowWins = "old-row-wins": "terminal, feed",
        "A terminal overwrites an account with the one of the page before.";
    TerminalLogLost = "terminal-log-lost": "terminal, disk",
        "A crash of a terminal loses what the write-ahead log held.";
    CommitUnwritten = "commit-unwritten": "terminal, commit",
        "A cashier is told that a sale is recorded, and it is not.";
    LeaseReturnedOnTime = "lease-returned-on-time": "server, write",
        "Money of leases is the member's again after a while, though terminals may still spend it.";
    LeaseNotHeld = "lease-not-held": "server, write",
        "A lease is granted, and as much is available as before.";
    LeaseDrawForgotten = "lease-draw-forgotten": "server, write",
        "Some payments leave their lease as it was, as a restored backup would.";
    LeaseCountedTwice = "lease-counted-twice": "terminal, leases",
        "A terminal adds up a lease that came in twice.";
    LeaseOfAnother = "lease-of-another": "terminal, leases",
        "A terminal spends what other terminals hold.";
    LeaseRowsLost = "lease-rows-lost": "terminal, feed",
        "A terminal leaves out leases when it takes over a page.";
    TimelineNotBegun = "timeline-not-begun": "server, restore",
        "A backup is put back as a file, without a timeline of its own.";
    NotSentAgain = "not-sent-again": "terminal, snapshot",
        "A terminal takes a restored server to have what the lost one acknowledged.";
    UnknownIsOver = "unknown-is-over": "server, load",
        "An attempt of which nobody knows what became counts as over.";
    PaidIsForgotten = "paid-is-forgotten": "server, load",
        "Who reads a paid attempt sees it as it was before the money came.";
    AnotherChannel = "another-channel": "server, write",
        "Money of one channel stands under another.";
    SurplusKept = "surplus-kept": "server, write",
        "Nobody is asked to send back what was paid a second time.";
}

impl Bug {
    /// Whether it only shows where payments are simulated.
    pub fn is_of_payments(self) -> bool {
        matches!(
            self,
            Bug::UnknownIsOver | Bug::PaidIsForgotten | Bug::AnotherChannel | Bug::SurplusKept
        )
    }
}

/// No such bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBug(pub String);

impl std::fmt::Display for UnknownBug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is no bug `{}` to plant", self.0)
    }
}

impl std::error::Error for UnknownBug {}

impl FromStr for Bug {
    type Err = UnknownBug;

    fn from_str(name: &str) -> Result<Bug, UnknownBug> {
        let named = Bug::ALL.iter().find(|bug| bug.name() == name);
        named.copied().ok_or_else(|| UnknownBug(name.to_owned()))
    }
}
