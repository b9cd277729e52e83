//! Opening the shop's files, step by step. Nothing is ever overwritten: a file that does not
//! open is left as it is and said so.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use ed25519_dalek::SigningKey;
use qiantai_core::attempt::Channel;
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_core::merchant_account::MerchantAccount;
use qiantai_core::policy::{ComplianceProfile, Staff, Store as Shop};
use qiantai_store::vault::{self, KeyHolder, RecoveryCode, Secrets, VaultError};
use qiantai_store::{OpenError, Store, StoreKeys};
use qiantai_sync::Transport;
use qiantai_wire::api::JoinAnswer;
use qiantai_wire::enrol::ServerPlace;

use crate::view::boot::{Training, TroubleCause};

/// Present while a first start has not come to its end; only then may a store be made.
const FIRST_START: &str = "first-start";
const STORE_FILE: &str = "terminal.db";

/// What the machine gives to the start.
#[async_trait]
pub trait Host: Send + Sync {
    /// Where the shop's files are.
    fn folder(&self) -> &Path;

    /// Whether this process has the folder to itself, for as long as it runs. Where it has not,
    /// nothing is opened. A host whose folder nobody else can reach need not ask.
    ///
    /// # Errors
    /// What the window says in place of the counter.
    fn claim(&self) -> Result<(), TroubleCause> {
        Ok(())
    }

    /// Who keeps the key of the vault.
    fn key_holder(&self) -> &dyn KeyHolder;

    /// Opens the way to the server, in this process or elsewhere, and joins it when that has not
    /// happened. A terminal that has joined gets its way without the server answering.
    ///
    /// # Errors
    /// What the window says in place of the counter.
    async fn link(
        &self,
        secrets: &Secrets,
        known: Known,
        public_key: [u8; 32],
    ) -> Result<Link, TroubleCause>;
}

/// What the terminal's files know of its shop.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Who it is there; none before it has joined.
    pub joined: Option<JoinAnswer>,
    /// Where the server is and how it proves itself; none when it was never told.
    pub server: Option<ServerPlace>,
    /// The shop whose server is in this process, if there is one.
    pub own_shop: Option<OwnShop>,
    /// The enrolment code that was typed in the window; it goes before that of the command line.
    pub typed_code: Option<String>,
}

/// A shop that was made at this terminal; its server is in this process.
#[derive(Clone, Debug)]
pub enum OwnShop {
    /// Its owner has answered everything. It may be open already, when a start was cut off.
    Planned(Box<PlannedShop>),
    /// Its books are in the folder.
    Opened(TenantId),
}

/// What its owner was asked about a shop.
#[derive(Clone, Debug)]
pub struct PlannedShop {
    /// Whose books.
    pub tenant: TenantId,
    /// The server's own device in these books.
    pub server_device: DeviceId,
    /// Name, trade, and what receipts say of it.
    pub store: Shop,
    /// Limits by law.
    pub compliance: ComplianceProfile,
    /// Who works there.
    pub staff: Vec<Staff>,
    /// Payment methods in the order of the counter.
    pub channels: Vec<Channel>,
    /// Where the money of the shop's own code goes, where it has one.
    pub merchant_account: Option<MerchantAccount>,
    /// Whether larger amounts earn a bonus by the usual ladder.
    pub bonus: bool,
}

impl OwnShop {
    /// Whose books.
    pub fn tenant(&self) -> TenantId {
        match self {
            OwnShop::Planned(plan) => plan.tenant,
            OwnShop::Opened(tenant) => *tenant,
        }
    }
}

/// The way to the server.
pub struct Link {
    /// Carries requests.
    pub transport: Arc<dyn Transport>,
    /// Who this terminal is.
    pub joined: JoinAnswer,
    /// Kept for the next start; none when the server is in this process.
    pub server: Option<ServerPlace>,
    /// Present in training mode only.
    pub training: Option<Training>,
    /// Whether the shop's books lie on this computer and nowhere else.
    pub books_here: bool,
}

/// Files that are open.
pub struct OpenFiles {
    /// The vault's content.
    pub secrets: Secrets,
    /// The terminal's database.
    pub store: Arc<Store>,
    /// The recovery code of a vault made at this start.
    pub new_code: Option<RecoveryCode>,
}

/// Why the files did not open.
pub struct Trouble {
    /// For the window.
    pub cause: TroubleCause,
    /// Whether the recovery code can help.
    pub recoverable: bool,
}

impl From<TroubleCause> for Trouble {
    fn from(cause: TroubleCause) -> Trouble {
        Trouble {
            cause,
            recoverable: false,
        }
    }
}

