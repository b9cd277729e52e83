//! What this machine gives to the counter: a folder, a key holder, and the way to the server.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use qiantai_counter::boot::{Host, Known, Link, OwnShop};
use qiantai_counter::view::boot::{Training, TroubleCause};
use qiantai_server::db::LedgerError;
use qiantai_server::sample::TRAINING_STAFF;
use qiantai_server::writer::WriteError;
use qiantai_server::{AdminError, Clock, Server, ServerOptions, SteadyClock, SystemClock, sample};
use qiantai_sqlite::{Fault, FolderLock, FolderLockError, MigrateError, OpenError};
use qiantai_store::vault::{FileKeyHolder, KeyHolder, Secrets};
use qiantai_wire::api::JoinAnswer;
use tokio::sync::Mutex;

use crate::bell::{self, Bell};
use crate::keys::TerminalKeys;
use crate::options::{Mode, Options};
use crate::own_shop;
use crate::remote::{self, Told};
use crate::training::{self, TrainingGateway};

/// File of the server that lives in this process.
const LEDGER_FILE: &str = "ledger.db";
/// The one terminal of a training shop.
const TERMINAL_CODE: &str = "01";
/// How long a counter that was closed may take to finish what it writes.
const LAST_ONE_ENDS_WITHIN: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// This machine.
pub struct Machine {
    folder: PathBuf,
    /// Held for as long as the process runs, from the first time that it could be had.
    claim: std::sync::Mutex<Result<FolderLock, TroubleCause>>,
    /// Hangs where the folder is ours, until somebody answers it.
    bell: std::sync::Mutex<Option<Bell>>,
    keys: Box<dyn KeyHolder>,
    mode: Mode,
    options: Options,
    /// Running once the shop was opened; a second try uses it again.
    shop: Mutex<Option<TrainingShop>>,
    /// The server of a shop that was made at this terminal, once it runs.
    own: Mutex<Option<Server>>,
}

/// A training shop with everything that it needs to live in this process.
struct TrainingShop {
    server: Server,
    gateway: TrainingGateway,
}

/// Why there is nothing to work with.
#[derive(Debug, thiserror::Error)]
pub enum NoMachine {
    /// The folder has no absolute path.
    #[error("no folder: {0}")]
    Folder(#[from] std::io::Error),
    /// A window is open on this folder. It is in front now.
    #[error("a window is open on this folder already")]
    OpenAlready,
}

impl Machine {
    /// The machine as `options` want it.
    ///
    /// # Errors
    /// See [`NoMachine`]. A folder that cannot be made is said by the window.
    pub fn new(options: Options) -> Result<Machine, NoMachine> {
        let mode = options.mode();
        let mut emptied = Ok(());
        let (folder, keys): (_, Box<dyn KeyHolder>) = match &mode {
            Mode::Joined { folder, .. } => (folder.clone(), Box::new(TerminalKeys::of(folder))),
            Mode::Training(chosen) => {
                let folder = chosen.clone().unwrap_or_else(|| {
                    let folder = training::own_folder();
                    emptied = training::make_empty(&folder);
                    folder
                });
                // Training leaves nothing in the desktop's key store.
                let keys = FileKeyHolder::new(&folder);
                (folder, Box::new(keys))
            }
        };
        let folder = std::path::absolute(folder)?;
        let claim = match emptied {
            Ok(()) => claim(&folder)?,
            Err(error) => Err(unusable(&error)),
        };
        let bell = claim.as_ref().ok().and_then(|_| hang_bell(&folder));
        Ok(Machine {
            claim: std::sync::Mutex::new(claim),
            bell: std::sync::Mutex::new(bell),
            folder,
            keys,
            mode,
            options,
            shop: Mutex::new(None),
            own: Mutex::new(None),
        })
    }

    async fn train(
        &self,
        secrets: &Secrets,
        joined: Option<JoinAnswer>,
        public_key: [u8; 32],
    ) -> Result<Link, TroubleCause> {
        let mut shop = self.shop.lock().await;
        let shop = match shop.take() {
            Some(running) => shop.insert(running),
            None => shop.insert(self.open_shop(secrets, joined.is_some()).await?),
        };
        let tenants = shop
            .server
            .tenants()
            .map_err(|error| unwritten(error.into()))?;
        let tenant = tenants.first().ok_or(TroubleCause::DatabaseUnreadable)?.id;
        let joined = shop
            .server
            .enrol_local(tenant, public_key, TERMINAL_CODE)
            .await
            .map_err(unwritten)?;
        Ok(Link {
            transport: remote::in_process(shop.server.router()),
            joined,
            server: None,
            training: Some(Training {
                pins: pins(),
                phone_url: shop.gateway.phone_url().to_owned(),
            }),
            books_here: false,
        })
    }

