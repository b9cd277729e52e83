//! Language and theme asked for on the command line.

use std::sync::Arc;

use qiantai_counter::api::CounterApi;
use qiantai_counter::desk::Desk;
use qiantai_counter::view::boot::BootState;
use qiantai_counter::view::session::{Language, Theme};

use crate::options::{self, Options};

/// What the command line says about the window's looks.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    language: Option<Language>,
    theme: Option<Theme>,
}

impl Wishes {
    /// The wishes among `options`.
    pub fn of(options: &Options) -> Wishes {
        Wishes {
            language: options.lang.map(|lang| match lang {
                options::Lang::ZhCn => Language::ZhCn,
                options::Lang::En => Language::En,
            }),
            theme: options.theme.map(|theme| match theme {
                options::Theme::Light => Theme::Light,
                options::Theme::Dark => Theme::Dark,
            }),
        }
    }
}

/// Opens the desk and then saves `wishes` among its settings.
pub async fn start(desk: Arc<Desk>, wishes: Wishes) {
    Arc::clone(&desk).start().await;
    if wishes.language.is_none() && wishes.theme.is_none() {
        return;
    }
    let status = desk.boot_status(()).await;
    let can_keep = |state| matches!(state, BootState::Ready | BootState::FirstStart { .. });
    if !status.is_ok_and(|status| can_keep(status.state)) {
        return;
    }
    if let Err(error) = desk.adopt_looks(wishes.language, wishes.theme).await {
        tracing::warn!(
            ?error,
            "language and theme of the command line were not saved"
        );
    }
}
