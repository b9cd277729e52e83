//! What hands do before the window: keys and mouse, and how much of it.

use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::key::Key;

use crate::fault::Fault;
use crate::window::{Control, Window};

impl Window {
    /// How often something was clicked or a key was pressed since the window opened; text put into
    /// a field counts one for each character.
    pub fn actions(&self) -> u32 {
        self.actions.get()
    }

    /// Types `text` wherever the focus is.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn type_text(&self, text: &str) -> Result<(), Fault> {
        self.press_each(text.chars()).await
    }

    /// Holds a scanner before a code: a keyboard that types without a pause and ends with Enter.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn scan(&self, code: &str) -> Result<(), Fault> {
        self.press_each(code.chars().chain([char::from(Key::Enter)]))
            .await
    }

    /// Presses a key wherever the focus is.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn press(&self, key: Key) -> Result<(), Fault> {
        self.press_each([char::from(key)]).await
    }

    /// Presses `key` while `held` is down.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn press_with(&self, held: Key, key: impl Into<char>) -> Result<(), Fault> {
        self.actions.add(1);
        let (held, key) = (char::from(held), key.into());
        let actions = KeyActions::new("keyboard".into())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: held });
        Ok(self.client.perform_actions(actions).await?)
    }

    /// Presses a key twice without a pause.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn press_twice(&self, key: Key) -> Result<(), Fault> {
        self.press_each([char::from(key); 2]).await
    }

    /// Clicks a control twice without a pause.
    ///
    /// # Errors
    /// Where the control is gone.
    pub async fn double_click(&self, control: &Control) -> Result<(), Fault> {
        self.actions.add(2);
        let element = control.element.clone();
        let move_to = PointerAction::MoveToElement {
            element,
            duration: None,
            x: 0.0,
            y: 0.0,
        };
        let down = PointerAction::Down {
            button: MOUSE_BUTTON_LEFT,
        };
        let up = PointerAction::Up {
            button: MOUSE_BUTTON_LEFT,
        };
        let actions = MouseActions::new("mouse".into())
            .then(move_to)
            .then(down.clone())
            .then(up.clone())
            .then(down)
            .then(up);
        Ok(self.client.perform_actions(actions).await?)
    }

    async fn press_each(&self, keys: impl IntoIterator<Item = char>) -> Result<(), Fault> {
        let mut actions = KeyActions::new("keyboard".into());
        for value in keys {
            self.actions.add(1);
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        Ok(self.client.perform_actions(actions).await?)
    }
}

/// Counts what hands do.
#[derive(Debug, Default)]
pub(crate) struct Actions(std::sync::atomic::AtomicU32);

impl Actions {
    pub(crate) fn add(&self, count: u32) {
        self.0
            .fetch_add(count, std::sync::atomic::Ordering::Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}
