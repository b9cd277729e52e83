//! A terminal at the counter, and the hands of its cashier.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use qiantai_core::Millis;
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_counter::api::CounterApi;
use qiantai_counter::boot::{Host, Known, Link};
use qiantai_counter::desk::Desk;
use qiantai_counter::error::CallError;
use qiantai_counter::view::Fen;
use qiantai_counter::view::boot::{BootState, RecoveryAnswer, Training, TroubleCause};
use qiantai_counter::view::member::{MemberHit, MemberKey, MemberSearch, MemberView};
use qiantai_counter::view::order::{
    OrderKey, OrderView, PayCash, PrintCopy, PrintJobView, PrintState, RetryPayment, Stage, StartQr,
};
use qiantai_counter::view::queue::{SyncState, SyncView};
use qiantai_counter::view::session::{OpenShift, PrinterTarget, SessionView, SignIn};
use qiantai_counter::view::top_up::{ChannelView, Choice, QuoteRequest, QuoteView};
use qiantai_server::Server;
use qiantai_store::vault::{FileKeyHolder, KeyHolder, Secrets};
use qiantai_wire::api::JoinAnswer;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::line::{Line, Weather};
use crate::shop::Shop;
use crate::time::WallClock;

/// Longer than anything takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Looks at what no event tells of.
const GLANCE: Duration = Duration::from_millis(15);

/// What a test gives to the start in place of a desktop.
pub struct TestHost {
    folder: PathBuf,
    keys: FileKeyHolder,
    server: Server,
    tenant: TenantId,
    line: Arc<Line>,
    /// Its code in the store.
    code: &'static str,
    training: bool,
    books_here: bool,
    /// What the way to the server ends in, if not in the server.
    pub trouble: Option<TroubleCause>,
    joined: Arc<Mutex<Option<JoinAnswer>>>,
}

#[async_trait]
impl Host for TestHost {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn key_holder(&self) -> &dyn KeyHolder {
        &self.keys
    }

    async fn link(
        &self,
        _secrets: &Secrets,
        known: Known,
        public_key: [u8; 32],
    ) -> Result<Link, TroubleCause> {
        if let Some(cause) = self.trouble
            && known.typed_code.as_deref() != Some(GOOD_CODE)
        {
            return Err(cause);
        }
        let joined = match known.joined {
            Some(joined) => joined,
            None if self.line.is(Weather::Fair) => self
                .server
                .enrol_local(self.tenant, public_key, self.code)
                .await
                .unwrap(),
            None => return Err(TroubleCause::ServerUnreachable),
        };
        *self.joined.lock().await = Some(joined.clone());
        let training = self.training.then(|| Training {
            pins: Vec::new(),
            phone_url: String::new(),
        });
        Ok(Link {
            transport: Arc::clone(&self.line) as _,
            joined,
            server: None,
            training,
            books_here: self.books_here,
        })
    }
}

/// The enrolment code that ends the trouble of a test.
pub const GOOD_CODE: &str = "QTE1good";

/// How a terminal is started.
#[derive(Clone, Copy)]
pub struct Setup {
    pub training: bool,
    pub books_here: bool,
    pub clock_wrong_by: Millis,
    pub weather: Weather,
    pub trouble: Option<TroubleCause>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            training: true,
            books_here: false,
            clock_wrong_by: Millis(0),
            weather: Weather::Fair,
            trouble: None,
        }
    }
}

/// A terminal that runs.
pub struct Till {
    pub desk: Arc<Desk>,
    pub line: Arc<Line>,
    pub clock: Arc<WallClock>,
    pub folder: PathBuf,
    joined: Arc<Mutex<Option<JoinAnswer>>>,
    runtime: Option<Runtime>,
}

impl Drop for Till {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Till {
    /// Starts the terminal of `shop`, on what earlier starts have left in its folder.
    pub async fn start(shop: &Shop, setup: Setup) -> Till {
        Till::start_at(shop, "01", setup).await
    }