    async fn open_shop(
        &self,
        secrets: &Secrets,
        must_exist: bool,
    ) -> Result<TrainingShop, TroubleCause> {
        let path = self.folder.join(LEDGER_FILE);
        if must_exist && !path.exists() {
            tracing::error!("the ledger of this terminal is gone");
            return Err(TroubleCause::DatabaseUnreadable);
        }
        if !must_exist {
            // What an interrupted first start left: nobody has worked with it yet.
            remove_ledger(&path).map_err(|error| unusable(&error))?;
        }
        let gateway = TrainingGateway::start().await.map_err(|error| {
            tracing::error!(%error, "training gateway");
            TroubleCause::FolderUnusable
        })?;
        let server = open_server(ServerOptions {
            path,
            key: Some(secrets.server_db_key),
            clock: Arc::new(self.clock()),
            channels: gateway.channels(),
        })
        .await?;
        if !must_exist {
            let members = usize::try_from(self.options.members).unwrap_or(usize::MAX);
            let kind = self.options.shop.into();
            sample::seed(&server, kind, members, self.options.seed)
                .await
                .map_err(unwritten)?;
        }
        server.end_future().await;
        server.start();
        gateway.notify(server.router());
        Ok(TrainingShop { server, gateway })
    }

    /// The shop that was made here: its server runs in this process, with the payment accounts that
    /// were entered in the window.
    async fn keep_shop(
        &self,
        secrets: &Secrets,
        shop: OwnShop,
        has_joined: bool,
        public_key: [u8; 32],
    ) -> Result<Link, TroubleCause> {
        let tenant = shop.tenant();
        let mut own = self.own.lock().await;
        let server = match own.take() {
            Some(running) => own.insert(running),
            None => {
                let path = self.folder.join(LEDGER_FILE);
                own.insert(own_shop::open(path, secrets, shop, has_joined, self.clock()).await?)
            }
        };
        let joined = server
            .enrol_local(tenant, public_key, TERMINAL_CODE)
            .await
            .map_err(unwritten)?;
        Ok(Link {
            transport: remote::in_process(server.router()),
            joined,
            server: None,
            training: None,
            books_here: true,
        })
    }

    /// This machine's clock, for the books that are kept here.
    fn clock(&self) -> SteadyClock {
        SteadyClock::of_machine().believed_if(self.options.believe_clock)
    }

    /// The bell of the folder, for whoever answers it from now on.
    pub fn take_bell(&self) -> Option<Bell> {
        let mut bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        bell.take()
    }

    /// Ends what runs in this process, so that nothing is cut off in the middle.
    pub async fn stop(&self) {
        if let Some(shop) = self.shop.lock().await.take() {
            shop.server.stop().await;
        }
        if let Some(server) = self.own.lock().await.take() {
            server.stop().await;
        }
    }
}

#[async_trait]
impl Host for Machine {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn claim(&self) -> Result<(), TroubleCause> {
        let mut held = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_err() {
            *held = lock(&self.folder).map_err(refused);
        }
        held.as_ref().map(drop).map_err(|cause| *cause)
    }

    fn key_holder(&self) -> &dyn KeyHolder {
        self.keys.as_ref()
    }

