//! Text from outside never panics, whatever it is.

use proptest::prelude::proptest;
use proptest::prop_assert_eq;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_core::payment_code::recognise;
use qiantai_core::pinyin_key::{fold, search_keys};
use qiantai_core::{Money, Timestamp, amount_input, masking};

proptest! {
    #[test]
    fn anything_may_be_typed(text in "\\PC{0,24}") {
        let _ = amount_input::parse(&text);
        let _ = text.parse::<OrderNo>();
        let _ = recognise(&text, &[]);
        let _ = (masking::phone(&text), masking::name(&text), masking::identity_no(&text));
        let _ = (masking::bank_card(&text), masking::openid(&text));
        for key in search_keys(&text, &text, Some(&text)) {
            prop_assert_eq!(fold(&key.text), key.text);
        }
    }

    #[test]
    fn numerals_in_any_order(text in "[一二两三五九零十百千万亿兆1-9点元负]{0,10}") {
        if let Ok(amount) = amount_input::parse(&text) {
            assert!(amount.is_positive());
        }
    }

    #[test]
    fn amounts_shown_are_amounts_read(fen in 1_i64..=1_000_000_000) {
        let amount = Money::from_fen(fen);
        prop_assert_eq!(amount_input::parse(&amount.to_string()), Ok(amount));
    }

    #[test]
    fn order_numbers_read_back(ms in 0_i64..253_370_000_000_000, random: u32, store in 0_u32..100_000) {
        let store_code = format!("{store:05}");
        let made = OrderNo::new(Prefix::Attempt, Timestamp::from_ms(ms), &store_code, "07", random)
            .expect("codes are fine");
        let text = made.to_string();
        prop_assert_eq!(text.len(), 30);
        prop_assert_eq!(text.parse::<OrderNo>(), Ok(made));
    }
}
