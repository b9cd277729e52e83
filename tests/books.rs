//! A shop's server in this process: the test moves its clock, cuts its line and changes its rules.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use qiantai_core::policy::Policy;
use qiantai_core::{Millis, Timestamp};
use qiantai_pay::channels::training::TrainingChannel;
use qiantai_pay::{Surroundings, SystemSurroundings};
use qiantai_paysim::{Gateway, RouterTransport, Simulator, TransportSink, serve};
use qiantai_server::sample::{self, SeededShop, ShopKind};
use qiantai_server::{Channels, Clock, Server, ServerOptions};
use qiantai_sqlite::OpenOptions;
use qiantai_testkit::{Launch, Phone};
use qiantai_wire::enrol::EnrolCode;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::shop::{Shop, app};

/// Longer than a test holds a door shut.
const PATIENCE: Duration = Duration::from_secs(120);
const GATEWAY: &str = "http://gateway.test";

/// A door that a test may hold shut: whoever comes to it waits, and nothing is lost.
#[derive(Clone)]
pub struct Door(watch::Sender<bool>);

impl Door {
    fn new() -> Door {
        Door(watch::Sender::new(true))
    }

    /// Lets nobody through.
    pub fn shut(&self) {
        self.0.send_replace(false);
    }

    /// Lets everybody through, also those who wait.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// `router` behind this door, as far as paths begin with `prefix`.
    fn before(&self, router: Router, prefix: &'static str) -> Router {
        let door = self.clone();
        router.layer(middleware::from_fn(move |request: Request, next: Next| {
            let mut is_open = door.0.subscribe();
            async move {
                if request.uri().path().starts_with(prefix) {
                    // A door that is gone holds nobody.
                    let _gone = is_open.wait_for(|is_open| *is_open).await;
                }
                next.run(request).await
            }
        }))
    }
}

/// The server, its gateway and the line to it.
pub struct Books {
    /// Before operations of terminals.
    pub operations: Door,
    /// Before what the server has to tell.
    pub news: Door,
    /// Before the gateway.
    pub gateway: Door,
    /// The customer's phone.
    pub phone: Phone,
    server: Server,
    seeded: SeededShop,
    time: Arc<Time>,
    address: SocketAddr,
    line: Mutex<Option<Runtime>>,
    folder: TempDir,
}

impl Books {
    /// Books of a sample shop with 60 members, whose rules `amend` may change.
    pub async fn open(kind: ShopKind, amend: impl FnOnce(&mut Policy)) -> Books {
        Books::opened(kind, amend, None).await
    }

    /// Books whose payments go through `channels`.
    pub async fn with_channels(kind: ShopKind, channels: Channels) -> Books {
        Books::opened(kind, |_| {}, Some(channels)).await
    }

    async fn opened(
        kind: ShopKind,
        amend: impl FnOnce(&mut Policy),
        channels: Option<Channels>,
    ) -> Books {
        let folder = TempDir::new().unwrap();
        let time = Arc::new(Time::default());
        let (practice, config) = Gateway::practice([7; 32], "前台练习店", GATEWAY);
        let simulator = Simulator::new(practice, Arc::clone(&time) as Arc<dyn Surroundings>);
        let gateway = serve::router(simulator.clone());
        let (operations_door, news_door, gateway_door) = (Door::new(), Door::new(), Door::new());
        let through_the_door = gateway_door.before(gateway.clone(), "/");
        let transport = Arc::new(RouterTransport::new(through_the_door, PATIENCE));
        let surroundings = Arc::clone(&time) as Arc<dyn Surroundings>;
        let channel = TrainingChannel::new(config, transport, surroundings).unwrap();
        let server = Server::open(ServerOptions {
            path: folder.path().join("ledger.db"),
            key: None,
            clock: Arc::clone(&time) as Arc<dyn Clock>,
            channels: channels.unwrap_or_else(|| {
                Channels::all_through(Arc::new(channel), Some("http://books.test".into()))
            }),
        })
        .unwrap();
        let seeded = sample::seed(&server, kind, 60, 1).await.unwrap();
        server.start();
        let sink = TransportSink(Arc::new(RouterTransport::new(server.router(), PATIENCE)));
        let notices = simulator.clone();
        tokio::spawn(async move { notices.run_notices(&sink).await });

        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (phone, phone_address) = serve::listen(anywhere, false).await.unwrap();
        tokio::spawn(serve::serve(phone, gateway, std::future::pending()));
        // Bound once to learn of a free port, and again each time the line is joined.
        let address = serve::listen(anywhere, false).await.unwrap().1;
        let books = Books {
            operations: operations_door,
            news: news_door,
            gateway: gateway_door,
            phone: Phone::at(&format!("http://{phone_address}/phone")),
            server,
            seeded,
            time,
            address,
            line: Mutex::default(),
            folder,
        };
        let now = books.now();
        books
            .change_rules(|policy| {
                policy.store.cut_off_minutes = far_from(now);
                amend(policy);
            })
            .await;
        books.join_line();
        books
    }

