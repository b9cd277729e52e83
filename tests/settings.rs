//! The settings by their own controls: each takes effect, and is as it was left when the window
//! opens again.

use std::time::Duration;

use qiantai_testkit::{Cashier, Key, Launch, PATIENCE, Window, Words, until};
use serde_json::{Value, json};

use crate::screens::counter::{go, part};
use crate::shop::{Shop, app};
use crate::voice::Voice;

const COUNTER: &str = "/";
/// Longer than the shortest pause that can be set, and well within the longest.
const PAUSE: Duration = Duration::from_millis(60);

/// A part of the settings, a group of it and what is chosen there, by their keys or in words.
const LEFT: [(&str, &str, &str); 9] = [
    ("settings.screen", "settings.language", "English"),
    ("settings.screen", "settings.type", "125 %"),
    ("settings.screen", "settings.theme", "settings.theme_dark"),
    ("settings.screen", "settings.sound", "settings.soft"),
    (
        "settings.screen",
        "settings.display",
        "settings.display_window",
    ),
    (
        "settings.selling",
        "settings.guide",
        "settings.guide_always",
    ),
    (
        "settings.selling",
        "settings.number_pad",
        "settings.number_pad_always",
    ),
    ("settings.selling", "settings.low_balance", "¥500"),
    ("settings.selling", "settings.scan_pause", "160 ms"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_takes_effect_by_its_control_and_stays() {
    let shop = Shop::new();
    let voice = Voice::new();
    // No language in the command line, which would be saved at every start.
    let launch = Launch::training(app()).in_folder(shop.folder());
    let launch = launch.with(["--members", "60"]).env("PATH", &voice.path());
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let cashier = shop.cashier(&window);
    cashier.sign_in().await.unwrap();
    cashier.open_shift().await.unwrap();
    let words = Words::of("en").unwrap();

    go(&cashier, Key::F9, "settings.name").await;
    sound(&cashier, &voice).await;
    for (place, group, choice) in LEFT.into_iter().take(5) {
        // The first of them is the language.
        let words = if group == "settings.language" {
            &shop.words
        } else {
            &words
        };
        choose(
            &Cashier {
                window: &window,
                words,
            },
            place,
            group,
            choice,
        )
        .await;
    }
    let cashier = Cashier {
        window: &window,
        words: &words,
    };
    looks_changed(&cashier).await;
    window.has_windows(2).await.unwrap();
    part(&cashier, "settings.selling").await;
    scanner(&cashier).await;
    for (place, group, choice) in LEFT.into_iter().skip(5) {
        choose(&cashier, place, group, choice).await;
    }
    wrong_printer(&cashier).await;
    selling_changed(&cashier).await;
    window.close().await.unwrap();

    let window = Window::open(&shop.display, &launch).await.unwrap();
    window.turn_to(COUNTER).await.unwrap();
    let cashier = Cashier {
        window: &window,
        words: &words,
    };
    let status = cashier.wait_until_open().await.unwrap();
    looks_changed(&cashier).await;
    let pin = &status["training"]["pins"][0];
    let (number, pin) = (pin[0].as_str().unwrap(), pin[1].as_str().unwrap());
    cashier.enter_pin(number, pin).await.unwrap();
    window.has_windows(2).await.unwrap();
    go(&cashier, Key::F9, "settings.name").await;
    for (place, group, choice) in LEFT {
        part(&cashier, place).await;
        let (group, choice) = (words.get(group).unwrap(), said(&words, choice));
        let chosen = window.is_chosen_in(&group, &choice).await.unwrap();
        assert!(chosen, "{choice} of {group}");
    }
    selling_changed(&cashier).await;
    window.close().await.unwrap();
}

/// The sentence of a key, or the words themselves where they are the same in every language.
fn said(words: &Words, choice: &str) -> String {
    words.get(choice).unwrap_or_else(|_| choice.to_owned())
}

async fn choose(cashier: &Cashier<'_>, place: &str, group: &str, choice: &str) {
    let Cashier { window, words } = cashier;
    let heading = words.get(place).unwrap();
    window.control("heading", &heading).await.unwrap();
    let (group, choice) = (words.get(group).unwrap(), said(words, choice));
    window.choose_in(&group, &choice).await.unwrap();
}

/// Muted, it says so; soft, the voice is soft.
async fn sound(cashier: &Cashier<'_>, voice: &Voice) {
    let Cashier { window, words } = cashier;
    let word = |key: &str| words.get(key).unwrap();
    let group = word("settings.sound");
    window
        .choose_in(&group, &word("settings.mute"))
        .await
        .unwrap();
    window.text(&word("settings.mute_hint")).await.unwrap();
    window.text(&word("settings.voice_muted")).await.unwrap();
    window
        .choose_in(&group, &word("settings.soft"))
        .await
        .unwrap();
    window.text(&word("settings.sound_hint")).await.unwrap();
    let listen = word("settings.voice_try");
    window.click("button", &listen).await.unwrap();
    voice.has_said(&["-w -l zh -i -40 -- 试听，没有收款"]).await;
}

/// Language, theme and size of type of the page that is shown.
async fn looks_changed(Cashier { window, .. }: &Cashier<'_>) {
    let script = "const { lang, dataset, style } = document.documentElement; \
                  return [lang, dataset.theme, style.fontSize]";
    until("the looks that were chosen", PATIENCE, || async {
        let worn = window.run(script).await?;
        Ok((worn == json!(["en", "dark", "125%"])).then_some(()))
    })
    .await
    .unwrap();
}

/// The same slow scan is typed by hand for the shortest pause, and a scan for the longest.
async fn scanner(cashier: &Cashier<'_>) {
    let Cashier { window, words } = cashier;
    let group = words.get("settings.scan_pause").unwrap();
    let trial = words.get("settings.scan_try").unwrap();
    for (pause, verdict) in [
        ("40 ms", "settings.scan_too_slow"),
        ("160 ms", "settings.scan_scan"),
    ] {
        window.choose_in(&group, pause).await.unwrap();
        let verdict = words.start_of(verdict).unwrap();
        // A machine that hands the keys on too late makes any scanner slow.
        until("the trial's verdict", PATIENCE, || async {
            window.click("textbox", &trial).await?;
            window.type_slowly("690123456", PAUSE).await?;
            Ok(window.seen().await?.contains(verdict).then_some(()))
        })
        .await
        .unwrap();
    }
}

/// An address that is none is said beside its field and not saved.
async fn wrong_printer(cashier: &Cashier<'_>) {
    let Cashier { window, words } = cashier;
    let word = |key: &str| words.get(key).unwrap();
    part(cashier, "printer.name").await;
    let network = word("printer.network");
    window.choose("radio", &network).await.unwrap();
    let host = word("printer.host");
    window.fill("textbox", &host, "bad host/x").await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let wrong = word("printer.host_wrong");
    window.text(&wrong).await.unwrap();
    let field = window.control("textbox", &host).await.unwrap();
    let beside = field.attribute("aria-describedby").await.unwrap().unwrap();
    let beside = format!("return document.getElementById('{beside}').textContent");
    assert_eq!(window.run(&beside).await.unwrap(), json!(wrong));
    let session: Value = window.call("session", Value::Null).await.unwrap();
    assert_eq!(session["settings"]["printer"]["target"]["kind"], "folder");
}

/// The form leads in steps, a balance between the usual mark and the one that was set is low, and
/// the number pad is beside a field of figures.
async fn selling_changed(cashier: &Cashier<'_>) {
    let Cashier { window, words } = cashier;
    let (number, name) = somebody_low(window).await;
    let counter = words.get("rail.counter").unwrap();
    window
        .click("button", &format!("/{counter}/"))
        .await
        .unwrap();
    cashier.find(&number, &name).await.unwrap();
    let steps = words.get("guide.name").unwrap();
    window.control("list", &steps).await.unwrap();
    let low = words.with("member.low", &[("limit", "¥500")]).unwrap();
    window.text(&low).await.unwrap();
    let other = words.get("top_up.custom").unwrap();
    window.click("textbox", &other).await.unwrap();
    let pad = words.get("number_pad.name").unwrap();
    window.control("region", &pad).await.unwrap();
}

/// Number and name of a member whose balance the usual mark lets pass.
async fn somebody_low(window: &Window) -> (String, String) {
    for surname in ["王", "李", "张", "刘", "陈", "杨", "黄", "赵", "周", "吴"] {
        let hits: Vec<Value> = window
            .call("search_members", json!({ "text": surname, "exact": false }))
            .await
            .unwrap();
        let low = |hit: &&Value| matches!(hit["available_fen"].as_i64(), Some(10_000..50_000));
        if let Some(hit) = hits.iter().find(low) {
            let text = |field: &str| hit[field].as_str().unwrap().to_owned();
            return (text("member_no"), text("name"));
        }
    }
    panic!("nobody of the sample shop has between ¥100 and ¥500");
}
