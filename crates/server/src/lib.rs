//! The authority: ledger, tiers, promotions, payments, events.
