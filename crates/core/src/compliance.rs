//! The compliance profiles of domain §3.7 as they ship. Head office changes them by publishing
//! rules; counsel confirms them per city.

use crate::clock::Timestamp;
use crate::money::Money;
use crate::policy::{ComplianceLimit, ComplianceProfile, LimitAction, LimitKind};

/// 2012-11-01 in China: the administrative measures on single-purpose prepaid cards.
const PREPAID_CARD_MEASURES: Timestamp = Timestamp::from_ms(1_351_699_200_000);

/// 2025-03-01 in China: the Shanghai rules on prepaid gym membership.
const SHANGHAI_GYM_RULES: Timestamp = Timestamp::from_ms(1_740_758_400_000);

/// Salons and beauty shops under the national rules for single-purpose prepaid cards: a named
/// card holds at most 5000 yuan, and a person pays less than 50000 yuan in cash.
pub fn cn_service() -> ComplianceProfile {
    profile(
        "cn_service",
        PREPAID_CARD_MEASURES,
        &[
            (LimitKind::OutstandingPrincipal, Money::from_yuan(5_000)),
            (LimitKind::CashByPerson, Money::from_fen(4_999_999)),
        ],
    )
}

/// Gyms in Shanghai: stored value at most 5000 yuan, all kinds together at most 20000 yuan.
pub fn shanghai_gym() -> ComplianceProfile {
    profile(
        "shanghai_gym",
        SHANGHAI_GYM_RULES,
        &[
            (LimitKind::OutstandingPrincipal, Money::from_yuan(5_000)),
            (LimitKind::AllKindsTogether, Money::from_yuan(20_000)),
        ],
    )
}

/// No legal cap; the product's own cap of 20000 yuan an order.
pub fn open() -> ComplianceProfile {
    let start = Timestamp::from_ms(0);
    profile(
        "open",
        start,
        &[(LimitKind::SingleOrder, Money::from_yuan(20_000))],
    )
}

fn profile(name: &str, from: Timestamp, limits: &[(LimitKind, Money)]) -> ComplianceProfile {
    let limit = |&(kind, amount)| ComplianceLimit {
        kind,
        amount,
        action: LimitAction::Block,
        effective_from: from,
    };
    ComplianceProfile {
        name: name.to_owned(),
        limits: limits.iter().map(limit).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{PREPAID_CARD_MEASURES, SHANGHAI_GYM_RULES};

    #[test]
    fn rules_start_on_their_day_in_china() {
        assert_eq!(
            PREPAID_CARD_MEASURES.to_string(),
            "2012-11-01T00:00:00.000+08:00"
        );
        assert_eq!(
            SHANGHAI_GYM_RULES.to_string(),
            "2025-03-01T00:00:00.000+08:00"
        );
    }
}
