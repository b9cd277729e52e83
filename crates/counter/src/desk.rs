//! The desk that the window talks to: it opens the shop's files, then hands every command to the
//! counter.

mod commands;
mod looks;
mod opening;
mod set_up;

pub(crate) use opening::SERVER;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use qiantai_store::vault::RecoveryCode as VaultCode;
use qiantai_sync::engine::PollIntervals;
use qiantai_sync::{Client, LocalLog, driver};
use tokio::sync::broadcast;

use crate::boot::{self, Host, OpenFiles, Trouble};
use crate::clock::ShopClock;
use crate::clock_watch;
use crate::counter::{Counter, Parts};
use crate::drift;
use crate::error::{CallError, ErrorCode};
use crate::printing;
use crate::pruning;
use crate::second_copy;
use crate::serve::blocking;
use crate::surroundings::Surroundings;
use crate::sync_log::TerminalLog;
use crate::terminal::Terminal;
use crate::view::boot::{BootState, BootStatus, RecoveryAnswer, Training, TroubleCause};
use crate::view::event::CounterEvent;
use crate::view::first_start::FirstStart;
use opening::{follow_status, hear_now, unreadable, wait_for_books};
use set_up::Making;

/// Setting that says that the recovery code is on paper.
const CODE_CONFIRMED: &str = "recovery_code_confirmed";
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
    SettingUp {
        making: Making,
        view: Box<FirstStart>,
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
        match opened.await {
            Ok(Ok(files)) => self.open_or_say(files, typed_code).await,
            Ok(Err(trouble)) => self.say(trouble),
            Err(_) => self.say(TroubleCause::FolderUnusable.into()),
        }
    }

    async fn open_or_say(&self, files: OpenFiles, typed_code: Option<String>) {
        if let Err(trouble) = self.open_counter(files, typed_code).await {
            self.say(trouble);
        }
    }

    fn say(&self, Trouble { cause, recoverable }: Trouble) {
        self.enter(Phase::Trouble { cause, recoverable });
    }

    async fn open_counter(
        &self,
        files: OpenFiles,
        typed_code: Option<String>,
    ) -> Result<(), Trouble> {
        let link = match self.link(&files.secrets, &files.store, typed_code).await {
            Ok(link) => link,
            Err(Trouble {
                cause: TroubleCause::NotJoined,
                ..
            }) => {
                self.enter(self.begin_set_up(files)?);
                return Ok(());
            }
            Err(trouble) => return Err(trouble),
        };
        let OpenFiles {
            secrets,
            store,
            new_code,
        } = files;
        let mark = store
            .observe_clock(self.surroundings.now())
            .map_err(|error| unreadable(&error))?;
        let clock = Arc::new(ShopClock::new(Arc::clone(&self.surroundings), Some(mark)));
        if link.books_here {
            hear_now(&link.transport, &store, &clock).await;
        }
        let terminal = Terminal::new(
            &link.joined,
            &secrets.device_signing_seed,
            Arc::clone(&clock) as Arc<dyn Surroundings>,
        );
        let client = Client::new(link.transport)
            .with_token(&link.joined.token)
            .signing_as(terminal.device.0, terminal.key().clone());
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
            channel_board: log.channel_board(),
            training: link.training.is_some(),
            books_here: link.books_here,
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
        tokio::spawn(second_copy::run(Weak::clone(&alive)));
        tokio::spawn(clock_watch::run(
            Weak::clone(&alive),
            Arc::clone(&surroundings),
        ));
        tokio::spawn(drift::run(Weak::clone(&alive), Arc::clone(&surroundings)));
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

    /// Whether there was trouble; of two that ask at once only one is told so.
    fn leave_trouble(&self) -> bool {
        let mut state = self.state();
        let was_trouble = matches!(state.phase, Phase::Trouble { .. });
        if was_trouble {
            state.phase = Phase::Opening;
        }
        was_trouble
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
            Phase::SettingUp { view, .. } => BootState::FirstStart {
                first_start: view.clone(),
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

    /// The counter that is served.
    ///
    /// # Errors
    /// The shop is not open yet.
    pub fn counter(&self) -> Result<Arc<Counter>, CallError> {
        match &self.state().phase {
            Phase::Ready(counter) => Ok(Arc::clone(counter)),
            Phase::Opening
            | Phase::Trouble { .. }
            | Phase::SettingUp { .. }
            | Phase::ShowCode { .. } => {
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

fn is_last_group(code: &VaultCode, answer: &RecoveryAnswer) -> bool {
    let text = code.to_string();
    let last = text.rsplit('-').next().unwrap_or_default();
    answer.last_group.trim().eq_ignore_ascii_case(last)
}
