//! What members and cashiers do.

use qiantai_core::Money;
use qiantai_core::attempt::{Channel, PayMethod, PaymentAttempt};
use qiantai_core::ids::{AttemptId, OrderId};
use qiantai_core::recharge::OrderState;
use qiantai_paysim::gateway::{AnswerFault, AnswerRule, NoticeRule, Operation, PhoneAction};
use rand::RngExt;

use super::bank::Contracts;
use super::rates::{
    self, ARRIVALS, BY_CODE, CALLS, CASHIERS, CODE_CUSTOMERS, CUSTOMERS, CodeCustomer, Customer,
    Impatience, LINE_SNAPS, NOTICES, REFUNDS, SPOILT,
};
use super::street::{Event, Street};
use crate::halt::{Invariant, Step, must};

/// How often a cashier scans the same code again.
const SCANS_MOST: u32 = 8;

/// Before the customer has the phone out, and before a cashier acts, in seconds.
const SLOWEST_S: i64 = 240;

impl Street {
    /// A member comes to top up.
    pub(super) fn visit(&mut self) -> Step {
        let member = self.members[self.people.random_range(0..self.members.len())];
        let (choice, question) = self.desk.ask_price(member, &self.policy.fixed_amounts);
        let Some(answer) = self.call(question)? else {
            self.count("visit while the server is off");
            return Ok(());
        };
        let now = self.now();
        let Some((open, fact)) = self.desk.open_order(member, choice, &answer, now)? else {
            return Ok(());
        };
        self.do_and_push(fact)?;
        let in_cash = open.cash_part.unwrap_or(Money::ZERO);
        self.begin(open.order, open.quote.pay - in_cash)?;
        let wishes: Vec<_> = rates::each(&CASHIERS, &mut self.people).collect();
        for (name, wish) in wishes {
            self.count(name);
            match wish {
                Impatience::ChargesAgain => self.within(1, SLOWEST_S, Event::Charge(open.order)),
                Impatience::Cancels => self.within(5, 2 * SLOWEST_S, Event::Cancel(open.order)),
                Impatience::Asks => {
                    let attempt = self.books.attempts.values();
                    let attempt = attempt.filter(|attempt| attempt.order == open.order);
                    let first = attempt.map(|attempt| attempt.id).next();
                    if let Some(attempt) = first {
                        self.within(1, 20, Event::Ask(attempt, 8));
                    }
                }
            }
        }
        Ok(())
    }

    /// Another attempt for an order, whatever became of those before.
    pub(super) fn charge(&mut self, order: OrderId) -> Step {
        let Some(known) = self.books.orders.get(&order) else {
            return Ok(());
        };
        let (amount, is_waiting) = (known.asked(), known.state == OrderState::PendingPayment);
        let was_open = self
            .books
            .attempts
            .values()
            .any(|attempt| attempt.order == order && attempt.state.is_open());
        let before = self.books.attempts.len();
        self.begin(order, amount)?;
        let is_refused = self.books.attempts.len() == before;
        if is_waiting && was_open && is_refused {
            self.count("second charge refused while the first was open");
        }
        Ok(())
    }

    fn begin(&mut self, order: OrderId, amount: Money) -> Step {
        let channel = match self.people.random_range(0..100) {
            0..50 => Channel::Wechat,
            50..84 => Channel::Alipay,
            84..98 => Channel::Unionpay,
            // Offered by the shop's rules, and behind no gateway.
            _ => Channel::Ecny,
        };
        let now = self.now();
        let method = match self.people.random_range(0..1_000) < BY_CODE {
            true => PayMethod::Code,
            false => PayMethod::Qr,
        };
        let by = (channel, method);
        let (attempt_no, fact) = self.desk.charge(order, amount, by, now);
        self.spoil(&attempt_no);
        self.do_and_push(fact)?;
        self.look()
    }

    /// What will go wrong about an attempt.
    fn spoil(&mut self, attempt_no: &str) {
        for operation in SPOILT {
            let fault = rates::pick(&CALLS, &mut self.fate);
            let times = self.fate.random_range(1..3);
            self.spoil_answers(attempt_no, operation, fault, times);
        }
        for operation in [Operation::Create, Operation::Charge] {
            let fault = rates::pick(&ARRIVALS, &mut self.way);
            self.spoil_answers(attempt_no, operation, fault, 1);
        }
        if self.way.random_range(0..1_000) < LINE_SNAPS {
            self.count("line that fails for one call");
            self.bank.snap_at(attempt_no);
        }
        let fault = rates::pick(&REFUNDS, &mut self.fate);
        self.spoil_answers(attempt_no, Operation::Refund, fault, 2);
        if let Some((name, fault)) = rates::pick(&NOTICES, &mut self.fate) {
            self.count(name);
            self.bank.spoil_notices(NoticeRule {
                attempt_no: Some(attempt_no.to_owned()),
                fault,
                times: None,
            });
        }
    }

