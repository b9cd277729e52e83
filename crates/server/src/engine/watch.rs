//! Which terminals look at their payments right now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use qiantai_core::ids::DeviceId;

use super::lock;

/// Open event streams by device.
#[derive(Default)]
pub(super) struct Watchers(Mutex<HashMap<DeviceId, usize>>);

/// An open event stream; the device is watching until it is dropped.
pub struct Watching {
    watchers: Arc<Watchers>,
    device: DeviceId,
}

impl Watchers {
    pub(super) fn open(watchers: &Arc<Watchers>, device: DeviceId) -> Watching {
        *lock(&watchers.0).entry(device).or_default() += 1;
        Watching {
            watchers: Arc::clone(watchers),
            device,
        }
    }

    pub(super) fn is_watching(&self, device: DeviceId) -> bool {
        lock(&self.0).contains_key(&device)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut streams = lock(&self.watchers.0);
        if let Some(count) = streams.get_mut(&self.device) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.device);
            }
        }
    }
}
