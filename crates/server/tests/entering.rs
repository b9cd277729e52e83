//! A payment account that a manager enters in the window: checked, kept, in force, and nothing of
//! it told again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, StatusCode};
use qiantai_core::attempt::{Channel, PayMethod};
use qiantai_core::ids::StaffId;
use qiantai_core::operation::OperationBody;
use qiantai_core::policy::Role;
use qiantai_core::recharge::AmountChoice;
use qiantai_core::{Millis, Money};
use qiantai_pay::channels::shouqianba;
use qiantai_pay::credentials::Credentials;
use qiantai_pay::set_up::form;
use qiantai_pay::{ChannelId, GatewayAnswer, UnknownCause};
use qiantai_paysim::gateway::{AnswerFault, Operation};
use qiantai_server::Channels;
use qiantai_server::accounts::KeptAccounts;
use qiantai_server::gateways::{GatewaySettings, Gateways};
use qiantai_wire::api::{
    CheckFaultDto, CheckFindingDto, CheckRemarkDto, CheckStepDto, GatewayCheckAnswer,
    GatewayCheckRequest, GatewayDto, GatewaysAnswer, StandingDto,
};
use qiantai_wire::codes::ChannelDto;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::{ApiError, ErrorCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::harness::Shop;
use crate::set_up::Accounts;
use crate::till::Till;

const KEY: [u8; 32] = [1; 32];

fn kept(folder: &Path) -> Gateways {
    Gateways::of_kept(KeptAccounts::new(folder, &KEY).unwrap())
}

/// A shop whose server lives in the terminal's process, beside a gateway.
struct Desk {
    shop: Shop,
    till: Till,
    folder: TempDir,
    street: Accounts,
}

impl Desk {
    async fn open() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let gateways = kept(folder.path());
        Desk::with(folder, &gateways).await
    }

    async fn with(folder: TempDir, gateways: &Gateways) -> Desk {
        let mut shop = Shop::open(1).await;
        shop.channels = gateways.channels();
        shop.restart().await;
        let till = Till::open(&shop).await;
        let street = Accounts::open().await;
        Desk {
            shop,
            till,
            folder,
            street,
        }
    }

    fn person(&self, role: Role) -> Uuid {
        let mut staff = self.shop.policy.staff.iter();
        staff.find(|person| person.role == role).unwrap().id.0
    }

    fn request(&self, manager: Uuid, entered: BTreeMap<String, String>) -> Request<Body> {
        self.request_of("wechat", manager, entered)
    }

    fn request_of(
        &self,
        name: &str,
        manager: Uuid,
        entered: BTreeMap<String, String>,
    ) -> Request<Body> {
        let request = GatewayCheckRequest { manager, entered };
        let body = serde_json::to_vec(&request).unwrap();
        let path = format!("/v1/gateways/{name}/check");
        self.till.request("POST", &path, body)
    }

    async fn send(&self, request: Request<Body>) -> Result<GatewayCheckAnswer, ApiError> {
        let request = self.till.signed(&self.shop, request).await;
        let (status, answer) = self.shop.send(request).await;
        let text = String::from_utf8(answer).unwrap();
        assert!(!text.contains("PRIVATE KEY"), "{text}");
        match status {
            StatusCode::OK => Ok(serde_json::from_str(&text).unwrap()),
            _ => Err(serde_json::from_str(&text).unwrap()),
        }
    }

    async fn enter(&self, entered: BTreeMap<String, String>) -> GatewayCheckAnswer {
        self.enter_of("wechat", entered).await
    }

    async fn enter_of(&self, name: &str, entered: BTreeMap<String, String>) -> GatewayCheckAnswer {
        let manager = self.person(Role::Manager);
        let request = self.request_of(name, manager, entered);
        self.send(request).await.unwrap()
    }

    async fn refusal(&self, request: Request<Body>) -> Option<ErrorCode> {
        self.send(request).await.unwrap_err().error_code()
    }

    async fn told(&self) -> GatewaysAnswer {
        let path = "/v1/gateways";
        self.till.call(&self.shop, "GET", path, Vec::new()).await
    }

    async fn wechat(&self) -> GatewayDto {
        self.told_of("wechat").await
    }

    async fn told_of(&self, name: &str) -> GatewayDto {
        let told = self.told().await;
        assert!(told.entered_here);
        let mut gateways = told.gateways.into_iter();
        gateways.find(|gateway| gateway.name == name).unwrap()
    }

    /// What stands in the fields of an account at the gateway.
    fn fields(&self, account: &str) -> BTreeMap<String, String> {
        let settings = self.street.settings(account);
        let channel = account.split('-').next().unwrap();
        let fields = form(channel).unwrap().fields.iter();
        let filled = fields.filter_map(|field| {
            let pointer = format!("/{}", field.place.replace('.', "/"));
            let text = settings.pointer(&pointer)?.as_str()?;
            Some((field.place.to_owned(), text.to_owned()))
        });
        filled.collect()
    }

    /// Every entry of the audit log that is about accounts.
    fn deeds(&self) -> Vec<(String, String)> {
        let sql = "SELECT act, subject FROM audit_entry WHERE act LIKE 'gateway.%' ORDER BY seq";
        let database = self.shop.database();
        let mut rows = database.prepare(sql).unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }
}

