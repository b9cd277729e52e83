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

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Spill {
    /// What of the page.
    pub kind: SpillKind,
    /// To the side, not below.
    pub aside: bool,
    /// In words.
    pub what: String,
}

/// What of the page does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpillKind {
    /// The page itself, which then scrolls.
    Window,
    /// A part of the page, which then scrolls by itself.
    Part,
    /// A list, which may be longer than its place.
    List,
    /// Text that nobody can read to its end.
    Cut,
    /// The words of a control, which leave it or end before they are over.
    Control,
    /// What stands before a name from right to left that it follows.
    Turned,
    /// A control or an amount that a notice lies over.
    Covered,
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

    /// What does not fit: what scrolls, text that is cut off, or that an Arabic name turns around.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn spills(&self) -> Result<Vec<Spill>, Fault> {
        let script = "return window.__testkit.spills()";
        let found = self.probe(script, Vec::new()).await?;
        serde_json::from_value(found.clone())
            .map_err(|_| Fault::Unexpected(format!("no list of what does not fit: {found}")))
    }
}
