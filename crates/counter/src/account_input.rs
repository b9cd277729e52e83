//! What is typed about the account that the shop's own code pays into, at the first start and later.

use qiantai_core::merchant_account::{AccountFault, AccountField, MerchantAccount};

use crate::error::CallError;
use crate::recorded::shown as character_shown;
use crate::shop_input::{Field, wrong};
use crate::view::first_start::MerchantAccountView;

/// A merchant account of which a code can be made.
pub(crate) fn account_of(typed: &MerchantAccountView) -> Result<MerchantAccountView, CallError> {
    let account = MerchantAccount::from(typed).as_typed();
    let checked = account.check();
    checked.map_err(|(field, fault)| faulty(field, fault))?;
    Ok((&account).into())
}

/// What is wrong with a field of it.
pub(crate) fn faulty(field: AccountField, fault: AccountFault) -> CallError {
    let about = Field(field.name());
    match fault {
        AccountFault::Empty => wrong(about, "set_up_empty"),
        AccountFault::Places(places) => {
            wrong(about, "set_up_places").with("places", places.to_string())
        }
        AccountFault::TooLong(most) => {
            wrong(about, "set_up_latin_too_long").with("most", most.to_string())
        }
        AccountFault::Character(character) => {
            let key = match field {
                AccountField::Category => "set_up_digits_only",
                AccountField::Name | AccountField::City => "set_up_latin_only",
                _ => "set_up_letters_and_digits_only",
            };
            wrong(about, key).with("character", character_shown(character))
        }
    }
}

impl From<&MerchantAccountView> for MerchantAccount {
    fn from(view: &MerchantAccountView) -> MerchantAccount {
        MerchantAccount {
            acquirer: view.acquirer.clone(),
            forwarding: view.forwarding.clone(),
            merchant: view.merchant.clone(),
            category: view.category.clone(),
            name: view.name.clone(),
            city: view.city.clone(),
        }
    }
}

impl From<&MerchantAccount> for MerchantAccountView {
    fn from(account: &MerchantAccount) -> MerchantAccountView {
        MerchantAccountView {
            acquirer: account.acquirer.clone(),
            forwarding: account.forwarding.clone(),
            merchant: account.merchant.clone(),
            category: account.category.clone(),
            name: account.name.clone(),
            city: account.city.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merchant_account_is_refused_field_by_field() {
        let good = MerchantAccountView {
            acquirer: "31127040".into(),
            forwarding: "7000 2044".into(),
            merchant: "600000000000001".into(),
            category: "７２９８".into(),
            name: " JIANDAN SALON".into(),
            city: "GUANGZHOU".into(),
        };
        let taken = account_of(&good).expect("as in the contract");
        assert_eq!(taken.forwarding, "70002044");
        assert_eq!(taken.category, "7298");
        assert_eq!(taken.name, "JIANDAN SALON");
        type Edit = fn(&mut MerchantAccountView);
        let cases: [(Edit, &str, &str); 8] = [
            (|it| it.acquirer.clear(), "acquirer", "set_up_empty"),
            (|it| it.forwarding.push('1'), "forwarding", "set_up_places"),
            (
                |it| it.merchant = "60000000000000-".into(),
                "merchant",
                "set_up_letters_and_digits_only",
            ),
            (|it| it.category = "729".into(), "category", "set_up_places"),
            (
                |it| it.category = "72X8".into(),
                "category",
                "set_up_digits_only",
            ),
            (
                |it| it.name = "简单美发".into(),
                "latin_name",
                "set_up_latin_only",
            ),
            (
                |it| it.name = "X".repeat(26),
                "latin_name",
                "set_up_latin_too_long",
            ),
            (|it| it.city = "  ".into(), "city", "set_up_empty"),
        ];
        for (edit, field, key) in cases {
            let mut typed = good.clone();
            edit(&mut typed);
            let error = account_of(&typed).expect_err(field);
            assert_eq!(error.message_key, format!("error.{key}"), "{typed:?}");
            assert_eq!(error.params["field"], field);
        }
    }
}
