//! The shop's offline code: amount and reference in an EMVCo code, made without network.
//!
//! The customer's bank takes the money; nobody tells the counter. What is received by such a code
//! is recorded as unverified until the statement confirms it.

use qiantai_core::merchant_account::MerchantAccount;
use qiantai_core::money::Money;

use crate::mpm::{Field, MerchantCode, MerchantCodeError};

/// What an offline code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopCode {
    /// Where the money goes.
    pub account: UnionpayAccount,
    /// Merchant category code (ISO 18245), four digits; 7298 is health and beauty.
    pub category: String,
    /// Name in Latin letters, at most 25 characters.
    pub name: String,
    /// City in Latin letters, at most 15 characters.
    pub city: String,
    /// Name and city in Chinese, each within the same limits, where the customer's phone shows it.
    pub chinese: Option<(String, String)>,
    /// Amount to be paid; above zero.
    pub amount: Money,
    /// Our number of the attempt. Only 25 characters fit, so a longer one loses its beginning:
    /// the end holds store, terminal and chance.
    pub reference: String,
    /// Our two digits of the terminal.
    pub terminal: String,
}

/// A merchant account at UnionPay, tag 15: acquirer and forwarding institution of eight digits
/// each, merchant number of fifteen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnionpayAccount(String);

/// Why an offline code cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShopCodeError {
    /// The account is not 8 + 8 + 15 digits and letters.
    #[error("the UnionPay account is not 8 + 8 + 15 characters")]
    Account,
    /// The amount is not above zero or too large for thirteen characters.
    #[error("the amount cannot stand in the code")]
    Amount,
    /// A name, city, reference or terminal is empty or too long.
    #[error("the {0} is empty or too long")]
    Text(&'static str),
    /// The code as a whole breaks a rule of the format.
    #[error(transparent)]
    Code(#[from] MerchantCodeError),
}

impl ShopCode {
    /// Tag 62.05 holds this many characters.
    const REFERENCE_CHARACTERS_MAX: usize = 25;

    /// What a code into `account` says.
    ///
    /// # Errors
    /// The account is none of UnionPay's.
    pub fn into_account(
        account: &MerchantAccount,
        amount: Money,
        reference: &str,
        terminal: &str,
    ) -> Result<ShopCode, ShopCodeError> {
        Ok(ShopCode {
            account: UnionpayAccount::new(
                &account.acquirer,
                &account.forwarding,
                &account.merchant,
            )?,
            category: account.category.clone(),
            name: account.name.clone(),
            city: account.city.clone(),
            chinese: None,
            amount,
            reference: reference.to_owned(),
            terminal: terminal.to_owned(),
        })
    }

    /// What of a number stands in the code as its reference.
    ///
    /// # Errors
    /// The number is empty or more than digits and letters.
    pub fn reference_of(number: &str) -> Result<&str, ShopCodeError> {
        end_of(number)
    }

    /// The code.
    pub fn build(&self) -> Result<MerchantCode, ShopCodeError> {
        let fen = self.amount.fen();
        let amount = format!("{}.{:02}", fen / 100, fen % 100);
        if !self.amount.is_positive() || amount.len() > 13 {
            return Err(ShopCodeError::Amount);
        }
        let mut fields = vec![
            Field::new(1, "12"),
            Field::new(15, self.account.0.as_str()),
            Field::new(52, self.category.as_str()),
            Field::new(53, "156"),
            Field::new(54, amount),
            Field::new(58, "CN"),
            Field::new(59, within("name", &self.name, 25)?),
            Field::new(60, within("city", &self.city, 15)?),
            Field::template(
                62,
                vec![
                    Field::new(5, end_of(&self.reference)?),
                    Field::new(7, within("terminal", &self.terminal, 25)?),
                ],
            ),
        ];
        if let Some((name, city)) = &self.chinese {
            fields.push(Field::template(
                64,
                vec![
                    Field::new(0, "ZH"),
                    Field::new(1, within("name", name, 25)?),
                    Field::new(2, within("city", city, 15)?),
                ],
            ));
        }
        Ok(MerchantCode::build(fields)?)
    }
}

impl UnionpayAccount {
    /// Takes the three numbers as UnionPay issued them.
    pub fn new(
        acquirer: &str,
        forwarding: &str,
        merchant: &str,
    ) -> Result<UnionpayAccount, ShopCodeError> {
        let plain = |text: &str, count| {
            text.len() == count && text.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if plain(acquirer, 8) && plain(forwarding, 8) && plain(merchant, 15) {
            Ok(UnionpayAccount(format!("{acquirer}{forwarding}{merchant}")))
        } else {
            Err(ShopCodeError::Account)
        }
    }
}

fn within<'a>(
    what: &'static str,
    text: &'a str,
    characters_max: usize,
) -> Result<&'a str, ShopCodeError> {
    let count = text.chars().count();
    if (1..=characters_max).contains(&count) {
        Ok(text)
    } else {
        Err(ShopCodeError::Text(what))
    }
}

