//! What may be answered, and what is wrong with what may not.

use qiantai_core::policy_change::PEOPLE_MAX;
use qiantai_store::{Store, pin_hash};
use qiantai_wire::text::Hex;

use super::{Draft, Person};
use crate::account_input::account_of;
use crate::error::{CallError, ErrorCode};
use crate::settings;
use crate::shop_input::{
    METHODS, NAME, PIN, ROLE, brand_of, free_number, given_role, hashed, named, pin_of, receipt,
    wrong,
};
use crate::surroundings::Surroundings;
use crate::view::first_start::{NewPerson, NewShop, ReceiptHeader, SetUp, SetUpStep};
use crate::view::session::{PrinterSetting, RoleView};
use crate::view::top_up::ChannelView;

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
        let brand = brand_of(&shop.brand)?;
        self.shop = Some(NewShop {
            name,
            brand,
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