/// The step that failed, why, and by which field.
fn failure(answer: &GatewayCheckAnswer) -> (CheckStepDto, CheckFaultDto, Option<&str>) {
    assert!(!answer.good && !answer.in_force, "{answer:?}");
    let Some(CheckFindingDto::Failed {
        step, fault, place, ..
    }) = answer.findings.last()
    else {
        panic!("{answer:?}");
    };
    (*step, *fault, place.as_deref())
}

#[tokio::test]
async fn only_what_passes_every_step_is_kept_and_in_force() {
    let desk = Desk::open().await;
    let good = desk.fields("wechat-key");
    let with = |place: &str, text: &str| {
        let mut fields = good.clone();
        fields.insert(place.to_owned(), text.to_owned());
        fields
    };
    for (place, text, expected) in [
        (
            "api_v3_key",
            "too short",
            (
                CheckStepDto::OwnKey,
                CheckFaultDto::NotThirtyTwo,
                Some("api_v3_key"),
            ),
        ),
        (
            "mchid",
            "1900000999",
            (
                CheckStepDto::OwnCertificate,
                CheckFaultDto::OfAnother,
                Some("certificate"),
            ),
        ),
        (
            "base_url",
            "http://gateway.example",
            (CheckStepDto::Filled, CheckFaultDto::Address, None),
        ),
        (
            "appid",
            "",
            (CheckStepDto::Filled, CheckFaultDto::Missing, Some("appid")),
        ),
    ] {
        let answer = desk.enter(with(place, text)).await;
        assert_eq!(failure(&answer), expected);
        let told = desk.wechat().await;
        assert_eq!((told.set_up, told.standing), (false, StandingDto::Absent));
    }
    let answer = desk.enter(good.clone()).await;
    assert!(answer.good && answer.in_force, "{answer:?}");
    let plain = CheckFindingDto::Remark {
        remark: CheckRemarkDto::Plain,
        place: None,
        count: None,
    };
    assert!(answer.findings.contains(&plain));
    let told = desk.wechat().await;
    assert_eq!((told.set_up, told.standing), (true, StandingDto::Up));
    for field in &told.fields {
        assert_eq!(field.filled, good.contains_key(&field.place), "{field:?}");
    }

    // What is wrong changes nothing; what is entered alone is laid over the rest.
    let wrong = [("api_v3_key".to_owned(), "0".to_owned())];
    failure(&desk.enter(wrong.into()).await);
    assert!(desk.shop.channels.of(Channel::Wechat).is_some());
    let checked = desk.enter(BTreeMap::new()).await;
    assert!(checked.good && !checked.in_force, "nothing was entered");
    let other = desk.fields("wechat-certificates");
    let mut other: BTreeMap<_, _> = other;
    for place in ["public_keys.0.id", "public_keys.0.key"] {
        other.insert(place.to_owned(), String::new());
    }
    assert!(
        desk.enter(other).await.in_force,
        "another merchant, in certificate mode"
    );

    // The next start opens it.
    let again = kept(desk.folder.path()).channels();
    assert!(again.of(Channel::Wechat).is_some());
    assert!(again.of(Channel::Alipay).is_none());

    let deeds = desk.deeds();
    let manager = StaffId(desk.person(Role::Manager));
    let subject = format!("account wechat by manager {manager}");
    let act = |act: &str| (act.to_owned(), subject.clone());
    let mut expected = vec![act("gateway.entered"); 6];
    expected.extend([act("gateway.checked"), act("gateway.entered")]);
    assert_eq!(deeds, expected);
}