fn end_of(reference: &str) -> Result<&str, ShopCodeError> {
    if reference.is_empty() || !reference.is_ascii() {
        return Err(ShopCodeError::Text("reference"));
    }
    let skipped = reference
        .len()
        .saturating_sub(ShopCode::REFERENCE_CHARACTERS_MAX);
    Ok(&reference[skipped..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> ShopCode {
        ShopCode {
            account: UnionpayAccount::new("31127040", "70002044", "600000000000001")
                .expect("a good account"),
            category: "7298".to_owned(),
            name: "HUIYUAN GYM".to_owned(),
            city: "BEIJING".to_owned(),
            chinese: Some(("会员健身房".to_owned(), "北京".to_owned())),
            amount: Money::from_yuan(500),
            reference: "ZF202601010800001237".to_owned(),
            terminal: "01".to_owned(),
        }
    }

    #[test]
    fn the_code_says_what_the_shop_wants() {
        let built = code().build().expect("a good code");
        assert_eq!(
            built.to_payload(),
            "000201010212153131127040700020446000000000000015204729853031565406500.005802CN5911\
             HUIYUAN GYM6007BEIJING62300520ZF20260101080000123707020164210002ZH0105会员健身房\
             0202北京63044C32"
        );
        assert_eq!(MerchantCode::parse(&built.to_payload()), Ok(built));
    }

    #[test]
    fn a_long_number_keeps_its_end() {
        let long = ShopCode {
            reference: "ZF20261121140312480000010142KM".to_owned(),
            ..code()
        };
        let built = long.build().expect("a good code");
        assert_eq!(built.sub_value(62, 5), Some("61121140312480000010142KM"));
    }

    /// What [`MerchantAccount::check`] lets pass makes a code, and nothing else does.
    #[test]
    fn an_account_that_is_taken_makes_a_code() {
        let account = MerchantAccount {
            acquirer: "31127040".to_owned(),
            forwarding: "70002044".to_owned(),
            merchant: "600000000000001".to_owned(),
            category: "7298".to_owned(),
            name: "HUIYUAN GYM".to_owned(),
            city: "BEIJING".to_owned(),
        };
        let made = |account: &MerchantAccount| {
            let number = "CZ20261121140312480000010142KM";
            let code = ShopCode::into_account(account, Money::from_fen(29_999), number, "01");
            code.and_then(|code| code.build())
        };
        let code = made(&account).expect("a good account");
        assert_eq!(code.value(15), Some("3112704070002044600000000000001"));
        assert_eq!(code.value(54), Some("299.99"));
        assert_eq!(code.sub_value(62, 5), Some("61121140312480000010142KM"));
        for (field, wrong) in [
            (0, "3112704"),
            (1, ""),
            (2, "6000000000000019"),
            (3, "729"),
            (4, ""),
            (5, "XXXXXXXXXXXXXXXX"),
        ] {
            let mut other = account.clone();
            let value = [
                &mut other.acquirer,
                &mut other.forwarding,
                &mut other.merchant,
                &mut other.category,
                &mut other.name,
                &mut other.city,
            ];
            *value[field] = wrong.to_owned();
            assert!(other.check().is_err(), "{other:?}");
            assert!(made(&other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |change: &dyn Fn(&mut ShopCode), expected: ShopCodeError| {
            let mut changed = code();
            change(&mut changed);
            assert_eq!(changed.build(), Err(expected), "{changed:?}");
        };
        check(&|c| c.amount = Money::ZERO, ShopCodeError::Amount);
        check(&|c| c.amount = Money::from_fen(-1), ShopCodeError::Amount);
        check(
            &|c| c.amount = Money::from_yuan(99_999_999_999),
            ShopCodeError::Amount,
        );
        check(&|c| c.name = String::new(), ShopCodeError::Text("name"));
        check(&|c| c.city = "X".repeat(16), ShopCodeError::Text("city"));
        check(
            &|c| c.reference = "单".to_owned(),
            ShopCodeError::Text("reference"),
        );
        check(
            &|c| c.category = "72".to_owned(),
            ShopCodeError::Code(MerchantCodeError::Value(52)),
        );
        assert_eq!(
            UnionpayAccount::new("1", "2", "3"),
            Err(ShopCodeError::Account)
        );
    }
}
