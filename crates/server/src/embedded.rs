//! The server as a value: opened on a file, in whatever process needs it.

mod contacts;
mod held;
mod keeper;
mod present;
mod revoked;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::middleware;
use qiantai_core::Timestamp;
use qiantai_core::ids::{ActionId, DeviceId, OpId, StoreId, TenantId};
use qiantai_core::merchant_account::{AccountFault, AccountField};
use qiantai_core::operation::OperationBody;
use qiantai_core::policy::Policy;
use qiantai_wire::api::OpResultDto;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::profile::{attachment_hash, encode_policy};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::challenges::Challenges;
use crate::clock::Clock;
use crate::db::sqlite::{OpenLedgerError, SqliteLedger};
use crate::db::{Attachment, Head, Ledger, LedgerError, Tenant};
use crate::desks::{Desk, Desks};
use crate::engine::{Channels, Engine, Reading};
use crate::metrics::{self, Metrics};
use crate::writer::{Author, Committed, OwnOperation, Workplace, WriteError, Writer, WriterTurns};
use contacts::Contacts;
use present::newest_of;
pub(crate) use present::written_at;

/// Commits that a slow listener may miss before it is told to look at the head.
const EVENTS_KEPT: usize = 1_024;

/// Walks over every account at one time.
const SCANS_AT_ONCE: usize = 2;

/// What a server needs.
pub struct ServerOptions {
    /// The ledger's file; made when absent.
    pub path: PathBuf,
    /// Raw SQLCipher key, or `None` for a plain file.
    pub key: Option<[u8; 32]>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The payment gateways.
    pub channels: Channels,
}

/// Why a server did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenServerError {
    /// The ledger did not open.
    #[error(transparent)]
    Open(#[from] OpenLedgerError),
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The operating system has no thread left.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
}

/// Why an administrative action did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The writer.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A writer did not start.
    #[error(transparent)]
    Open(#[from] OpenServerError),
    /// The operating system.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// No store has that code or identity.
    #[error("there is no store {0}")]
    NoStore(String),
    /// Nobody here made such an invitation.
    #[error("the invitation is unknown")]
    InviteInvalid,
    /// Another terminal used the invitation.
    #[error("the invitation was used")]
    InviteUsed,
    /// The invitation is too old.
    #[error("the invitation is too old")]
    InviteExpired,
    /// Every terminal code of the store is in use.
    #[error("all 99 terminal codes of the store are in use")]
    StoreFull,
    /// The shop's code would lead nowhere.
    #[error("the merchant account: {0:?} is {1}")]
    MerchantAccount(AccountField, AccountFault),
    /// The rules refused it.
    #[error("refused: {0:?}")]
    Refused(OutcomeDto),
}

/// A running server. Clones are handles to the same one.
#[derive(Clone)]
pub struct Server(pub(crate) Arc<Shared>);

/// What handlers and background tasks share.
pub(crate) struct Shared {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) desks: Arc<Desks>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) events: broadcast::Sender<Committed>,
    /// True once open event streams are to end.
    pub(crate) ending: watch::Sender<bool>,
    /// Held while a terminal joins: who looks for a free place must also take it.
    pub(crate) joining: tokio::sync::Mutex<()>,
    /// Held while rules are changed: who looks at the newest must also replace them.
    pub(crate) ruling: tokio::sync::Mutex<()>,
    /// What terminals have still to sign.
    pub(crate) challenges: Challenges,
    /// Devices that asked for something, until it is recorded.
    pub(crate) contacts: Contacts,
    /// Devices out of service, as last looked up.
    pub(crate) revoked: watch::Sender<BTreeSet<DeviceId>>,
    pub(crate) metrics: Arc<Metrics>,
    /// Walks over every account at one time: they leave connections to the books for others.
    pub(crate) scans: Semaphore,
    boot_id: Uuid,
    started_at: Timestamp,
    background: Mutex<Option<JoinHandle<()>>>,
}

impl Server {
    /// Opens the ledger and its writers. Payments are looked after once [`Server::start`] is
    /// called.
    ///
    /// # Errors
    /// See [`OpenServerError`]; nothing was overwritten.
    pub fn open(options: ServerOptions) -> Result<Server, OpenServerError> {
        let ledger = Arc::new(SqliteLedger::open(&options.path, options.key)?);
        Server::on_ledger(ledger, options.clock, options.channels)
    }

    /// Opens the writers of a ledger that is open already.
    ///
    /// # Errors
    /// See [`OpenServerError`].
    pub fn on_ledger(
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        channels: Channels,
    ) -> Result<Server, OpenServerError> {
        let server =
            Server::without_writers(ledger, Reading::OnThreads, clock, channels, Uuid::now_v7())?;
        for tenant in server.0.ledger.tenants()? {
            server.seat_writer(tenant)?;
        }
        Ok(server)
    }