    async fn start_at(shop: &Shop, code: &'static str, setup: Setup) -> Till {
        let line = Line::to(&shop.server);
        line.set(setup.weather);
        let (folder, keys) = match code {
            "01" => (shop.path("till"), shop.path("keys")),
            other => (
                shop.path(&format!("till-{other}")),
                shop.path(&format!("keys-{other}")),
            ),
        };
        std::fs::create_dir_all(&keys).unwrap();
        let joined = Arc::default();
        let host = TestHost {
            folder: folder.clone(),
            keys: FileKeyHolder::new(&keys),
            server: shop.server.clone(),
            tenant: shop.tenant,
            line: Arc::clone(&line),
            code,
            training: setup.training,
            books_here: setup.books_here,
            trouble: setup.trouble,
            joined: Arc::clone(&joined),
        };
        let clock = WallClock::new(&shop.time, setup.clock_wrong_by);
        let desk = Desk::new(Arc::new(host), Arc::clone(&clock) as _);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.spawn(Arc::clone(&desk).start()).await.unwrap();
        Till {
            desk,
            line,
            clock,
            folder,
            joined,
            runtime: Some(runtime),
        }
    }

    /// A terminal with a cashier and an open shift, online.
    pub async fn open(shop: &Shop) -> Till {
        Till::open_at(shop, "01").await
    }

    /// Another terminal of the same store, like [`Till::open`].
    pub async fn open_another(shop: &Shop) -> Till {
        Till::open_at(shop, "02").await
    }

    async fn open_at(shop: &Shop, code: &'static str) -> Till {
        let till = Till::start_at(shop, code, Setup::default()).await;
        till.sign_in().await;
        till.open_shift().await;
        till.until_synced().await;
        till
    }

    /// Starts again after [`Till::crash`], signed in.
    pub async fn reopen(shop: &Shop, weather: Weather) -> Till {
        let till = Till::start(
            shop,
            Setup {
                weather,
                ..Setup::default()
            },
        )
        .await;
        till.sign_in().await;
        till
    }

