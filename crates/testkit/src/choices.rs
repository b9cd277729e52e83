//! Choosing among what a group of radio buttons or a list offers.

use serde_json::json;

use crate::fault::Fault;
use crate::wait::{PATIENCE, until};
use crate::window::{Control, Window};

impl Window {
    /// As [`Window::choose`], for a radio button of the group called `group`: others may have its
    /// name too.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn choose_in(&self, group: &str, name: &str) -> Result<(), Fault> {
        let what = format!("a choice of {name:?} in the group called {group:?}");
        let chosen = until(&what, PATIENCE, || async {
            let Some(radio) = self.radio_in(group, name).await? else {
                return Ok(None);
            };
            match self.click_label_of(&radio).await {
                Err(fault) if fault.is_gone() => Ok(None),
                outcome => outcome,
            }
        });
        self.explained(chosen.await).await
    }

    /// Whether the radio button `name` of the group called `group` is chosen now.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn is_chosen_in(&self, group: &str, name: &str) -> Result<bool, Fault> {
        let radio = self.radio_in(group, name).await?;
        let radio = radio.ok_or_else(|| Fault::Unexpected(format!("no {name:?} in {group:?}")))?;
        Ok(radio.element.is_selected().await?)
    }

    /// Chooses an option of the list called `name` by its words.
    ///
    /// # Errors
    /// Where list or option do not come.
    pub async fn pick(&self, name: &str, option: &str) -> Result<(), Fault> {
        let what = format!("the list called {name:?}");
        self.on(&what, "combobox", name, |list| async move {
            list.element.select_by_label(option).await?;
            self.actions.add(2);
            Ok(Some(()))
        })
        .await
    }

    async fn radio_in(&self, group: &str, name: &str) -> Result<Option<Control>, Fault> {
        let script = "const [group, name] = arguments; \
                      const groups = window.__testkit.queryAllByRole('group', group); \
                      const radios = window.__testkit.queryAllByRole('radio', name); \
                      const isInside = (radio) => groups.some((group) => group.contains(radio)); \
                      return radios.find(isInside) ?? null";
        match self.probe(script, vec![json!(group), json!(name)]).await {
            Ok(found) => Ok(self.taken(&found)),
            Err(fault) if fault.is_gone() => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