    fn spoil_answers(
        &mut self,
        attempt_no: &str,
        operation: Operation,
        fault: Option<(&'static str, AnswerFault)>,
        times: u32,
    ) {
        if let Some((name, fault)) = fault {
            self.count(name);
            self.bank.spoil(AnswerRule {
                attempt_no: Some(attempt_no.to_owned()),
                operation: Some(operation),
                fault,
                times: Some(times),
            });
        }
    }

    /// The customer acts, once there is a code to scan.
    pub(super) fn phone(&mut self, attempt: AttemptId) -> Step {
        let (Some(known), Some(intent)) = (
            self.books.attempts.get(&attempt),
            self.intents.get(&attempt),
        ) else {
            return Ok(());
        };
        let Some(payload) = known.qr_payload.clone() else {
            if known.state.is_open() {
                self.within(2, 6, Event::Phone(attempt));
            }
            return Ok(());
        };
        let decline = PhoneAction::Decline {
            cause: "BALANCE_SHORT".to_owned(),
        };
        let (number, intent) = (known.attempt_no.clone(), *intent);
        let returned = self.part_returned(known, intent);
        let action = match intent {
            Customer::Pays => PhoneAction::Pay,
            Customer::PaysUnnoticed => PhoneAction::PayWithoutNotice,
            Customer::IsDeclined => decline,
            Customer::IsDeclinedThenPays => {
                self.intents.insert(attempt, Customer::Pays);
                self.within(2, 40, Event::Phone(attempt));
                decline
            }
            Customer::Looks => {
                // A code that is over does not open, which is what the customer sees.
                let _closed = self.bank.scan(&payload);
                PhoneAction::Ignore
            }
            Customer::Leaves => return Ok(()),
            Customer::PaysLate => PhoneAction::PayLate,
            Customer::PaysTwice => PhoneAction::PayTwice,
            Customer::PaysAmountOff => PhoneAction::PayAmountOff,
            Customer::IsImpersonated => PhoneAction::ForgeNotice,
            Customer::IsPaidBack | Customer::IsPaidBackHalf => PhoneAction::PayWithoutNotice,
        };
        if self.bank.act(&payload, &action).is_err() {
            self.count("code that was over");
        } else if let Some(amount) = returned {
            // Before anybody asks: what stood in the books already would be for the bills to find.
            let is_returned = self.bank.return_on_platform(&number, amount).is_ok();
            must(is_returned, Invariant::KeepsWorking, || {
                format!("the platform does not return {amount} of {number}")
            })?;
            self.count("payment returned on the platform");
            self.paid_back.insert(attempt);
        }
        Ok(())
    }

    /// What the merchant's staff return on the platform. UnionPay itself does not tell that a payment
    /// went back, nor does Alipay of a part.
    fn part_returned(&self, attempt: &PaymentAttempt, customer: Customer) -> Option<Money> {
        let (whole, half) = (
            attempt.amount,
            Money::from_fen((attempt.amount.fen() + 1) / 2),
        );
        match (customer, attempt.channel) {
            (_, Channel::Unionpay) if self.contracts == Contracts::Keys => None,
            (Customer::IsPaidBackHalf, Channel::Alipay) | (Customer::IsPaidBack, _) => Some(whole),
            (Customer::IsPaidBackHalf, _) => Some(half),
            _ => None,
        }
    }

    /// The cashier scans the customer's payment code; the same again while the server does not
    /// answer or could not send it.
    pub(super) fn scan(&mut self, attempt: AttemptId, left: u32) -> Step {
        let Some((customer, code)) = self.codes.get(&attempt) else {
            return Ok(());
        };
        let (customer, is_first) = (*customer, left == SCANS_MOST);
        let request = self.desk.scan(attempt, &code.digits);
        let answer = self.call(request)?;
        let is_taken = answer.is_some_and(|answer| answer.status().is_success());
        if !is_taken && left > 0 {
            self.within(2, 6, Event::Scan(attempt, left - 1));
        }
        if is_first && customer == CodeCustomer::Confirms {
            self.within(3, 70, Event::Confirm(attempt));
        }
        Ok(())
    }

    pub(super) fn confirm(&mut self, attempt: AttemptId) {
        let Some((_, code)) = self.codes.get(&attempt) else {
            return;
        };
        if self.bank.confirm(code).is_err() {
            self.count("password too late");
        }
    }

    /// The cashier asks, and again while the attempt is open.
    pub(super) fn ask(&mut self, attempt: AttemptId, left: u32) -> Step {
        let is_open = self
            .books
            .attempts
            .get(&attempt)
            .is_some_and(|attempt| attempt.state.is_open());
        if is_open {
            self.call(self.desk.ask(attempt))?;
            if left > 0 {
                self.within(2, 4, Event::Ask(attempt, left - 1));
            }
        }
        Ok(())
    }

    pub(super) fn attend(&mut self, attempt: &PaymentAttempt) {
        if attempt.method == PayMethod::Code {
            return self.attend_code(attempt);
        }
        let (name, customer) =
            rates::pick(&CUSTOMERS, &mut self.people).unwrap_or(("never scans", Customer::Leaves));
        self.count(name);
        if customer == Customer::PaysTwice {
            // Gateways tell a second payment by its notice alone; without one only a bill does.
            self.bank.forgive_notices(&attempt.attempt_no);
        }
        self.intents.insert(attempt.id, customer);
        self.within(2, SLOWEST_S, Event::Phone(attempt.id));
    }

    fn attend_code(&mut self, attempt: &PaymentAttempt) {
        let (name, customer) = rates::pick(&CODE_CUSTOMERS, &mut self.people)
            .unwrap_or(("shows a code, pays at once", CodeCustomer::Pays));
        self.count(name);
        match self.bank.show_code(attempt.channel, customer) {
            Ok(code) => {
                self.codes.insert(attempt.id, (customer, code));
                self.within(1, 9, Event::Scan(attempt.id, SCANS_MOST));
            }
            Err(_) => self.count("no code to show"),
        }
    }
}
