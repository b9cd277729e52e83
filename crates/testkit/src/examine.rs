//! What is wrong with a screen: rules of accessibility that it breaks, and what does not fit.

use serde::Deserialize;

use crate::fault::Fault;
use crate::window::Window;

/// A rule of accessibility that a screen breaks.
#[derive(Debug, Clone, Deserialize)]
pub struct Finding {
    /// The rule, by axe's name.
    pub id: String,
    /// What it asks for.
    pub help: String,
    /// The elements concerned, as CSS selectors.
    pub targets: Vec<String>,
}

impl Window {
    /// Runs axe on the screen and gives back what it finds.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn audit(&self) -> Result<Vec<Finding>, Fault> {
        self.load_probe().await?;
        let script = "const done = arguments[0]; \
                      const targets = (nodes) => nodes.map((node) => node.target.join(' ')); \
                      const brief = ({ id, help, nodes }) => ({ id, help, targets: targets(nodes) }); \
                      window.__testkit.axe().then( \
                        (found) => done(found.map(brief)), (error) => done(String(error)))";
        let found = self.client.execute_async(script, Vec::new()).await?;
        serde_json::from_value(found.clone())
            .map_err(|error| Fault::Unexpected(format!("axe: {error}: {found}")))
    }

    /// What does not fit into the window, in words: a page that scrolls, text that is cut off. A
    /// part of the page that scrolls by itself counts only where `strict`.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn spills(&self, strict: bool) -> Result<Vec<String>, Fault> {
        let script = "return window.__testkit.spills(arguments[0])";
        let found = self.probe(script, vec![strict.into()]).await?;
        serde_json::from_value(found.clone())
            .map_err(|_| Fault::Unexpected(format!("no list of what does not fit: {found}")))
    }
}
