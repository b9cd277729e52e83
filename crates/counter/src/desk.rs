//! The desk that the window talks to: it opens the shop's files, then hands every command to the
//! counter.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use qiantai_core::ids::OrderId;
use qiantai_store::Store;
use qiantai_store::vault::{RecoveryCode as VaultCode, Secrets};
use qiantai_sync::engine::PollIntervals;
use qiantai_sync::{Client, LocalLog, SyncHandle, SyncStatus, driver};
use tokio::sync::{broadcast, watch};

use crate::api::CounterApi;
use crate::boot::{self, Host, Known, Link, OpenFiles, Trouble};
use crate::clock::ShopClock;
use crate::clock_watch;
use crate::code_payment;
use crate::counter::{Counter, Parts};
use crate::error::{CallError, ErrorCode};
use crate::parse;
use crate::printing;
use crate::pruning;
use crate::serve::{self, blocking};
use crate::surroundings::Surroundings;
use crate::sync_log::TerminalLog;
use crate::terminal::Terminal;
use crate::view::boot::{
    BootState, BootStatus, RecoveryAnswer, RecoveryCode, Training, TroubleCause, TypedEnrolCode,
};
use crate::view::code::{ChargeCode, OfferCode, Scan, ScanReading, StartCode};
use crate::view::command::{CommandLine, CommandReading};
use crate::view::event::CounterEvent;
use crate::view::member::{MemberHit, MemberKey, MemberSearch, MemberView};
use crate::view::member_page::MemberPage;
use crate::view::new_member::{NewMember, NewMemberCheck, NewMemberForm};
use crate::view::order::{
    OrderKey, OrderSummary, OrderView, PayCash, PrintJobView, ReceiptView, RetryPayment, StartQr,
};
use crate::view::order_list::{OrderFilter, OrderList};
use crate::view::order_page::OrderPage;
use crate::view::printer::{FoundPrinters, SendPrint, TestPrint};
use crate::view::queue::{JobKey, QueueView};
use crate::view::recorded::PayRecorded;
use crate::view::session::{Language, OpenShift, SessionView, Settings, SignIn, Theme};
use crate::view::top_up::{QuoteRequest, QuoteView, TopUpForm};

/// Setting that says who this terminal is.
const JOINED: &str = "joined";
const SERVER: &str = "server";
/// Setting that says that the recovery code is on paper.
const CODE_CONFIRMED: &str = "recovery_code_confirmed";
/// How long a first start waits for the server's books before it says so.
const FIRST_BOOKS_MAX: Duration = Duration::from_secs(20);
/// Events that a slow window may fall behind.
const EVENTS_MAX: usize = 256;

/// The desk.
pub struct Desk {
    host: Arc<dyn Host>,
    surroundings: Arc<dyn Surroundings>,
    events: broadcast::Sender<CounterEvent>,
    state: Mutex<DeskState>,
}

struct DeskState {
    phase: Phase,
    training: Option<Training>,
}

enum Phase {
    Opening,
    Trouble {
        cause: TroubleCause,
        recoverable: bool,
    },
    ShowCode {
        code: VaultCode,
        counter: Arc<Counter>,
    },
    Ready(Arc<Counter>),
}

impl Desk {
    /// A desk that has not opened anything yet.
    pub fn new(host: Arc<dyn Host>, surroundings: Arc<dyn Surroundings>) -> Arc<Desk> {
        let state = Mutex::new(DeskState {
            phase: Phase::Opening,
            training: None,
        });
        Arc::new(Desk {
            host,
            surroundings,
            events: broadcast::Sender::new(EVENTS_MAX),
            state,
        })
    }

    /// Where the window listens.
    pub fn subscribe(&self) -> broadcast::Receiver<CounterEvent> {
        self.events.subscribe()
    }

    /// Opens the shop's files and the way to the server.
    pub async fn start(self: Arc<Desk>) {
        self.open(None).await;
    }

