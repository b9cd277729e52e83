//! A shop with one terminal: its server lives in the terminal's process (docs: adr 3).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use qiantai_counter::boot::{OwnShop, PlannedShop};
use qiantai_counter::view::boot::TroubleCause;
use qiantai_server::accounts::KeptAccounts;
use qiantai_server::gateways::Gateways;
use qiantai_server::{NewShop, Server, ServerOptions, SteadyClock};
use qiantai_store::vault::Secrets;

use crate::host::{open_server, unwritten};

/// Opens the books at `path`, with the shop in them. Books that were there once are never made
/// anew, and what lies there is never replaced. `clock` is this machine's.
///
/// # Errors
/// What the window says in place of the counter.
pub async fn open(
    path: PathBuf,
    secrets: &Secrets,
    shop: OwnShop,
    has_joined: bool,
    clock: SteadyClock,
) -> Result<Server, TroubleCause> {
    let is_open = has_joined || matches!(shop, OwnShop::Opened(_));
    if is_open && !path.exists() {
        tracing::error!("the ledger of this shop is gone");
        return Err(TroubleCause::DatabaseUnreadable);
    }
    let gateways = gateways(&path, secrets)?;
    let server = open_server(ServerOptions {
        path,
        key: Some(secrets.server_db_key),
        clock: Arc::new(clock),
        channels: gateways.channels(),
    })
    .await?;
    if let OwnShop::Planned(plan) = shop
        && let Err(error) = server.open_shop(wanted(*plan)).await
    {
        server.stop().await;
        return Err(unwritten(error));
    }
    server.end_future().await;
    server.start();
    // Warns of what ends; ends with the process.
    tokio::spawn(gateways.keep(server.clone()));
    Ok(server)
}

/// The payment accounts that were entered in the window, beside the books at `ledger`.
fn gateways(ledger: &Path, secrets: &Secrets) -> Result<Gateways, TroubleCause> {
    let folder = ledger.parent().unwrap_or(Path::new(""));
    let kept = KeptAccounts::new(folder, &secrets.server_db_key).map_err(|error| {
        tracing::error!(%error, "payment accounts");
        TroubleCause::FolderUnusable
    })?;
    Ok(Gateways::of_kept(kept))
}

fn wanted(plan: PlannedShop) -> NewShop {
    NewShop {
        tenant: plan.tenant,
        server_device: plan.server_device,
        store: plan.store,
        compliance: plan.compliance,
        staff: plan.staff,
        channels: plan.channels,
        merchant_account: plan.merchant_account,
        bonus: plan.bonus,
    }
}
