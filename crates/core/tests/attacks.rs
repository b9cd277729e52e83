//! Tills that keep to no rule, and eight that attack one member (docs: sync, "Offline spending:
//! leases").

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::array::uniform3;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use qiantai_core::decide::{Outcome, State, decide};
use qiantai_core::ids::{ActionId, DeviceId, LeaseId, MemberId};
use qiantai_core::ledger::CaseKind;
use qiantai_core::operation::{NamedLease, Operation, OperationBody, SpendOffline};
use qiantai_core::risk_floor::{FloorUse, RiskFloor, Room, SpentBeyond};
use qiantai_core::{Millis, Money};
use uuid::Uuid;

use crate::leases::{
    OTHER, account, assert_sound, lease, manager, offer, shop, spend, spending, till, top_up,
};
use crate::shop::{MEMBER, Shop, TILL, amount, cases};

/// Something that happens to leases; numbers pick from what there is.
#[derive(Clone, Debug)]
enum Event {
    TopUp {
        yuan: i64,
    },
    Grant {
        till: u128,
        member: usize,
    },
    Spend {
        till: u128,
        member: usize,
        fen: i64,
        draws: Vec<(usize, i64)>,
        approved: bool,
    },
    Release {
        till: u128,
        lease: usize,
    },
    Lost {
        lease: usize,
    },
    Again {
        operation: usize,
    },
    Wait {
        minutes: i64,
    },
}

const TILLS: u128 = 4;

/// When the business date of the shop begins.
const CUT_OFF: u16 = 240;

fn event() -> impl Strategy<Value = Event> {
    let till = 0_u128..TILLS;
    let pick = 0_usize..64;
    let draws = vec((pick.clone(), 1_i64..20_000), 0..4);
    prop_oneof![
        1 => (1_i64..900).prop_map(|yuan| Event::TopUp { yuan }),
        4 => (till.clone(), pick.clone()).prop_map(|(till, member)| Event::Grant { till, member }),
        6 => (till.clone(), pick.clone(), 1_i64..40_000, draws, any::<bool>()).prop_map(
            |(till, member, fen, draws, approved)| Event::Spend { till, member, fen, draws, approved }
        ),
        2 => (till, pick.clone()).prop_map(|(till, lease)| Event::Release { till, lease }),
        1 => pick.clone().prop_map(|lease| Event::Lost { lease }),
        1 => pick.prop_map(|operation| Event::Again { operation }),
        1 => (0_i64..600).prop_map(|minutes| Event::Wait { minutes }),
    ]
}

/// A shop with tills whose programs do not keep to the rules.
struct Rogues {
    shop: Shop,
    start: State,
    leases: Vec<(LeaseId, MemberId)>,
    begun: usize,
}

impl Rogues {
    fn new() -> Rogues {
        let mut shop = shop(TILLS);
        shop.register(OTHER);
        Rogues {
            start: shop.state.clone(),
            begun: shop.log.len(),
            shop,
            leases: Vec::new(),
        }
    }

    fn happens(&mut self, event: &Event) {
        let member = |index: &usize| [MEMBER, MEMBER, OTHER][index % 3];
        let lease = |index: &usize| {
            let known = self.leases.get(index % self.leases.len().max(1));
            known.copied().unwrap_or((LeaseId(Uuid::nil()), MEMBER))
        };
        match event {
            Event::TopUp { yuan } => top_up(&mut self.shop, amount(*yuan)),
            Event::Grant {
                till: index,
                member: of,
            } => {
                let grant = offer(&self.shop.state, till(*index), member(of));
                let operation = self.shop.by_server(OperationBody::LeaseGrant(grant));
                let decision = self.shop.run(&operation);
                if decision.outcome == Outcome::Applied {
                    self.leases.push((LeaseId(operation.op_id.0), member(of)));
                }
            }
            Event::Spend {
                till: index,
                member: of,
                fen,
                draws,
                approved,
            } => {
                let mut claims: Vec<(LeaseId, i64)> = Vec::new();
                for (picked, amount) in draws {
                    let (id, _) = lease(picked);
                    if claims.iter().all(|(known, _)| *known != id) {
                        claims.push((id, *amount));
                    }
                }
                let claimed: i64 = claims.iter().map(|(_, fen)| fen).sum();
                let mut body = spending((*fen).max(claimed), &claims);
                body.member = member(of);
                body.approval = manager().filter(|_| *approved);
                spend(&mut self.shop, till(*index), body);
            }
            Event::Release {
                till: index,
                lease: picked,
            } => {
                let (lease, member) = lease(picked);
                let named = NamedLease { lease, member };
                let mut operation = self.shop.by_cashier(OperationBody::LeaseRelease(named));
                operation.device = till(*index);
                self.shop.run(&operation);
            }
            Event::Lost { lease: picked } => {
                let (lease, member) = lease(picked);
                self.shop
                    .run_body(OperationBody::LeaseLost(NamedLease { lease, member }));
            }
            Event::Again { operation } => {
                let index = operation % self.shop.log.len();
                let mut operation = self.shop.log[index].0.clone();
                operation.op_id.0 = self.shop.id();
                self.shop.run(&operation);
            }
            Event::Wait { minutes } => self.shop.now = self.shop.now + Millis::minutes(*minutes),
        }
    }
}