    async fn open(&self, typed_code: Option<String>) {
        let host = Arc::clone(&self.host);
        let opened = blocking(move || {
            Ok(match host.claim() {
                Ok(()) => boot::open_files(host.folder(), host.key_holder()),
                Err(cause) => Err(cause.into()),
            })
        });
        let outcome = match opened.await {
            Ok(Ok(files)) => self.open_counter(files, typed_code).await,
            Ok(Err(trouble)) => Err(trouble),
            Err(_) => Err(TroubleCause::FolderUnusable.into()),
        };
        if let Err(Trouble { cause, recoverable }) = outcome {
            self.enter(Phase::Trouble { cause, recoverable });
        }
    }

    /// Saves language and theme that the program was started with; not for the window, which has
    /// a person for it.
    ///
    /// # Errors
    /// The counter is not open, or the store fails.
    pub async fn adopt_looks(
        &self,
        language: Option<Language>,
        theme: Option<Theme>,
    ) -> Result<(), CallError> {
        self.work(move |counter| counter.adopt_looks(language, theme))
            .await
    }

    /// Opens the way to the server and keeps what was learnt of it.
    async fn link(
        &self,
        secrets: &Secrets,
        store: &Store,
        typed_code: Option<String>,
    ) -> Result<Link, Trouble> {
        let kept = move || {
            Ok(Known {
                joined: store.setting(JOINED)?,
                server: store.setting(SERVER)?,
                typed_code,
            })
        };
        let known = kept().map_err(|error| unreadable(&error))?;
        let key = boot::public_key(secrets);
        let link = self.host.link(secrets, known, key).await?;
        // Who this terminal is comes last: without it the next start joins anew.
        let keep = || match &link.server {
            Some(server) => store
                .set_setting(SERVER, server)
                .and_then(|()| store.set_setting(JOINED, &link.joined)),
            None => store.set_setting(JOINED, &link.joined),
        };
        keep().map_err(|error| unreadable(&error))?;
        Ok(link)
    }

    async fn open_counter(
        &self,
        files: OpenFiles,
        typed_code: Option<String>,
    ) -> Result<(), Trouble> {
        let OpenFiles {
            secrets,
            store,
            new_code,
        } = files;
        let link = self.link(&secrets, &store, typed_code).await?;
        let mark = store
            .observe_clock(self.surroundings.now())
            .map_err(|error| unreadable(&error))?;
        let clock = Arc::new(ShopClock::new(Arc::clone(&self.surroundings), Some(mark)));
        let terminal = Terminal::new(
            &link.joined,
            &secrets.device_signing_seed,
            Arc::clone(&clock) as Arc<dyn Surroundings>,
        );
        let client = Client::new(link.transport).with_token(&link.joined.token);
        let log = Arc::new(TerminalLog::new(Arc::clone(&store), Arc::clone(&clock)));
        let (sync, driver) = driver(
            Arc::clone(&log) as Arc<dyn LocalLog>,
            client.clone(),
            Arc::clone(&self.surroundings) as Arc<dyn qiantai_sync::Surroundings>,
            PollIntervals::default(),
        );
        tokio::spawn(driver.run());
        let disk_full = log.disk_full();
        tokio::select! {
            biased;
            waited = wait_for_books(&store, &sync) => waited?,
            () = disk_full.notified() => return Err(TroubleCause::DiskFull.into()),
        }
        boot::first_start_done(self.host.folder())?;
        let counter = Counter::new(Parts {
            store,
            terminal,
            client,
            sync,
            clock,
            events: self.events.clone(),
            training: link.training.is_some(),
        });
        let counter = Arc::new(counter.map_err(|error| unreadable(&error))?);
        log.attach(&counter);
        let at_start = Arc::clone(&counter);
        if let Err(error) = blocking(move || at_start.resume_payments()).await {
            tracing::error!(?error, "payments and slips before this start");
        }
        let alive = Arc::downgrade(&counter);
        let wake = Arc::clone(&counter.print_wake);
        tokio::spawn(printing::run(Weak::clone(&alive), wake));
        tokio::spawn(follow_status(Weak::clone(&alive), counter.sync.follow()));
        let surroundings = Arc::clone(&counter.surroundings);
        tokio::spawn(clock_watch::run(
            Weak::clone(&alive),
            Arc::clone(&surroundings),
        ));
        tokio::spawn(pruning::run(alive, surroundings));
        self.state().training = link.training;
        self.enter(self.code_phase(counter, new_code)?);
        Ok(())
    }

