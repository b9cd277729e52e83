//! What the check of a channel finds: step by step, on good and on each kind of bad credential.

use std::sync::Arc;

use qiantai_core::{Millis, Timestamp};
use qiantai_pay::set_up::{KeyFault, KeyStep, form};
use qiantai_pay::{Surroundings, SystemSurroundings};
use qiantai_paysim::gateway::{AnswerFault, AnswerRule, Operation};
use qiantai_paysim::tls::{Front, HOST, Showing, TestAuthority};
use qiantai_paysim::{Gateway, Simulator, accounts, serve};
use qiantai_server::gateway_check::{
    CheckFault, CheckRemark, CheckReport, CheckStep, Finding, check,
};
use qiantai_server::gateways::transport_to;
use serde_json::{Value, json};
use tempfile::TempDir;

const YEARS_6: Millis = Millis::days(6 * 365);

/// Accounts at a gateway that runs on this machine.
pub struct Accounts {
    folder: TempDir,
    simulator: Simulator,
}

impl Accounts {
    pub async fn open() -> Accounts {
        Accounts::open_since(Millis(0), None).await
    }

    /// Accounts that were opened so long ago.
    async fn open_since(ago: Millis, front: Option<Front>) -> Accounts {
        let folder = tempfile::tempdir().unwrap();
        let mut gateway = Gateway::new([7; 32]);
        let any = "127.0.0.1:0".parse().unwrap();
        let (listener, address) = serve::listen(any, false).await.unwrap();
        let base = match front {
            Some(_) => format!("https://{HOST}:{}", address.port()),
            None => format!("http://{address}"),
        };
        let now = SystemSurroundings.now() - ago;
        accounts::open_all(&mut gateway, "悦动健身", &base, folder.path(), now).unwrap();
        let simulator = Simulator::new(gateway, Arc::new(SystemSurroundings));
        let router = serve::router(simulator.clone());
        let never = std::future::pending();
        match front {
            None => drop(tokio::spawn(serve::serve(listener, router, never))),
            Some(front) => drop(tokio::spawn(serve::serve_tls(
                listener, router, front, never,
            ))),
        }
        Accounts { folder, simulator }
    }

    /// What the gateway does wrong from now on.
    pub fn spoil(&self, operation: Operation, fault: AnswerFault, times: Option<u32>) {
        let rule = AnswerRule {
            attempt_no: None,
            operation: Some(operation),
            fault,
            times,
        };
        let put = |gateway: &mut Gateway| gateway.faults().answers.push(rule);
        self.simulator.with(|gateway, _| put(gateway));
    }