/// What is asked about a payment is asked of the merchant that it went to, while the shop's keys may
/// change at any time.
#[tokio::test]
async fn another_merchant_waits_until_every_payment_has_its_result() {
    let mut desk = Desk::open().await;
    let good = desk.fields("wechat-key");
    assert!(desk.enter(good.clone()).await.in_force);
    let member = desk.shop.members()[0];
    let choice = AmountChoice::Amount(Money::from_yuan(300));
    let open = desk.till.recharge_of(&desk.shop, member, choice).await;
    let mut start = desk.till.start_of(&open);
    start.method = PayMethod::Code;
    let attempt = start.attempt;
    for body in [
        OperationBody::RechargeOpen(open),
        OperationBody::AttemptStart(start),
    ] {
        let done = desk.till.act(&desk.shop, body).await;
        assert_eq!(done.outcome, OutcomeDto::Applied);
    }
    let manager = desk.person(Role::Manager);
    for (place, text) in [
        ("mchid", "1900000999"),
        ("base_url", "https://other.example"),
    ] {
        let other = BTreeMap::from([(place.to_owned(), text.to_owned())]);
        let refused = desk.refusal(desk.request(manager, other)).await;
        assert_eq!(refused, Some(ErrorCode::PaymentsOpen), "{place}");
    }
    let same = desk.enter(good).await;
    assert!(same.in_force, "the same merchant: {same:?}");

    for _ in 0..20 {
        desk.shop.pass(Millis::minutes(1)).await;
    }
    let ended = desk.shop.attempt(attempt).state;
    assert!(!ended.is_open(), "{ended:?}");
    let other = BTreeMap::from([("mchid".to_owned(), "1900000999".to_owned())]);
    let answer = desk.enter(other).await;
    assert_eq!(failure(&answer).1, CheckFaultDto::OfAnother, "looked at");
}

/// What the account behind `method` says about a payment that nobody made.
async fn asked(channels: &Channels, method: Channel) -> (ChannelId, GatewayAnswer) {
    let channel = channels.of(method).unwrap();
    (channel.id(), channel.query("ZF20261122000000000001").await)
}

#[tokio::test]
async fn a_terminal_is_activated_and_nothing_of_a_failed_activation_is_lost() {
    const NAME: &str = "shouqianba";
    let desk = Desk::open().await;
    let good = desk.fields(NAME);
    let with = |place: &str, text: &str| {
        let mut fields = good.clone();
        fields.insert(place.to_owned(), text.to_owned());
        fields
    };
    let (vendor, code) = ("vendor_key", "activation_code");
    for (place, fault) in [
        (vendor, CheckFaultDto::VendorRefused),
        (code, CheckFaultDto::ActivationRefused),
    ] {
        let answer = desk.enter_of(NAME, with(place, "another")).await;
        let expected = (CheckStepDto::Activated, fault, Some(place));
        assert_eq!(failure(&answer), expected);
    }
    // Activated, and the answer was lost: the same again is the same terminal.
    let certificates = Operation::Certificates;
    let lost = AnswerFault::FailAfterDone;
    desk.street.spoil(certificates, lost, Some(1));
    let answer = desk.enter_of(NAME, good.clone()).await;
    let unclear = CheckFaultDto::ActivationUnclear;
    assert_eq!(failure(&answer), (CheckStepDto::Activated, unclear, None));
    assert!(!desk.told_of(NAME).await.set_up);
    assert_eq!(std::fs::read_dir(desk.folder.path()).unwrap().count(), 0);
    // Activated and kept, and the query is not answered: the next entry needs no activation.
    desk.street.spoil(Operation::Query, lost, Some(1));
    let answer = desk.enter_of(NAME, good.clone()).await;
    let (step, _, _) = failure(&answer);
    assert_eq!(step, CheckStepDto::Accepted);
    assert!(!desk.told_of(NAME).await.set_up);
    desk.street.spoil(certificates, AnswerFault::Busy, None);
    let answer = desk.enter_of(NAME, good.clone()).await;
    assert!(answer.good && answer.in_force, "{answer:?}");
    let activated = CheckFindingDto::Passed {
        step: CheckStepDto::Activated,
    };
    assert!(answer.findings.contains(&activated), "{answer:?}");

    // Another code that is not answered takes nothing from the terminal that works.
    failure(&desk.enter_of(NAME, with(code, "another")).await);
    let nobody_s = GatewayAnswer::Unknown(UnknownCause::NotFound);
    let own = (shouqianba::ID, nobody_s.clone());
    assert_eq!(asked(&desk.shop.channels, Channel::Wechat).await, own);
    // What has an account of its own goes by that.
    assert!(desk.enter(desk.fields("wechat-key")).await.in_force);
    let carried = desk.told_of(NAME).await.carries;
    assert_eq!(carried, [ChannelDto::Alipay, ChannelDto::Unionpay]);
    let again = kept(desk.folder.path()).channels();
    for channels in [&desk.shop.channels, &again] {
        assert_eq!(asked(channels, Channel::Alipay).await, own, "no activation");
        let (id, _) = asked(channels, Channel::Wechat).await;
        assert_eq!(id.0, "wechat");
    }
    for file in ["payment-accounts", "payment-terminals"] {
        let bytes = std::fs::read(desk.folder.path().join(file)).unwrap();
        let code = good[code].as_bytes();
        assert!(
            !bytes.windows(code.len()).any(|part| part == code),
            "{file}"
        );
    }
}