    /// Puts other rules into force.
    pub async fn change_rules(&self, amend: impl FnOnce(&mut Policy)) {
        let policies = self.server.ledger().policies(self.seeded.tenant).unwrap();
        let mut policy = Policy::clone(policies.last().unwrap());
        policy.version += 1;
        policy.effective_from = self.server.now();
        amend(&mut policy);
        self.server.publish_policy(policy).await.unwrap();
    }

    /// What the server's clock says.
    pub fn now(&self) -> Timestamp {
        self.server.now()
    }

    /// Sets the server's clock off from this machine's.
    pub fn set_clock_off(&self, by: Millis) {
        self.time.off_by_ms.store(by.0, Ordering::SeqCst);
    }

    /// How a terminal that has joined is started.
    pub fn launch(&self, shop: &Shop) -> Launch {
        let url = format!("http://{}", self.address);
        Launch::of(app()).in_folder(shop.folder()).with([
            "--server",
            &url,
            "--lang",
            shop.words.language(),
        ])
    }

    /// How a new terminal is started.
    pub fn first_launch(&self, shop: &Shop) -> Launch {
        let invitation = self.server.invite(&self.seeded.store_code).unwrap();
        let code = EnrolCode {
            server: format!("http://{}", self.address),
            authority: None,
            secret: invitation.secret,
            expires_at: invitation.expires_at,
        };
        self.launch(shop).with(["--enrol", &code.to_string()])
    }

    /// Another terminal joins by the code that a window shows.
    pub async fn join_by(&self, code: &str, name: &str) {
        let code: EnrolCode = code.parse().unwrap();
        assert_eq!(code.server, format!("http://{}", self.address));
        let joined = self.server.join(&code.invite(), [9; 32], name).await;
        joined.unwrap();
    }

    /// Freezes every member, as no operation can yet.
    pub fn freeze_members(&self) {
        self.set_members("frozen");
    }

    /// Takes that back.
    pub fn thaw_members(&self) {
        self.set_members("active");
    }

    fn set_members(&self, status: &str) {
        let options = OpenOptions {
            key: None,
            create: false,
            read_only: false,
        };
        let ledger = qiantai_sqlite::open(&self.folder.path().join("ledger.db"), options).unwrap();
        ledger
            .execute_batch(&format!("UPDATE member SET status = '{status}'"))
            .unwrap();
    }

    /// Lets terminals reach the server.
    pub fn join_line(&self) {
        let line = Runtime::new().unwrap();
        let address = self.address;
        let router = self
            .operations
            .before(self.server.router(), "/v1/operations");
        let router = self.news.before(router, "/v1/feed");
        line.spawn(async move {
            let (listener, _) = serve::listen(address, false).await.unwrap();
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await.unwrap();
        });
        *self.line.lock().unwrap() = Some(line);
    }

    /// Cuts every connection at once, as a pulled cable does.
    pub fn cut_line(&self) {
        if let Some(line) = self.line.lock().unwrap().take() {
            line.shutdown_background();
        }
    }
}

/// The cut-off that is farthest from `now`: no business day ends within a test.
fn far_from(now: Timestamp) -> u16 {
    let time = now.local().time();
    let minutes = u16::from(time.hour()) * 60 + u16::from(time.minute());
    (minutes + 12 * 60) % (24 * 60)
}

impl Drop for Books {
    fn drop(&mut self) {
        self.cut_line();
    }
}

/// The machine's clock, put off by as much as the test likes.
#[derive(Default)]
struct Time {
    off_by_ms: AtomicI64,
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        SystemSurroundings.now() + Millis(self.off_by_ms.load(Ordering::SeqCst))
    }
}

impl Surroundings for Time {
    fn now(&self) -> Timestamp {
        Clock::now(self)
    }

    fn nonce(&self) -> String {
        SystemSurroundings.nonce()
    }
}
