//! Prices: ladders, packages, caps, points, tiers and limits.

use qiantai_core::account::Account;
use qiantai_core::decide::{RecentOrder, RefusalCode};
use qiantai_core::ids::{MemberId, OrderId, PackageId, PromotionId, TierId};
use qiantai_core::policy::{Ladder, LadderBonus, LimitAction, LimitKind, Policy};
use qiantai_core::quote::{CashShare, LimitCause, Quote, RuleKind, RuleVerdict, price};
use qiantai_core::recharge::AmountChoice;
use qiantai_core::{Millis, Money, compliance, tier};
use time::macros::date;
use uuid::Uuid;

use crate::shop::{
    COUPON, DIAMOND, GOLD, LADDER, MEMBER, NOON, PACKAGE, PLAIN, SILVER, Shop, amount, ladder,
    policy, policy_without_limits, row, share, yuan,
};

fn account(net: i64, tier: TierId) -> Account {
    let mut account = Shop::open(policy()).state.accounts[&MEMBER].clone();
    account.recharged = yuan(net);
    account.tier = tier;
    account
}

fn quote(policy: &Policy, choice: AmountChoice) -> Quote {
    let long_ago = NOON - Millis::days(365);
    price(
        policy,
        &account(0, PLAIN),
        long_ago,
        choice,
        CashShare::None,
        &[],
        NOON,
    )
    .expect("on sale")
}

fn bonus_under(rows: &[(i64, LadderBonus)], cap_bp: u32, pay: i64) -> i64 {
    let mut rules = policy();
    rules.bonus_cap_bp = cap_bp;
    rules.ladders[0].rows = rows.iter().map(|(at, bonus)| row(*at, *bonus)).collect();
    quote(&rules, amount(pay)).bonus.fen()
}

#[test]
fn the_ladder_of_the_domain() {
    let cases = [
        (299, 0),
        (300, 50),
        (499, 50),
        (500, 100),
        (999, 100),
        (1_000, 230),
        (2_000, 520),
        (3_000, 900),
        (5_000, 1_750),
        (20_000, 1_750),
    ];
    for (pay, bonus) in cases {
        let quote = quote(&policy(), amount(pay));
        assert_eq!((quote.pay, quote.bonus), (yuan(pay), yuan(bonus)), "{pay}");
        assert_eq!(quote.bonus_valid_days.is_some(), bonus > 0);
    }
}

#[test]
fn rows_of_each_kind() {
    let every = LadderBonus::EveryFull {
        every: yuan(300),
        bonus: yuan(50),
        cap: yuan(120),
    };
    let broken = LadderBonus::EveryFull {
        every: Money::ZERO,
        bonus: yuan(50),
        cap: yuan(120),
    };
    let cases = [
        (LadderBonus::Percent(1_000), 10_000, 299, 2_900),
        (LadderBonus::Percent(1_550), 10_000, 333, 5_100),
        (every, 10_000, 299, 0),
        (every, 10_000, 300, 5_000),
        (every, 10_000, 899, 10_000),
        (every, 10_000, 900, 12_000),
        (broken, 10_000, 900, 0),
        (LadderBonus::Fixed(yuan(300)), 5_000, 301, 15_050),
        (LadderBonus::Fixed(yuan(300)), 0, 301, 0),
        (LadderBonus::Fixed(yuan(-5)), 5_000, 301, 0),
    ];
    for (bonus, cap_bp, pay, expected) in cases {
        assert_eq!(
            bonus_under(&[(0, bonus)], cap_bp, pay),
            expected,
            "{bonus:?} {pay}"
        );
    }
}

#[test]
fn the_best_ladder_wins_then_the_lower_id() {
    let other = |id: u128, bonus: i64| Ladder {
        id: PromotionId(Uuid::from_u128(id)),
        rows: vec![row(100, LadderBonus::Fixed(yuan(bonus)))],
        ..ladder()
    };
    let mut rules = policy();
    rules.ladders = vec![
        other(90, 60),
        ladder(),
        other(91, 60),
        Ladder {
            dates: None,
            ..other(92, 10)
        },
    ];
    rules.ladders[3].dates = Some((date!(2026 - 11 - 22), date!(2026 - 12 - 22)));
    let quote = quote(&rules, amount(300));
    let verdicts: Vec<_> = quote
        .rules
        .iter()
        .map(|line| (line.kind, line.verdict))
        .collect();
    assert_eq!(quote.bonus, yuan(60));
    assert_eq!(
        verdicts,
        [
            (RuleKind::Ladder, RuleVerdict::Matched),
            (RuleKind::Ladder, RuleVerdict::Outranked),
            (RuleKind::Ladder, RuleVerdict::Outranked),
            (RuleKind::Ladder, RuleVerdict::OutOfDates),
            (RuleKind::Tier, RuleVerdict::BelowThreshold),
        ]
    );
    let total: Money = quote.rules.iter().map(|line| line.bonus).sum();
    assert_eq!(total, quote.bonus);
}

