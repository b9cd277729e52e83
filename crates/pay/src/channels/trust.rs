//! Which certificates are believed.

use qiantai_core::clock::Timestamp;

use crate::crypto::Certificate;

/// Longest chain from a gateway's certificate to a root.
const CHAIN_MAX: usize = 5;

/// True when `leaf` holds now and was issued, over certificates of `between` that hold now, by one
/// of `anchors`, which were configured by hand.
pub(super) fn chains_to(
    leaf: &Certificate,
    between: &[Certificate],
    anchors: &[Certificate],
    now: Timestamp,
) -> bool {
    let mut current = leaf;
    for _ in 0..CHAIN_MAX {
        if !current.holds_at(now) {
            return false;
        }
        if anchors
            .iter()
            .any(|anchor| anchor.holds_at(now) && current.is_issued_by(anchor))
        {
            return true;
        }
        match between.iter().find(|issuer| current.is_issued_by(issuer)) {
            Some(issuer) => current = issuer,
            None => return false,
        }
    }
    false
}
