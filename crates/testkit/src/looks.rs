//! What the window wears: language, theme and size of type.

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::wait::{PATIENCE, until};
use crate::window::Window;

/// Language, theme and size of type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// `zh-CN` or `en`.
    pub language: &'static str,
    /// `light` or `dark`.
    pub theme: &'static str,
    /// Size of the type in per cent: 100, 125 or 150.
    pub type_percent: u16,
}

impl Looks {
    /// As one word for the name of a file: `zh-CN-dark`, `en-light-150`.
    pub fn name(&self) -> String {
        let Looks {
            language,
            theme,
            type_percent,
        } = self;
        match type_percent {
            100 => format!("{language}-{theme}"),
            _ => format!("{language}-{theme}-{type_percent}"),
        }
    }
}

impl Window {
    /// Changes the looks as the cashier does in the settings, whatever is on the screen.
    ///
    /// # Errors
    /// Where the window does not follow.
    pub async fn wear(&self, looks: Looks) -> Result<(), Fault> {
        let session: Value = self.call("session", Value::Null).await?;
        let mut settings = session["settings"].clone();
        settings["language"] = json!(looks.language);
        settings["theme"] = json!(looks.theme);
        settings["type_percent"] = json!(looks.type_percent);
        let _session: Value = self.call("save_settings", settings).await?;
        self.worn(looks).await
    }

    /// Starts the page anew with the looks of an earlier session, for screens that come before
    /// the settings can be read.
    ///
    /// # Errors
    /// Where the window does not follow.
    pub async fn open_page_in(&self, looks: Looks) -> Result<(), Fault> {
        let Looks {
            language,
            theme,
            type_percent,
        } = looks;
        let kept = json!({ "language": language, "theme": theme, "type_percent": type_percent });
        // Not WebDriver's own refresh, which waits for the end of a load that it may have missed.
        let script = "window.isOfBefore = true; \
                      localStorage.setItem('looks', arguments[0]); \
                      setTimeout(() => location.reload())";
        self.client
            .execute(script, vec![kept.to_string().into()])
            .await?;
        until("the page to start anew", PATIENCE, || async {
            let is_of_before = self.client.execute("return window.isOfBefore", Vec::new());
            // Between two pages there is none to ask.
            Ok((is_of_before.await.ok() == Some(Value::Null)).then_some(()))
        })
        .await?;
        self.worn(looks).await
    }

    /// Shows another page in the window.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn visit(&self, url: &str) -> Result<(), Fault> {
        Ok(self.client.goto(url).await?)
    }

    /// Shows the page before.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn back(&self) -> Result<(), Fault> {
        Ok(self.client.back().await?)
    }

    async fn worn(&self, looks: Looks) -> Result<(), Fault> {
        let script = "const page = document.documentElement; \
                      return [page.lang, page.dataset.theme, page.style.fontSize]";
        let wanted = json!([
            looks.language,
            looks.theme,
            format!("{}%", looks.type_percent)
        ]);
        until("the window to change its looks", PATIENCE, || async {
            let worn = self.client.execute(script, Vec::new()).await?;
            Ok((worn == wanted).then_some(()))
        })
        .await
    }
}
