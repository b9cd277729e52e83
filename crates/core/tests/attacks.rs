//! Tills that keep to no rule, and eight that attack one member (docs: sync, "Offline spending:
//! leases").

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use qiantai_core::decide::{Outcome, State, decide};
use qiantai_core::ids::{LeaseId, MemberId};
use qiantai_core::lease::LEASED_MOST;
use qiantai_core::ledger::CaseKind;
use qiantai_core::operation::{NamedLease, OperationBody, SpendOffline};
use qiantai_core::{Millis, Money};
use uuid::Uuid;

use crate::leases::{
    OTHER, account, assert_sound, lease, manager, offer, shop, spend, spending, till, top_up,
};
use crate::shop::{MEMBER, Shop, amount, cases, yuan};

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

/// Payments of a till that asks nobody and keeps to what it holds: from its leases, oldest first, and
/// beyond them up to a floor.
fn attack(wallet: &mut [Own], floor: &mut i64, wanted: i64) -> Option<SpendOffline> {
    let mut draws = Vec::new();
    let mut missing = wanted;
    for own in wallet.iter_mut() {
        let taken = missing.min(own.left);
        if taken > 0 {
            draws.push((own.lease, taken));
            missing -= taken;
        }
    }
    if missing > *floor {
        return None;
    }
    for (lease, taken) in &draws {
        let own = wallet.iter_mut().find(|own| own.lease == *lease);
        own.expect("drawn on").left -= taken;
    }
    *floor -= missing;
    let mut body = spending(wanted, &draws);
    body.approval = manager().filter(|_| missing > 0);
    Some(body)
}

/// Eight tills, all offline, spend one member's money until they may not; what arrives of it arrives
/// in any order among them. What was overspent.
fn attacked(floor: i64, wanted: &[(usize, i64)], arrival: &[usize]) -> Money {
    const ATTACKERS: u128 = 8;
    let mut shop = shop(ATTACKERS);
    top_up(&mut shop, amount(700));
    let mut wallets: Vec<Vec<Own>> = Vec::new();
    for index in 0..ATTACKERS {
        if offer(&shop.state, till(index), MEMBER).lots.is_empty() {
            wallets.push(Vec::new());
            continue;
        }
        let lease = lease(&mut shop, till(index));
        let left = shop.state.leases[&lease].left().fen();
        wallets.push(vec![Own { lease, left }]);
    }
    let whole = account(&shop).principal + account(&shop).bonus;
    let held = wallets.iter().flatten().map(|own| own.left).sum();
    assert!(Money::from_fen(held) <= whole);
    let mut floors = vec![floor; wallets.len()];
    let mut queues: Vec<VecDeque<SpendOffline>> = vec![VecDeque::new(); wallets.len()];
    for (index, fen) in wanted {
        let body = attack(&mut wallets[*index], &mut floors[*index], *fen);
        queues[*index].extend(body);
    }
    // Then whatever is left, to the last fen.
    for index in 0..queues.len() {
        let mut fen = LEASED_MOST.fen() + floor;
        while fen > 0 {
            match attack(&mut wallets[index], &mut floors[index], fen) {
                Some(body) => queues[index].push_back(body),
                None => fen /= 2,
            }
        }
    }
    let mut turns = arrival.iter().copied().chain(0..usize::MAX);
    while queues.iter().any(|queue| !queue.is_empty()) {
        let index = turns.next().expect("without end") % queues.len();
        if let Some(body) = queues[index].pop_front() {
            let paid = spend(&mut shop, till(u128::try_from(index).expect("few")), body);
            assert_eq!(paid.outcome, Outcome::Applied);
            let told = cases(&paid);
            let is_expected = |kind: &CaseKind| {
                *kind == CaseKind::ShiftIrregular || (floor > 0 && *kind == CaseKind::Overdrawn)
            };
            assert!(told.iter().all(is_expected), "{told:?}");
        }
    }
    assert_sound(&shop);
    account(&shop).debt
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
        assert_eq!(attacked(0, &wanted, &arrival), Money::ZERO);
    }

    #[test]
    fn with_a_floor_they_stay_within_the_sum_of_their_caps(
        floor in prop_oneof![Just(1_i64), 1_i64..50_000],
        wanted in vec((0_usize..8, 1_i64..90_000), 0..40),
        arrival in vec(0_usize..8, 0..40),
    ) {
        let debt = attacked(floor, &wanted, &arrival);
        assert!(debt <= Money::from_fen(8 * floor), "{debt}");
    }
}

#[test]
fn the_bound_of_the_floor_is_reached() {
    // 1150 with its bonus, all of it leased to four of them.
    assert_eq!(attacked(100_000, &[], &[]), yuan(8 * 1_000));
}
