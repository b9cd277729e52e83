//! What may be answered, and what is wrong with what may not.

use qiantai_core::merchant_account::{AccountFault, AccountField, MerchantAccount};
use qiantai_core::policy_change::PEOPLE_MAX;
use qiantai_store::{Store, pin_hash};
use qiantai_wire::text::Hex;

use super::{Draft, Person};
use crate::error::{CallError, ErrorCode};
use crate::recorded::shown as character_shown;
use crate::settings;
use crate::shop_input::{
    Field, METHODS, NAME, PIN, ROLE, free_number, given_role, hashed, named, pin_of, receipt, wrong,
};
use crate::surroundings::Surroundings;
use crate::view::first_start::{
    MerchantAccountView, NewPerson, NewShop, ReceiptHeader, SetUp, SetUpStep,
};
use crate::view::session::{PrinterSetting, RoleView};
use crate::view::top_up::ChannelView;

const ACQUIRER: Field = Field("acquirer");
const FORWARDING: Field = Field("forwarding");
const MERCHANT: Field = Field("merchant");
const CATEGORY: Field = Field("category");
const LATIN_NAME: Field = Field("latin_name");
const CITY: Field = Field("city");

impl Draft {
    /// Takes an answer. Only language and printer are kept by it already; the rest is the caller's
    /// to keep.
    pub(crate) fn answer(
        &mut self,
        answer: SetUp,
        code_is_kept: bool,
        store: &Store,
        surroundings: &dyn Surroundings,
    ) -> Result<(), CallError> {
        match answer {
            SetUp::Language { language } => Ok(settings::adopt_looks(store, Some(language), None)?),
            SetUp::GoTo { step } => self.go_to(step, code_is_kept),
            SetUp::Shop { shop } => self.is_shop(&shop, code_is_kept),
            SetUp::Person { person } => self.add(&person, surroundings),
            SetUp::WithoutPerson { id } => {
                self.people.retain(|person| person.id.to_string() != id);
                Ok(())
            }
            SetUp::Receipt { receipt } => self.is_receipt(&receipt),
            SetUp::Printer { printer } => self.prints_on(printer, store),
            SetUp::Methods {
                methods,
                merchant_account,
            } => {
                self.merchant_account = match methods.contains(&ChannelView::ShopCode) {
                    true => Some(account_of(&merchant_account.unwrap_or_default())?),
                    false => None,
                };
                self.takes(methods, code_is_kept)
            }
        }
    }

    fn go_to(&mut self, step: SetUpStep, code_is_kept: bool) -> Result<(), CallError> {
        let reached = self.reached(code_is_kept);
        let is_past_code = step == SetUpStep::Code && code_is_kept;
        if reached == SetUpStep::People && step > reached {
            return Err(wrong(ROLE, "set_up_no_manager"));
        }
        // A code that is on paper is not shown again.
        if step > reached || is_past_code {
            return Err(CallError::new(ErrorCode::WrongState, "internal"));
        }
        self.step = step;
        Ok(())
    }

    fn is_shop(&mut self, shop: &NewShop, code_is_kept: bool) -> Result<(), CallError> {
        let name = named(NAME, &shop.name)?;
        self.shop = Some(NewShop {
            name,
            ..shop.clone()
        });
        self.step = match code_is_kept {
            true => SetUpStep::People,
            false => SetUpStep::Code,
        };
        Ok(())
    }

    fn add(
        &mut self,
        person: &NewPerson,
        surroundings: &dyn Surroundings,
    ) -> Result<(), CallError> {
        let name = named(NAME, &person.name)?;
        if self.people.iter().any(|known| known.name == name) {
            return Err(wrong(NAME, "set_up_same_name"));
        }
        if self.people.len() == PEOPLE_MAX {
            return Err(wrong(NAME, "set_up_too_many"));
        }
        let role = match self.people.is_empty() {
            true => RoleView::Manager,
            false => person.role,
        };
        let given = given_role(role)?;
        let pin = pin_of(&person.pin, &person.again)?;
        if self.people.iter().any(|known| known.has(&pin)) {
            return Err(wrong(PIN, "set_up_pin_taken"));
        }
        let pin = hashed(&pin, surroundings);
        let taken = self.people.iter().map(|it| it.staff_no.as_str());
        self.people.push(Person {
            id: surroundings.new_id(),
            staff_no: free_number(given, taken),
            name,
            role,
            salt: Hex(pin.salt),
            hash: Hex(pin.hash),
        });
        Ok(())
    }

    fn is_receipt(&mut self, typed: &ReceiptHeader) -> Result<(), CallError> {
        self.receipt = Some(receipt(typed)?);
        self.step = SetUpStep::Printer;
        Ok(())
    }

    fn prints_on(&mut self, printer: PrinterSetting, store: &Store) -> Result<(), CallError> {
        settings::adopt_printer(store, printer)?;
        self.has_printer = true;
        self.step = SetUpStep::Methods;
        Ok(())
    }

    fn takes(&mut self, methods: Vec<ChannelView>, code_is_kept: bool) -> Result<(), CallError> {
        if methods.is_empty() {
            return Err(wrong(METHODS, "set_up_no_method"));
        }
        self.methods = Vec::new();
        for method in methods {
            if !self.methods.contains(&method) {
                self.methods.push(method);
            }
        }
        if self.reached(code_is_kept) != SetUpStep::Methods {
            return Err(CallError::new(ErrorCode::WrongState, "internal"));
        }
        self.is_whole = true;
        Ok(())
    }
}

impl Person {
    fn has(&self, pin: &str) -> bool {
        pin_hash(pin, self.salt.0).hash == self.hash.0
    }
}

/// A merchant account of which a code can be made.
fn account_of(typed: &MerchantAccountView) -> Result<MerchantAccountView, CallError> {
    let account = MerchantAccount::from(typed).as_typed();
    account.check().map_err(|(field, fault)| {
        let about = match field {
            AccountField::Acquirer => ACQUIRER,
            AccountField::Forwarding => FORWARDING,
            AccountField::Merchant => MERCHANT,
            AccountField::Category => CATEGORY,
            AccountField::Name => LATIN_NAME,
            AccountField::City => CITY,
        };
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
    })?;
    Ok((&account).into())
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
