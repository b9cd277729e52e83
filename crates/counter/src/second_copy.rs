//! Keeps the second copy of own operations at the end of the log. A sale is done with the commit in
//! the store; the copy follows within moments, and is told of when it does not.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use qiantai_core::{Millis, Timestamp};
use qiantai_store::{CopyFault, SecondCopy, StoreError, is_same_disk};
use qiantai_wire::copy::CopyHead;
use tokio::sync::Notify;

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::serve::blocking;
use crate::view::event::CounterEvent;
use crate::view::second_copy::{SecondCopySetting, SecondCopyView};

const KEY: &str = "second_copy";

/// Between two tries while nothing is written.
const EACH: Millis = Millis::seconds(15);

/// A place that takes longer than this for what was written is told of.
const SLOW: Millis = Millis::minutes(1);

/// What this terminal knows of its copy since it started.
#[derive(Default)]
pub(crate) struct CopyDesk {
    pub(crate) wake: Arc<Notify>,
    /// Held while the other disk works, which may take its time.
    open: Mutex<Option<(PathBuf, SecondCopy)>>,
    /// Never held for long: every sale looks at it.
    standing: Mutex<Standing>,
}

#[derive(Clone, Default)]
struct Standing {
    /// How far the copy had come when it was last looked at.
    copied_seq: u64,
    current_at: Option<Timestamp>,
    /// Since when the other disk works at what was written.
    busy_since: Option<Timestamp>,
    fault: Option<&'static str>,
    same_disk: bool,
}

impl CopyDesk {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the log for as long as the counter lives.
pub(crate) async fn run(counter: Weak<Counter>) {
    let Some(first) = counter.upgrade() else {
        return;
    };
    let wake = Arc::clone(&first.copy.wake);
    let surroundings = Arc::clone(&first.surroundings);
    drop(first);
    let mut told = None;
    while let Some(alive) = counter.upgrade() {
        let followed = blocking(move || {
            alive.follow_with_copy()?;
            Ok((alive.copy_warning(), alive))
        });
        match followed.await {
            Ok((warning, alive)) if Some(&warning) != told.as_ref() => {
                alive.tell_pill();
                told = Some(warning);
            }
            Ok(_) => {}
            Err(error) => tracing::error!(?error, "the second copy was not looked at"),
        }
        tokio::select! {
            () = wake.notified() => {}
            () = surroundings.sleep(EACH) => {}
        }
    }
}

impl Counter {
    /// How the copy stands.
    pub(crate) fn second_copy(&self) -> Result<SecondCopyView, CallError> {
        self.staff()?;
        Ok(self.copy_view()?)
    }

    /// Chooses another folder, or none, after trying it.
    pub(crate) fn set_second_copy(
        &self,
        request: &SecondCopySetting,
    ) -> Result<SecondCopyView, CallError> {
        self.staff()?;
        let typed = request.folder.as_deref().map(str::trim);
        let folder = typed.filter(|folder| !folder.is_empty());
        if let Some(folder) = folder {
            if self.books_here {
                return Err(CallError::new(ErrorCode::WrongState, "copy_books_here"));
            }
            try_folder(Path::new(folder))?;
        }
        let setting = SecondCopySetting {
            folder: folder.map(str::to_owned),
        };
        self.store.set_setting(KEY, &setting)?;
        *self.copy.standing() = Standing::default();
        self.follow_with_copy()?;
        self.tell_pill();
        Ok(self.copy_view()?)
    }

    /// Key of the sentence to be told on every screen; none while the copy needs nobody.
    pub(crate) fn copy_warning(&self) -> Option<String> {
        let standing = self.copy.standing();
        let is_slow = standing.busy_since.is_some_and(|at| self.now() - at > SLOW);
        let slow = is_slow.then_some("behind");
        let same_disk = standing.same_disk.then_some("same_disk");
        let word = standing.fault.or(slow).or(same_disk)?;
        Some(format!("copy.{word}"))
    }

