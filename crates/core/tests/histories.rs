//! Random histories: whatever people, gateways and networks do, the books hold.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::prop_assert_eq;
use qiantai_core::attempt::{ConfigFault, DeclineCode, GatewayOutcome};
use qiantai_core::decide::{Change, Decision, decide};
use qiantai_core::drawer::DrawerReason;
use qiantai_core::ids::{AttemptId, MemberId, OpId, OrderId, StaffId};
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{Operation, OperationBody, SurplusRefunded};
use qiantai_core::recharge::AmountChoice;
use qiantai_core::recorded_payment::{PaymentReference, RecordedMethod};
use qiantai_core::{Millis, Money};
use uuid::Uuid;

use crate::books::Books;
use crate::drawer::opening;
use crate::shop::{CASHIER, MANAGER, MEMBER, NOON, PACKAGE, SHIFT, Shop, amount, policy, yuan};

const MEMBERS: [MemberId; 3] = [
    MEMBER,
    MemberId(Uuid::from_u128(41)),
    // Never registered.
    MemberId(Uuid::from_u128(42)),
];

/// So few that they come again.
const REFERENCES: [&str; 4] = ["0001", "0002", "0003", "20261121-AB"];

/// Something that happens; numbers pick from what there is.
#[derive(Clone, Debug)]
enum Event {
    Open {
        member: usize,
        pay: usize,
        confirmed: bool,
        /// In cash, in fen; nothing where a gateway is asked for all of it.
        part: Option<i64>,
    },
    Cash {
        member: usize,
        pay: usize,
        given: i64,
        offline: bool,
        lie: i64,
    },
    Record {
        member: usize,
        pay: usize,
        method: usize,
        reference: usize,
        confirmed: bool,
        offline: bool,
        lie: i64,
        /// In cash, in fen; nothing where all of it came by the method.
        part: Option<i64>,
    },
    Start {
        order: usize,
    },
    Answer {
        attempt: usize,
        outcome: usize,
    },
    Pays {
        attempt: usize,
        txn: u8,
        more: i64,
    },
    Cancel {
        order: usize,
    },
    Expire {
        order: usize,
    },
    Retry {
        order: usize,
    },
    Refund {
        attempt: usize,
    },
    Reprint {
        order: usize,
    },
    Drawer {
        by: usize,
    },
    Again {
        operation: usize,
        edit: bool,
    },
    Status {
        member: usize,
        active: bool,
    },
    Wait {
        minutes: i64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let pick = 0_usize..64;
    let money = prop_oneof![4 => Just(0_i64), 1 => -400_i64..400];
    let part = proptest::option::of(prop_oneof![4 => 1_i64..40_000, 1 => any::<i64>()]);
    prop_oneof![
        3 => (pick.clone(), pick.clone(), any::<bool>(), part.clone())
            .prop_map(|(member, pay, confirmed, part)| Event::Open { member, pay, confirmed, part }),
        3 => (pick.clone(), pick.clone(), money.clone(), any::<bool>(), money.clone()).prop_map(
            |(member, pay, given, offline, lie)| Event::Cash { member, pay, given, offline, lie }
        ),
        3 => (pick.clone(), pick.clone(), pick.clone(), any::<(bool, bool)>(), money.clone(), part)
            .prop_map(|(member, pay, how, (confirmed, offline), lie, part)| Event::Record {
                member, pay, method: how % 3, reference: how / 3 % 4, confirmed, offline, lie, part,
            }),
        4 => pick.clone().prop_map(|order| Event::Start { order }),
        4 => (pick.clone(), 0_usize..9)
            .prop_map(|(attempt, outcome)| Event::Answer { attempt, outcome }),
        4 => (pick.clone(), 0_u8..3, money)
            .prop_map(|(attempt, txn, more)| Event::Pays { attempt, txn, more }),
        1 => pick.clone().prop_map(|order| Event::Cancel { order }),
        1 => pick.clone().prop_map(|order| Event::Expire { order }),
        1 => pick.clone().prop_map(|order| Event::Retry { order }),
        1 => pick.clone().prop_map(|attempt| Event::Refund { attempt }),
        1 => pick.clone().prop_map(|order| Event::Reprint { order }),
        1 => pick.clone().prop_map(|by| Event::Drawer { by }),
        2 => (pick.clone(), any::<bool>())
            .prop_map(|(operation, edit)| Event::Again { operation, edit }),
        1 => (pick, proptest::bool::weighted(0.7))
            .prop_map(|(member, active)| Event::Status { member, active }),
        1 => (0_i64..20).prop_map(|minutes| Event::Wait { minutes }),
    ]
}

/// What a replay needs: operations as decided, and the moments when a member's status changed.
enum Step {
    Decided(Box<(Operation, qiantai_core::Timestamp, Decision)>),
    Status(MemberId, MemberStatus),
}

struct History {
    shop: Shop,
    steps: Vec<Step>,
    orders: Vec<OrderId>,
    attempts: Vec<AttemptId>,
}

impl History {
    fn new() -> History {
        let mut shop = Shop::open(policy());
        shop.register(MEMBERS[1]);
        History {
            shop,
            steps: Vec::new(),
            orders: Vec::new(),
            attempts: Vec::new(),
        }
    }

