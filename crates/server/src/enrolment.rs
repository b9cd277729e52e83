//! How terminals become devices of a shop.
//!
//! A device's id follows from its key. Books that were restored from before it joined know nothing of
//! it, and give it the same id when it joins again: its operations, signed under that id, fit.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use qiantai_core::decide::Device;
use qiantai_core::ids::{DeviceId, StoreId, TenantId};
use qiantai_core::operation::{DeviceEnrol, Hash, OperationBody};
use qiantai_core::{Millis, Timestamp};
use qiantai_wire::api::JoinAnswer;
use qiantai_wire::enrol::invite_text;
use qiantai_wire::text::Hex;
use sha2::{Digest, Sha256};

use crate::audit::{Act, Deed};
use crate::db::{Cursor, DeviceToken, Invite, LedgerError};
use crate::embedded::{AdminError, Server, sha256};
use crate::writer::WriteError;

/// How long an invitation may be used (docs: sync, Devices).
pub const INVITE_VALID: Millis = Millis::minutes(10);

/// What lets a terminal in once.
pub struct Invitation {
    /// What the terminal shows; the books keep a hash of its text.
    pub secret: [u8; 16],
    /// Last instant of validity.
    pub expires_at: Timestamp,
}

impl Invitation {
    /// As [`JoinRequest`](qiantai_wire::api::JoinRequest) carries it.
    pub fn text(&self) -> String {
        invite_text(&self.secret)
    }
}

