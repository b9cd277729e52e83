//! On the way from open files to an open counter.

use std::sync::{Arc, Weak};
use std::time::Duration;

use qiantai_core::Timestamp;
use qiantai_store::vault::Secrets;
use qiantai_store::{ServerAnchor, Store};
use qiantai_sync::{Client, SyncHandle, SyncStatus, Transport};
use tokio::sync::watch;

use super::Desk;
use crate::boot::{self, Known, Link, Trouble};
use crate::clock::ShopClock;
use crate::counter::Counter;
use crate::first_start;
use crate::serve::blocking;
use crate::view::boot::TroubleCause;

/// Setting that says who this terminal is.
const JOINED: &str = "joined";
/// Setting that says where the server is; none where its books lie on this computer.
pub(crate) const SERVER: &str = "server";
/// How long a first start waits for the server's books before it says so.
const FIRST_BOOKS_MAX: Duration = Duration::from_secs(20);

impl Desk {
    /// Opens the way to the server and keeps what was learnt of it.
    pub(super) async fn link(
        &self,
        secrets: &Secrets,
        store: &Store,
        typed_code: Option<String>,
    ) -> Result<Link, Trouble> {
        let kept = move || {
            Ok(Known {
                joined: store.setting(JOINED)?,
                server: store.setting(SERVER)?,
                own_shop: first_start::own_shop(store)?,
                typed_code,
            })
        };
        let known = kept().map_err(|error| unreadable(&error))?;
        let opens = known.own_shop.as_ref().map(boot::OwnShop::tenant);
        let key = boot::public_key(secrets);
        let link = self.host.link(secrets, known, key).await?;
        // Who this terminal is comes last but for the answers that made its shop: without it the
        // next start joins anew.
        let keep = || {
            if let Some(server) = &link.server {
                store.set_setting(SERVER, server)?;
            }
            store.set_setting(JOINED, &link.joined)?;
            match opens {
                Some(tenant) => first_start::opened(store, tenant),
                None => Ok(()),
            }
        };
        keep().map_err(|error| unreadable(&error))?;
        Ok(link)
    }
}

/// What a server in this process says of the time, before anything is done by what it said before:
/// its clock may have come back from the future.
pub(super) async fn hear_now(transport: &Arc<dyn Transport>, store: &Store, clock: &ShopClock) {
    let health = match Client::new(Arc::clone(transport)).health().await {
        Ok(health) => health,
        Err(error) => return tracing::warn!(%error, "the server did not tell the time"),
    };
    let anchor = ServerAnchor {
        server_time: Timestamp::from_ms(health.server_time_ms),
        wall_time: clock.machine_time(),
    };
    clock.hear(anchor);
    if let Err(error) = store.set_server_anchor(anchor) {
        tracing::warn!(%error, "the server's time is not kept");
    }
}

/// Waits until a new terminal has the shop's rules and members. A terminal that has them starts
/// at once, with or without the server.
pub(super) async fn wait_for_books(store: &Arc<Store>, sync: &SyncHandle) -> Result<(), Trouble> {
    let mut status = sync.follow();
    loop {
        let mark = store.sync_mark().map_err(|error| unreadable(&error))?;
        if mark.cursor.is_some() {
            return Ok(());
        }
        let moved = tokio::time::timeout(FIRST_BOOKS_MAX, status.changed()).await;
        if !matches!(moved, Ok(Ok(()))) {
            return Err(TroubleCause::ServerUnreachable.into());
        }
    }
}

/// Tells the window when the server is lost or found. Slips that waited for it are tried again.
pub(super) async fn follow_status(counter: Weak<Counter>, mut status: watch::Receiver<SyncStatus>) {
    while status.changed().await.is_ok() {
        let Some(counter) = counter.upgrade() else {
            return;
        };
        counter.print_wake.notify_one();
        if let Err(error) = blocking(move || counter.tell_open_payments()).await {
            tracing::error!(?error, "the window was not told");
        }
    }
}

pub(super) fn unreadable(error: &qiantai_store::StoreError) -> Trouble {
    tracing::error!(%error, "store");
    match error.fault() {
        Some(qiantai_store::Fault::DiskFull) => TroubleCause::DiskFull.into(),
        _ => TroubleCause::DatabaseCorrupt.into(),
    }
}
