//! What is said aloud when money has arrived (docs: domain §5.4). Never a name and never a balance.

use chinese_number::{ChineseCase, ChineseCountMethod, ChineseVariant, NumberToChinese};

use crate::view::Fen;
use crate::view::order::{OrderView, Stage};
use crate::view::session::Language;
use crate::view::top_up::ChannelView;

/// The sentence for `order`: none before its money is really there.
pub fn sentence(order: &OrderView, language: Language) -> Option<String> {
    match order.stage {
        Stage::Paid | Stage::Credited => {}
        Stage::Opening
        | Stage::Review
        | Stage::Preparing
        | Stage::Waiting
        | Stage::Charging
        | Stage::UserPaying
        | Stage::Unknown
        | Stage::Reversing
        | Stage::Cancelling
        | Stage::Failed
        | Stage::Refused
        | Stage::Ended
        | Stage::Abnormal => return None,
    }
    let amount = order.parts.map_or(order.pay_fen, |parts| parts.other_fen);
    let cash = order.parts.map(|parts| parts.cash_fen);
    Some(match language {
        Language::ZhCn => {
            let cash = cash.map_or_else(String::new, |fen| format!("，现金{}", in_chinese(fen)));
            format!("{}{}{cash}", chinese(order.channel), in_chinese(amount))
        }
        Language::En => {
            let cash = cash.map_or_else(String::new, |fen| format!(", cash {}", in_english(fen)));
            format!("{}: {}{cash}", english(order.channel), in_english(amount))
        }
    })
}

/// What is said for trial: nobody in the shop may take it for money.
pub const fn trial(language: Language) -> &'static str {
    match language {
        Language::ZhCn => "试听，没有收款",
        Language::En => "Voice test, no payment",
    }
}

const fn chinese(channel: Option<ChannelView>) -> &'static str {
    match channel {
        Some(ChannelView::Wechat) => "微信收款",
        Some(ChannelView::Alipay) => "支付宝到账",
        Some(ChannelView::Unionpay) => "云闪付收款",
        Some(ChannelView::Ecny) => "数字人民币收款",
        Some(ChannelView::Card) => "刷卡收款",
        Some(ChannelView::Cash) => "现金充值",
        Some(ChannelView::Transfer) => "转账到账",
        Some(ChannelView::ShopCode) => "店码登记",
        None => "收款",
    }
}

const fn english(channel: Option<ChannelView>) -> &'static str {
    match channel {
        Some(ChannelView::Wechat) => "WeChat payment",
        Some(ChannelView::Alipay) => "Alipay payment",
        Some(ChannelView::Unionpay) => "UnionPay payment",
        Some(ChannelView::Ecny) => "Digital yuan payment",
        Some(ChannelView::Card) => "Card payment",
        Some(ChannelView::Cash) => "Cash top-up",
        Some(ChannelView::Transfer) => "Bank transfer",
        Some(ChannelView::ShopCode) => "Shop code recorded",
        None => "Payment",
    }
}

/// As people say it: 三百元五角, 两千元, 十元零五分.
fn in_chinese(Fen(fen): Fen) -> String {
    let fen = fen.unsigned_abs();
    let (yuan, jiao, rest) = (fen / 100, fen / 10 % 10, fen % 10);
    let mut words = String::new();
    if yuan > 0 {
        words += &count(yuan);
        words += "元";
    }
    if jiao > 0 {
        words += &format!("{}角", count(jiao));
    }
    if rest > 0 {
        let gap = if yuan > 0 && jiao == 0 { "零" } else { "" };
        words += &format!("{gap}{}分", count(rest));
    }
    if words.is_empty() {
        words += "零元";
    }
    with_liang(&words)
}

fn count(number: u64) -> String {
    let words = number.to_chinese(
        ChineseVariant::Simple,
        ChineseCase::Lower,
        ChineseCountMethod::TenThousand,
    );
    words.expect("every 64-bit number has a Chinese name")
}

/// 二 is said 两 before a measure and before the large units, but not as a last digit.
fn with_liang(words: &str) -> String {
    let letters: Vec<char> = words.chars().collect();
    let said = letters.iter().enumerate().map(|(at, letter)| {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let counts = matches!(after, Some('百' | '千' | '万' | '亿' | '元' | '角' | '分'));
        let digit = matches!(before, Some('十' | '零'));
        match letter {
            '二' if counts && !digit => '两',
            other => *other,
        }
    });
    said.collect()
}

