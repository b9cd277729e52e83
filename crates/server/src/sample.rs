//! Sample shops with members, staff and rules, for training and tests. Seeded: the same seed
//! gives the same shop.

mod members;
mod names;
mod shops;

pub use qiantai_core::policy::StoreKind as ShopKind;
pub use shops::TRAINING_STAFF;

use qiantai_core::ids::{ActionId, DeviceId, OpId, StoreId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_core::policy::Policy;
use qiantai_core::{Millis, Timestamp};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::profile::seal_profile;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use zeroize::Zeroizing;

use crate::db::{Attachment, SealedProfile};
use crate::embedded::{AdminError, Server, publication};
use crate::writer::OwnOperation;
use members::SampleMember;
use shops::uuid_at;

/// Operations in one transaction while a shop is filled.
const BATCH: usize = 2_048;

/// A shop that is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeededShop {
    /// Whose books.
    pub tenant: TenantId,
    /// The store.
    pub store: StoreId,
    /// Its code for invitations.
    pub store_code: String,
    /// Its name.
    pub store_name: String,
    /// How many members it has.
    pub members: usize,
}

/// Makes a shop of `kind` with `members` members.
///
/// # Errors
/// See [`AdminError`]; the same seed twice on one ledger is `Taken`.
pub async fn seed(
    server: &Server,
    kind: ShopKind,
    members: usize,
    seed: u64,
) -> Result<SeededShop, AdminError> {
    let now = server.now();
    let mut rng = ChaCha12Rng::seed_from_u64(seed ^ ((kind as u64 + 1) << 56));
    let tenant = TenantId(uuid_at(now, &mut rng));
    let server_device = DeviceId(uuid_at(now, &mut rng));
    let mut signing_seed = [0_u8; 32];
    rng.fill_bytes(&mut signing_seed);
    server.create_tenant(
        tenant,
        server_device,
        shops::tenant_name(kind),
        signing_seed,
    )?;
    let policy = shops::policy(kind, tenant, now - Millis::days(30), &mut rng);
    // Dice of its own, so that the shop's members stay who they are.
    let mut id_dice = ChaCha12Rng::seed_from_u64(seed);
    let (body, attachment) = publication(policy.clone());
    let publish = own(policy.store.id, now, body, Some(attachment), &mut id_dice);
    write(server, tenant, vec![publish]).await?;
    fill(server, &policy, members, now, &mut rng).await?;
    Ok(SeededShop {
        tenant,
        store: policy.store.id,
        store_code: policy.store.code,
        store_name: policy.store.name,
        members,
    })
}

async fn fill(
    server: &Server,
    policy: &Policy,
    members: usize,
    now: Timestamp,
    rng: &mut ChaCha12Rng,
) -> Result<(), AdminError> {
    let phone_offset = u64::from(rng.next_u32());
    let mut batch = Vec::with_capacity(BATCH + 2);
    for index in 0..members {
        let member = members::member(index, policy, now, phone_offset, rng);
        batch.extend(operations_of(member, policy.store.id, now, rng));
        if batch.len() >= BATCH || index + 1 == members {
            write(server, policy.tenant, std::mem::take(&mut batch)).await?;
        }
    }
    Ok(())
}

async fn write(
    server: &Server,
    tenant: TenantId,
    batch: Vec<OwnOperation>,
) -> Result<(), AdminError> {
    let results = server.say(tenant, batch).await?;
    match results
        .into_iter()
        .find(|result| result.outcome != OutcomeDto::Applied)
    {
        None => Ok(()),
        Some(refused) => Err(AdminError::Refused(refused.outcome)),
    }
}

/// The registration with the sealed profile, then the balances.
fn operations_of(
    sample: SampleMember,
    store: StoreId,
    now: Timestamp,
    rng: &mut ChaCha12Rng,
) -> Vec<OwnOperation> {
    let mut key = Zeroizing::new([0_u8; 32]);
    rng.fill_bytes(key.as_mut_slice());
    let mut nonce = [0_u8; 24];
    rng.fill_bytes(&mut nonce);
    let profile = SealedProfile {
        sealed: seal_profile(&sample.profile, &key, nonce),
        key: Some(key),
    };
    let attachment = Attachment::Profile {
        member: sample.profile.id,
        profile,
    };
    let register = OperationBody::MemberRegister(sample.register);
    let mut operations = vec![own(store, now, register, Some(attachment), rng)];
    if let Some(opening) = sample.opening {
        let opening = OperationBody::OpeningBalance(opening);
        operations.push(own(store, now, opening, None, rng));
    }
    operations
}

fn own(
    store: StoreId,
    now: Timestamp,
    body: OperationBody,
    attachment: Option<Attachment>,
    rng: &mut ChaCha12Rng,
) -> OwnOperation {
    let id = uuid_at(now, rng);
    OwnOperation {
        op_id: OpId(id),
        action_id: ActionId(id),
        store,
        staff: None,
        body,
        attachment,
    }
}
