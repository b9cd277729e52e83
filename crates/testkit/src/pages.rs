//! The windows of the app besides the counter's.

use crate::fault::Fault;
use crate::wait::{PATIENCE, until};
use crate::window::Window;

impl Window {
    /// Turns to the window of `page`, once it is there; everything looked for from now on is
    /// looked for in it. The counter's is `/`.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn turn_to(&self, page: &str) -> Result<(), Fault> {
        let what = format!("the window of {page}");
        until(&what, PATIENCE, || async {
            for handle in self.client.windows().await? {
                // One that closes meanwhile is not the one.
                if self.client.switch_to_window(handle).await.is_err() {
                    continue;
                }
                let Ok(address) = self.client.current_url().await else {
                    continue;
                };
                let path = address.path().trim_start_matches('/');
                if path == page.trim_start_matches('/') {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Waits until the app has so many windows that WebDriver sees.
    ///
    /// # Errors
    /// Where it has not.
    pub async fn has_windows(&self, count: usize) -> Result<(), Fault> {
        let what = format!("{count} windows");
        until(&what, PATIENCE, || async {
            let there = self.client.windows().await?.len();
            Ok((there == count).then_some(()))
        })
        .await
    }

    /// Closes the window that was turned to, as a person does. Another must be turned to next.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn close_page(&self) -> Result<(), Fault> {
        Ok(self.client.close_window().await?)
    }

    /// The page's markup as it stands.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn source(&self) -> Result<String, Fault> {
        Ok(self.client.source().await?)
    }

    /// What a script finds on the page, for what no role or name tells.
    ///
    /// # Errors
    /// Where the driver does not answer or the script fails.
    pub async fn run(&self, script: &str) -> Result<serde_json::Value, Fault> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Calls a command of the desktop shell that is not the counter's, as a page would.
    ///
    /// # Errors
    /// Where the shell refuses.
    pub async fn invoke(&self, command: &str, arguments: serde_json::Value) -> Result<(), Fault> {
        let script = "const [command, payload, done] = arguments; \
                      window.__TAURI_INTERNALS__.invoke(command, payload) \
                      .then(() => done(null), (error) => done(String(error)))";
        let refused = self
            .client
            .execute_async(script, vec![command.into(), arguments])
            .await?;
        match refused.is_null() {
            true => Ok(()),
            false => Err(Fault::Refused {
                command: command.to_owned(),
                answer: refused,
            }),
        }
    }
}