#[test]
fn a_capped_bonus_says_so() {
    let mut rules = policy();
    rules.ladders[0].rows = vec![row(0, LadderBonus::Fixed(yuan(300)))];
    let quote = quote(&rules, amount(400));
    assert_eq!(quote.bonus, yuan(200));
    let capped = quote
        .rules
        .iter()
        .find(|line| line.kind == RuleKind::BonusCap);
    assert_eq!(capped.map(|line| line.verdict), Some(RuleVerdict::Capped));
}

#[test]
fn packages_match_by_id_version_and_date() {
    let offer = quote(&policy(), AmountChoice::Package(PACKAGE, 1));
    assert_eq!(
        (offer.pay, offer.bonus, offer.points),
        (yuan(300), yuan(50), 310)
    );
    assert_eq!(offer.coupons, [(COUPON, 2)]);
    let mut ended = policy();
    ended.packages[0].on_sale = Some((date!(2026 - 11 - 01), date!(2026 - 11 - 20)));
    let mut last_day = policy();
    last_day.packages[0].on_sale = Some((date!(2026 - 11 - 21), date!(2026 - 11 - 21)));
    let cases = [
        (&policy(), PACKAGE, 2, false),
        (&policy(), PackageId(Uuid::from_u128(61)), 1, false),
        (&ended, PACKAGE, 1, false),
        (&last_day, PACKAGE, 1, true),
    ];
    for (rules, id, version, is_on_sale) in cases {
        let choice = AmountChoice::Package(id, version);
        let priced = price(
            rules,
            &account(0, PLAIN),
            NOON,
            choice,
            CashShare::None,
            &[],
            NOON,
        );
        let expected = (!is_on_sale).then_some(RefusalCode::PackageNotOnSale);
        assert_eq!(
            priced.err().map(|refusal| refusal.code),
            expected,
            "{id} {version}"
        );
    }
}

#[test]
fn amounts_that_are_not_sold() {
    let fixed_only = Policy {
        custom_amount: false,
        ..policy()
    };
    let cases = [
        (policy(), 0, Some(RefusalCode::AmountOutOfRange)),
        (policy(), -1, Some(RefusalCode::AmountOutOfRange)),
        (policy(), i64::MAX, Some(RefusalCode::AmountOutOfRange)),
        (policy(), 1_000_000_001, Some(RefusalCode::AmountOutOfRange)),
        (policy(), 1_000_000_000, None),
        (policy(), 1, None),
        (
            fixed_only.clone(),
            30_000,
            Some(RefusalCode::AmountNotOnSale),
        ),
        (fixed_only, 10_000, None),
    ];
    for (rules, fen, expected) in cases {
        let choice = AmountChoice::Amount(Money::from_fen(fen));
        let priced = price(
            &rules,
            &account(0, PLAIN),
            NOON,
            choice,
            CashShare::None,
            &[],
            NOON,
        );
        assert_eq!(priced.err().map(|refusal| refusal.code), expected, "{fen}");
    }
}

#[test]
fn tier_points_and_growth() {
    let cases = [
        // The example of domain §3.5: 2000 before and 3000 now make gold.
        (2_000, SILVER, 3_000, GOLD, 3_600),
        (0, PLAIN, 300, PLAIN, 300),
        (0, PLAIN, 2_000, SILVER, 2_000),
        (0, PLAIN, 20_000, DIAMOND, 20_000),
        (1_999, PLAIN, 1, SILVER, 1),
        // A tier given by hand does not fall on a top-up.
        (0, DIAMOND, 300, DIAMOND, 600),
        (4_999, TierId(Uuid::from_u128(59)), 1, GOLD, 1),
    ];
    for (net, before, pay, after, points) in cases {
        let account = account(net, before);
        let quote = price(
            &policy(),
            &account,
            NOON,
            amount(pay),
            CashShare::None,
            &[],
            NOON,
        )
        .expect("on sale");
        assert_eq!(quote.tier, (before, after), "{net} + {pay}");
        assert_eq!((quote.points, quote.growth), (points, pay), "{net} + {pay}");
    }
}

#[test]
fn points_and_growth_count_whole_yuan_of_the_amount_paid() {
    let mut rules = policy();
    rules.earning.recharge_rate_bp = 5_000;
    let quote = quote(&rules, AmountChoice::Amount(Money::from_fen(30_199)));
    assert_eq!((quote.points, quote.growth), (150, 301));
}

#[test]
fn the_next_tier_and_what_is_missing() {
    let cases = [
        (0, PLAIN, Some((SILVER, 2_000))),
        (3_800, SILVER, Some((GOLD, 1_200))),
        (20_000, DIAMOND, None),
        (0, GOLD, Some((DIAMOND, 20_000))),
    ];
    for (net, held, expected) in cases {
        let tiers = policy().tiers;
        let gap = tier::next_gap(&tiers, &account(net, held));
        let found = gap.map(|(tier, missing)| (tier.id, missing));
        assert_eq!(
            found,
            expected.map(|(tier, missing)| (tier, yuan(missing))),
            "{net}"
        );
    }
}