    fn of(events: &[Event]) -> History {
        let mut history = History::new();
        events.iter().for_each(|event| history.happens(event));
        history
    }

    fn happens(&mut self, event: &Event) {
        let order = |order: &usize| {
            let known = self.orders.get(order % self.orders.len().max(1));
            known.copied().unwrap_or(OrderId(Uuid::nil()))
        };
        let attempt = |attempt: &usize| {
            let known = self.attempts.get(attempt % self.attempts.len().max(1));
            known.copied().unwrap_or(AttemptId(Uuid::nil()))
        };
        match event {
            Event::Open {
                member,
                pay,
                confirmed,
                part,
            } => {
                let mut body = self.shop.open_body(choice(*pay), false);
                body.cash_part = part.map(Money::from_fen);
                body.member = MEMBERS[member % MEMBERS.len()];
                body.duplicate_confirmed = *confirmed;
                self.run(OperationBody::RechargeOpen(body));
            }
            Event::Cash {
                member,
                pay,
                given,
                offline,
                lie,
            } => {
                let mut body = self.shop.cash_body(choice(*pay));
                body.open.member = MEMBERS[member % MEMBERS.len()];
                body.tendered += yuan(*given);
                body.open.quote.bonus += Money::from_fen(*lie);
                let mut operation = self.shop.by_cashier(OperationBody::RechargeCash(body));
                operation.offline = *offline;
                self.decide(operation);
            }
            Event::Record { .. } => self.record(event),
            Event::Start { order: picked } => {
                let body = self.shop.start_body(order(picked));
                self.run(OperationBody::AttemptStart(body));
            }
            Event::Answer {
                attempt: picked,
                outcome,
            } => {
                self.answer(attempt(picked), answer(*outcome));
            }
            Event::Pays {
                attempt: picked,
                txn,
                more,
            } => self.pays(attempt(picked), *txn, *more),
            Event::Cancel { order: picked } => {
                self.run(OperationBody::RechargeCancel {
                    order: order(picked),
                });
            }
            Event::Expire { order: picked } => {
                self.run(OperationBody::OrderExpire {
                    order: order(picked),
                });
            }
            Event::Retry { order: picked } => {
                self.run(OperationBody::CreditRetry {
                    order: order(picked),
                });
            }
            Event::Refund { attempt: picked } => self.refund(attempt(picked)),
            Event::Reprint { order: picked } => {
                self.run(OperationBody::ReceiptReprint {
                    order: order(picked),
                    copy: 1,
                    approval: None,
                });
            }
            Event::Drawer { by } => {
                let approver = [MANAGER, CASHIER][by % 2];
                self.run(opening(DrawerReason::Change, None, approver));
            }
            Event::Again { operation, edit } => self.again(*operation, *edit),
            Event::Status { member, active } => {
                let status = if *active {
                    MemberStatus::Active
                } else {
                    MemberStatus::Frozen
                };
                let member = MEMBERS[member % 2];
                self.shop.set_status(member, status);
                self.steps.push(Step::Status(member, status));
            }
            Event::Wait { minutes } => self.shop.now = self.shop.now + Millis::minutes(*minutes),
        }
    }

    fn pays(&mut self, attempt: AttemptId, txn: u8, more: i64) {
        let known = self.shop.state.attempts.get(&attempt);
        let asked = known.map_or(yuan(1), |found| found.amount);
        let outcome = GatewayOutcome::Success {
            channel_txn_no: format!("t{txn}"),
            amount: asked + Money::from_fen(more),
            paid_at: self.shop.now,
        };
        self.answer(attempt, outcome);
    }

