//! A sample shop: its server, its gateway and its customers' phones, all in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use qiantai_core::account::Account;
use qiantai_core::ids::{MemberId, OrderId, TenantId};
use qiantai_core::policy::Policy;
use qiantai_core::recharge::RechargeOrder;
use qiantai_core::{Millis, Money};
use qiantai_counter::view::order::OrderView;
use qiantai_pay::Surroundings;
use qiantai_pay::channels::training::{TrainingChannel, TrainingConfig};
use qiantai_pay::transport::{HttpTransport, NetworkTransport, Patience};
use qiantai_paysim::gateway::{PhoneAction, PhoneView};
use qiantai_paysim::{Gateway, RouterTransport, Simulator, TransportSink, serve};
use qiantai_server::sample::{self, ShopKind};
use qiantai_server::{Channels, Clock, Server, ServerOptions, SteadyClock};
use qiantai_wire::SignedOperation;
use tempfile::TempDir;
use uuid::Uuid;

use crate::time::Time;

const MEMBERS: usize = 200;
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Shop {
    folder: PathBuf,
    pub time: Arc<Time>,
    pub simulator: Simulator,
    pub server: Server,
    pub tenant: TenantId,
    /// Removed with the shop.
    _temporary: Option<TempDir>,
}

impl Shop {
    pub async fn salon() -> Shop {
        Shop::open(ShopKind::Salon).await
    }

    pub async fn open(kind: ShopKind) -> Shop {
        let temporary = tempfile::tempdir().unwrap();
        let time = Time::new();
        let (simulator, config) = gateway(&time, "http://gateway");
        let router = serve::router(simulator.clone());
        let transport = Arc::new(RouterTransport::new(router, PATIENCE));
        let channels = channels(&time, config, transport, Some("http://server"));
        let (server, tenant) = open_server(temporary.path(), &time, channels, kind).await;
        let sink = TransportSink(Arc::new(RouterTransport::new(server.router(), PATIENCE)));
        let notifier = simulator.clone();
        tokio::spawn(async move { notifier.run_notices(&sink).await });
        Shop {
            folder: temporary.path().to_owned(),
            time,
            simulator,
            server,
            tenant,
            _temporary: Some(temporary),
        }
    }