/// Opens vault and store of `folder`, or makes both on the first start.
///
/// # Errors
/// See [`TroubleCause`]; nothing was changed.
pub fn open_files(folder: &Path, holder: &dyn KeyHolder) -> Result<OpenFiles, Trouble> {
    fs::create_dir_all(folder).map_err(|error| unusable(&error))?;
    let marker = folder.join(FIRST_START);
    let has_vault = vault::exists(folder).map_err(vault_trouble)?;
    if !has_vault && folder.join(STORE_FILE).exists() {
        // A store without its vault cannot be opened, and must not be replaced.
        return Err(TroubleCause::KeyLost.into());
    }
    if has_vault {
        let secrets = vault::open(folder, holder).map_err(vault_trouble)?;
        return with_store(folder, secrets, None);
    }
    fs::write(&marker, b"").map_err(|error| unusable(&error))?;
    let (secrets, code) = vault::create(folder, holder).map_err(vault_trouble)?;
    with_store(folder, secrets, Some(code))
}

/// Opens a vault whose key store was lost, and gives the key to the key store again.
///
/// # Errors
/// `None` when the code is not the vault's; otherwise as [`open_files`].
pub fn open_with_code(
    folder: &Path,
    holder: &dyn KeyHolder,
    typed: &str,
) -> Result<OpenFiles, Option<Trouble>> {
    let code: RecoveryCode = typed.parse().map_err(|_| None)?;
    let secrets = match vault::open_with_recovery(folder, holder, &code) {
        Ok(secrets) => secrets,
        Err(VaultError::RecoveryWrong) => return Err(None),
        Err(error) => return Err(Some(vault_trouble(error))),
    };
    with_store(folder, secrets, None).map_err(Some)
}

/// A code that was shown and never confirmed is replaced: only the one on paper counts.
///
/// # Errors
/// As [`open_files`].
pub fn renew_code(folder: &Path, holder: &dyn KeyHolder) -> Result<RecoveryCode, Trouble> {
    vault::renew_recovery(folder, holder).map_err(vault_trouble)
}

/// The first start has come to its end: from now on a missing store is a loss, not a beginning.
///
/// # Errors
/// The folder cannot be written.
pub fn first_start_done(folder: &Path) -> Result<(), Trouble> {
    match fs::remove_file(folder.join(FIRST_START)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(&error)),
    }
}

/// The public half of the terminal's key.
pub fn public_key(secrets: &Secrets) -> [u8; 32] {
    SigningKey::from_bytes(&secrets.device_signing_seed)
        .verifying_key()
        .to_bytes()
}

fn with_store(
    folder: &Path,
    secrets: Secrets,
    new_code: Option<RecoveryCode>,
) -> Result<OpenFiles, Trouble> {
    let path: PathBuf = folder.join(STORE_FILE);
    let keys = StoreKeys::from(&secrets);
    let store = if folder.join(FIRST_START).exists() {
        Store::open_or_create(&path, &keys)
    } else {
        Store::open(&path, &keys)
    };
    let store = Arc::new(store.map_err(store_trouble)?);
    Ok(OpenFiles {
        secrets,
        store,
        new_code,
    })
}

fn vault_trouble(error: VaultError) -> Trouble {
    tracing::error!(%error, "vault");
    match error {
        VaultError::KeyStoreLost | VaultError::KeyStoreUnavailable(_) => Trouble {
            cause: TroubleCause::KeyLost,
            recoverable: true,
        },
        VaultError::VaultCorrupt | VaultError::RecoveryWrong => TroubleCause::VaultCorrupt.into(),
        VaultError::Missing | VaultError::AlreadyExists => TroubleCause::FolderUnusable.into(),
        VaultError::Io(error) => unusable(&error),
    }
}

fn store_trouble(error: OpenError) -> Trouble {
    tracing::error!(%error, "store");
    match error {
        OpenError::KeyWrongOrNotADatabase | OpenError::Missing => {
            TroubleCause::DatabaseUnreadable.into()
        }
        OpenError::Corrupt(_) => TroubleCause::DatabaseCorrupt.into(),
        OpenError::DiskFull => TroubleCause::DiskFull.into(),
        OpenError::NewerSchema { .. } => TroubleCause::NewerVersion.into(),
        OpenError::InUse => TroubleCause::FolderInUse.into(),
        OpenError::ReadOnly | OpenError::Io(_) => TroubleCause::FolderUnusable.into(),
    }
}

fn unusable(error: &std::io::Error) -> Trouble {
    tracing::error!(%error, "data folder");
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => TroubleCause::DiskFull.into(),
        _ => TroubleCause::FolderUnusable.into(),
    }
}
