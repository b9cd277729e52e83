//! What the customer does on the phone.

use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::{WalletName, decline_name, decline_of};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::order::{AttemptKey, Protocol};
use super::payment::{Payment, Stage, Transaction};
use super::{Gateway, LATE_BY, LateMoney};

/// How long a payment code is good for.
const CODE_VALIDITY: Millis = Millis::seconds(60);

/// What the customer does with one payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum PhoneAction {
    /// Pays.
    Pay,
    /// Tries to pay and is declined. In training the attempt is then over, elsewhere only if it is
    /// of a payment code: a QR code may be tried again.
    Decline {
        /// See [`decline_name`]; in lower or upper case.
        cause: String,
    },
    /// Puts the phone away; the code stays open until it expires.
    Ignore,
    /// Pays so slowly that the money arrives when the attempt is closed or expired.
    PayLate,
    /// Pays twice; the second payment is known only by its notice.
    PayTwice,
    /// Pays, and the gateway sends no notice.
    PayWithoutNotice,
    /// Pays one fen less than asked; one more if a single fen was asked.
    PayAmountOff,
    /// Pays nothing; somebody else sends a forged notice that says it was paid.
    ForgeNotice,
}

/// Why an action is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneRefusal {
    /// Not one of our codes, or unknown.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// Paid, declined, closed or reversed before.
    #[error("this payment is over")]
    Over,
    /// The action does not fit this payment.
    #[error("this payment does not allow that")]
    NotPossible,
    /// The cause is not one of the gateway's.
    #[error("there is no such cause")]
    NoSuchCause,
}

/// A payment as the phone shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhoneView {
    /// The right to pay.
    pub token: String,
    /// Name of the shop.
    pub merchant: String,
    /// The merchant's number of the attempt.
    pub attempt_no: String,
    /// What is paid for.
    pub subject: String,
    /// Amount asked for.
    pub amount_fen: i64,
    /// Amount received by now, twice payments and refunds included.
    pub received_fen: i64,
    /// Which wallet.
    pub wallet: WalletName,
    /// Where it stands.
    pub state: PhoneState,
    /// Why it was declined.
    pub decline: Option<&'static str>,
    /// When the code stops being valid.
    pub expires_at_ms: Option<i64>,
    /// When it came to the gateway.
    pub created_at_ms: i64,
}

/// Where a payment stands for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneState {
    /// Not scanned yet.
    Waiting,
    /// On the phone, to be confirmed.
    Confirming,
    /// Paid.
    Paid,
    /// Declined.
    Declined,
    /// Closed by the shop, or expired.
    Closed,
    /// Reversed; any money came back.
    Reversed,
}

/// A payment code to show to the cashier.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CodeView {
    /// What the bar code says.
    pub digits: String,
    /// The payment it will become, once it is charged.
    pub token: String,
    /// End of its validity.
    pub expires_at_ms: i64,
}

/// A payment code as the customer wants it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeWish {
    /// Which wallet.
    pub wallet: WalletName,
    /// The charge waits for the customer; otherwise it is paid, or declined, at once.
    #[serde(default)]
    pub asks_password: bool,
    /// Why a charge without password is declined; see [`decline_name`]. Paid if absent.
    #[serde(default)]
    pub declines: Option<String>,
}

/// A payment code that was shown.
#[derive(Clone)]
pub(super) struct ShownCode {
    pub wallet: WalletName,
    pub asks_password: bool,
    pub declines: Option<DeclineCode>,
    pub token: String,
    pub expires_at: Timestamp,
    pub used: bool,
}

