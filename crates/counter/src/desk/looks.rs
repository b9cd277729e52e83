//! Language and theme, before anybody is signed in.

use super::Desk;
use crate::error::CallError;
use crate::view::session::{Language, Theme};

impl Desk {
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
        if let Ok(making) = self.making() {
            return self.adopt_looks_before(making, language, theme).await;
        }
        self.work(move |counter| counter.adopt_looks(language, theme))
            .await
    }
}