    /// For virtual time: this start of the server is named by the caller, and the writers of
    /// the tenants in the ledger write when their turns are called. A tenant created later has
    /// a writer with a thread.
    ///
    /// # Errors
    /// See [`OpenServerError`].
    pub fn by_turns(
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        channels: Channels,
        boot_id: Uuid,
    ) -> Result<(Server, Vec<WriterTurns>), OpenServerError> {
        let server = Server::without_writers(ledger, Reading::InPlace, clock, channels, boot_id)?;
        let mut writers = Vec::new();
        for tenant in server.0.ledger.tenants()? {
            let (writer, turns) = Writer::by_turns(server.workplace(&tenant)?);
            server.0.desks.add(Desk { tenant, writer }, None);
            writers.push(turns);
        }
        Ok((server, writers))
    }

    fn without_writers(
        ledger: Arc<dyn Ledger>,
        reading: Reading,
        clock: Arc<dyn Clock>,
        channels: Channels,
        boot_id: Uuid,
    ) -> Result<Server, OpenServerError> {
        clock.begin_after(newest_of(ledger.as_ref())?);
        let desks = Arc::new(Desks::default());
        let engine = Engine::new(
            Arc::clone(&ledger),
            reading,
            Arc::clone(&clock),
            channels,
            Arc::clone(&desks),
        );
        Ok(Server(Arc::new(Shared {
            started_at: clock.now(),
            ledger,
            clock,
            desks,
            engine: Arc::new(engine),
            events: broadcast::channel(EVENTS_KEPT).0,
            ending: watch::channel(false).0,
            joining: tokio::sync::Mutex::default(),
            ruling: tokio::sync::Mutex::default(),
            challenges: Challenges::default(),
            contacts: Contacts::default(),
            revoked: watch::Sender::default(),
            metrics: Arc::default(),
            scans: Semaphore::new(SCANS_AT_ONCE),
            boot_id,
            background: Mutex::new(None),
        })))
    }

    /// Looks after payments from now on. Must be called within a tokio runtime.
    pub fn start(&self) {
        let mut background = self.background();
        if background.is_none() {
            let engine = Arc::clone(&self.0.engine).run();
            let keeper = keeper::run(Arc::downgrade(&self.0));
            let contacts = contacts::run(Arc::downgrade(&self.0));
            let held = held::run(Arc::downgrade(&self.0));
            let revoked = revoked::run(Arc::downgrade(&self.0));
            *background = Some(tokio::spawn(async move {
                tokio::join!(engine, keeper, contacts, held, revoked);
            }));
        }
    }

    /// Ends every open event stream, so that connections can be closed.
    pub fn end_streams(&self) {
        self.0.ending.send_replace(true);
    }

    /// Stops: requests from now on are refused, everything queued is written first.
    pub async fn stop(&self) {
        self.end_streams();
        let background = self.background().take();
        if let Some(task) = background {
            task.abort();
            // Aborted is what was asked for; a panic was reported when it happened.
            drop(task.await);
        }
        let threads = self.0.desks.close();
        let joined = tokio::task::spawn_blocking(move || {
            threads
                .into_iter()
                .for_each(crate::writer::WriterThread::join);
        });
        if joined.await.is_err() {
            tracing::error!("a writer did not end properly");
        }
        let shared = Arc::clone(&self.0);
        let recorded =
            tokio::task::spawn_blocking(move || shared.contacts.record(shared.ledger.as_ref()));
        if !matches!(recorded.await, Ok(Ok(()))) {
            tracing::warn!("the last contacts of devices were not recorded");
        }
        let ledger = Arc::clone(&self.0.ledger);
        let let_go = tokio::task::spawn_blocking(move || ledger.let_go()).await;
        if !matches!(let_go, Ok(Ok(()))) {
            tracing::warn!("the right to write was not given back; it runs out by itself");
        }
    }

    /// The HTTP interface.
    pub fn router(&self) -> axum::Router {
        let observe = middleware::from_fn_with_state(self.clone(), metrics::observe);
        crate::api::router(self.clone()).layer(observe)
    }

    /// Metrics and probes, for an address that terminals do not reach.
    pub fn upkeep_router(&self) -> axum::Router {
        metrics::upkeep(self.clone())
    }