    fn record(&mut self, event: &Event) {
        let Event::Record {
            member,
            pay,
            method,
            reference,
            confirmed,
            offline,
            lie,
            part,
        } = event
        else {
            return;
        };
        let (method, reference) = (RecordedMethod::ALL[*method], REFERENCES[*reference]);
        let mut body = self.shop.recorded_body(choice(*pay), method, reference);
        body.open.member = MEMBERS[member % MEMBERS.len()];
        body.reference_confirmed = *confirmed;
        body.open.quote.pay += Money::from_fen(*lie);
        body.cash_part = part.map(Money::from_fen);
        let mut operation = self.shop.by_cashier(OperationBody::RechargeRecorded(body));
        operation.offline = *offline;
        self.decide(operation);
    }

    fn answer(&mut self, attempt: AttemptId, outcome: GatewayOutcome) {
        let body = qiantai_core::operation::AttemptResult { attempt, outcome };
        self.run(OperationBody::AttemptResult(body));
    }

    fn refund(&mut self, attempt: AttemptId) {
        let paid = self.shop.state.attempts.get(&attempt);
        let surplus = paid.and_then(|attempt| attempt.surplus.last()).cloned();
        if let Some(surplus) = surplus {
            self.run(OperationBody::SurplusRefunded(SurplusRefunded {
                attempt,
                channel_txn_no: surplus.channel_txn_no,
                amount: surplus.amount,
            }));
        }
    }

    /// An old operation again, as it was or with another content under the same action.
    fn again(&mut self, picked: usize, edit: bool) {
        let index = picked % self.shop.log.len();
        let mut operation = self.shop.log[index].0.clone();
        if edit {
            operation.op_id = OpId(self.shop.id());
            match &mut operation.body {
                OperationBody::RechargeCash(body) => body.tendered += yuan(10),
                OperationBody::RechargeRecorded(body) => {
                    let other = PaymentReference::parse(body.method, "9999");
                    body.reference = other.expect("four digits");
                }
                OperationBody::RechargeOpen(body) => body.seller = Some(StaffId(MANAGER.0)),
                OperationBody::ReceiptReprint { copy, .. } => *copy += 1,
                OperationBody::DrawerOpen(body) => body.reason = DrawerReason::Count,
                _ => {}
            }
        }
        self.decide(operation);
    }

    fn run(&mut self, body: OperationBody) {
        let operation = if body.is_server_only() {
            self.shop.by_server(body)
        } else {
            self.shop.by_cashier(body)
        };
        self.decide(operation);
    }