    /// Ends everything at once, as a power cut does to the program; what is on disk stays.
    pub async fn crash(mut self) {
        let runtime = self.runtime.take().unwrap();
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE))
            .await
            .unwrap();
    }

    pub async fn boot_state(&self) -> BootState {
        self.desk.boot_status(()).await.unwrap().state
    }

    /// The recovery code on the screen.
    pub async fn shown_code(&self) -> String {
        match self.boot_state().await {
            BootState::ShowRecoveryCode { code } => code,
            other => panic!("no recovery code is shown: {other:?}"),
        }
    }

    pub async fn confirm_code(&self, last_group: &str) -> Result<(), CallError> {
        let answer = RecoveryAnswer {
            last_group: last_group.to_owned(),
        };
        self.desk.confirm_recovery_code(answer).await.map(drop)
    }

    /// Who this terminal is to the server.
    pub async fn device(&self) -> DeviceId {
        DeviceId(self.joined.lock().await.as_ref().unwrap().device)
    }

    /// A second connection to the terminal's own database, to spoil it.
    pub fn books(&self, shop: &Shop) -> rusqlite::Connection {
        let keys = FileKeyHolder::new(&shop.path("keys"));
        let secrets = qiantai_store::vault::open(&self.folder, &keys).unwrap();
        let books = rusqlite::Connection::open(self.folder.join("terminal.db")).unwrap();
        let digits = secrets.terminal_db_key.iter();
        let digits: String = digits.map(|byte| format!("{byte:02x}")).collect();
        books
            .execute_batch(&format!("PRAGMA key = \"x'{digits}'\";"))
            .unwrap();
        books
    }

    // What a cashier does.

    pub async fn session(&self) -> SessionView {
        self.desk.session(()).await.unwrap()
    }

    pub async fn sign_in_as(&self, staff_no: &str, pin: &str) -> Result<SessionView, CallError> {
        let session = self.session().await;
        let tile = session
            .staff
            .iter()
            .find(|tile| tile.staff_no == staff_no)
            .unwrap();
        let request = SignIn {
            staff_id: tile.id.clone(),
            pin: pin.to_owned(),
        };
        self.desk.sign_in(request).await
    }

    pub async fn sign_in(&self) {
        self.sign_in_as("1001", "1234").await.unwrap();
    }

    pub async fn open_shift(&self) {
        let counts = vec![(Fen(10_000), 5), (Fen(1_000), 10)];
        self.desk.open_shift(OpenShift { counts }).await.unwrap();
    }

    pub async fn search(&self, text: &str) -> Vec<MemberHit> {
        self.found(text, false).await
    }

    /// Whoever has exactly the number that was scanned.
    pub async fn scan(&self, text: &str) -> Vec<MemberHit> {
        self.found(text, true).await
    }

    async fn found(&self, text: &str, exact: bool) -> Vec<MemberHit> {
        let request = MemberSearch {
            text: text.to_owned(),
            exact,
        };
        self.desk.search_members(request).await.unwrap()
    }

    /// The only member with that number.
    pub async fn find(&self, text: &str) -> String {
        let hits = self.search(text).await;
        assert_eq!(hits.len(), 1, "{text}: {hits:?}");
        hits[0].id.clone()
    }

    /// 张伟 of the sketches: silver, 460 + 70, 3 800 recharged.
    pub async fn zhang_wei(&self) -> String {
        self.find("13812345678").await
    }

    pub async fn member(&self, id: &str) -> MemberView {
        self.desk
            .member(MemberKey {
                member_id: id.to_owned(),
            })
            .await
            .unwrap()
    }

    /// A new intent to top up.
    pub async fn intend(&self, member: &str) -> String {
        let key = MemberKey {
            member_id: member.to_owned(),
        };
        self.desk.top_up_form(key).await.unwrap().intent
    }

    pub async fn quote(
        &self,
        intent: &str,
        member: &str,
        choice: Choice,
        channel: ChannelView,
    ) -> Result<QuoteView, CallError> {
        let request = QuoteRequest {
            intent: intent.to_owned(),
            member_id: member.to_owned(),
            choice,
            channel,
            cash_part: String::new(),
        };
        self.desk.quote(request).await
    }

    /// A price for `text` as typed and all that is needed to pay it in cash.
    pub async fn cash_offer(&self, member: &str, text: &str) -> PayCash {
        let intent = self.intend(member).await;
        let choice = Choice::Typed {
            text: text.to_owned(),
        };
        let quote = self
            .quote(&intent, member, choice, ChannelView::Cash)
            .await
            .unwrap();
        PayCash {
            intent,
            quote_id: quote.quote_id,
            tendered: String::new(),
            duplicate_confirmed: true,
            approval: None,
        }
    }

    pub async fn pay_cash(&self, offer: &PayCash) -> Result<OrderView, CallError> {
        let (desk, offer) = (Arc::clone(&self.desk), offer.clone());
        // What it starts by itself ends with the program.
        let paid = self
            .runtime
            .as_ref()
            .unwrap()
            .spawn(async move { desk.pay_cash(offer).await });
        paid.await.unwrap()
    }

    pub async fn cash(&self, member: &str, text: &str) -> OrderView {
        let offer = self.cash_offer(member, text).await;
        self.pay_cash(&offer).await.unwrap()
    }

    pub async fn qr_offer(&self, member: &str, text: &str, channel: ChannelView) -> StartQr {
        let intent = self.intend(member).await;
        let choice = Choice::Typed {
            text: text.to_owned(),
        };
        let quote = self.quote(&intent, member, choice, channel).await.unwrap();
        StartQr {
            intent,
            quote_id: quote.quote_id,
            channel,
            duplicate_confirmed: true,
        }
    }

    /// A top-up by WeChat with its QR code on the screen.
    pub async fn show_qr(&self, member: &str, text: &str) -> OrderView {
        let offer = self.qr_offer(member, text, ChannelView::Wechat).await;
        let order = self.desk.start_qr(offer).await.unwrap();
        self.until_stage(&order.id, Stage::Waiting).await
    }

    pub async fn order(&self, id: &str) -> OrderView {
        self.desk.order(key(id)).await.unwrap()
    }

    pub async fn cancel(&self, id: &str) -> OrderView {
        self.desk.cancel_order(key(id)).await.unwrap()
    }

    pub async fn retry(&self, id: &str, channel: ChannelView) -> Result<OrderView, CallError> {
        self.desk
            .retry_payment(RetryPayment {
                order_id: id.to_owned(),
                channel,
            })
            .await
    }

    pub async fn print_to(&self, target: PrinterTarget) {
        let mut settings = self.session().await.settings;
        settings.printer.target = target;
        self.desk.save_settings(settings).await.unwrap();
    }

    /// Print jobs of an order, oldest first.
    pub async fn prints(&self, order: &OrderView) -> Vec<PrintJobView> {
        let queue = self.desk.queue(()).await.unwrap();
        let own = queue
            .prints
            .into_iter()
            .filter(|job| job.order_no == order.order_no);
        let mut jobs: Vec<_> = own.collect();
        jobs.reverse();
        jobs
    }

    // What a cashier waits for.

    /// Waits until `look` sees something.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let mut events = self.desk.subscribe();
        let wait = async {
            loop {
                if let Some(seen) = look().await {
                    return seen;
                }
                // An event, or none for a while: both mean "look again".
                let _event = tokio::time::timeout(GLANCE, events.recv()).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, wait).await;
        seen.unwrap_or_else(|_| panic!("waited in vain: {what}"))
    }

    pub async fn until_stage(&self, order: &str, stage: Stage) -> OrderView {
        let what = format!("stage {stage:?}");
        self.until(&what, async || {
            let view = self.order(order).await;
            (view.stage == stage).then_some(view)
        })
        .await
    }

    /// Credited, and the server said so.
    pub async fn until_confirmed(&self, order: &str) -> OrderView {
        self.until("a confirmed credit", async || {
            let view = self.order(order).await;
            (view.stage == Stage::Credited && !view.provisional).then_some(view)
        })
        .await
    }

    pub async fn until_pill(&self, state: SyncState) -> SyncView {
        self.until(&format!("pill {state:?}"), async || {
            let pill = self.session().await.sync;
            (pill.state == state).then_some(pill)
        })
        .await
    }

    pub async fn until_synced(&self) {
        self.until_pill(SyncState::Synced).await;
    }

    /// Waits until `count` jobs of the order are on paper, and no other is.
    pub async fn until_printed(&self, order: &OrderView, count: usize) -> Vec<PrintJobView> {
        self.until(&format!("{count} slips"), async || {
            let jobs = self.prints(order).await;
            let printed = jobs
                .iter()
                .filter(|job| job.state == PrintState::Printed)
                .count();
            (printed == count && jobs.len() == count).then_some(jobs)
        })
        .await
    }

    /// Cuts the line and waits until the terminal knows it.
    pub async fn cut(&self, shop: &Shop) {
        self.line.set(Weather::Cut);
        // Further than the longest pause between two readings.
        shop.time.advance(Millis::seconds(61));
        self.until_pill(SyncState::Offline).await;
    }

    /// Mends the line and waits until everything has arrived.
    pub async fn mend(&self, shop: &Shop) {
        self.line.set(Weather::Fair);
        shop.time.advance(Millis::seconds(61));
        self.until_synced().await;
    }
}

pub fn key(order: &str) -> OrderKey {
    OrderKey {
        order_id: order.to_owned(),
    }
}

/// A copy that a cashier prints alone.
pub fn copy_of(order: &str) -> PrintCopy {
    PrintCopy {
        order_id: order.to_owned(),
        approval: None,
    }
}

/// The sentence of a refusal.
pub fn sentence<T: std::fmt::Debug>(answer: Result<T, CallError>) -> String {
    answer.expect_err("it is refused").message_key
}
