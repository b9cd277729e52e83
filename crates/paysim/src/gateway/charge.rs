//! Payment codes: charging one, and undoing a charge.

use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::Timestamp;
use qiantai_pay::channels::training::message::{
    AttemptRef, ChargeCode, FaultCode, PaymentAnswer, PaymentState,
};

use super::payment::{Content, Payment, Stage};
use super::{AttemptKey, Gateway, Refusal, rules};

impl Gateway {
    /// Charges a payment code that the phone shows, or finds what the same request did before.
    pub fn charge(
        &mut self,
        request: &ChargeCode,
        now: Timestamp,
    ) -> Result<PaymentAnswer, Refusal> {
        self.advance(now);
        let key = (request.merchant.clone(), request.attempt_no.clone());
        let content = Content::Code(request.clone());
        if !self.is_known(&key, &content)? {
            rules::check_charge(request)?;
            self.charge_new(key.clone(), content, &request.auth_code, now);
        }
        Ok(self.payment(&key, now)?.answer())
    }

    fn charge_new(&mut self, key: AttemptKey, content: Content, auth_code: &str, now: Timestamp) {
        let failed = |cause| (Stage::Failed(cause), None);
        let (stage, code) = match self.codes.get_mut(auth_code) {
            None => failed(DeclineCode::CodeInvalid),
            Some(code) if code.used => failed(DeclineCode::CodeInvalid),
            Some(code) if now >= code.expires_at => failed(DeclineCode::CodeExpired),
            Some(code) => {
                code.used = true;
                (Stage::UserPaying, Some(code.clone()))
            }
        };
        let token = match &code {
            Some(code) => code.token.clone(),
            None => self.new_token(),
        };
        self.tokens.insert(token.clone(), key.clone());
        let mut payment = Payment::new(content, token, now);
        payment.stage = stage;
        if let Some(code) = &code {
            payment.wallet = code.wallet;
        }
        let amount = payment.amount;
        self.payments.insert(key.clone(), payment);
        if code.is_some_and(|code| !code.asks_password) {
            self.receive(&key, amount, true, now);
        }
    }

    /// Undoes a payment-code attempt, returning any money. A number that never arrived is
    /// reversed for good.
    pub fn reverse(
        &mut self,
        request: &AttemptRef,
        now: Timestamp,
    ) -> Result<PaymentAnswer, Refusal> {
        self.advance(now);
        let key = (request.merchant.clone(), request.attempt_no.clone());
        if !self.payments.contains_key(&key) {
            return self.void(request, PaymentState::Reversed);
        }
        let payment = self.payment(&key, now)?;
        if payment.is_qr() {
            return Err(Refusal::new(
                FaultCode::WrongKind,
                "close or refund a QR attempt",
            ));
        }
        payment.stage = Stage::Reversed;
        for transaction in &mut payment.transactions {
            transaction.returned = transaction.amount;
        }
        Ok(payment.answer())
    }
}