    fn copy_folder(&self) -> Result<Option<PathBuf>, StoreError> {
        let setting: Option<SecondCopySetting> = self.store.setting(KEY)?;
        Ok(setting
            .and_then(|setting| setting.folder)
            .map(PathBuf::from))
    }

    fn copy_view(&self) -> Result<SecondCopyView, StoreError> {
        let folder = self.copy_folder()?;
        let standing = self.copy.standing().clone();
        let last_seq = self.store.log_head()?.device_seq;
        let waiting = match folder {
            Some(_) => last_seq.saturating_sub(standing.copied_seq),
            None => 0,
        };
        let oldest = match waiting {
            0 => None,
            _ => self.store.operations_after(standing.copied_seq, 1)?.pop(),
        };
        Ok(SecondCopyView {
            offered: !self.books_here,
            folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            oldest_ms: oldest.map(|row| row.created_at.into()),
            current_ms: standing.current_at.map(Into::into),
            warning_key: self.copy_warning(),
        })
    }

    /// Brings the copy to the end of the log; why it cannot is remembered for the window.
    fn follow_with_copy(&self) -> Result<(), StoreError> {
        let mut open = self
            .copy
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = self.copy_folder()? else {
            *open = None;
            return Ok(());
        };
        self.copy.standing().busy_since.get_or_insert(self.now());
        let opened = match open.take().filter(|(of, _)| *of == folder) {
            Some((_, copy)) => Ok(copy),
            None => SecondCopy::open(&folder, self.copy_head()),
        };
        let mut copied_seq = None;
        let followed = opened.and_then(|mut copy| {
            let followed = copy.catch_up(&self.store);
            copied_seq = Some(copy.end().device_seq);
            followed.map(|()| copy)
        });
        // A place that cannot be looked at has failed already.
        let same_disk = is_same_disk(&folder, self.store.path()).unwrap_or(false);
        let mut standing = self.copy.standing();
        standing.busy_since = None;
        standing.same_disk = same_disk;
        standing.copied_seq = copied_seq.unwrap_or(standing.copied_seq);
        standing.fault = match followed {
            Ok(copy) => {
                *open = Some((folder, copy));
                standing.current_at = Some(self.now());
                None
            }
            Err(CopyFault::Store(error)) => return Err(error),
            Err(fault) => {
                tracing::warn!(%fault, "second copy");
                Some(word_of(&fault))
            }
        };
        Ok(())
    }

    fn copy_head(&self) -> CopyHead {
        CopyHead {
            tenant: self.terminal.tenant,
            device: self.terminal.device,
            epoch: self.terminal.epoch,
            server_key: self.terminal.server_key,
        }
    }

    fn tell_pill(&self) {
        match self.sync_view() {
            Ok(sync) => self.tell(CounterEvent::Sync { sync }),
            Err(error) => tracing::error!(?error, "sync pill"),
        }
    }
}

fn try_folder(folder: &Path) -> Result<(), CallError> {
    if !folder.is_absolute() {
        return Err(CallError::new(ErrorCode::InvalidInput, "copy_not_absolute"));
    }
    SecondCopy::choose(folder).map_err(|fault| {
        tracing::warn!(%fault, "second copy");
        match fault {
            CopyFault::Gone => CallError::new(ErrorCode::InvalidInput, "copy_gone"),
            CopyFault::Full => CallError::new(ErrorCode::InvalidInput, "copy_full"),
            _ => CallError::new(ErrorCode::InvalidInput, "copy_not_writable"),
        }
    })
}

fn word_of(fault: &CopyFault) -> &'static str {
    match fault {
        CopyFault::Gone => "gone",
        CopyFault::Full => "full",
        CopyFault::OtherHistory(_) => "other_history",
        CopyFault::NotWritable(_) | CopyFault::Key | CopyFault::Store(_) => "not_writable",
    }
}