    async fn link(
        &self,
        secrets: &Secrets,
        known: Known,
        public_key: [u8; 32],
    ) -> Result<Link, TroubleCause> {
        match &self.mode {
            Mode::Training(_) => self.train(secrets, known.joined, public_key).await,
            Mode::Joined { server, code, .. } => {
                if self.options.believe_clock && known.own_shop.is_none() {
                    tracing::warn!("--believe-clock is for the shop's server, which is elsewhere");
                }
                if let Some(shop) = known.own_shop {
                    let has_joined = known.joined.is_some();
                    return self.keep_shop(secrets, shop, has_joined, public_key).await;
                }
                let typed = known.typed_code.clone();
                let told = Told {
                    server: server.as_deref(),
                    code: typed.as_deref().or(code.as_deref()),
                };
                remote::link(told, known, public_key, SystemClock.now()).await
            }
        }
    }
}

/// Makes `folder` and has it to ourselves. What stands in the way of that is for the window to say,
/// unless a window says it already.
fn claim(folder: &Path) -> Result<Result<FolderLock, TroubleCause>, NoMachine> {
    let until = Instant::now() + LAST_ONE_ENDS_WITHIN;
    loop {
        match lock(folder) {
            Err(FolderLockError::InUse(_)) if bell::ring(folder) => {
                return Err(NoMachine::OpenAlready);
            }
            // Whoever closes the counter and opens it at once does not find the last one in the
            // way.
            Err(FolderLockError::InUse(_)) if Instant::now() < until => {
                std::thread::sleep(BETWEEN_LOOKS);
            }
            taken => return Ok(taken.map_err(refused)),
        }
    }
}

fn lock(folder: &Path) -> Result<FolderLock, FolderLockError> {
    std::fs::create_dir_all(folder).map_err(FolderLockError::Io)?;
    FolderLock::take(folder)
}

fn refused(error: FolderLockError) -> TroubleCause {
    match error {
        FolderLockError::Io(error) => unusable(&error),
        FolderLockError::InUse(_) => {
            tracing::error!(%error, "data folder");
            TroubleCause::FolderInUse
        }
    }
}

/// Without a bell a second start opens a window that says what is the matter.
fn hang_bell(folder: &Path) -> Option<Bell> {
    let hung = Bell::hang(folder);
    hung.inspect_err(|error| tracing::warn!(%error, "a second start will not find this window"))
        .ok()
}

fn pins() -> Vec<(String, String)> {
    TRAINING_STAFF
        .iter()
        .map(|(number, pin, _)| ((*number).to_owned(), (*pin).to_owned()))
        .collect()
}

/// Opens the server away from the threads that must not wait for a disk.
pub(crate) async fn open_server(options: ServerOptions) -> Result<Server, TroubleCause> {
    let opened = tokio::task::spawn_blocking(|| Server::open(options)).await;
    opened.map_err(unreadable)?.map_err(|error| {
        tracing::error!(%error, "ledger");
        trouble_of(&error)
    })
}

fn trouble_of(error: &qiantai_server::OpenServerError) -> TroubleCause {
    use qiantai_server::OpenServerError::{Ledger, Open, Thread};
    use qiantai_server::db::sqlite::OpenLedgerError;
    match error {
        Open(OpenLedgerError::Open(error)) => match error {
            OpenError::NotADatabase | OpenError::Missing(_) => TroubleCause::DatabaseUnreadable,
            OpenError::Corrupt => TroubleCause::DatabaseCorrupt,
            OpenError::DiskFull => TroubleCause::DiskFull,
            _ => TroubleCause::FolderUnusable,
        },
        Open(OpenLedgerError::Migrate(MigrateError::Newer { .. })) => TroubleCause::NewerVersion,
        Open(OpenLedgerError::Migrate(MigrateError::Failed { source, .. }))
            if source.fault == Fault::DiskFull =>
        {
            TroubleCause::DiskFull
        }
        Ledger(LedgerError::DiskFull) => TroubleCause::DiskFull,
        Open(OpenLedgerError::Migrate(_)) | Ledger(_) => TroubleCause::DatabaseCorrupt,
        Thread(_) => TroubleCause::FolderUnusable,
    }
}

/// What the server could not do with its books, as the window says it.
pub(crate) fn unwritten(error: AdminError) -> TroubleCause {
    match error {
        AdminError::Ledger(LedgerError::DiskFull) | AdminError::Write(WriteError::DiskFull) => {
            tracing::error!(%error, "ledger");
            TroubleCause::DiskFull
        }
        AdminError::System(error) => unusable(&error),
        other => unreadable(other),
    }
}

fn unusable(error: &std::io::Error) -> TroubleCause {
    tracing::error!(%error, "data folder");
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => TroubleCause::DiskFull,
        _ => TroubleCause::FolderUnusable,
    }
}

fn unreadable(error: impl std::fmt::Display) -> TroubleCause {
    tracing::error!(%error, "ledger");
    TroubleCause::DatabaseCorrupt
}

fn remove_ledger(path: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
