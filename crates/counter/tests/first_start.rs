//! A shop that is made in the window: cut off at every step, and with everything wrong that can be
//! typed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use qiantai_counter::api::CounterApi;
use qiantai_counter::boot::{Host, Known, Link, OwnShop};
use qiantai_counter::desk::Desk;
use qiantai_counter::error::CallError;
use qiantai_counter::surroundings;
use qiantai_counter::view::boot::{BootState, RecoveryAnswer, TroubleCause};
use qiantai_counter::view::brand::{AccentView, BrandView};
use qiantai_counter::view::first_start::{
    FirstStart, NewPerson, NewShop, Profile, ReceiptHeader, SetUp, SetUpStep, Trade,
};
use qiantai_counter::view::printer::{PrinterGlyphs, TestPrint};
use qiantai_counter::view::second_copy::SecondCopySetting;
use qiantai_counter::view::session::{Language, PrinterTarget, RoleView, SignIn};
use qiantai_counter::view::top_up::ChannelView;
use qiantai_server::{Channels, Server, ServerOptions, SystemClock};
use qiantai_store::vault::{FileKeyHolder, KeyHolder, Secrets};
use qiantai_sync::transport::InProcessTransport;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// Longer than anything takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A computer on which nothing was set up.
struct Machine {
    folder: PathBuf,
    keys: FileKeyHolder,
    server: Mutex<Option<Server>>,
    /// The disk is full once the shop stands in its books.
    fills_up: Arc<AtomicBool>,
}

#[async_trait]
impl Host for Machine {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn key_holder(&self) -> &dyn KeyHolder {
        &self.keys
    }

    async fn link(
        &self,
        secrets: &Secrets,
        known: Known,
        public_key: [u8; 32],
    ) -> Result<Link, TroubleCause> {
        let shop = known.own_shop.ok_or(TroubleCause::NotJoined)?;
        let tenant = shop.tenant();
        let server = Server::open(ServerOptions {
            path: self.folder.join("ledger.db"),
            key: Some(secrets.server_db_key),
            clock: Arc::new(SystemClock),
            channels: Channels::default(),
        })
        .unwrap();
        if let OwnShop::Planned(plan) = shop {
            server.open_shop(wanted(*plan)).await.unwrap();
        }
        if self.fills_up.load(Ordering::SeqCst) {
            server.stop().await;
            return Err(TroubleCause::DiskFull);
        }
        server.start();
        let joined = server.enrol_local(tenant, public_key, "01").await.unwrap();
        let router = server.router();
        *self.server.lock().await = Some(server);
        Ok(Link {
            transport: Arc::new(InProcessTransport::<axum::Router, axum::body::Body>::new(
                router,
            )),
            joined,
            server: None,
            training: None,
            books_here: true,
        })
    }
}