impl Server {
    /// A terminal in the same process joins. The same key joins again with a new token, which
    /// is what a restart does.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn enrol_local(
        &self,
        tenant: TenantId,
        public_key: [u8; 32],
        terminal_code: &str,
    ) -> Result<JoinAnswer, AdminError> {
        let _joining = self.0.joining.lock().await;
        let policies = self.0.ledger.policies(tenant)?;
        let store = policies
            .first()
            .map(|policy| policy.store.id)
            .ok_or_else(|| AdminError::NoStore(tenant.to_string()))?;
        let known = self.0.ledger.devices(tenant)?;
        let known = known
            .into_iter()
            .find(|(device, _)| device.public_key == public_key);
        let (device, cursor) = match known {
            Some(known) => known,
            None => {
                self.enrol(tenant, store, public_key, terminal_code.to_owned())
                    .await?
            }
        };
        self.answer_join((tenant, store), &device, &cursor, "本机", None)
    }

    /// A one-time invitation for a terminal of the store with that code. The books keep its hash.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub fn invite(&self, store_code: &str) -> Result<Invitation, AdminError> {
        let found = self.0.ledger.store_of_code(store_code)?;
        let (tenant, store) = found.ok_or_else(|| AdminError::NoStore(store_code.to_owned()))?;
        let deed = Deed {
            at: self.0.clock.now(),
            act: Act::TerminalInvited,
            device: None,
            address: None,
            subject: format!("store {store_code}"),
        };
        self.invite_to(tenant, store, &deed)
    }

    /// The same for a store that is known, entered as `deed` before anybody holds it.
    pub(crate) fn invite_to(
        &self,
        tenant: TenantId,
        store: StoreId,
        deed: &Deed,
    ) -> Result<Invitation, AdminError> {
        let mut secret = [0_u8; 16];
        getrandom::fill(&mut secret).map_err(std::io::Error::from)?;
        let invitation = Invitation {
            secret,
            expires_at: deed.at + INVITE_VALID,
        };
        self.0.ledger.save_deed(tenant, deed)?;
        self.0.ledger.save_invite(&Invite {
            tenant,
            code_hash: sha256(invitation.text().as_bytes()),
            store,
            expires_at: invitation.expires_at,
            used_by: None,
        })?;
        Ok(invitation)
    }

    /// A terminal joins with an invitation. A key that stands in the store already joins again
    /// as the same device with a new token, and may use its own invitation again while that is
    /// valid: the first answer may have been lost.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn join(
        &self,
        invite: &str,
        public_key: [u8; 32],
        name: &str,
    ) -> Result<JoinAnswer, AdminError> {
        self.join_from(None, invite, public_key, (name, None)).await
    }

    /// The same, over the network, with the terminal code that it had here before.
    pub(crate) async fn join_from(
        &self,
        address: Option<IpAddr>,
        invite: &str,
        public_key: [u8; 32],
        (name, had): (&str, Option<&str>),
    ) -> Result<JoinAnswer, AdminError> {
        let _joining = self.0.joining.lock().await;
        let now = self.0.clock.now();
        let code = sha256(invite.as_bytes());
        let redeemed = self.0.ledger.redeem_invite(&code, &public_key, now)?;
        let invite = match redeemed {
            Some(invite) => invite,
            None => return Err(self.why_not(&code, &public_key)?),
        };
        let (tenant, store) = (invite.tenant, invite.store);
        let mut here = self.0.ledger.devices(tenant)?;
        here.retain(|(_, cursor)| cursor.store == Some(store));
        let known = here
            .iter()
            .find(|(device, _)| device.public_key == public_key);
        let (device, cursor) = match known {
            Some(known) => known.clone(),
            None => {
                let code = free_code(&here, had).ok_or(AdminError::StoreFull)?;
                self.enrol(tenant, store, public_key, code).await?
            }
        };
        self.answer_join((tenant, store), &device, &cursor, name, address)
    }

    /// Why an invitation lets this key in no more, or never did.
    fn why_not(&self, code: &Hash, public_key: &[u8; 32]) -> Result<AdminError, AdminError> {
        let invite = self.0.ledger.invite(code)?;
        Ok(match invite.map(|invite| invite.used_by) {
            None => AdminError::InviteInvalid,
            Some(Some(other)) if other != *public_key => AdminError::InviteUsed,
            Some(_) => AdminError::InviteExpired,
        })
    }

    async fn enrol(
        &self,
        tenant: TenantId,
        store: StoreId,
        public_key: [u8; 32],
        terminal_code: String,
    ) -> Result<(Device, Cursor), AdminError> {
        let device = device_of_key(tenant, store, &public_key);
        let body = OperationBody::DeviceEnrol(DeviceEnrol {
            device,
            terminal_code,
            public_key,
        });
        self.say_one(tenant, store, body, None).await?;
        let enrolled = self.0.ledger.device(tenant, device)?;
        enrolled.ok_or_else(|| LedgerError::Failed("the new device is missing".into()).into())
    }

    fn answer_join(
        &self,
        (tenant, store): (TenantId, StoreId),
        device: &Device,
        cursor: &Cursor,
        name: &str,
        address: Option<IpAddr>,
    ) -> Result<JoinAnswer, AdminError> {
        let token = secret_text()?;
        let created_at = self.0.clock.now();
        let deed = Deed {
            at: created_at,
            act: Act::TerminalJoined,
            device: Some(device.id),
            address,
            subject: format!("terminal {}", device.terminal_code),
        };
        self.0.ledger.save_deed(tenant, &deed)?;
        self.0.ledger.save_token(&DeviceToken {
            tenant,
            token_hash: sha256(token.as_bytes()),
            device: device.id,
            name: name.to_owned(),
            created_at,
        })?;
        let desk = self.0.desks.get(tenant).ok_or(WriteError::Stopped)?;
        Ok(JoinAnswer {
            tenant: tenant.0,
            store: store.0,
            device: device.id.0,
            terminal_code: device.terminal_code.clone(),
            epoch: cursor.epoch,
            token,
            server_public_key: Hex(desk.tenant.public_key()),
            timeline: self.0.ledger.head(tenant)?.timeline,
        })
    }
}

/// Which device a key is in a store, in whatever state the books are.
#[must_use]
pub fn device_of_key(tenant: TenantId, store: StoreId, public_key: &[u8; 32]) -> DeviceId {
    let mut hash = Sha256::new();
    hash.update(b"qiantai device");
    hash.update(tenant.0.as_bytes());
    hash.update(store.0.as_bytes());
    hash.update(public_key);
    let digest: Hash = hash.finalize().into();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    DeviceId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Every code that a terminal may have.
pub(crate) fn terminal_codes() -> impl Iterator<Item = String> {
    (1..=99).map(|code| format!("{code:02}"))
}

/// The code that the terminal had before, or the lowest that no device of the store has.
fn free_code(here: &[(Device, Cursor)], had: Option<&str>) -> Option<String> {
    let is_free = |code: &String| here.iter().all(|(device, _)| device.terminal_code != *code);
    let had = had.map(str::to_owned);
    had.into_iter().chain(terminal_codes()).find(is_free)
}

/// 256 random bits as text.
fn secret_text() -> std::io::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