#[tokio::test]
async fn nobody_else_enters_or_checks_and_keys_come_over_no_wire() {
    let desk = Desk::open().await;
    let good = desk.fields("wechat-key");
    let manager = desk.person(Role::Manager);
    for (who, by) in [
        ("a cashier", desk.person(Role::Cashier)),
        ("a stranger", Uuid::from_u128(9)),
    ] {
        for entered in [BTreeMap::new(), good.clone()] {
            let refused = desk.refusal(desk.request(by, entered)).await;
            assert_eq!(refused, Some(ErrorCode::NoManager), "{who}");
        }
    }
    let mut far = desk.request(manager, good.clone());
    let from = SocketAddr::from(([192, 168, 1, 20], 50_000));
    far.extensions_mut().insert(ConnectInfo(from));
    assert_eq!(desk.refusal(far).await, Some(ErrorCode::KeysElsewhere));
    assert_eq!(desk.deeds(), [], "nothing of it came to pass");

    let nothing = desk.request(manager, BTreeMap::new());
    let refused = desk.refusal(nothing).await;
    assert_eq!(refused, Some(ErrorCode::GatewayNotConfigured));
    let no_field = [("terminal_file".to_owned(), "/etc/passwd".to_owned())];
    let refused = desk.refusal(desk.request(manager, no_field.into())).await;
    assert_eq!(refused, Some(ErrorCode::BadRequest));
    let elsewhere = GatewayCheckRequest {
        manager,
        entered: BTreeMap::new(),
    };
    let body = serde_json::to_vec(&elsewhere).unwrap();
    let request = desk.till.request("POST", "/v1/gateways/paypal/check", body);
    assert_eq!(desk.refusal(request).await, Some(ErrorCode::NotFound));
    assert!(!desk.wechat().await.set_up);
    assert_eq!(std::fs::read_dir(desk.folder.path()).unwrap().count(), 0);
}

/// Where the settings file says the accounts, they are looked at and not entered.
#[tokio::test]
async fn a_server_with_a_settings_file_is_looked_at_alone() {
    let folder = tempfile::tempdir().unwrap();
    let street = Accounts::open().await;
    let mut settings = street.settings("wechat-key");
    let key = settings["private_key"].take();
    settings["private_key"] = json!({"file": "key.pem"});
    let put = |key: &Value| {
        std::fs::write(folder.path().join("key.pem"), key.as_str().unwrap()).unwrap();
    };
    put(&key);
    let settings = GatewaySettings::read("wechat", settings).unwrap();
    let credentials = Credentials::new(folder.path());
    let gateways = Gateways::open(vec![settings], credentials, None).unwrap();
    let own = tempfile::tempdir().unwrap();
    let desk = Desk::with(own, &gateways).await;
    let told = desk.told().await;
    assert!(!told.entered_here);
    let told = told.gateways.iter();
    let set_up: Vec<_> = told.map(|one| (one.name.as_str(), one.set_up)).collect();
    let expected = [
        ("wechat", true),
        ("alipay", false),
        ("unionpay", false),
        ("shouqianba", false),
    ];
    assert_eq!(set_up, expected);
    assert!(desk.enter(BTreeMap::new()).await.good);
    put(&json!("no key"));
    let answer = desk.enter(BTreeMap::new()).await;
    let (own, place) = (CheckStepDto::OwnKey, Some("private_key"));
    assert_eq!(
        failure(&answer),
        (own, CheckFaultDto::NotAPrivateKey, place)
    );
    std::fs::remove_file(folder.path().join("key.pem")).unwrap();
    let answer = desk.enter(BTreeMap::new()).await;
    let (_, fault, place) = failure(&answer);
    assert_eq!(
        (fault, place),
        (CheckFaultDto::Unreadable, Some("private_key"))
    );
    let manager = desk.person(Role::Manager);
    let entered = [("mchid".to_owned(), "1900000110".to_owned())];
    let refused = desk.refusal(desk.request(manager, entered.into())).await;
    assert_eq!(refused, Some(ErrorCode::KeysElsewhere));
}

#[tokio::test]
async fn simulated_gateways_are_not_set_up() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let told: GatewaysAnswer = till.call(&shop, "GET", "/v1/gateways", Vec::new()).await;
    assert_eq!((told.entered_here, told.gateways), (false, Vec::new()));
}
