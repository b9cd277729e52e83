//! A shop for one test: a display, a folder, and the app as it is started there.

use std::path::{Path, PathBuf};

use qiantai_server::sample::TRAINING_STAFF;
use qiantai_testkit::{Cashier, Display, Fault, Launch, Looks, PATIENCE, Window, Words, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::books::Books;

/// The member of the sample shops with 460 + 70 yuan, and the phone that finds nobody else.
pub const MEMBER: &str = "张伟";
pub const MEMBER_PHONE: &str = "13812345678";

/// A shop with few members, so that it opens quickly.
pub struct Shop {
    pub display: Display,
    pub words: Words,
    folder: TempDir,
}

impl Shop {
    /// A training shop in Chinese.
    pub fn new() -> Shop {
        Shop::in_language("zh-CN")
    }

    /// A training shop in `language`.
    pub fn in_language(language: &str) -> Shop {
        Shop {
            words: Words::of(language).unwrap(),
            ..Shop::before(Display::start().unwrap())
        }
    }

    /// A training shop in Chinese whose screens are `display`.
    pub fn before(display: Display) -> Shop {
        Shop {
            display,
            words: Words::of("zh-CN").unwrap(),
            folder: TempDir::new().unwrap(),
        }
    }

    /// Folder of the shop's files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How the app is started here in training mode.
    pub fn launch(&self) -> Launch {
        Launch::training(app()).in_folder(self.folder()).with([
            "--members",
            "60",
            "--lang",
            self.words.language(),
        ])
    }

    /// The app, opened in training mode.
    pub async fn open(&self) -> Window {
        Window::open(&self.display, &self.launch()).await.unwrap()
    }

    /// The app, opened, with a cashier signed in and a shift open.
    pub async fn open_counter(&self) -> Window {
        let window = self.open().await;
        let cashier = self.cashier(&window);
        cashier.sign_in().await.unwrap();
        cashier.open_shift().await.unwrap();
        window
    }

    /// The app, opened again in the middle of a shift.
    pub async fn open_again(&self) -> Window {
        let window = self.open().await;
        self.cashier(&window).sign_in().await.unwrap();
        window
    }

    /// The app as a new terminal of `books`, with a cashier signed in and a shift open.
    pub async fn join(&self, books: &Books) -> Window {
        let window = Window::open(&self.display, &books.first_launch(self))
            .await
            .unwrap();
        let code = self.recovery_code(&window).await;
        self.confirm_recovery_code(&window, &code).await;
        self.sign_in_joined(&window).await;
        self.cashier(&window).open_shift().await.unwrap();
        synced(&window).await;
        window
    }

    /// The recovery code that a new terminal shows.
    pub async fn recovery_code(&self, window: &Window) -> String {
        let status = self.cashier(window).wait_until_open().await.unwrap();
        status["state"]["code"].as_str().unwrap().to_owned()
    }

    /// Proves that the recovery code is on paper.
    pub async fn confirm_recovery_code(&self, window: &Window, code: &str) {
        let last = code.rsplit('-').next().unwrap();
        let field = self.words.get("keep.last_group").unwrap();
        window.fill("textbox", &field, last).await.unwrap();
        let confirm = self.words.get("keep.confirm").unwrap();
        window.click("button", &confirm).await.unwrap();
    }

    /// Signs in as the sample shops' first cashier where no training shows the PINs.
    pub async fn sign_in_joined(&self, window: &Window) {
        let (number, pin, _) = TRAINING_STAFF[0];
        self.cashier(window).sign_in_as(number, pin).await.unwrap();
    }

    /// The words of a window in `looks`.
    pub fn words_of(looks: Looks) -> Words {
        Words::of(looks.language).unwrap()
    }

    /// A cashier before `window`.
    pub fn cashier<'a>(&'a self, window: &'a Window) -> Cashier<'a> {
        Cashier {
            window,
            words: &self.words,
        }
    }
}

/// The files of a shop without those of the web view, to look into or to damage.
pub fn copy_of(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    copy
}

/// The app that is tested.
pub fn app() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_qiantai"))
}

/// The member as the window knows it.
pub async fn member(window: &Window) -> Result<Value, Fault> {
    let hits: Vec<Value> = window
        .call(
            "search_members",
            json!({ "text": MEMBER_PHONE, "exact": true }),
        )
        .await?;
    window
        .call("member", json!({ "member_id": hits[0]["id"] }))
        .await
}

/// The longest pause between two keys of a scan: a busy machine hands keys on late, and a burst that
/// is taken for a hand would be typed.
const PAUSE_MAX_MS: u32 = 200;

/// Lets a scan be told from a hand on a busy machine.
pub async fn expect_slow_scans(window: &Window) {
    let session: Value = window.call("session", Value::Null).await.unwrap();
    let mut settings = session["settings"].clone();
    settings["scan_pause_max_ms"] = json!(PAUSE_MAX_MS);
    let _saved: Value = window.call("save_settings", settings).await.unwrap();
}

/// What the member can spend, in fen.
pub async fn balance(window: &Window) -> i64 {
    member(window).await.unwrap()["available_fen"]
        .as_i64()
        .unwrap()
}

/// The amount that one step fills in, by the button that says so: `¥300`.
pub async fn suggested(Cashier { window, words }: &Cashier<'_>) -> String {
    let go = words.start_of("member.low_go").unwrap();
    let button = window.button(&format!("/^{go} ?¥/")).await.unwrap();
    amount_in(&button.text().await.unwrap())
}

/// The first amount in a text: `¥1,300`.
pub fn amount_in(text: &str) -> String {
    let (_, amount) = text.split_once('¥').unwrap();
    let figures = amount.chars();
    let figures = figures.take_while(|figure| figure.is_ascii_digit() || ",.".contains(*figure));
    format!("¥{}", figures.collect::<String>().trim_end_matches(".00"))
}

/// An amount in whole yuan as the books have it.
pub fn fen_of(amount: &str) -> i64 {
    let yuan: i64 = amount.replace(['¥', ','], "").parse().unwrap();
    yuan * 100
}

/// Every order of this terminal.
pub async fn orders(window: &Window) -> Vec<Value> {
    window.call("orders", Value::Null).await.unwrap()
}

/// Waits until the server has confirmed everything that this terminal did.
pub async fn synced(window: &Window) {
    sync_state(window, "synced").await;
}

/// Waits until the sync pill says `state`.
pub async fn sync_state(window: &Window, state: &str) {
    let what = format!("the sync pill to say {state}");
    until(&what, PATIENCE * 3, || async {
        let session: Value = window.call("session", Value::Null).await?;
        Ok((session["sync"]["state"] == state).then_some(()))
    })
    .await
    .unwrap();
}
