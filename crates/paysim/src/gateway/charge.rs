//! Payment codes: charging one, and undoing a charge.

use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::Timestamp;
use qiantai_pay::channels::training::message::WalletName;

use super::order::{AttemptKey, BookRefusal, Means, NewPayment};
use super::payment::{Payment, Stage};
use super::{Arrival, Gateway};

impl Gateway {
    /// Charges a payment code that the phone shows, or finds what the same request did before.
    /// Only codes of the wallets in `takes` are known here.
    pub(crate) fn charge(
        &mut self,
        order: NewPayment,
        takes: &[WalletName],
        now: Timestamp,
    ) -> Result<Arrival, BookRefusal> {
        self.advance(now);
        if self.is_known(&order)? {
            return Ok(Arrival::Repeated);
        }
        let Means::Code { auth_code } = &order.means else {
            return Err(BookRefusal::WrongKind);
        };
        let found = self.codes.get_mut(auth_code);
        let found = found.filter(|code| takes.contains(&code.wallet));
        let (stage, code) = match found {
            None => (Stage::Failed(DeclineCode::CodeInvalid), None),
            Some(code) if code.used => (Stage::Failed(DeclineCode::CodeInvalid), None),
            Some(code) if now >= code.expires_at => (Stage::Failed(DeclineCode::CodeExpired), None),
            Some(code) => {
                code.used = true;
                let stage = match code.declines {
                    Some(cause) if !code.asks_password => Stage::Failed(cause),
                    _ => Stage::UserPaying,
                };
                (stage, Some(code.clone()))
            }
        };
        let token = match &code {
            Some(code) => code.token.clone(),
            None => self.new_token(),
        };
        // Which wallet an unknown code belongs to is never asked.
        let wallet = code.as_ref().map_or(WalletName::Wechat, |code| code.wallet);
        let key = order.key.clone();
        self.tokens.insert(token.clone(), key.clone());
        let mut payment = Payment::new(order, wallet, token, now);
        let amount = payment.amount();
        payment.was_scanned = true;
        match stage {
            Stage::UserPaying => payment.stage = stage,
            ended => payment.end(ended, now),
        }
        self.payments.insert(key.clone(), payment);
        if stage == Stage::UserPaying && code.is_some_and(|code| !code.asks_password) {
            self.receive(&key, amount, true, now);
        }
        Ok(Arrival::New)
    }

    /// Undoes a payment-code attempt, returning any money. A number that never arrived is
    /// reversed for good.
    pub(crate) fn reverse(&mut self, key: &AttemptKey, now: Timestamp) -> Result<(), BookRefusal> {
        self.advance(now);
        if !self.payments.contains_key(key) {
            self.voided.insert(key.clone(), Stage::Reversed);
            return Ok(());
        }
        let payment = self.payment(key, now)?;
        if payment.is_qr() {
            return Err(BookRefusal::WrongKind);
        }
        self.undo(key, now)
    }

    /// Ends an attempt of any kind, returning any money.
    pub(crate) fn undo(&mut self, key: &AttemptKey, now: Timestamp) -> Result<(), BookRefusal> {
        let payment = self.payment(key, now)?;
        if payment.stage != Stage::Reversed {
            payment.end(Stage::Reversed, now);
            for transaction in &mut payment.transactions {
                transaction.returned = transaction.amount;
            }
        }
        Ok(())
    }
}
