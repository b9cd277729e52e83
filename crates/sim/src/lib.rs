//! Terminals, server and the network between them in virtual time, under a seed.
//!
//! Real are: the synchronisation's engine and driver, the terminal's store, the server's router,
//! writer and ledger, and `decide` on both sides. Simulated are: time, dice, network, cashiers,
//! head office, and every misfortune of [`plan`]. What must hold is in [`oracle`] and [`audit`];
//! that these see what is wrong is shown by planting [`bug`]s.
//!
//! Nothing happens at the same time as anything else: one event is worked off after another, and
//! whatever a library does on another thread is waited for. So a seed replays exactly.

mod attack;
mod audit;
mod authority;
mod books;
mod bug;
mod calls;
mod day;
mod dice;
mod fate;
mod halt;
mod image;
mod joining;
mod kept;
mod lease_book;
mod lease_bugs;
mod ledger;
mod losses;
mod office;
mod oracle;
mod payments;
mod plan;
mod planted;
mod restoration;
mod run;
mod sale;
mod shrink;
mod till;
mod till_leases;
mod till_log;
mod time;
mod trap;
mod view;
mod wire;
mod world;

pub use attack::{Attacked, attack};
pub use bug::Bug;
pub use halt::{Invariant, Violation};
pub use payments::{PaymentPlan, PaymentReport, rate_table, run_payments};
pub use plan::{Fault, Misfortune, Plan};
pub use planted::{TABLE_HEAD, caught, caught_by};
pub use run::{Report, run};
pub use shrink::shrink;