    /// In training nobody writes down the code of a folder that will be thrown away.
    fn code_phase(
        &self,
        counter: Arc<Counter>,
        new_code: Option<VaultCode>,
    ) -> Result<Phase, Trouble> {
        let confirmed = counter.store.setting::<bool>(CODE_CONFIRMED);
        let confirmed = confirmed
            .map_err(|error| unreadable(&error))?
            .unwrap_or(false);
        if counter.training || confirmed {
            return Ok(Phase::Ready(counter));
        }
        let code = match new_code {
            Some(code) => code,
            None => boot::renew_code(self.host.folder(), self.host.key_holder())?,
        };
        Ok(Phase::ShowCode { code, counter })
    }

    fn enter(&self, phase: Phase) {
        self.state().phase = phase;
        // The window asks for the status when it opens; before that nobody listens.
        let listeners = self.events.send(CounterEvent::Boot).unwrap_or(0);
        tracing::debug!(listeners, "boot");
    }

    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> BootStatus {
        let state = self.state();
        let view = match &state.phase {
            Phase::Opening => BootState::Opening,
            Phase::Trouble { cause, recoverable } => BootState::Trouble {
                cause: *cause,
                folder: self.host.folder().to_string_lossy().into_owned(),
                recoverable: *recoverable,
                enrollable: cause.is_of_joining(),
            },
            Phase::ShowCode { code, .. } => BootState::ShowRecoveryCode {
                code: code.to_string(),
            },
            Phase::Ready(_) => BootState::Ready,
        };
        BootStatus {
            state: view,
            training: state.training.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn counter(&self) -> Result<Arc<Counter>, CallError> {
        match &self.state().phase {
            Phase::Ready(counter) => Ok(Arc::clone(counter)),
            Phase::Opening | Phase::Trouble { .. } | Phase::ShowCode { .. } => {
                Err(CallError::new(ErrorCode::WrongState, "internal").retryable())
            }
        }
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Counter) -> Result<T, CallError> + Send + 'static,
    ) -> Result<T, CallError> {
        let counter = self.counter()?;
        blocking(move || work(&counter)).await
    }
}

/// Waits until a new terminal has the shop's rules and members. A terminal that has them starts
/// at once, with or without the server.
async fn wait_for_books(store: &Arc<Store>, sync: &SyncHandle) -> Result<(), Trouble> {
    let mut status = sync.follow();
    loop {
        let mark = store.sync_mark().map_err(|error| unreadable(&error))?;
        if mark.cursor.is_some() {
            return Ok(());
        }
        let moved = tokio::time::timeout(FIRST_BOOKS_MAX, status.changed()).await;
        if !matches!(moved, Ok(Ok(()))) {
            return Err(TroubleCause::ServerUnreachable.into());
        }
    }
}

/// Tells the window when the server is lost or found. Slips that waited for it are tried again.
async fn follow_status(counter: Weak<Counter>, mut status: watch::Receiver<SyncStatus>) {
    while status.changed().await.is_ok() {
        let Some(counter) = counter.upgrade() else {
            return;
        };
        counter.print_wake.notify_one();
        if let Err(error) = blocking(move || counter.tell_open_payments()).await {
            tracing::error!(?error, "the window was not told");
        }
    }
}

fn unreadable(error: &qiantai_store::StoreError) -> Trouble {
    tracing::error!(%error, "store");
    match error.fault() {
        Some(qiantai_store::Fault::DiskFull) => TroubleCause::DiskFull.into(),
        _ => TroubleCause::DatabaseCorrupt.into(),
    }
}

#[async_trait]
impl CounterApi for Desk {
    async fn boot_status(&self, (): ()) -> Result<BootStatus, CallError> {
        Ok(self.status())
    }

