//! The domain: money, members, tiers, orders and decisions; pure.