    fn decide(&mut self, operation: Operation) {
        let decision = self.shop.run(&operation);
        for change in &decision.changes {
            match change {
                Change::Order(row) if !self.orders.contains(&row.id) => self.orders.push(row.id),
                Change::Attempt(row) if !self.attempts.contains(&row.id) => {
                    self.attempts.push(row.id);
                }
                _ => {}
            }
        }
        self.steps.push(Step::Decided(Box::new((
            operation,
            self.shop.now,
            decision,
        ))));
    }
}

fn choice(picked: usize) -> AmountChoice {
    let choices = [
        amount(100),
        amount(300),
        amount(500),
        amount(2_000),
        amount(4_000),
        amount(6_000),
        AmountChoice::Package(PACKAGE, 1),
        AmountChoice::Amount(Money::from_fen(33_333)),
    ];
    choices[picked % choices.len()]
}

fn answer(picked: usize) -> GatewayOutcome {
    let answers = [
        GatewayOutcome::QrReady {
            payload: "qr".into(),
        },
        GatewayOutcome::Waiting,
        GatewayOutcome::UserPaying,
        GatewayOutcome::Unknown,
        GatewayOutcome::Declined(DeclineCode::BalanceShort),
        GatewayOutcome::Closed,
        GatewayOutcome::ConfigError(Some(ConfigFault::NotPermitted)),
        GatewayOutcome::Reversing,
        GatewayOutcome::Reversed {
            money_returned: Some(false),
        },
        GatewayOutcome::ReturnedOutside {
            channel_txn_no: "returned".into(),
            amount: yuan(300),
        },
    ];
    answers[picked % answers.len()].clone()
}

fn books(shop: &Shop) -> Books {
    Books::of(
        shop.log
            .iter()
            .map(|(_, _, decision)| decision.changes.as_slice()),
    )
}

/// A till's operations of an offline day, in any order and number: cash, payments that its cashier
/// recorded, and splits of both.
fn taken_offline(amounts: &[(usize, usize, usize, bool)]) -> Vec<Operation> {
    let mut shop = History::new().shop;
    let operations = amounts.iter().map(|(member, pay, how, reuse)| {
        let member = MEMBERS[member % MEMBERS.len()];
        let body = match RecordedMethod::ALL.get(*how) {
            Some(method) => {
                let reference = REFERENCES[pay % REFERENCES.len()];
                let mut body = shop.recorded_body(choice(*pay), *method, reference);
                (body.open.member, body.open.duplicate_confirmed) = (member, true);
                body.cash_part = (pay % 2 == 1).then_some(Money::from_fen(9_999));
                OperationBody::RechargeRecorded(body)
            }
            None => {
                let mut body = shop.cash_body(choice(*pay));
                (body.open.member, body.open.duplicate_confirmed) = (member, true);
                OperationBody::RechargeCash(body)
            }
        };
        let mut operation = shop.by_cashier(body);
        operation.offline = true;
        if *reuse {
            operation.action_id.0 = Uuid::from_u128(777);
        }
        operation
    });
    operations.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    #[test]
    fn the_books_hold_and_replay_exactly(events in vec(event(), 1..70)) {
        let history = History::of(&events);
        books(&history.shop).assert_agree_with(&history.shop.state);
        let mut replay = History::new().shop.state;
        for step in &history.steps {
            match step {
                Step::Decided(decided) => {
                    let (operation, now, decision) = decided.as_ref();
                    let repeated = decide(&replay, operation, *now);
                    prop_assert_eq!(&repeated, decision);
                    replay.record(operation, &repeated);
                }
                Step::Status(member, status) => {
                    replay.members.get_mut(member).expect("registered").status = *status;
                }
            }
        }
        prop_assert_eq!(&replay, &history.shop.state);
    }

    /// The money of a set of facts does not depend on order or on repeats of delivery.
    #[test]
    fn money_taken_arrives_once_in_any_order(
        amounts in
            vec((0_usize..3, 0_usize..8, 0_usize..5, proptest::bool::weighted(0.2)), 1..12),
        order in vec(0_usize..64, 0..40),
    ) {
        let operations = taken_offline(&amounts);
        let deliver = |indices: &mut dyn Iterator<Item = usize>| {
            let mut shop = History::new().shop;
            let mut arrived = std::collections::BTreeSet::new();
            for index in indices {
                let operation = &operations[index % operations.len()];
                // A record that arrived is known by its op_id; only then by its action.
                if arrived.insert(operation.op_id) {
                    shop.run(operation);
                }
            }
            books(&shop).assert_agree_with(&shop.state);
            use qiantai_core::ledger::LedgerAccount::{Clearing, Drawer};
            let clearing = RecordedMethod::ALL.map(|method| Clearing(method.channel()));
            let [card, transfer, shop_code] = clearing;
            [Drawer(SHIFT), card, transfer, shop_code].map(|account| shop.balance(account))
        };
        let in_order = deliver(&mut (0..operations.len()));
        let shuffled = deliver(&mut order.iter().copied().chain((0..operations.len()).rev()));
        prop_assert_eq!(in_order, shuffled);
    }

    /// Sent again as a new record, an action is answered and posts nothing.
    #[test]
    fn a_repeated_action_posts_nothing(events in vec(event(), 1..40)) {
        let mut history = History::of(&events);
        let log: Vec<Operation> =
            history.shop.log.iter().map(|(operation, _, _)| operation.clone()).collect();
        for mut operation in log {
            let seen = &history.shop.state.actions[&operation.action_id];
            let is_first = seen.op_id == operation.op_id;
            operation.op_id = OpId(history.shop.id());
            let decision = decide(&history.shop.state, &operation, NOON + Millis::days(1));
            if is_first {
                let posts = decision.changes.iter().any(|change| matches!(change, Change::Posting(_)));
                assert!(!posts, "{operation:?}");
            }
        }
    }
}
