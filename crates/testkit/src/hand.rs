//! What hands do before the window: keys and mouse, and how much of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::key::Key;

use crate::fault::Fault;
use crate::window::{Control, Window};

/// As many characters without a pause are a scan where Enter follows at once. A hand looks up first.
const SCAN_MIN: u32 = 6;
const LOOKS_UP_FOR: Duration = Duration::from_millis(120);

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
        self.press_each(text.chars()).await?;
        self.actions.typed(text);
        Ok(())
    }

    /// Types `text` and Enter with at least `pause` between two keys.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn type_slowly(&self, text: &str, pause: Duration) -> Result<(), Fault> {
        let mut actions = KeyActions::new("keyboard".into());
        for value in text.chars().chain([char::from(Key::Enter)]) {
            self.actions.add(1);
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value })
                .then(KeyAction::Pause { duration: pause });
        }
        Ok(self.client.perform_actions(actions).await?)
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
        self.look_up(key).await;
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
        self.look_up(key).await;
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

    async fn look_up(&self, key: Key) {
        if matches!(key, Key::Enter) {
            tokio::time::sleep(self.actions.pause_left()).await;
        }
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
pub(crate) struct Actions {
    count: AtomicU32,
    typed_at: Mutex<Option<Instant>>,
}

impl Actions {
    pub(crate) fn add(&self, count: u32) {
        self.count.fetch_add(count, Ordering::Relaxed);
    }

    /// A hand has typed `text` this moment.
    pub(crate) fn typed(&self, text: &str) {
        if length(text) >= SCAN_MIN {
            *self.last() = Some(Instant::now());
        }
    }

    fn get(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    fn pause_left(&self) -> Duration {
        let past = self.last().map_or(LOOKS_UP_FOR, |at| at.elapsed());
        LOOKS_UP_FOR.saturating_sub(past)
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.typed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Characters of a text.
pub(crate) fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