impl std::fmt::Debug for ShownCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownCode")
            .field("wallet", &self.wallet)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// Opens the payment of a scanned QR code; from now on the customer is confirming.
    pub fn scan(&mut self, payload: &str, now: Timestamp) -> Result<PhoneView, PhoneRefusal> {
        let token = Protocol::ALL
            .iter()
            .find_map(|protocol| payload.strip_prefix(protocol.payload_prefix()))
            .ok_or(PhoneRefusal::NoSuchPayment)?;
        let key = self.key_of(token, now)?;
        let payment = self.payments.get_mut(&key).expect("key_of found it");
        payment.was_scanned = true;
        if payment.stage == Stage::NotScanned {
            payment.stage = Stage::UserPaying;
        }
        self.view(token, now)
    }

    /// The payment as it stands.
    pub fn view(&mut self, token: &str, now: Timestamp) -> Result<PhoneView, PhoneRefusal> {
        let key = self.key_of(token, now)?;
        Ok(self.payments[&key].phone_view(self.shop_name(&key), now))
    }

    /// Does what the customer does.
    pub fn act(
        &mut self,
        token: &str,
        action: &PhoneAction,
        now: Timestamp,
    ) -> Result<PhoneView, PhoneRefusal> {
        let key = self.key_of(token, now)?;
        let payment = self.payments.get_mut(&key).expect("key_of found it");
        let is_possible = match (payment.stage, action) {
            (_, PhoneAction::ForgeNotice)
            | (Stage::Closed, PhoneAction::PayLate)
            | (Stage::Paid, PhoneAction::PayTwice) => true,
            (Stage::NotScanned | Stage::UserPaying, _) => payment.is_payable(now),
            (Stage::Paid | Stage::Failed(_) | Stage::Closed | Stage::Reversed, _) => false,
        };
        if !is_possible {
            return Err(PhoneRefusal::Over);
        }
        let amount = payment.amount();
        payment.was_scanned = true;
        match action {
            PhoneAction::Pay => self.receive(&key, amount, true, now),
            PhoneAction::PayLate => self.pay_late(&key, now)?,
            PhoneAction::PayWithoutNotice => self.receive(&key, amount, false, now),
            PhoneAction::PayAmountOff => self.receive(&key, off_by_a_fen(amount), true, now),
            PhoneAction::PayTwice => {
                if payment.stage != Stage::Paid {
                    self.receive(&key, amount, true, now);
                }
                self.receive(&key, amount, true, now);
            }
            PhoneAction::ForgeNotice => self.forge_notice(&key, now)?,
            PhoneAction::Decline { cause } => {
                let cause = decline_of(&cause.to_ascii_uppercase());
                let cause = cause.ok_or(PhoneRefusal::NoSuchCause)?;
                if !payment.is_qr() || key.protocol.qr_habits().ends_on_decline {
                    payment.end(Stage::Failed(cause), now);
                }
            }
            PhoneAction::Ignore => {
                if payment.is_qr() {
                    payment.stage = Stage::NotScanned;
                }
            }
        }
        self.view(token, now)
    }

    /// The newest payments first, without their tokens: seeing a payment is no right to pay it.
    pub fn recent_payments(&mut self, count_max: usize, now: Timestamp) -> Vec<PhoneView> {
        self.advance(now);
        for payment in self.payments.values_mut() {
            payment.expire(now);
        }
        let mut payments: Vec<&Payment> = self.payments.values().collect();
        payments.sort_by_key(|payment| std::cmp::Reverse(payment.created_at));
        payments
            .into_iter()
            .take(count_max)
            .map(|payment| PhoneView {
                token: String::new(),
                ..payment.phone_view(self.shop_name(payment.key()), now)
            })
            .collect()
    }

    /// Shows a fresh payment code, good for a minute and one charge. With `asks_password` the
    /// charge waits for the customer; otherwise it is paid at once.
    pub fn show_code(
        &mut self,
        wallet: WalletName,
        asks_password: bool,
        now: Timestamp,
    ) -> CodeView {
        self.new_code(wallet, asks_password, None, now)
    }

    /// Shows a fresh payment code as the customer wants it.
    pub fn show_code_as(
        &mut self,
        wish: &CodeWish,
        now: Timestamp,
    ) -> Result<CodeView, PhoneRefusal> {
        let declines = match &wish.declines {
            None => None,
            Some(name) => {
                Some(decline_of(&name.to_ascii_uppercase()).ok_or(PhoneRefusal::NoSuchCause)?)
            }
        };
        Ok(self.new_code(wish.wallet, wish.asks_password, declines, now))
    }

    fn new_code(
        &mut self,
        wallet: WalletName,
        asks_password: bool,
        declines: Option<DeclineCode>,
        now: Timestamp,
    ) -> CodeView {
        let (prefix, digits_count) = match wallet {
            WalletName::Wechat => ("13", 18),
            WalletName::Alipay => ("28", 18),
            WalletName::Unionpay => ("62", 19),
            WalletName::Ecny => ("01", 19),
        };
        self.codes
            .retain(|_, code| now < code.expires_at + Millis::hours(1));
        let mut digits = prefix.to_owned();
        while digits.len() < digits_count {
            digits.push(char::from(b"0123456789"[self.rng.random_range(0..10)]));
        }
        let token = self.new_token();
        let expires_at = now + CODE_VALIDITY;
        let code = ShownCode {
            wallet,
            asks_password,
            declines,
            token: token.clone(),
            expires_at,
            used: false,
        };
        self.codes.insert(digits.clone(), code);
        CodeView {
            digits,
            token,
            expires_at_ms: expires_at.ms(),
        }
    }

    fn pay_late(&mut self, key: &AttemptKey, now: Timestamp) -> Result<(), PhoneRefusal> {
        let payment = self
            .payments
            .get_mut(key)
            .expect("callers hold a known attempt");
        let expires_at = payment.payable_until().ok_or(PhoneRefusal::NotPossible)?;
        let is_over = payment.stage == Stage::Closed;
        if !is_over {
            payment.stage = Stage::UserPaying;
        }
        let arrives_at = if is_over { now } else { expires_at } + LATE_BY;
        self.late_money.push(LateMoney {
            attempt: key.clone(),
            arrives_at,
        });
        Ok(())
    }

    fn forge_notice(&mut self, key: &AttemptKey, now: Timestamp) -> Result<(), PhoneRefusal> {
        let payment = self
            .payments
            .get(key)
            .expect("callers hold a known attempt");
        let paid = Transaction {
            channel_txn_no: format!("99{:014}{:010}", now.ms(), 0),
            amount: payment.amount(),
            paid_at: now,
            payer: String::new(),
            returned: Money::ZERO,
        };
        let draft = payment.notice(paid).ok_or(PhoneRefusal::NotPossible)?;
        self.outbox.queue_forgery(draft, now);
        Ok(())
    }

    fn key_of(&mut self, token: &str, now: Timestamp) -> Result<AttemptKey, PhoneRefusal> {
        self.advance(now);
        let key = self
            .tokens
            .get(token)
            .cloned()
            .ok_or(PhoneRefusal::NoSuchPayment)?;
        self.payment(&key, now)
            .map_err(|_| PhoneRefusal::NoSuchPayment)?;
        Ok(key)
    }
}

