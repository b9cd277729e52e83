//! What the server writes about the shop itself: rules and devices.

use crate::decide::{Change, Decision, Device, Outcome, Refusal, RefusalCode, State};
use crate::operation::DeviceEnrol;

/// Terminal code of the server's own device.
const SERVER_CODE: &str = "00";

/// `policy.publish`. Versions count up; the document may be at hand already.
pub(super) fn publish_policy(state: &State, version: u32) -> Result<Decision, Refusal> {
    if state.policies.iter().any(|policy| policy.version > version) {
        return Err(RefusalCode::NumberTaken.into());
    }
    Ok(applied(Change::PolicyPublished(version)))
}

/// `device.enrol`. A device keeps its key for life; a new key is a new device.
pub(super) fn enrol_device(state: &State, body: &DeviceEnrol) -> Result<Decision, Refusal> {
    if state.devices.contains_key(&body.device) {
        return Err(RefusalCode::NumberTaken.into());
    }
    Ok(applied(Change::Device(Device {
        id: body.device,
        terminal_code: body.terminal_code.clone(),
        public_key: body.public_key,
        is_server: body.terminal_code == SERVER_CODE,
    })))
}

fn applied(change: Change) -> Decision {
    Decision {
        outcome: Outcome::Applied,
        changes: vec![change],
    }
}
