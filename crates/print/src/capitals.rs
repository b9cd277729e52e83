//! Amounts in Chinese capitals (人民币大写).

use chinese_number::{ChineseCase, ChineseCountMethod, ChineseVariant, NumberToChinese};
use qiantai_core::Money;

/// Capitals are printed from this amount on (docs: domain §5.5).
pub const CAPITALS_FROM: Money = Money::from_yuan(1_000);

/// `amount` in Chinese capitals: 10,300.05 is 壹万零叁佰元零伍分.
///
/// Follows the writing rules for bills (支付结算办法, annex 1): 整 ends an amount without fen,
/// 零 stands for skipped jiao.
pub fn capitals(amount: Money) -> String {
    let fen_total = amount.fen().unsigned_abs();
    let (yuan, jiao, fen) = (fen_total / 100, fen_total / 10 % 10, fen_total % 10);
    let mut text = String::new();
    if amount.is_negative() {
        text.push('负');
    }
    if yuan > 0 || fen_total == 0 {
        text.push_str(&number(yuan));
        text.push('元');
    }
    if jiao > 0 {
        text.push_str(&number(jiao));
        text.push('角');
    } else if fen > 0 && yuan > 0 {
        text.push('零');
    }
    if fen > 0 {
        text.push_str(&number(fen));
        text.push('分');
    } else {
        text.push('整');
    }
    text
}

fn number(value: u64) -> String {
    let name = value
        .to_chinese(
            ChineseVariant::Simple,
            ChineseCase::Upper,
            ChineseCountMethod::TenThousand,
        )
        .expect("every 64-bit number has a Chinese name");
    // Speech says 拾, bills say 壹拾.
    if name.starts_with('拾') {
        format!("壹{name}")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_bills_as_the_rules_say() {
        for (fen, expected) in [
            (0, "零元整"),
            (5, "伍分"),
            (30, "叁角整"),
            (32, "叁角贰分"),
            (100, "壹元整"),
            (1_000, "壹拾元整"),
            (10_005, "壹佰元零伍分"),
            (120_000, "壹仟贰佰元整"),
            (100_100, "壹仟零壹元整"),
            (101_000, "壹仟零壹拾元整"),
            (140_950, "壹仟肆佰零玖元伍角整"),
            (600_714, "陆仟零柒元壹角肆分"),
            (1_001_000, "壹万零壹拾元整"),
            (1_100_000, "壹万壹仟元整"),
            (1_030_005, "壹万零叁佰元零伍分"),
            (10_000_000, "壹拾万元整"),
            (10_050_000, "壹拾万零伍佰元整"),
            (10_700_053, "壹拾万柒仟元伍角叁分"),
            (99_999_999, "玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
            (1_000_000_000, "壹仟万元整"),
            (10_000_000_100, "壹亿零壹元整"),
            (-120_000, "负壹仟贰佰元整"),
        ] {
            assert_eq!(capitals(Money::from_fen(fen)), expected, "{fen} fen");
        }
    }
}