    /// Does everything about payments that is due at the clock's time. For virtual time; a
    /// started server does it by itself.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn settle_due(&self) -> Result<(), crate::engine::EngineError> {
        self.0.engine.settle_due().await
    }

    /// Makes an empty ledger for a merchant.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub fn create_tenant(
        &self,
        id: TenantId,
        server_device: DeviceId,
        name: &str,
        signing_seed: [u8; 32],
    ) -> Result<(), AdminError> {
        let tenant = Tenant {
            id,
            name: name.to_owned(),
            server_device,
            signing_seed: Zeroizing::new(signing_seed),
            timeline: 1,
        };
        self.0.ledger.create_tenant(&tenant, self.0.clock.now())?;
        self.seat_writer(tenant)?;
        Ok(())
    }

    /// Puts rules into force.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn publish_policy(&self, policy: Policy) -> Result<(), AdminError> {
        if let Some(account) = &policy.merchant_account {
            let checked = account.check();
            checked.map_err(|(field, fault)| AdminError::MerchantAccount(field, fault))?;
        }
        let (tenant, store) = (policy.tenant, policy.store.id);
        let (body, attachment) = publication(policy);
        self.say_one(tenant, store, body, Some(attachment)).await
    }

    /// Writes the server's own operations, in order, all at once.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn say(
        &self,
        tenant: TenantId,
        operations: Vec<OwnOperation>,
    ) -> Result<Vec<OpResultDto>, WriteError> {
        let desk = self.0.desks.get(tenant).ok_or(WriteError::Stopped)?;
        desk.writer.say(operations).await
    }

    /// Tenants with books here.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn tenants(&self) -> Result<Vec<Tenant>, LedgerError> {
        self.0.ledger.tenants()
    }

    /// The books, for reading.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.0.ledger
    }

    /// The server's clock.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Which channels have a gateway has changed: terminals are told.
    pub fn channels_changed(&self) {
        self.0.engine.channels_changed();
    }

    /// Where a tenant's log stands.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn head(&self, tenant: TenantId) -> Result<Head, LedgerError> {
        self.0.ledger.head(tenant)
    }

    pub(crate) fn is_ready(&self) -> bool {
        let is_ending = *self.0.ending.borrow();
        !is_ending && self.0.desks.are_running() && self.0.ledger.tenants().is_ok()
    }

    /// Whether a tenant's books are kept here, whoever writes them.
    pub(crate) fn has_books(&self, tenant: TenantId) -> bool {
        self.0.desks.get(tenant).is_some()
    }

    /// Whether books are written here and by nobody else: those of one tenant, or all that there are.
    pub(crate) fn is_writer(&self, tenant: Option<TenantId>) -> bool {
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => self.0.desks.tenants(),
        };
        let is_written =
            |tenant: &TenantId| self.has_books(*tenant) && self.0.ledger.may_write(*tenant).is_ok();
        self.is_ready() && !tenants.is_empty() && tenants.iter().all(is_written)
    }

    fn seat_writer(&self, tenant: Tenant) -> Result<(), OpenServerError> {
        let (writer, thread) = Writer::start(self.workplace(&tenant)?)?;
        self.0.desks.add(Desk { tenant, writer }, Some(thread));
        Ok(())
    }

    fn workplace(&self, tenant: &Tenant) -> Result<Workplace, LedgerError> {
        let restored = self.0.ledger.restored(tenant.id)?;
        let (events, engine) = (self.0.events.clone(), Arc::downgrade(&self.0.engine));
        let listener = move |committed: Committed| {
            if !committed.attempts.is_empty()
                && let Some(engine) = engine.upgrade()
            {
                engine.wake();
            }
            // Nobody listening is no error.
            drop(events.send(committed));
        };
        Ok(Workplace {
            ledger: Arc::clone(&self.0.ledger),
            clock: Arc::clone(&self.0.clock),
            author: Author {
                key: tenant.signing_key(),
                tenant: tenant.clone(),
                boot_id: self.0.boot_id,
                started_at: self.0.started_at,
                restored_at: restored.map(|restored| restored.began_at),
            },
            listener: Box::new(listener),
        })
    }

    pub(crate) async fn say_one(
        &self,
        tenant: TenantId,
        store: StoreId,
        body: OperationBody,
        attachment: Option<Attachment>,
    ) -> Result<(), AdminError> {
        let op_id = Uuid::now_v7();
        let operation = OwnOperation {
            op_id: OpId(op_id),
            action_id: ActionId(op_id),
            store,
            staff: None,
            body,
            attachment,
        };
        let result = self.say(tenant, vec![operation]).await?.pop();
        match result.map(|result| result.outcome) {
            Some(OutcomeDto::Applied | OutcomeDto::Exists) => Ok(()),
            Some(other) => Err(AdminError::Refused(other)),
            None => Err(WriteError::Defect.into()),
        }
    }

    fn background(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.0
            .background
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said to put rules into force.
pub(crate) fn publication(policy: Policy) -> (OperationBody, Attachment) {
    let bytes = encode_policy(&policy);
    let hash = attachment_hash(&bytes);
    let version = policy.version;
    let policy = Arc::new(policy);
    let attachment = Attachment::Policy {
        bytes,
        hash,
        policy,
    };
    (OperationBody::PolicyPublish { version }, attachment)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
