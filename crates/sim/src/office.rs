//! Head office and the people who set up terminals: what the server itself writes.

use std::collections::HashMap;

use ed25519_dalek::VerifyingKey;
use qiantai_core::account::Lot;
use qiantai_core::ids::{ActionId, DeviceId, LeaseId, LotId, MemberId, OpId, StoreId};
use qiantai_core::member::MemberProfile;
use qiantai_core::operation::{
    DeviceEnrol, MemberRegister, NamedLease, OpeningBalance, OperationBody,
};
use qiantai_core::policy::{LadderBonus, Policy, SpendOrder};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Money, Timestamp};
use qiantai_server::db::{Attachment, DeviceToken, Ledger, SealedProfile};
use qiantai_server::writer::OwnOperation;
use qiantai_wire::api::OpResultDto;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::profile::{attachment_hash, encode_policy, seal_profile};
use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::dice::{Dice, id};
use crate::till::Identity;

/// Head office.
pub struct Office {
    /// Its dice.
    pub dice: Dice,
    /// Where its members are at home.
    pub store: StoreId,
    /// The server's own key, which terminals learn when they join.
    pub server_key: VerifyingKey,
    /// Rules and members of its making: its own papers.
    pub said: HashMap<OpId, OwnOperation>,
    registered: u32,
}

impl Office {
    /// An office of the store.
    pub fn new(dice: Dice, store: StoreId, server_key: VerifyingKey) -> Office {
        Office {
            dice,
            store,
            server_key,
            said: HashMap::new(),
            registered: 0,
        }
    }

    /// A new member who brings a balance from elsewhere.
    pub fn register(&mut self, policy: &Policy, now: Timestamp) -> Vec<OwnOperation> {
        self.registered += 1;
        let member = MemberId(id(&mut self.dice, now));
        let number = format!("S{:07}", self.registered);
        let mut key = Zeroizing::new([0_u8; 32]);
        self.dice.fill_bytes(key.as_mut_slice());
        let mut nonce = [0_u8; 24];
        self.dice.fill_bytes(&mut nonce);
        let profile = MemberProfile {
            id: member,
            name: format!("会员{}", self.registered),
            phone: format!("139{:08}", self.registered),
            card_no: None,
            birth_month: None,
            note: None,
        };
        let attachment = Attachment::Profile {
            member,
            profile: SealedProfile {
                sealed: seal_profile(&profile, &key, nonce),
                key: Some(key),
            },
        };
        let register = OperationBody::MemberRegister(MemberRegister {
            member,
            member_no: number,
            home_store: self.store,
            registered_at: now,
        });
        let mut operations = vec![self.own(now, register, Some(attachment))];
        if self.dice.random_range(0..2) == 0
            && let Some(tier) = policy.tiers.first()
        {
            let left = Money::from_yuan(self.dice.random_range(1..500));
            let opening = OperationBody::OpeningBalance(OpeningBalance {
                member,
                lots: vec![Lot {
                    id: LotId(id(&mut self.dice, now)),
                    order: None,
                    principal_init: left,
                    principal_left: left,
                    bonus_init: Money::ZERO,
                    bonus_left: Money::ZERO,
                    bonus_expires_at: None,
                    spend_order: SpendOrder::Proportional,
                    credited_at: now,
                }],
                net_recharged: left,
                growth: 0,
                points: 0,
                tier: tier.id,
            });
            operations.push(self.own(now, opening, None));
        }
        operations
    }

    /// Rules with a risk floor.
    pub fn risk(&mut self, newest: &Policy, floor: RiskFloor, now: Timestamp) -> OwnOperation {
        let mut policy = newest.clone();
        policy.version += 1;
        policy.effective_from = now;
        policy.offline.risk_floor = floor;
        self.publish(policy, now)
    }