impl Payment {
    fn phone_view(&self, shop_name: String, now: Timestamp) -> PhoneView {
        let decline = match self.stage {
            Stage::Failed(cause) => Some(decline_name(cause)),
            _ => None,
        };
        let received: Money = self.transactions.iter().map(Transaction::left).sum();
        PhoneView {
            token: self.token.clone(),
            merchant: shop_name,
            attempt_no: self.key().attempt_no.clone(),
            subject: self.order.subject.clone(),
            amount_fen: self.amount().fen(),
            received_fen: received.fen(),
            wallet: self.wallet,
            state: match self.stage {
                Stage::NotScanned | Stage::UserPaying if !self.is_payable(now) => {
                    PhoneState::Closed
                }
                Stage::NotScanned => PhoneState::Waiting,
                Stage::UserPaying => PhoneState::Confirming,
                Stage::Paid => PhoneState::Paid,
                Stage::Failed(_) => PhoneState::Declined,
                Stage::Closed => PhoneState::Closed,
                Stage::Reversed => PhoneState::Reversed,
            },
            decline,
            expires_at_ms: self.payable_until().map(Timestamp::ms),
            created_at_ms: self.created_at.ms(),
        }
    }
}

fn off_by_a_fen(amount: Money) -> Money {
    let fen = Money::from_fen(1);
    if amount > fen {
        amount - fen
    } else {
        amount + fen
    }
}
