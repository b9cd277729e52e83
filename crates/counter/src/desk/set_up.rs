//! The desk while a shop is made: no counter is open yet, and every answer is kept as it is given.

use std::sync::Arc;

use qiantai_store::Store;
use qiantai_store::vault::{RecoveryCode as VaultCode, Secrets};
use tokio::sync::Mutex;

use super::opening::unreadable;
use super::{CODE_CONFIRMED, Desk, Phase, is_last_group};
use crate::boot::{self, OpenFiles, Trouble};
use crate::error::{CallError, ErrorCode};
use crate::first_start::Draft;
use crate::printing::{self, PageHead};
use crate::serve::blocking;
use crate::settings;
use crate::view::boot::{BootStatus, RecoveryAnswer};
use crate::view::event::CounterEvent;
use crate::view::first_start::{FirstStart, SetUp};
use crate::view::printer::TestPrint;
use crate::view::session::{Language, Theme};

/// Code of the terminal that makes a shop.
const TERMINAL_CODE: &str = "01";

/// The files of a shop that is being made.
pub(super) struct SettingUp {
    secrets: Secrets,
    store: Arc<Store>,
    /// Until it is on paper.
    code: Option<VaultCode>,
    draft: Draft,
}

/// Answers are taken one after another.
pub(super) type Making = Arc<Mutex<SettingUp>>;

impl Desk {
    /// This terminal belongs to no shop: one is made, or an enrolment code is asked for. A start
    /// that was cut off goes on where it stopped.
    pub(super) fn begin_set_up(&self, files: OpenFiles) -> Result<Phase, Trouble> {
        let OpenFiles {
            secrets,
            store,
            new_code,
        } = files;
        let draft = Draft::load(&store, self.surroundings.as_ref());
        let mut draft = draft.map_err(|error| unreadable(&error))?;
        let is_kept = store.setting::<bool>(CODE_CONFIRMED);
        let is_kept = is_kept
            .map_err(|error| unreadable(&error))?
            .unwrap_or(false);
        draft.fit(is_kept);
        let code = match (is_kept, new_code) {
            (true, _) => None,
            (false, Some(code)) => Some(code),
            (false, None) => Some(boot::renew_code(
                self.host.folder(),
                self.host.key_holder(),
            )?),
        };
        let making = SettingUp {
            secrets,
            store,
            code,
            draft,
        };
        let view = making.view().map_err(|error| unreadable(&error))?;
        Ok(Phase::SettingUp {
            making: Arc::new(Mutex::new(making)),
            view: Box::new(view),
        })
    }

    /// Takes an answer; the last one opens the shop.
    pub(super) async fn take_answer(&self, answer: SetUp) -> Result<BootStatus, CallError> {
        let making = self.making()?;
        let mut at = making.lock().await;
        let (mut draft, store) = (at.draft.clone(), Arc::clone(&at.store));
        let (is_kept, surroundings) = (at.code.is_none(), Arc::clone(&self.surroundings));
        let answered = blocking(move || {
            draft.answer(answer, is_kept, &store, surroundings.as_ref())?;
            draft.fit(is_kept);
            draft.keep(&store)?;
            Ok(draft)
        });
        at.draft = answered.await?;
        if !at.draft.is_whole() {
            return self.show_set_up(&making, at.view()?);
        }
        let files = OpenFiles {
            secrets: at.secrets.clone(),
            store: Arc::clone(&at.store),
            new_code: None,
        };
        drop(at);
        self.leave_set_up(&making)?;
        self.open_or_say(files, None).await;
        Ok(self.status())
    }

    /// The recovery code is on paper.
    pub(super) async fn keep_code(
        &self,
        making: Making,
        answer: RecoveryAnswer,
    ) -> Result<BootStatus, CallError> {
        let mut at = making.lock().await;
        let code = at.code.as_ref();
        let code = code.ok_or_else(|| CallError::new(ErrorCode::WrongState, "internal"))?;
        if !is_last_group(code, &answer) {
            return Err(CallError::new(ErrorCode::RecoveryWrong, "recovery_wrong"));
        }
        let (mut draft, store) = (at.draft.clone(), Arc::clone(&at.store));
        draft.code_is_kept();
        let kept = draft.clone();
        blocking(move || {
            store.set_setting(CODE_CONFIRMED, &true)?;
            Ok(kept.keep(&store)?)
        })
        .await?;
        (at.draft, at.code) = (draft, None);
        self.show_set_up(&making, at.view()?)
    }

    /// Language and theme that the program was started with.
    pub(super) async fn adopt_looks_before(
        &self,
        making: Making,
        language: Option<Language>,
        theme: Option<Theme>,
    ) -> Result<(), CallError> {
        let at = making.lock().await;
        let store = Arc::clone(&at.store);
        blocking(move || Ok(settings::adopt_looks(&store, language, theme)?)).await?;
        self.show_set_up(&making, at.view()?)?;
        // The window may have asked before.
        let listeners = self.events.send(CounterEvent::Boot).unwrap_or(0);
        tracing::debug!(listeners, "looks");
        Ok(())
    }

    /// A page on a printer that is about to be chosen.
    pub(super) async fn print_page_before(
        &self,
        making: Making,
        request: TestPrint,
    ) -> Result<(), CallError> {
        // Held while it prints: two pages at once would mix on one roll.
        let at = making.lock().await;
        let head = PageHead {
            store: at.draft.name().to_owned(),
            terminal: TERMINAL_CODE.to_owned(),
        };
        printing::print_page(request, head, self.surroundings.as_ref()).await
    }

    /// The shop that is being made, if one is.
    pub(super) fn making(&self) -> Result<Making, CallError> {
        match &self.state().phase {
            Phase::SettingUp { making, .. } => Ok(Arc::clone(making)),
            _ => Err(CallError::new(ErrorCode::WrongState, "internal")),
        }
    }

    /// Of two that would end it only one does.
    pub(super) fn leave_set_up(&self, ended: &Making) -> Result<(), CallError> {
        let mut state = self.state();
        match &state.phase {
            Phase::SettingUp { making, .. } if Arc::ptr_eq(making, ended) => {
                state.phase = Phase::Opening;
                Ok(())
            }
            _ => Err(CallError::new(ErrorCode::WrongState, "internal")),
        }
    }

    /// The window has its answer at once; no event is needed.
    fn show_set_up(&self, shown: &Making, now: FirstStart) -> Result<BootStatus, CallError> {
        match &mut self.state().phase {
            Phase::SettingUp { making, view } if Arc::ptr_eq(making, shown) => **view = now,
            _ => return Err(CallError::new(ErrorCode::WrongState, "internal")),
        }
        Ok(self.status())
    }
}

impl SettingUp {
    fn view(&self) -> Result<FirstStart, qiantai_store::StoreError> {
        let code = self.code.as_ref().map(ToString::to_string);
        self.draft.view(&self.store, code)
    }
}