/// What a terminal knows of a lease, and what it drew.
#[derive(Clone)]
struct Own {
    lease: LeaseId,
    left: i64,
}

/// A till that asks nobody and keeps to what it may take.
struct Offline {
    till: DeviceId,
    wallet: Vec<Own>,
    /// What it took beyond its leases.
    beyond: Vec<SpentBeyond>,
    queue: VecDeque<Operation>,
}

impl Offline {
    /// A payment from its leases, oldest first, and beyond them as far as the floor allows; whether
    /// there was one.
    fn pays(&mut self, shop: &mut Shop, floor: &RiskFloor, wanted: i64) -> bool {
        let mut draws = Vec::new();
        let mut missing = wanted;
        for own in &self.wallet {
            let taken = missing.min(own.left);
            if taken > 0 {
                draws.push((own.lease, taken));
                missing -= taken;
            }
        }
        let operation = offline(shop, self.till, spending(wanted, &draws));
        if let Some(next) = SpentBeyond::of(&operation, shop.now) {
            if self.room(floor, &next).refuses(next.amount).is_some() {
                return false;
            }
            self.beyond.push(next);
        }
        for (lease, taken) in &draws {
            let own = self.wallet.iter_mut().find(|own| own.lease == *lease);
            own.expect("drawn on").left -= taken;
        }
        self.queue.push_back(operation);
        true
    }

    fn room(&self, floor: &RiskFloor, next: &SpentBeyond) -> Room {
        floor.room(&FloorUse::beside(next, &self.beyond, CUT_OFF))
    }

    /// All that it may take now.
    fn most(&self, shop: &Shop, floor: &RiskFloor) -> i64 {
        let next = SpentBeyond {
            action: ActionId(Uuid::nil()),
            device: self.till,
            member: MEMBER,
            at: shop.now,
            heard_at: Some(shop.now),
            amount: Money::ZERO,
            is_open: false,
        };
        let left: i64 = self.wallet.iter().map(|own| own.left).sum();
        left + self.room(floor, &next).most.fen()
    }
}

/// What its till has heard of the server last: now.
fn offline(shop: &mut Shop, till: DeviceId, body: SpendOffline) -> Operation {
    let mut operation = shop.by_cashier(OperationBody::SpendOffline(body));
    (operation.offline, operation.server_anchor) = (true, Some(shop.now));
    if till != TILL {
        (operation.device, operation.shift) = (till, None);
    }
    operation
}

fn rule(shop: &mut Shop, floor: RiskFloor) {
    let policy = Arc::make_mut(&mut shop.state.policies[0]);
    (policy.offline.risk_floor, policy.store.cut_off_minutes) = (floor, CUT_OFF);
}

fn floor_of([per_transaction, per_member_day, per_device]: [i64; 3], count: u16) -> RiskFloor {
    RiskFloor {
        per_transaction: Money::from_fen(per_transaction),
        per_member_day: Money::from_fen(per_member_day),
        per_device: Money::from_fen(per_device),
        count,
        hours: 8,
    }
}

/// Eight tills, all offline, spend one member's money until they may not; what arrives of it arrives
/// in any order among them. What was overspent.
fn attacked(floor: RiskFloor, wanted: &[(usize, i64)], arrival: &[usize]) -> Money {
    const ATTACKERS: u128 = 8;
    let mut shop = shop(ATTACKERS);
    rule(&mut shop, floor);
    top_up(&mut shop, amount(700));
    let mut tills: Vec<Offline> = (0..ATTACKERS)
        .map(|index| holder(&mut shop, till(index)))
        .collect();
    let whole = account(&shop).principal + account(&shop).bonus;
    let held = tills
        .iter()
        .flat_map(|till| &till.wallet)
        .map(|own| own.left)
        .sum();
    assert!(Money::from_fen(held) <= whole);
    for (index, fen) in wanted {
        tills[*index].pays(&mut shop, &floor, *fen);
    }
    // Then whatever is left, to the last fen.
    for till in &mut tills {
        while let fen @ 1.. = till.most(&shop, &floor) {
            assert!(till.pays(&mut shop, &floor, fen));
        }
    }
    let mut turns = arrival.iter().copied().chain(0..usize::MAX);
    while tills.iter().any(|till| !till.queue.is_empty()) {
        let index = turns.next().expect("without end") % tills.len();
        if let Some(operation) = tills[index].queue.pop_front() {
            let paid = shop.run(&operation);
            assert_eq!(paid.outcome, Outcome::Applied);
            let told = cases(&paid);
            let is_expected = |kind: &CaseKind| match kind {
                CaseKind::ShiftIrregular => true,
                CaseKind::Overdrawn => !floor.most_per_device().is_zero(),
                _ => false,
            };
            assert!(told.iter().all(is_expected), "{told:?}");
        }
    }
    assert_sound(&shop);
    account(&shop).debt
}

