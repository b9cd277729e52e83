//! Which terminals look at their payments right now.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use qiantai_core::ids::DeviceId;
use tokio::sync::Notify;

use super::lock;

/// Streams of one device. It needs one; those before it are what a broken network left.
pub const STREAMS_MAX: usize = 4;

/// Open event streams by device, the oldest first.
#[derive(Default)]
pub(super) struct Watchers(Mutex<HashMap<DeviceId, VecDeque<Arc<Notify>>>>);

/// An open event stream; the device is watching until it is dropped.
pub struct Watching {
    watchers: Arc<Watchers>,
    device: DeviceId,
    replaced: Arc<Notify>,
}

impl Watchers {
    pub(super) fn open(watchers: &Arc<Watchers>, device: DeviceId) -> Watching {
        let replaced = Arc::<Notify>::default();
        let mut streams = lock(&watchers.0);
        let own = streams.entry(device).or_default();
        own.push_back(Arc::clone(&replaced));
        if own.len() > STREAMS_MAX
            && let Some(oldest) = own.pop_front()
        {
            oldest.notify_one();
        }
        drop(streams);
        Watching {
            watchers: Arc::clone(watchers),
            device,
            replaced,
        }
    }

    pub(super) fn is_watching(&self, device: DeviceId) -> bool {
        lock(&self.0).contains_key(&device)
    }
}

impl Watching {
    /// Done once the device has opened too many others since.
    pub async fn replaced(&self) {
        self.replaced.notified().await;
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut streams = lock(&self.watchers.0);
        if let Some(own) = streams.get_mut(&self.device) {
            own.retain(|stream| !Arc::ptr_eq(stream, &self.replaced));
            if own.is_empty() {
                streams.remove(&self.device);
            }
        }
    }
}
