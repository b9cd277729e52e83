//! Who is led through a top-up in steps: a person new at this counter.

use std::collections::BTreeMap;

use qiantai_core::ids::StaffId;
use qiantai_core::operation::OperationBody;

use crate::counter::Counter;
use crate::error::CallError;
use crate::terminal::Draft;
use crate::view::event::CounterEvent;
use crate::view::session::Guide;

/// So many top-ups are led: enough to have met cash, a QR code and a payment code once.
pub(crate) const LED_TOP_UPS: u8 = 5;

/// Setting with the top-ups that each person began here; nobody's count goes beyond
/// [`LED_TOP_UPS`].
const BEGUN: &str = "top_ups_begun";

type Begun = BTreeMap<String, u8>;

impl Counter {
    /// Whether the form leads `staff` in steps.
    pub(crate) fn is_led(&self, staff: StaffId, guide: Guide) -> Result<bool, CallError> {
        match guide {
            Guide::Always => Ok(true),
            Guide::Never => Ok(false),
            Guide::First => Ok(self.begun()?.get(&staff.to_string()) < Some(&LED_TOP_UPS)),
        }
    }

    /// Counts the top-ups among `drafts`, which were just written. The sale stands whether or not
    /// it could be counted. The caller holds the sale lock.
    pub(crate) fn count_top_ups(&self, drafts: &[Draft]) {
        for draft in drafts.iter().filter(|draft| begins_top_up(&draft.body)) {
            let Some(proof) = &draft.staff else { continue };
            if let Err(error) = self.count_one(proof.staff) {
                tracing::warn!(?error, "a top-up that was not counted");
            }
        }
    }

    fn count_one(&self, staff: StaffId) -> Result<(), CallError> {
        let mut begun = self.begun()?;
        let count = begun.entry(staff.to_string()).or_default();
        if *count >= LED_TOP_UPS {
            return Ok(());
        }
        *count += 1;
        let is_last = *count == LED_TOP_UPS;
        self.store.set_setting(BEGUN, &begun)?;
        if is_last {
            self.tell(CounterEvent::Session);
        }
        Ok(())
    }

    fn begun(&self) -> Result<Begun, CallError> {
        Ok(self.store.setting(BEGUN)?.unwrap_or_default())
    }
}

fn begins_top_up(body: &OperationBody) -> bool {
    matches!(
        body,
        OperationBody::RechargeCash(_)
            | OperationBody::RechargeRecorded(_)
            | OperationBody::RechargeOpen(_)
    )
}