    /// New rules: other bonuses from now on.
    pub fn new_rules(&mut self, newest: &Policy, now: Timestamp) -> OwnOperation {
        let mut policy = newest.clone();
        policy.version += 1;
        policy.effective_from = now;
        for row in policy
            .ladders
            .iter_mut()
            .flat_map(|ladder| &mut ladder.rows)
        {
            if let LadderBonus::Fixed(bonus) = &mut row.bonus {
                *bonus =
                    Money::from_yuan(self.dice.random_range(0..=row.threshold.whole_yuan() / 4));
            }
        }
        for package in &mut policy.packages {
            package.version += 1;
            package.bonus = Money::from_yuan(self.dice.random_range(0..200));
        }
        self.publish(policy, now)
    }

    fn publish(&mut self, policy: Policy, now: Timestamp) -> OwnOperation {
        let bytes = encode_policy(&policy);
        let body = OperationBody::PolicyPublish {
            version: policy.version,
        };
        let attachment = Attachment::Policy {
            hash: attachment_hash(&bytes),
            bytes,
            policy: policy.into(),
        };
        self.own(now, body, Some(attachment))
    }

    /// Declares leases lost.
    pub fn lose(&mut self, leases: &[(LeaseId, MemberId)], now: Timestamp) -> Vec<OwnOperation> {
        let lost = leases.iter().map(|(lease, member)| {
            let named = NamedLease {
                lease: *lease,
                member: *member,
            };
            self.own(now, OperationBody::LeaseLost(named), None)
        });
        lost.collect()
    }

    /// Enrols a terminal.
    pub fn enrol(&mut self, identity: &Identity, now: Timestamp) -> OwnOperation {
        let body = OperationBody::DeviceEnrol(DeviceEnrol {
            device: identity.device,
            terminal_code: identity.code.clone(),
            public_key: identity.key().verifying_key().to_bytes(),
        });
        self.own(now, body, None)
    }

    /// A terminal that nobody has yet.
    pub fn identity(
        &mut self,
        like: &qiantai_server::sample::SeededShop,
        number: usize,
        now: Timestamp,
    ) -> Identity {
        let mut seed = [0_u8; 32];
        self.dice.fill_bytes(&mut seed);
        let device = DeviceId(id(&mut self.dice, now));
        Identity {
            tenant: like.tenant,
            store: like.store,
            store_code: like.store_code.clone(),
            device,
            // Codes of terminals that are gone are given again only after a hundred.
            code: format!("{:02}", number % 99 + 1),
            seed,
            token: format!("token-{device}"),
            server_key: self.server_key,
        }
    }

    fn own(
        &mut self,
        now: Timestamp,
        body: OperationBody,
        attachment: Option<Attachment>,
    ) -> OwnOperation {
        let id = id(&mut self.dice, now);
        let operation = OwnOperation {
            op_id: OpId(id),
            action_id: ActionId(id),
            store: self.store,
            staff: None,
            body,
            attachment,
        };
        let is_on_paper = matches!(
            operation.body,
            OperationBody::MemberRegister(_)
                | OperationBody::OpeningBalance(_)
                | OperationBody::PolicyPublish { .. }
        );
        if is_on_paper {
            self.said.insert(operation.op_id, operation.clone());
        }
        operation
    }

    /// The same once more.
    pub fn again(&mut self, word: OwnOperation, now: Timestamp) -> OwnOperation {
        self.own(now, word.body, word.attachment)
    }
}

/// Gives a terminal its token.
pub fn give_token(
    ledger: &dyn Ledger,
    identity: &Identity,
    now: Timestamp,
) -> Result<(), qiantai_server::db::LedgerError> {
    ledger.save_token(&DeviceToken {
        tenant: identity.tenant,
        token_hash: Sha256::digest(identity.token.as_bytes()).into(),
        device: identity.device,
        name: identity.code.clone(),
        created_at: now,
    })
}

/// Whether everything was applied.
pub fn all_applied(results: &[OpResultDto]) -> bool {
    results
        .iter()
        .all(|result| result.outcome == OutcomeDto::Applied)
}