    async fn recover(&self, request: RecoveryCode) -> Result<BootStatus, CallError> {
        if !matches!(
            self.state().phase,
            Phase::Trouble {
                recoverable: true,
                ..
            }
        ) {
            return Err(CallError::new(ErrorCode::WrongState, "internal"));
        }
        let host = Arc::clone(&self.host);
        let opened = blocking(move || {
            Ok(boot::open_with_code(
                host.folder(),
                host.key_holder(),
                &request.code,
            ))
        });
        let outcome = match opened.await? {
            Ok(files) => self.open_counter(files, None).await,
            Err(None) => return Err(CallError::new(ErrorCode::RecoveryWrong, "recovery_wrong")),
            Err(Some(trouble)) => Err(trouble),
        };
        if let Err(Trouble { cause, recoverable }) = outcome {
            self.enter(Phase::Trouble { cause, recoverable });
        }
        Ok(self.status())
    }

    async fn enrol(&self, request: TypedEnrolCode) -> Result<BootStatus, CallError> {
        let is_joining = matches!(
            &self.state().phase,
            Phase::Trouble { cause, .. } if cause.is_of_joining()
        );
        if !is_joining {
            return Err(CallError::new(ErrorCode::WrongState, "internal"));
        }
        self.open(Some(request.code)).await;
        Ok(self.status())
    }

    async fn confirm_recovery_code(&self, answer: RecoveryAnswer) -> Result<BootStatus, CallError> {
        let counter = match &self.state().phase {
            Phase::ShowCode { code, counter } => {
                let text = code.to_string();
                let last = text.rsplit('-').next().unwrap_or_default();
                if !answer.last_group.trim().eq_ignore_ascii_case(last) {
                    return Err(CallError::new(ErrorCode::RecoveryWrong, "recovery_wrong"));
                }
                Arc::clone(counter)
            }
            _ => return Err(CallError::new(ErrorCode::WrongState, "internal")),
        };
        let store = Arc::clone(&counter.store);
        blocking(move || Ok(store.set_setting(CODE_CONFIRMED, &true)?)).await?;
        self.enter(Phase::Ready(counter));
        Ok(self.status())
    }

    async fn session(&self, (): ()) -> Result<SessionView, CallError> {
        self.work(Counter::session).await
    }

    async fn sign_in(&self, request: SignIn) -> Result<SessionView, CallError> {
        self.work(move |counter| counter.sign_in(&request)).await
    }

    async fn sign_out(&self, (): ()) -> Result<SessionView, CallError> {
        self.work(Counter::sign_out).await
    }

    async fn open_shift(&self, request: OpenShift) -> Result<SessionView, CallError> {
        self.work(move |counter| counter.open_shift(&request)).await
    }

    async fn search_members(&self, request: MemberSearch) -> Result<Vec<MemberHit>, CallError> {
        self.work(move |counter| counter.search_members(&request))
            .await
    }

    async fn member(&self, request: MemberKey) -> Result<MemberView, CallError> {
        self.work(move |counter| counter.member(&request)).await
    }

    async fn member_page(&self, request: MemberKey) -> Result<MemberPage, CallError> {
        self.work(move |counter| counter.member_page(&request))
            .await
    }

    async fn new_member_form(&self, (): ()) -> Result<NewMemberForm, CallError> {
        self.work(Counter::new_member_form).await
    }

    async fn check_new_member(&self, request: NewMember) -> Result<NewMemberCheck, CallError> {
        self.work(move |counter| counter.check_new_member(&request))
            .await
    }

    async fn create_member(&self, request: NewMember) -> Result<MemberView, CallError> {
        self.work(move |counter| counter.create_member(&request))
            .await
    }

    async fn understand(&self, request: CommandLine) -> Result<CommandReading, CallError> {
        self.work(move |counter| counter.understand(&request)).await
    }

