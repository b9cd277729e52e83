//! Training in a window of its own, beside a shop that is being made.

use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use qiantai_counter::error::CallError;
use qiantai_counter::view::session::Language;
use tauri::State;

use crate::window::DRIVEN;

/// The training that was opened last.
#[derive(Default)]
pub struct Practice(Mutex<Option<Child>>);

/// Opens training. Answers whether it was opened now; one that is open stays the only one.
#[tauri::command]
pub async fn open_training(
    practice: State<'_, Practice>,
    language: Language,
) -> Result<bool, CallError> {
    practice.open(language).map_err(|error| {
        tracing::error!(%error, "training did not open");
        CallError::internal()
    })
}

impl Practice {
    fn open(&self, language: Language) -> io::Result<bool> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(child) = last.as_mut()
            && child.try_wait()?.is_none()
        {
            return Ok(false);
        }
        let language = match language {
            Language::ZhCn => "zh-CN",
            Language::En => "en",
        };
        let child = Command::new(std::env::current_exe()?)
            .args(["--training", "--lang", language])
            // Whoever drives this window does not drive that one.
            .env_remove(DRIVEN)
            .stdin(Stdio::null())
            .spawn()?;
        *last = Some(child);
        Ok(true)
    }
}
