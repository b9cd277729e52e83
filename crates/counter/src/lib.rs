//! Use cases of the front desk.