    async fn top_up_form(&self, request: MemberKey) -> Result<TopUpForm, CallError> {
        self.work(move |counter| counter.top_up_form(&request))
            .await
    }

    async fn quote(&self, request: QuoteRequest) -> Result<QuoteView, CallError> {
        self.work(move |counter| counter.quote(&request)).await
    }

    async fn pay_cash(&self, request: PayCash) -> Result<OrderView, CallError> {
        serve::pay_cash(&self.counter()?, request).await
    }

    async fn pay_recorded(&self, request: PayRecorded) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.pay_recorded(&request))
            .await
    }

    async fn start_qr(&self, request: StartQr) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.start_qr(&request)).await
    }

    async fn read_scan(&self, request: Scan) -> Result<ScanReading, CallError> {
        self.work(move |counter| counter.read_scan(&request)).await
    }

    async fn offer_codes(&self, (): ()) -> Result<Vec<OfferCode>, CallError> {
        self.work(|counter| counter.offer_codes()).await
    }

    async fn start_code(&self, request: StartCode) -> Result<OrderView, CallError> {
        code_payment::start_code(&self.counter()?, request).await
    }

    async fn charge_code(&self, request: ChargeCode) -> Result<OrderView, CallError> {
        code_payment::charge_code(&self.counter()?, request).await
    }

    async fn retry_payment(&self, request: RetryPayment) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.retry_payment(&request))
            .await
    }

    async fn query_payment(&self, request: OrderKey) -> Result<OrderView, CallError> {
        serve::query_payment(&self.counter()?, request).await
    }

    async fn cancel_order(&self, request: OrderKey) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.cancel_order(&request))
            .await
    }

    async fn order(&self, request: OrderKey) -> Result<OrderView, CallError> {
        self.work(move |counter| {
            let order = OrderId(parse::id(&request.order_id)?);
            counter.may_follow(order)?;
            counter.order_view(order)
        })
        .await
    }

    async fn orders(&self, (): ()) -> Result<Vec<OrderSummary>, CallError> {
        self.work(Counter::orders).await
    }

    async fn find_orders(&self, request: OrderFilter) -> Result<OrderList, CallError> {
        self.work(move |counter| counter.find_orders(&request))
            .await
    }

    async fn order_page(&self, request: OrderKey) -> Result<OrderPage, CallError> {
        self.work(move |counter| counter.order_page(OrderId(parse::id(&request.order_id)?)))
            .await
    }

    async fn receipt(&self, request: OrderKey) -> Result<ReceiptView, CallError> {
        serve::receipt(&self.counter()?, request).await
    }

    async fn reprint(&self, request: OrderKey) -> Result<PrintJobView, CallError> {
        self.work(move |counter| counter.reprint(OrderId(parse::id(&request.order_id)?)))
            .await
    }

    async fn queue(&self, (): ()) -> Result<QueueView, CallError> {
        self.work(Counter::queue).await
    }

    async fn retry_print(&self, request: JobKey) -> Result<QueueView, CallError> {
        self.work(move |counter| {
            counter.retry_print(parse::id(&request.job_id)?)?;
            counter.queue()
        })
        .await
    }

    async fn send_print(&self, request: SendPrint) -> Result<QueueView, CallError> {
        self.work(move |counter| {
            counter.send_print(parse::id(&request.job_id)?, request.printer)?;
            counter.queue()
        })
        .await
    }

    async fn cancel_print(&self, request: JobKey) -> Result<QueueView, CallError> {
        self.work(move |counter| {
            counter.cancel_print(parse::id(&request.job_id)?)?;
            counter.queue()
        })
        .await
    }

    async fn found_printers(&self, (): ()) -> Result<FoundPrinters, CallError> {
        printing::found_printers(&self.counter()?).await
    }

    async fn print_test_page(&self, request: TestPrint) -> Result<(), CallError> {
        printing::print_test_page(&self.counter()?, request).await
    }

    async fn save_settings(&self, settings: Settings) -> Result<SessionView, CallError> {
        self.work(move |counter| counter.save_settings(&settings))
            .await
    }
}