/// A till with what it is granted now.
fn holder(shop: &mut Shop, till: DeviceId) -> Offline {
    let mut wallet = Vec::new();
    if !offer(&shop.state, till, MEMBER).lots.is_empty() {
        let lease = lease(shop, till);
        let left = shop.state.leases[&lease].left().fen();
        wallet.push(Own { lease, left });
    }
    Offline {
        till,
        wallet,
        beyond: Vec::new(),
        queue: VecDeque::new(),
    }
}

/// What one till may take of one member on one date.
fn bound(floor: &RiskFloor) -> i64 {
    floor.most_per_device().min(floor.per_member_day).fen()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever tills claim, the books hold, and a replay gives the same.
    #[test]
    fn rogue_tills_leave_the_books_whole(events in vec(event(), 1..50)) {
        let mut rogues = Rogues::new();
        for event in &events {
            rogues.happens(event);
            assert_sound(&rogues.shop);
        }
        let mut replay = rogues.start.clone();
        for (operation, now, decision) in &rogues.shop.log[rogues.begun..] {
            let repeated = decide(&replay, operation, *now);
            assert_eq!(&repeated, decision);
            replay.record(operation, &repeated);
        }
        assert_eq!(replay, rogues.shop.state);
    }

    #[test]
    fn eight_offline_tills_never_overspend_their_leases(
        wanted in vec((0_usize..8, 1_i64..40_000), 0..40),
        arrival in vec(0_usize..8, 0..40),
    ) {
        assert_eq!(attacked(RiskFloor::default(), &wanted, &arrival), Money::ZERO);
    }

    #[test]
    fn with_a_floor_they_stay_within_the_sum_of_their_caps(
        caps in uniform3(1_i64..50_000),
        count in 1_u16..12,
        wanted in vec((0_usize..8, 1_i64..90_000), 0..40),
        arrival in vec(0_usize..8, 0..40),
    ) {
        let mut caps = caps;
        caps.sort_unstable();
        let floor = floor_of(caps, count);
        let debt = attacked(floor, &wanted, &arrival);
        assert!(debt <= Money::from_fen(8 * bound(&floor)), "{debt} {floor:?}");
    }
}

#[test]
fn the_bound_of_the_floor_is_reached() {
    // 1150 with its bonus, all of it leased to four of them. By each of its caps in turn.
    for (caps, count, each) in [
        ([20_000, 20_000, 100_000], 9, 20_000),
        ([20_000, 60_000, 100_000], 9, 60_000),
        ([20_000, 100_000, 100_000], 9, 100_000),
        ([20_000, 100_000, 100_000], 3, 60_000),
    ] {
        let floor = floor_of(caps, count);
        assert_eq!(bound(&floor), each);
        assert_eq!(attacked(floor, &[], &[]).fen(), 8 * each, "{floor:?}");
    }
}

/// A till that does not keep to the floor: its payments are posted, and told.
#[test]
fn what_breaks_the_floor_is_posted_and_told() {
    let floor = floor_of([5_000, 8_000, 10_000], 3);
    let mut shop = shop(1);
    shop.register(OTHER);
    rule(&mut shop, floor);
    let heard = shop.now;
    let mut pays = |member, fen, heard_at| {
        let mut body = spending(fen, &[]);
        body.member = member;
        let mut operation = offline(&mut shop, TILL, body);
        operation.server_anchor = heard_at;
        let paid = shop.run(&operation);
        assert_eq!(paid.outcome, Outcome::Applied);
        shop.now = shop.now + Millis::minutes(1);
        cases(&paid).contains(&CaseKind::LimitPassed)
    };
    assert!(pays(MEMBER, 5_001, Some(heard)), "the payment");
    // What broke the floor is counted as well: 50.01 of today's 80.00.
    assert!(!pays(MEMBER, 2_999, Some(heard)));
    assert!(pays(MEMBER, 1, Some(heard)), "the member's day");
    assert!(pays(OTHER, 1, Some(heard)), "the count");
    let later = heard + Millis::minutes(2);
    assert!(!pays(OTHER, 4_000, Some(later)), "it has synchronised");
    assert!(!pays(OTHER, 3_999, Some(later)), "all of its day");
    assert!(
        pays(MEMBER, 1, Some(later)),
        "the member's day is not begun again"
    );
    assert!(pays(OTHER, 1, None), "it never heard the server");
    assert!(pays(OTHER, 1, Some(heard - Millis::hours(8))), "the hours");
}