    /// The salon in `folder`, whose gateway lives in another process, at `url`, or in this one
    /// as `simulator`. It sends no notices.
    pub async fn beside_gateway(folder: &Path, url: &str, simulator: Option<Simulator>) -> Shop {
        let time = Time::new();
        let (stand_in, config) = gateway(&time, url);
        let transport = Arc::new(NetworkTransport::new(Patience::default()).unwrap());
        let channels = channels(&time, config, transport, None);
        let (server, tenant) = open_server(folder, &time, channels, ShopKind::Salon).await;
        Shop {
            folder: folder.to_owned(),
            time,
            simulator: simulator.unwrap_or(stand_in),
            server,
            tenant,
            _temporary: None,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The server anew, in a machine whose clock somebody has looked at, or nobody.
    pub async fn restart(&mut self, is_believed: bool) {
        self.server.stop().await;
        let begun = std::time::Instant::now();
        let running = move || Millis(i64::try_from(begun.elapsed().as_millis()).unwrap());
        let wall = Arc::clone(&self.time) as Arc<dyn Clock>;
        let clock = SteadyClock::of(wall, Box::new(running)).believed_if(is_believed);
        self.server = Server::open(ServerOptions {
            path: self.path("ledger.db"),
            key: None,
            clock: Arc::new(clock),
            channels: Channels::default(),
        })
        .unwrap();
        self.server.end_future().await;
        self.server.start();
    }

    /// A second connection to the ledger, for what no operation can do.
    pub fn ledger(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("ledger.db")).unwrap()
    }

    /// Moves the clock on and lets gateway and server do what is due.
    pub async fn pass(&self, span: Millis) {
        self.time.advance(span);
        // Wakes the notices that are due by now.
        self.simulator.with(|_, _| ());
        self.server.settle_due().await.unwrap();
    }

    /// The customer scans the QR code on the screen and acts.
    pub fn phone(&self, order: &OrderView, action: &PhoneAction) -> PhoneView {
        let payload = &order
            .qr
            .as_ref()
            .expect("a QR code is on the screen")
            .payload;
        self.simulator.with(|gateway, now| {
            let view = gateway.scan(payload, now).unwrap();
            gateway.act(&view.token, action, now).unwrap()
        })
    }

    pub fn policy(&self) -> Arc<Policy> {
        self.server
            .ledger()
            .policies(self.tenant)
            .unwrap()
            .pop()
            .unwrap()
    }

    /// Puts rules into force from now on that differ by `change`.
    pub async fn change_rules(&self, change: impl FnOnce(&mut Policy)) {
        let mut policy = (*self.policy()).clone();
        policy.version += 1;
        policy.effective_from = self.time.now();
        change(&mut policy);
        self.server.publish_policy(policy).await.unwrap();
    }

    /// Freezes 张伟 behind the terminal's back: no operation does so yet, and the news of it would
    /// refuse a sale before money is taken.
    pub fn freeze_zhang_wei(&self) {
        let frozen = "UPDATE member SET status = 'frozen' WHERE member_no = '00201000001'";
        assert_eq!(self.ledger().execute(frozen, []).unwrap(), 1);
    }

    /// Takes that back.
    pub fn thaw_zhang_wei(&self) {
        let active = "UPDATE member SET status = 'active' WHERE member_no = '00201000001'";
        assert_eq!(self.ledger().execute(active, []).unwrap(), 1);
    }

    pub fn account(&self, member: &str) -> Account {
        let id = MemberId(Uuid::parse_str(member).unwrap());
        self.server
            .ledger()
            .account(self.tenant, id)
            .unwrap()
            .unwrap()
    }

    pub fn order(&self, id: &str) -> Option<RechargeOrder> {
        let id = OrderId(Uuid::parse_str(id).unwrap());
        self.server.ledger().order(self.tenant, id).unwrap()
    }

    /// What the top-ups of `member` credited: one amount for each lot that an order made.
    pub fn credits(&self, member: &str) -> Vec<Money> {
        let lots = self.account(member).lots;
        lots.iter()
            .filter(|lot| lot.order.is_some())
            .map(|lot| lot.principal_init)
            .collect()
    }

    /// Operations of terminals in the server's log.
    pub fn taken_from(&self, device: qiantai_core::ids::DeviceId) -> usize {
        let log = self.server.ledger().log(self.tenant, 0, 100_000).unwrap();
        log.iter().filter(|row| row.device == device).count()
    }

    pub fn operations(&self) -> Vec<SignedOperation> {
        let log = self.server.ledger().log(self.tenant, 0, 100_000).unwrap();
        log.into_iter()
            .map(|row| SignedOperation { bytes: row.bytes })
            .collect()
    }

    /// Kinds of the cases that are open.
    pub fn cases(&self) -> Vec<String> {
        let cases = self.server.ledger().cases(self.tenant, 100).unwrap();
        cases
            .iter()
            .map(|case| format!("{:?}", case.kind))
            .collect()
    }
}

/// The gateway of every shop here, and the settings that reach it at `url`.
pub fn gateway(time: &Arc<Time>, url: &str) -> (Simulator, TrainingConfig) {
    let (gateway, config) = Gateway::practice([7; 32], "练习店", url);
    let surroundings = Arc::clone(time) as Arc<dyn Surroundings>;
    (Simulator::new(gateway, surroundings), config)
}

fn channels(
    time: &Arc<Time>,
    config: TrainingConfig,
    transport: Arc<dyn HttpTransport>,
    notify_base: Option<&str>,
) -> Channels {
    let surroundings = Arc::clone(time) as Arc<dyn Surroundings>;
    let channel = TrainingChannel::new(config, transport, surroundings).unwrap();
    Channels::all_through(Arc::new(channel), notify_base.map(str::to_owned))
}

/// Opens the ledger in `folder`, which is filled if it is new.
async fn open_server(
    folder: &Path,
    time: &Arc<Time>,
    channels: Channels,
    kind: ShopKind,
) -> (Server, TenantId) {
    let server = Server::open(ServerOptions {
        path: folder.join("ledger.db"),
        key: None,
        clock: Arc::clone(time) as Arc<dyn Clock>,
        channels,
    })
    .unwrap();
    let known = server.tenants().unwrap().first().map(|tenant| tenant.id);
    let tenant = match known {
        Some(tenant) => tenant,
        None => {
            sample::seed(&server, kind, MEMBERS, 1)
                .await
                .unwrap()
                .tenant
        }
    };
    server.start();
    (server, tenant)
}

/// Names and content of every file below `folder`, without the files that say that somebody
/// works there.
pub fn bytes_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(bytes_below(&path));
        } else if !path.to_string_lossy().ends_with(".lock") {
            let bytes = std::fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files.sort();
    files
}