    /// The settings of an account, as the simulator hands them out.
    pub fn settings(&self, name: &str) -> Value {
        let path = self.folder.path().join(format!("{name}.json"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }
}

fn set(settings: &mut Value, place: &str, value: Value) {
    let pointer = format!("/{}", place.replace('.', "/"));
    match settings.pointer_mut(&pointer) {
        Some(node) => *node = value,
        None => settings[place] = value,
    }
}

type Fault = (KeyStep, String, KeyFault);

fn examined(channel: &str, settings: &Value, now: Timestamp) -> Result<(), Fault> {
    let found = form(channel).unwrap().examine(settings, now);
    found.map_err(|fault| (fault.step, fault.place, fault.fault))
}

#[tokio::test]
async fn a_certificate_holds_between_its_dates() {
    let accounts = Accounts::open().await;
    let now = SystemSurroundings.now();
    for (name, dated) in [
        ("wechat-key", Some("certificate")),
        ("wechat-certificates", Some("certificate")),
        ("alipay-keys", None),
        ("alipay-certificates", Some("app_certificate")),
        ("unionpay", Some("key_store")),
        ("shouqianba", None),
    ] {
        let channel = name.split('-').next().unwrap();
        let settings = accounts.settings(name);
        let found = |at| examined(channel, &settings, at);
        assert_eq!(found(now), Ok(()), "{name}");
        let wrong = |fault| match dated {
            Some(place) => Err((KeyStep::Dates, place.to_owned(), fault)),
            None => Ok(()),
        };
        // They hold from a day before the account was opened on, for five years.
        let early = found(now - YEARS_6);
        assert_eq!(early, wrong(KeyFault::NotYetValid(6 * 365 - 2)), "{name}");
        let late = found(now + YEARS_6);
        assert_eq!(late, wrong(KeyFault::Expired(365)), "{name}");
    }
}

/// Settings of `name` with changes, and what is found wrong with them.
fn check_edited(
    accounts: &Accounts,
    name: &str,
    edits: &[(&str, Value)],
    (step, place, fault): (KeyStep, &str, KeyFault),
) {
    let channel = name.split('-').next().unwrap();
    let mut settings = accounts.settings(name);
    for (place, value) in edits {
        set(&mut settings, place, value.clone());
    }
    let found = examined(channel, &settings, SystemSurroundings.now());
    let expected = Err((step, place.to_owned(), fault));
    assert_eq!(found, expected, "{name} {place}");
}

#[tokio::test]
async fn each_bad_credential_of_wechat_has_a_step_and_a_name() {
    use KeyFault::{
        Malformed, Missing, NotACertificate, NotAPrivateKey, NotAPublicKey, NotOfCertificate,
        NotThirtyTwo, OfAnother,
    };
    use KeyStep::{Filled, GatewayKey, OwnCertificate};
    let accounts = Accounts::open().await;
    let other = accounts.settings("wechat-certificates");
    let own_public = {
        let own = accounts.settings("wechat-key");
        let key = own["private_key"].as_str().unwrap().as_bytes();
        let key = openssl::pkey::PKey::private_key_from_pem(key).unwrap();
        String::from_utf8(key.public_key_to_pem().unwrap()).unwrap()
    };
    let check = |place: &str, value: Value, step: KeyStep, fault: KeyFault| {
        let expected = (step, place, fault);
        check_edited(&accounts, "wechat-key", &[(place, value)], expected);
    };
    check("mchid", json!(""), Filled, Missing);
    check("mchid", json!("商户"), Filled, Malformed);
    check("appid", json!("wx1"), Filled, Malformed);
    check(
        "private_key",
        json!("no key"),
        KeyStep::OwnKey,
        NotAPrivateKey,
    );
    check(
        "api_v3_key",
        json!("too short"),
        KeyStep::OwnKey,
        NotThirtyTwo(9),
    );
    check(
        "certificate",
        json!("none"),
        OwnCertificate,
        NotACertificate,
    );
    check("public_keys.0.id", json!("0119"), GatewayKey, Malformed);
    check(
        "public_keys.0.key",
        json!("none"),
        GatewayKey,
        NotAPublicKey,
    );
    let own_key = KeyFault::OwnKey;
    check("public_keys.0.key", json!(own_public), GatewayKey, own_key);

    let check = |edits: &[(&str, Value)], expected| {
        check_edited(&accounts, "wechat-key", edits, expected);
    };
    let no_key = [("public_keys", json!([]))];
    check(&no_key, (Filled, "public_keys.0.key", Missing));
    let key = ("private_key", other["private_key"].clone());
    let another = (OwnCertificate, "certificate", NotOfCertificate);
    check(std::slice::from_ref(&key), another);
    let whole = [key, ("certificate", other["certificate"].clone())];
    let of_another = OfAnother("1900000110".to_owned());
    check(&whole, (OwnCertificate, "certificate", of_another));
}

#[tokio::test]
async fn each_bad_credential_of_the_others_has_a_step_and_a_name() {
    use KeyFault::{Malformed, Missing, NotACertificate, NotAKeyStore, NotOfCertificate, TwoModes};
    use KeyStep::{Filled, GatewayKey, OwnCertificate};
    let accounts = Accounts::open().await;
    let (keys, certified) = (
        accounts.settings("alipay-keys"),
        accounts.settings("alipay-certificates"),
    );
    let check = |name: &str, edit: (&str, Value), expected| {
        check_edited(&accounts, name, &[edit], expected);
    };
    let (by_key, by_certificate) = ("alipay-keys", "alipay-certificates");
    let place = "alipay_public_keys.0";
    let none = ("alipay_public_keys", json!([]));
    check(by_key, none, (Filled, place, Missing));
    let both = ("app_certificate", certified["app_certificate"].clone());
    check(by_key, both, (Filled, place, TwoModes));
    let other = ("private_key", keys["private_key"].clone());
    let fault = (OwnCertificate, "app_certificate", NotOfCertificate);
    check(by_certificate, other, fault);
    let roots = "alipay_root_certificates";
    check(
        by_certificate,
        (roots, Value::Null),
        (Filled, roots, Missing),
    );
    let (number, trusted) = ("merchant_id", "trusted_certificates");
    check(
        "unionpay",
        (number, json!("77")),
        (Filled, number, Malformed),
    );
    let password = ("key_store_password", json!("another"));
    check(
        "unionpay",
        password,
        (KeyStep::OwnKey, "key_store", NotAKeyStore),
    );
    let fault = (GatewayKey, trusted, NotACertificate);
    check("unionpay", (trusted, json!("none")), fault);
    let vendor = "vendor_sn";
    check(
        "shouqianba",
        (vendor, json!(" ")),
        (Filled, vendor, Missing),
    );
    let words = (vendor, json!("收钱吧"));
    check("shouqianba", words, (Filled, vendor, Malformed));
}

/// What is entered in fields becomes the settings that the channel opens with.
#[tokio::test]
async fn fields_become_settings() {
    let accounts = Accounts::open().await;
    for (channel, name) in [
        ("wechat", "wechat-key"),
        ("wechat", "wechat-certificates"),
        ("alipay", "alipay-keys"),
        ("alipay", "alipay-certificates"),
        ("unionpay", "unionpay"),
    ] {
        let given = accounts.settings(name);
        let form = form(channel).unwrap();
        let made = form.settings(|place| {
            let pointer = format!("/{}", place.replace('.', "/"));
            given.pointer(&pointer)?.as_str()
        });
        let report = checked(channel, made, Millis(0)).await;
        assert!(report.is_good(), "{name}: {report:?}");
    }
    let nothing = form("wechat").unwrap().settings(|_| Some("  "));
    assert_eq!(nothing, json!({"downloads_certificates": true}));
}

/// A clock that is off by so much.
struct Off(Millis);

impl Surroundings for Off {
    fn now(&self) -> Timestamp {
        SystemSurroundings.now() + self.0
    }

    fn nonce(&self) -> String {
        SystemSurroundings.nonce()
    }
}

async fn checked(channel: &str, settings: Value, off: Millis) -> CheckReport {
    let transport = transport_to(channel).unwrap();
    check(channel, Ok(settings), transport, Arc::new(Off(off))).await
}

fn passed(report: &CheckReport) -> Vec<CheckStep> {
    let passed = report.findings.iter().filter_map(|finding| match finding {
        Finding::Passed(step) => Some(*step),
        Finding::Remark(_) | Finding::Failed(..) => None,
    });
    passed.collect()
}

#[tokio::test]
async fn the_way_to_the_gateway_is_looked_at_step_by_step() {
    let accounts = Accounts::open().await;
    let good = accounts.settings("wechat-key");
    let report = checked("wechat", good.clone(), Millis(0)).await;
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.host.as_deref(), Some("127.0.0.1"));
    let mut steps = CheckStep::ALL.to_vec();
    steps.retain(|step| !matches!(step, CheckStep::Secure | CheckStep::Activated));
    assert_eq!(passed(&report), steps, "not encrypted, and no terminal");
    assert!(
        report
            .findings
            .contains(&Finding::Remark(CheckRemark::Plain))
    );

    let fault = async |edits: &[(&str, Value)], off: Millis| {
        let mut settings = good.clone();
        for (place, value) in edits {
            set(&mut settings, place, value.clone());
        }
        let report = checked("wechat", settings, off).await;
        let (step, fault) = report.fault().unwrap();
        (step, fault.clone())
    };
    let nowhere = [("base_url", json!("https://no.such.host.invalid"))];
    assert_eq!(
        fault(&nowhere, Millis(0)).await,
        (CheckStep::Reach, CheckFault::NoName)
    );
    let closed = [("base_url", json!("http://127.0.0.1:1"))];
    assert_eq!(
        fault(&closed, Millis(0)).await,
        (CheckStep::Reach, CheckFault::NoConnection(1))
    );
    let base = good["base_url"].as_str().unwrap();
    let no_tls = [("base_url", json!(base.replace("http:", "https:")))];
    assert_eq!(
        fault(&no_tls, Millis(0)).await,
        (CheckStep::Secure, CheckFault::NoTls)
    );
    for minutes in [6, -6] {
        let (step, fault) = fault(&[], Millis::minutes(minutes)).await;
        let CheckFault::ClockOff(seconds) = fault else {
            panic!("{fault:?}");
        };
        // The gateway names whole seconds, and the answer took its time.
        let beside = (seconds - minutes * 60).abs();
        assert!(step == CheckStep::Clock && beside < 60, "{seconds}");
    }
    let another = accounts.settings("wechat-certificates");
    let unknown_key = [
        ("certificate", Value::Null),
        ("payment_code", json!("off")),
        (
            "serial_no",
            json!("3775B6A45ACD588826D15E583A95F5DD00000000"),
        ),
        ("private_key", another["private_key"].clone()),
    ];
    assert_eq!(
        fault(&unknown_key, Millis(0)).await,
        (CheckStep::Accepted, CheckFault::SignatureRefused)
    );
}

#[tokio::test]
async fn a_gateway_whose_certificate_is_wrong_is_not_spoken_with() {
    // The machine does not trust this authority, whatever it shows.
    let mut authority = TestAuthority::draw([5; 32], SystemSurroundings.now());
    for showing in [Showing::Good, Showing::Expired] {
        let front = authority.front(showing, SystemSurroundings.now());
        let accounts = Accounts::open_since(Millis(0), Some(front)).await;
        let report = checked("wechat", accounts.settings("wechat-key"), Millis(0)).await;
        assert_eq!(
            report.fault(),
            Some((CheckStep::Secure, &CheckFault::NoTls)),
            "{showing:?}"
        );
        assert_eq!(passed(&report).last(), Some(&CheckStep::Reach));
    }
}

#[tokio::test]
async fn what_ends_soon_is_said_and_stops_nothing() {
    // Their certificates hold for five years, and were made so long ago.
    let accounts = Accounts::open_since(Millis::days(5 * 365 - 7), None).await;
    let report = checked("wechat", accounts.settings("wechat-key"), Millis(0)).await;
    assert!(report.is_good(), "{report:?}");
    let soon = CheckRemark::EndsSoon("certificate".to_owned(), 6);
    assert!(
        report.findings.contains(&Finding::Remark(soon)),
        "{report:?}"
    );
}