/// Pay, cash, days since registration, outstanding, other orders of the day; what is passed.
type LimitCase<'a> = (
    i64,
    bool,
    i64,
    i64,
    &'a [i64],
    &'a [(LimitCause, LimitAction)],
);

fn check_limits(rules: &Policy, cases: &[LimitCase<'_>]) {
    for (pay, cash, days, outstanding, others, expected) in cases {
        let mut account = account(0, PLAIN);
        account.principal = yuan(*outstanding);
        let others: Vec<RecentOrder> = others.iter().map(|pay| recent(MEMBER, *pay, 3)).collect();
        let registered_at = NOON - Millis::days(*days);
        let quote = price(
            rules,
            &account,
            registered_at,
            amount(*pay),
            share(*cash),
            &others,
            NOON,
        )
        .expect("ok");
        let found: Vec<_> = quote
            .notices
            .iter()
            .map(|notice| (notice.cause, notice.action))
            .collect();
        assert_eq!(found, *expected, "{pay} {cash} {days} {outstanding}");
    }
}

fn recent(member: MemberId, pay: i64, hours_ago: i64) -> RecentOrder {
    RecentOrder {
        order: OrderId(Uuid::from_u128(7)),
        member,
        pay: yuan(pay),
        opened_at: NOON - Millis::hours(hours_ago),
        alive: true,
    }
}

#[test]
fn review_triggers() {
    let single = (LimitCause::SinglePay, LimitAction::Review);
    let sum = (LimitCause::DaySum, LimitAction::Review);
    let new_cash = (LimitCause::NewMemberCash, LimitAction::Review);
    let cap = (
        LimitCause::Compliance(LimitKind::SingleOrder),
        LimitAction::Block,
    );
    check_limits(
        &policy(),
        &[
            (5_000, false, 9, 0, &[], &[]),
            (5_001, false, 9, 0, &[], &[single, sum]),
            (2_000, false, 9, 0, &[2_000, 1_000], &[]),
            (2_001, false, 9, 0, &[2_000, 1_000], &[sum]),
            (3_001, true, 0, 0, &[], &[new_cash]),
            (3_000, true, 0, 0, &[], &[]),
            (3_001, false, 0, 0, &[], &[]),
            (3_001, true, 1, 0, &[], &[]),
            (20_001, false, 9, 0, &[], &[cap, single, sum]),
        ],
    );
}

#[test]
fn compliance_limits() {
    let block = |kind| (LimitCause::Compliance(kind), LimitAction::Block);
    let outstanding = block(LimitKind::OutstandingPrincipal);
    let salon = Policy {
        compliance: compliance::cn_service(),
        ..policy_without_limits()
    };
    check_limits(
        &salon,
        &[
            (5_000, false, 9, 0, &[], &[]),
            (5_000, false, 9, 1, &[], &[outstanding]),
            (300, false, 9, 4_700, &[], &[]),
            (301, false, 9, 4_700, &[], &[outstanding]),
            (
                50_000,
                true,
                9,
                0,
                &[],
                &[outstanding, block(LimitKind::CashByPerson)],
            ),
            (50_000, false, 9, 0, &[], &[outstanding]),
        ],
    );
    let mut early = Policy {
        compliance: compliance::shanghai_gym(),
        ..policy_without_limits()
    };
    let together = block(LimitKind::AllKindsTogether);
    check_limits(
        &early,
        &[(20_001, false, 9, 0, &[], &[outstanding, together])],
    );
    early
        .compliance
        .limits
        .iter_mut()
        .for_each(|limit| limit.effective_from = NOON + Millis(1));
    check_limits(&early, &[(20_001, false, 9, 0, &[], &[])]);
}

#[test]
fn the_day_sum_counts_living_orders_of_the_member_within_a_day() {
    let stranger = MemberId(Uuid::from_u128(41));
    let dead = RecentOrder {
        alive: false,
        ..recent(MEMBER, 5_000, 1)
    };
    let others = [recent(stranger, 5_000, 1), recent(MEMBER, 5_000, 24), dead];
    let account = account(0, PLAIN);
    let quote = price(
        &policy(),
        &account,
        NOON,
        amount(100),
        CashShare::None,
        &others,
        NOON,
    )
    .expect("ok");
    assert_eq!(quote.notices, []);
    assert_eq!(
        quote.rules.first().and_then(|line| line.promotion),
        Some(LADDER)
    );
}

#[test]
fn a_gift_that_the_rules_do_not_define_is_not_promised() {
    let mut rules = policy();
    rules.coupon_templates.clear();
    assert_eq!(quote(&rules, AmountChoice::Package(PACKAGE, 1)).coupons, []);
}
