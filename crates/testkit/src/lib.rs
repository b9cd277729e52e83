//! What tests share: real windows, real processes, fixtures.
