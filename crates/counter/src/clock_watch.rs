//! The warning about a wrong clock (docs: domain §3.10), and word of it to a window where nobody does
//! anything.

use std::sync::{Arc, Weak};

use qiantai_core::Millis;
use qiantai_store::StoreError;

use crate::clock::SKEW_WARNING;
use crate::counter::Counter;
use crate::serve::blocking;
use crate::surroundings::Surroundings;
use crate::view::Ms;
use crate::view::event::CounterEvent;

/// Between two looks: no longer than a clock may be off without a word.
const EACH: Millis = SKEW_WARNING;

/// Looks at the clock for as long as the counter lives.
pub async fn run(counter: Weak<Counter>, surroundings: Arc<dyn Surroundings>) {
    let mut told: Option<Ms> = None;
    while let Some(alive) = counter.upgrade() {
        match blocking(move || Ok(alive.tell_clock_skew(told)?)).await {
            Ok(skew) => told = skew,
            Err(error) => tracing::error!(?error, "the clock was not looked at"),
        }
        surroundings.sleep(EACH).await;
    }
}

impl Counter {
    /// How far the clock is off, when that is worth a warning; positive when it is ahead.
    pub(crate) fn clock_skew(&self) -> Result<Option<Ms>, StoreError> {
        let Some(mark) = self.store.clock_mark()? else {
            return Ok(None);
        };
        let behind = mark.behind(self.clock.machine_time());
        let skew = match mark.anchor {
            Some(anchor) => anchor.wall_time - anchor.server_time,
            None => Millis(0),
        };
        let worst = if skew.0.abs() > behind.0 {
            skew.0
        } else {
            -behind.0
        };
        Ok((worst.abs() > SKEW_WARNING.0).then_some(Ms(worst)))
    }

    /// Tells the window when the warning came, went or is another than the one `told` before.
    fn tell_clock_skew(&self, told: Option<Ms>) -> Result<Option<Ms>, StoreError> {
        let skew = self.clock_skew()?;
        let is_news = match (told, skew) {
            (Some(told), Some(skew)) => (skew.0 - told.0).abs() > SKEW_WARNING.0,
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        };
        if !is_news {
            return Ok(told);
        }
        self.tell(CounterEvent::Session);
        Ok(skew)
    }
}