fn wanted(plan: qiantai_counter::boot::PlannedShop) -> qiantai_server::NewShop {
    qiantai_server::NewShop {
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

/// The program on that computer.
struct Start {
    desk: Arc<Desk>,
    host: Arc<Machine>,
    runtime: Option<Runtime>,
}

impl Start {
    async fn of(folder: &TempDir) -> Start {
        Start::with(folder, &Arc::default()).await
    }

    async fn with(folder: &TempDir, fills_up: &Arc<AtomicBool>) -> Start {
        let keys = folder.path().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let host = Arc::new(Machine {
            folder: folder.path().join("till"),
            keys: FileKeyHolder::new(&keys),
            server: Mutex::default(),
            fills_up: Arc::clone(fills_up),
        });
        // Sockets with nothing in them, unless a test plugs something in.
        let sockets = folder.path().join("usb");
        let machine = surroundings::Machine::with_usb(surroundings::UsbPorts {
            class: sockets.join("class"),
            devices: sockets.join("dev"),
        });
        let desk = Desk::new(Arc::clone(&host) as _, Arc::new(machine));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.spawn(Arc::clone(&desk).start()).await.unwrap();
        Start {
            desk,
            host,
            runtime: Some(runtime),
        }
    }

    /// Ends everything at once, as a power cut does to the program.
    async fn crash(mut self) {
        let runtime = self.runtime.take().unwrap();
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE))
            .await
            .unwrap();
    }

    async fn state(&self) -> BootState {
        self.desk.boot_status(()).await.unwrap().state
    }

    async fn shown(&self) -> FirstStart {
        match self.state().await {
            BootState::FirstStart { first_start } => *first_start,
            other => panic!("no shop is being made: {other:?}"),
        }
    }

    /// On the program's own runtime, so that a crash ends what the answer began.
    async fn answer(&self, answer: SetUp) -> Result<BootState, CallError> {
        let desk = Arc::clone(&self.desk);
        let runtime = self.runtime.as_ref().unwrap();
        let answered = runtime.spawn(async move { desk.set_up(answer).await });
        answered.await.unwrap().map(|status| status.state)
    }

    async fn keep_code(&self) {
        let code = self.shown().await.code.unwrap();
        let last_group = code.rsplit('-').next().unwrap().to_owned();
        let answer = RecoveryAnswer { last_group };
        self.desk.confirm_recovery_code(answer).await.unwrap();
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn rose() -> BrandView {
    BrandView {
        accent: AccentView::Rose,
        short_name: Some("云上".to_owned()),
    }
}

fn shop() -> SetUp {
    SetUp::Shop {
        shop: NewShop {
            name: " 云上  美发 ".to_owned(),
            trade: Trade::Salon,
            profile: Profile::CnService,
            bonus: true,
            brand: rose(),
        },
    }
}

fn person(name: &str, role: RoleView, pin: &str) -> SetUp {
    SetUp::Person {
        person: NewPerson {
            name: name.to_owned(),
            role,
            pin: pin.to_owned(),
            again: pin.to_owned(),
        },
    }
}

fn receipt() -> SetUp {
    SetUp::Receipt {
        receipt: ReceiptHeader {
            address: "杭州市西湖区文三路 1 号".to_owned(),
            phone: "0571-88880000".to_owned(),
            complaint_phone: "12315".to_owned(),
            refund_rule: "七日内未消费可全额退款。".to_owned(),
        },
    }
}

fn methods() -> SetUp {
    SetUp::Methods {
        methods: vec![ChannelView::Wechat, ChannelView::Cash, ChannelView::Wechat],
        merchant_account: None,
    }
}

fn go_to(step: SetUpStep) -> SetUp {
    SetUp::GoTo { step }
}

async fn printer(start: &Start) -> SetUp {
    SetUp::Printer {
        printer: start.shown().await.settings.printer,
    }
}

/// Everything before the last answer, the program cut off after each.
async fn up_to_the_methods(folder: &TempDir) -> Start {
    let mut start = Start::of(folder).await;
    let answers = [
        go_to(SetUpStep::Shop),
        shop(),
        person("周岚", RoleView::Cashier, "8021"),
        person("陈静", RoleView::Cashier, "4713"),
        go_to(SetUpStep::Receipt),
        receipt(),
    ];
    for answer in answers {
        if start.shown().await.step == SetUpStep::Code {
            start.keep_code().await;
            start = again(folder, start).await;
        }
        start.answer(answer).await.unwrap();
        start = again(folder, start).await;
    }
    let printer = printer(&start).await;
    start.answer(printer).await.unwrap();
    again(folder, start).await
}

/// The next start shows what the last one showed, but for a code that nobody has confirmed.
async fn again(folder: &TempDir, start: Start) -> Start {
    let before = start.shown().await;
    start.crash().await;
    let start = Start::of(folder).await;
    let mut after = start.shown().await;
    if before.code.is_some() {
        assert_ne!(before.code, after.code, "only the one on paper counts");
        after.code.clone_from(&before.code);
    }
    assert_eq!(before, after);
    start
}

async fn sign_in(start: &Start, staff_no: &str, pin: &str) {
    let session = start.desk.session(()).await.unwrap();
    let tile = session.staff.iter().find(|it| it.staff_no == staff_no);
    let request = SignIn {
        staff_id: tile.unwrap().id.clone(),
        pin: pin.to_owned(),
    };
    let session = start.desk.sign_in(request).await.unwrap();
    assert_eq!(session.signed_in.unwrap().staff_no, staff_no);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_made_although_every_step_is_cut_off() {
    let folder = TempDir::new().unwrap();
    let start = up_to_the_methods(&folder).await;
    assert_eq!(
        start.answer(methods()).await.unwrap(),
        BootState::Ready,
        "the code is on paper already"
    );
    let session = start.desk.session(()).await.unwrap();
    assert_eq!(
        (session.shop.as_str(), session.terminal.as_str()),
        ("云上 美发", "01")
    );
    assert_eq!(session.brand, rose());
    let people: Vec<_> = session
        .staff
        .iter()
        .map(|it| (it.staff_no.as_str(), it.name.as_str(), it.role))
        .collect();
    assert_eq!(
        people,
        [
            ("8001", "周岚", RoleView::Manager),
            ("1001", "陈静", RoleView::Cashier)
        ]
    );
    assert!(start.desk.boot_status(()).await.unwrap().training.is_none());
    sign_in(&start, "8001", "8021").await;
    let refused = start.answer(methods()).await.unwrap_err();
    assert_eq!(
        refused.message_key, "error.internal",
        "there is nothing left"
    );
    start.crash().await;

    let start = Start::of(&folder).await;
    assert_eq!(start.state().await, BootState::Ready);
    sign_in(&start, "1001", "4713").await;
    let copy = start.desk.second_copy(()).await.unwrap();
    assert!(!copy.offered, "its key would be lost with the books");
    let stick = SecondCopySetting {
        folder: Some(folder.path().to_string_lossy().into_owned()),
    };
    let refused = start.desk.set_second_copy(stick).await.unwrap_err();
    assert_eq!(refused.message_key, "error.copy_books_here");
    let held = start.host.server.lock().await;
    let server = held.as_ref().unwrap();
    let tenants = server.tenants().unwrap();
    assert_eq!(tenants.len(), 1);
    let rules = server.ledger().policies(tenants[0].id).unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].channels.len(), 2, "each method once");
    assert_eq!(rules[0].ladders.len(), 1);
    assert_eq!(server.ledger().devices(tenants[0].id).unwrap().len(), 2);
}

/// The program ends between the books and the terminal's own note of them.
#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_was_cut_off_opens_the_same_shop() {
    let folder = TempDir::new().unwrap();
    up_to_the_methods(&folder).await.crash().await;
    let fills_up = Arc::new(AtomicBool::new(true));
    let start = Start::with(&folder, &fills_up).await;
    let full = start.answer(methods()).await.unwrap();
    assert!(
        matches!(
            full,
            BootState::Trouble {
                cause: TroubleCause::DiskFull,
                ..
            }
        ),
        "{full:?}"
    );
    start.crash().await;
    let start = Start::of(&folder).await;
    assert_eq!(
        start.state().await,
        BootState::Ready,
        "nothing is asked again"
    );
    let held = start.host.server.lock().await;
    let server = held.as_ref().unwrap();
    let tenants = server.tenants().unwrap();
    assert_eq!(tenants.len(), 1);
    assert_eq!(server.ledger().policies(tenants[0].id).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_by_field_and_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let start = Start::of(&folder).await;
    let check = async |answer: SetUp, field: Option<&str>, key: &str| {
        let before = start.shown().await;
        let error = start.answer(answer).await.unwrap_err();
        assert_eq!(error.message_key, format!("error.{key}"));
        assert_eq!(
            error.params.get("field").map(String::as_str),
            field,
            "{key}"
        );
        assert_eq!(start.shown().await, before, "{key}");
    };
    let named = |name: &str| SetUp::Shop {
        shop: NewShop {
            name: name.to_owned(),
            trade: Trade::Gym,
            profile: Profile::Open,
            bonus: false,
            brand: rose(),
        },
    };
    let mut called = shop();
    if let SetUp::Shop { shop } = &mut called {
        shop.brand.short_name = Some("云".repeat(13));
    }
    check(called, Some("short_name"), "set_up_short_name_too_long").await;
    for (name, key) in [
        ("  ", "set_up_empty"),
        ("店".repeat(41).as_str(), "set_up_too_long"),
        ("云上💇", "set_up_emoji"),
        ("云\u{202e}上", "set_up_invisible"),
        ("123", "set_up_no_letter"),
    ] {
        check(named(name), Some("name"), key).await;
    }
    // Nothing can be passed over.
    for step in [SetUpStep::Code, SetUpStep::People, SetUpStep::Methods] {
        check(go_to(step), None, "internal").await;
    }
    check(methods(), None, "internal").await;
    start.answer(named(&"店".repeat(40))).await.unwrap();
    start.keep_code().await;
    check(go_to(SetUpStep::Code), None, "internal").await;
    check(go_to(SetUpStep::Receipt), Some("role"), "set_up_no_manager").await;
    check(
        person("", RoleView::Manager, "8021"),
        Some("name"),
        "set_up_empty",
    )
    .await;
    for (pin, key) in [
        ("", "set_up_pin_digits"),
        ("802", "set_up_pin_digits"),
        ("8o21", "set_up_pin_digits"),
        ("8888", "set_up_pin_weak"),
        ("2345", "set_up_pin_weak"),
    ] {
        check(person("周岚", RoleView::Manager, pin), Some("pin"), key).await;
    }
    let mut differs = person("周岚", RoleView::Manager, "8021");
    if let SetUp::Person { person } = &mut differs {
        person.again = "8022".to_owned();
    }
    check(differs, Some("again"), "set_up_pin_differs").await;
    start
        .answer(person("周岚", RoleView::Manager, "８０２１"))
        .await
        .unwrap();
    let same = person("陈静", RoleView::Cashier, "8021");
    check(same, Some("pin"), "set_up_pin_taken").await;
    let namesake = person(" 周岚", RoleView::Cashier, "4713");
    check(namesake, Some("name"), "set_up_same_name").await;
    let auditor = person("陈静", RoleView::Auditor, "4713");
    check(auditor, Some("role"), "set_up_role").await;

    let mut wrong = receipt();
    if let SetUp::Receipt { receipt } = &mut wrong {
        receipt.phone = "请来电".to_owned();
    }
    check(wrong, Some("phone"), "set_up_phone").await;
    start.answer(receipt()).await.unwrap();
    let mut nowhere = printer(&start).await;
    if let SetUp::Printer { printer } = &mut nowhere {
        let path = "receipts".to_owned();
        printer.target = PrinterTarget::Folder { path };
    }
    check(nowhere, Some("path"), "settings_invalid").await;
    let printer = printer(&start).await;
    start.answer(printer).await.unwrap();
    let none = SetUp::Methods {
        methods: Vec::new(),
        merchant_account: None,
    };
    check(none, Some("methods"), "set_up_no_method").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_can_go_back_and_think_again() {
    let folder = TempDir::new().unwrap();
    let start = up_to_the_methods(&folder).await;
    start.answer(go_to(SetUpStep::People)).await.unwrap();
    let owner = start.shown().await.people[0].id.clone();
    start
        .answer(SetUp::WithoutPerson { id: owner })
        .await
        .unwrap();
    let alone = start.shown().await;
    assert_eq!(alone.people.len(), 1);
    assert_eq!(alone.reached, SetUpStep::People, "somebody must approve");
    // A name and a PIN that are free again, for a person of another role.
    let manager = person("周岚", RoleView::Manager, "8021");
    start.answer(manager).await.unwrap();
    assert_eq!(start.shown().await.reached, SetUpStep::Methods);
    start.answer(go_to(SetUpStep::Methods)).await.unwrap();
    assert_eq!(start.answer(methods()).await.unwrap(), BootState::Ready);
    sign_in(&start, "8001", "8021").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn language_and_a_test_page_come_before_the_shop() {
    let folder = TempDir::new().unwrap();
    let start = Start::of(&folder).await;
    let language = Language::En;
    start.answer(SetUp::Language { language }).await.unwrap();
    start.answer(shop()).await.unwrap();
    let paper = folder.path().join("paper");
    let page = |target| TestPrint {
        target,
        paper_mm: 80,
        glyphs: PrinterGlyphs::Gbk,
        language,
    };
    let path = paper.to_string_lossy().into_owned();
    let printed = page(PrinterTarget::Folder { path });
    start.desk.print_test_page(printed).await.unwrap();
    assert_eq!(
        std::fs::read_dir(&paper).unwrap().count(),
        2,
        "PDF and ESC/POS"
    );
    // Nothing listens there.
    let (host, port) = ("127.0.0.1".to_owned(), 1);
    let absent = page(PrinterTarget::Network { host, port });
    let trouble = start.desk.print_test_page(absent).await.unwrap_err();
    assert!(
        trouble.message_key.starts_with("error.printer_"),
        "{trouble:?}"
    );
    start.crash().await;
    let start = Start::of(&folder).await;
    assert_eq!(start.shown().await.settings.language, Language::En);
}

/// As it is plugged in: before there is a shop, or anybody to sign in.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_printer_on_usb_is_found_and_tried_before_the_shop() {
    let folder = TempDir::new().unwrap();
    let start = Start::of(&folder).await;
    start.answer(shop()).await.unwrap();
    let bus = qiantai_testkit::UsbBus::new(&folder.path().join("usb")).unwrap();
    let cable = bus.plug(&qiantai_testkit::UsbModel::EPSON, "1-1", 0);
    let printer = crate::talking_printer::TalkingPrinter::on_usb(cable.unwrap(), 500);
    let mut found = start.desk.found_usb(()).await.unwrap().printers;
    let target = PrinterTarget::Usb(found.remove(0));
    let page = TestPrint {
        target: target.clone(),
        paper_mm: 80,
        glyphs: PrinterGlyphs::Gbk,
        language: Language::ZhCn,
    };
    start.desk.print_test_page(page).await.unwrap();
    let lines = printer.lines();
    assert!(lines.contains(&"打印测试".to_owned()), "{lines:#?}");
}