/// 1,010 yuan; 300.50 yuan.
fn in_english(Fen(fen): Fen) -> String {
    let digits = (fen / 100).to_string();
    let mut whole = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            whole.push(',');
        }
        whole.push(digit);
    }
    match fen % 100 {
        0 => format!("{whole} yuan"),
        cents => format!("{whole}.{cents:02} yuan"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::tests::order;
    use crate::view::order::PartsView;

    fn said(channel: Option<ChannelView>, fen: i64, language: Language) -> Option<String> {
        let mut order = order(Stage::Credited);
        (order.channel, order.pay_fen) = (channel, Fen(fen));
        sentence(&order, language)
    }

    #[test]
    fn every_method_in_both_languages() {
        use ChannelView::{Alipay, Card, Cash, Ecny, Transfer, Unionpay, Wechat};
        for (channel, chinese, english) in [
            (Some(Wechat), "微信收款三百元", "WeChat payment: 300 yuan"),
            (Some(Alipay), "支付宝到账三百元", "Alipay payment: 300 yuan"),
            (
                Some(Unionpay),
                "云闪付收款三百元",
                "UnionPay payment: 300 yuan",
            ),
            (
                Some(Ecny),
                "数字人民币收款三百元",
                "Digital yuan payment: 300 yuan",
            ),
            (Some(Card), "刷卡收款三百元", "Card payment: 300 yuan"),
            (Some(Cash), "现金充值三百元", "Cash top-up: 300 yuan"),
            (Some(Transfer), "转账到账三百元", "Bank transfer: 300 yuan"),
            (None, "收款三百元", "Payment: 300 yuan"),
        ] {
            let both = [Language::ZhCn, Language::En].map(|each| said(channel, 30_000, each));
            assert_eq!(both, [chinese, english].map(|text| Some(text.to_owned())));
        }
    }

    #[test]
    fn a_trial_names_no_method_and_no_amount() {
        use ChannelView::{Alipay, Card, Cash, Ecny, Transfer, Unionpay, Wechat};
        for channel in [Wechat, Alipay, Unionpay, Ecny, Card, Cash, Transfer] {
            for (language, name) in [
                (Language::ZhCn, chinese(Some(channel))),
                (Language::En, english(Some(channel))),
            ] {
                let said = trial(language);
                assert!(!said.contains(name), "{said}");
                assert!(!said.contains(['元', '角', '0', '1']), "{said}");
            }
        }
    }

    #[test]
    fn both_parts_of_a_split_are_said() {
        let mut order = order(Stage::Credited);
        order.channel = Some(ChannelView::Card);
        order.parts = Some(PartsView {
            cash_fen: Fen(10_000),
            other_fen: Fen(20_000),
        });
        for (language, said) in [
            (Language::ZhCn, "刷卡收款两百元，现金一百元"),
            (Language::En, "Card payment: 200 yuan, cash 100 yuan"),
        ] {
            assert_eq!(sentence(&order, language).as_deref(), Some(said));
        }
    }

    #[test]
    fn amounts_as_people_say_them() {
        for (fen, chinese, english) in [
            (1, "一分", "0.01 yuan"),
            (20, "两角", "0.20 yuan"),
            (25, "两角五分", "0.25 yuan"),
            (100, "一元", "1 yuan"),
            (200, "两元", "2 yuan"),
            (1_000, "十元", "10 yuan"),
            (1_005, "十元零五分", "10.05 yuan"),
            (1_200, "十二元", "12 yuan"),
            (1_550, "十五元五角", "15.50 yuan"),
            (2_000, "二十元", "20 yuan"),
            (2_200, "二十二元", "22 yuan"),
            (10_000, "一百元", "100 yuan"),
            (10_200, "一百零二元", "102 yuan"),
            (11_000, "一百一十元", "110 yuan"),
            (20_000, "两百元", "200 yuan"),
            (22_200, "两百二十二元", "222 yuan"),
            (30_000, "三百元", "300 yuan"),
            (30_050, "三百元五角", "300.50 yuan"),
            (30_005, "三百元零五分", "300.05 yuan"),
            (30_055, "三百元五角五分", "300.55 yuan"),
            (100_000, "一千元", "1,000 yuan"),
            (100_100, "一千零一元", "1,001 yuan"),
            (101_000, "一千零一十元", "1,010 yuan"),
            (110_000, "一千一百元", "1,100 yuan"),
            (200_000, "两千元", "2,000 yuan"),
            (222_200, "两千两百二十二元", "2,222 yuan"),
            (500_000, "五千元", "5,000 yuan"),
            (1_000_000, "一万元", "10,000 yuan"),
            (1_001_000, "一万零一十元", "10,010 yuan"),
            (1_200_000, "一万两千元", "12,000 yuan"),
            (2_000_000, "两万元", "20,000 yuan"),
            (10_000_000, "十万元", "100,000 yuan"),
            (12_000_000, "十二万元", "120,000 yuan"),
            (100_000_000, "一百万元", "1,000,000 yuan"),
            (0, "零元", "0 yuan"),
        ] {
            assert_eq!(in_chinese(Fen(fen)), chinese, "{fen}");
            assert_eq!(in_english(Fen(fen)), english, "{fen}");
        }
    }

    #[test]
    fn only_money_that_is_there_is_said() {
        for stage in [
            Stage::Opening,
            Stage::Review,
            Stage::Preparing,
            Stage::Waiting,
            Stage::Charging,
            Stage::UserPaying,
            Stage::Unknown,
            Stage::Reversing,
            Stage::Cancelling,
            Stage::Failed,
            Stage::Refused,
            Stage::Ended,
            Stage::Abnormal,
        ] {
            assert_eq!(sentence(&order(stage), Language::ZhCn), None, "{stage:?}");
        }
        for stage in [Stage::Paid, Stage::Credited] {
            let said = sentence(&order(stage), Language::ZhCn);
            assert_eq!(said.as_deref(), Some("微信收款三百元"), "{stage:?}");
        }
    }
}
