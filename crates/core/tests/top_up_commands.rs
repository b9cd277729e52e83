//! Lines for the command bar and how they are read: `vectors/top-up-command.tsv`.

use proptest::prelude::*;
use qiantai_core::amount_input::AmountInputError;
use qiantai_core::attempt::Channel;
use qiantai_core::top_up_command::{NotUnderstood, TopUpWish, read};

const TABLE: &str = include_str!("vectors/top-up-command.tsv");

fn rows() -> Vec<(&'static str, &'static str)> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| line.split_once('\t')).collect()
}

#[test]
fn every_line_of_the_table_is_read_as_it_says() {
    let rows = rows();
    assert!(rows.len() >= 120, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for (line, expected) in rows {
        let found = shown(&read(line));
        if found != expected {
            wrong.push(format!(
                "{line:?}\n  expected {expected}\n  found    {found}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A reading may lose the words of a line, but never makes up an amount.
#[test]
fn no_prefix_of_a_line_names_an_amount_that_was_not_said() {
    for (line, _) in rows() {
        let ends = line.char_indices().map(|(end, _)| end);
        for end in ends {
            for wish in read(&line[..end]).unwrap_or_default() {
                let said = wish.amount.is_none() || line[..end].chars().any(is_said);
                assert!(said, "{:?}: {wish:?}", &line[..end]);
            }
        }
    }
}

fn is_said(character: char) -> bool {
    character.is_numeric()
        || "零一二三四五六七八九十两百千万伍佰仟".contains(character)
        || character.is_ascii_alphabetic()
}

proptest! {
    #[test]
    fn nothing_that_is_typed_is_a_fault(text in "\\PC{0,40}") {
        let found = read(&text);
        prop_assert_ne!(found, Ok(Vec::new()));
    }

    #[test]
    fn words_and_numbers_in_any_order_are_no_fault(
        words in proptest::collection::vec(
            prop_oneof![
                Just("张伟"), Just("三"), Just("百"), Just("300"), Just("5678"), Just("微信"),
                Just("充"), Just(" "), Just("送"), Just("wx"), Just("two"), Just("hundred"),
                Just("-"), Just("."), Just("¥"), Just("一万"), Just("不用"), Just("尾号"),
            ],
            0..14,
        )
    ) {
        let found = read(&words.concat());
        prop_assert_ne!(found, Ok(Vec::new()));
    }

    /// However a member and a whole amount are put, the amount is that one.
    #[test]
    fn a_plain_sentence_keeps_its_amount(yuan in 1_i64..100_000, order in 0_usize..4) {
        let line = match order {
            0 => format!("张伟 充 {yuan} 微信"),
            1 => format!("给张伟充值{yuan}元"),
            2 => format!("微信充{yuan}元张伟"),
            _ => format!("top up zhang wei ¥{yuan} cash"),
        };
        let found = read(&line).expect("a plain sentence");
        prop_assert_eq!(found.len(), 1, "{:?}", found);
        prop_assert_eq!(found[0].amount, Some(qiantai_core::Money::from_yuan(yuan)));
    }
}

fn shown(found: &Result<Vec<TopUpWish>, NotUnderstood>) -> String {
    match found {
        Ok(wishes) => wishes.iter().map(wish).collect::<Vec<_>>().join(" | "),
        Err(reason) => format!("!{}", reason_name(reason)),
    }
}

fn wish(wish: &TopUpWish) -> String {
    let who = wish.who.clone().unwrap_or_default();
    let parts = [
        who.words,
        who.number.map(|number| format!("#{number}")),
        wish.amount.map(|amount| format!("¥{amount}")),
        wish.channel.map(|channel| channel_name(channel).to_owned()),
        wish.names_bonus.then(|| "+bonus".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Wechat => "wechat",
        Channel::Alipay => "alipay",
        Channel::Unionpay => "unionpay",
        Channel::Ecny => "ecny",
        Channel::Card => "card",
        Channel::Cash => "cash",
        Channel::Transfer => "transfer",
        Channel::ShopCode => "shop_code",
    }
}

fn reason_name(reason: &NotUnderstood) -> String {
    match reason {
        NotUnderstood::Empty => "empty".to_owned(),
        NotUnderstood::TooLong => "too_long".to_owned(),
        NotUnderstood::OtherAction => "other_action".to_owned(),
        NotUnderstood::TooMuch => "too_much".to_owned(),
        NotUnderstood::Unclear(words) => format!("unclear {words}"),
        NotUnderstood::Amount(error) => match error {
            AmountInputError::Empty => "amount_empty",
            AmountInputError::NotANumber => "amount_not_a_number",
            AmountInputError::Negative => "amount_negative",
            AmountInputError::Zero => "amount_zero",
            AmountInputError::TooPrecise => "amount_too_precise",
            AmountInputError::TooLarge => "amount_too_large",
        }
        .to_owned(),
    }
}
