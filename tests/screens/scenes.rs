//! States that no test can bring about with a real shop, in the same web view: the window's pages
//! over the demo counter, which a test may tell anything.

use std::path::PathBuf;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use qiantai_testkit::{Key, Launch, Looks, PATIENCE, Window, Words, until};
use serde_json::Value;
use tempfile::TempDir;

use crate::shop::{Shop, app};
use crate::tour::{AND_LARGE, EVERY, Tour};

/// Built by `npm run build:demo` in ui/.
const PAGES: &str = "ui/dist-demo";

/// A state, and how the demo counter comes to it.
struct Scene {
    /// Its name in the table, without the walk's.
    screen: &'static str,
    /// Where the demo counter begins (`ui/src/platform/demo/scenes.ts`).
    begins: &'static str,
    steps: &'static [Step],
    /// A sentence by which the screen is known, by its key.
    says: &'static str,
}

enum Step {
    /// Looks for a member and takes the first hit.
    Serve(&'static str),
    Type(&'static str),
    Press(Key),
    /// Presses the button of this name, by its key.
    Click(&'static str),
    /// Presses the button whose name begins so, by its key.
    Begins(&'static str),
    /// Waits for a sentence, by its key.
    Wait(&'static str),
    /// Tells the demo counter something.
    Tell(&'static str),
}

const SCENES: &[Scene] = &[
    Scene {
        screen: "opening",
        begins: "opening",
        steps: &[],
        says: "boot.opening",
    },
    trouble("disk_full", "trouble.disk_full.title"),
    trouble("code_foreign", "trouble.code_foreign.title"),
    trouble("code_used", "trouble.code_used.title"),
    trouble("server_untrusted", "trouble.server_untrusted.title"),
    Scene {
        screen: "charging",
        begins: "counter",
        steps: &[
            Step::Serve("张伟"),
            Step::Wait("top_up.custom"),
            Step::Type("3w"),
            Step::Press(Key::Enter),
            Step::Wait("stage.waiting.title"),
            Step::Tell("move({ stage: 'charging', qr: null, by_code: true })"),
        ],
        says: "stage.charging.title",
    },
    Scene {
        screen: "refused",
        begins: "counter",
        steps: &[
            Step::Serve("张伟"),
            Step::Wait("top_up.custom"),
            Step::Type("3w"),
            Step::Press(Key::Enter),
            Step::Wait("stage.waiting.title"),
            Step::Tell(
                "move({ stage: 'refused', qr: null, \
                 failure: { code: '130', message_key: 'error.limit_blocked' } })",
            ),
        ],
        says: "stage.refused.pane",
    },
    Scene {
        screen: "receipts-back",
        begins: "counter",
        steps: &[
            Step::Wait("rail.counter"),
            Step::Press(Key::F8),
            Step::Click("receipts.name"),
        ],
        says: "receipts.scan_now",
    },
    Scene {
        screen: "release-alone",
        begins: "case_alone",
        steps: &[
            Step::Begins("rail.cases"),
            Step::Begins("cases.credit_name"),
        ],
        says: "cases.credit_alone",
    },
    Scene {
        screen: "low-balance",
        begins: "counter",
        steps: &[
            Step::Tell(
                "demo.books.session.settings.low_balance_fen = 50000; \
                 demo.emit({ kind: 'session' })",
            ),
            Step::Serve("曾可"),
        ],
        says: "member.balance",
    },
    Scene {
        screen: "member-inactive",
        begins: "counter",
        steps: &[Step::Serve("解放")],
        says: "member.inactive",
    },
    Scene {
        screen: "member-long",
        begins: "counter",
        steps: &[
            Step::Serve("迪丽热巴"),
            Step::Wait("top_up.custom"),
            Step::Type("6c"),
        ],
        says: "cash.tendered",
    },
];

/// The fullest form, and two notices as long as anybody looks.
const NOTICES: Scene = Scene {
    screen: "notices",
    begins: "counter",
    steps: &[
        Step::Serve("张伟"),
        Step::Wait("top_up.custom"),
        Step::Type("1c"),
        Step::Wait("cash.tendered"),
        Step::Tell(
            "const fail = (trouble) => \
               demo.emit({ kind: 'print', job: { state: 'failed', trouble } }); \
             const say = () => ['error.printer_unreachable', 'error.printer_timeout'].forEach(fail); \
             say(); setInterval(say, 4000)",
        ),
    ],
    says: "error.printer_unreachable",
};

const fn trouble(cause: &'static str, says: &'static str) -> Scene {
    Scene {
        screen: cause,
        begins: cause,
        steps: &[],
        says,
    }
}

/// Changes the newest order as the counter would, and says so.
const MOVE: &str = "const { demo } = window; \
    const move = (change) => { \
      const order = Object.assign(demo.books.orders[0], change); \
      demo.emit({ kind: 'order', order }); \
    };";

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_demo_counter_can_show() {
    let shop = Shop::new();
    let folder = TempDir::new().unwrap();
    let launch = Launch::of(app()).in_folder(folder.path());
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let address = serve().await;
    let mut tour = Tour::new("scene");
    let (window, address) = (&window, &address);
    for scene in SCENES {
        tour.stop_anew(window, scene.screen, EVERY, |looks| {
            play(window, address, scene, looks)
        })
        .await;
    }
    // Room is scarce in large type, where nothing may lie below a notice either.
    tour.stop_anew(window, NOTICES.screen, AND_LARGE, |looks| {
        play(window, address, &NOTICES, looks)
    })
    .await;
    tour.end();
}

/// What the customer's display may have to show (`ui/src/platform/demo/customer.ts`), and the words
/// by which it is known.
const CUSTOMERS: &[(&str, &str)] = &[
    ("preparing", "state.preparing"),
    ("split", "cash_part"),
    ("confirm", "state.confirm"),
    ("charging", "state.charging"),
    ("checking", "state.checking"),
    ("not_paid", "state.not_paid"),
    ("received", "state.received"),
    ("cash", "provisional"),
    ("ask_staff", "state.ask_staff"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_may_be_shown() {
    let shop = Shop::new();
    let folder = TempDir::new().unwrap();
    let launch = Launch::of(app()).in_folder(folder.path());
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let address = serve().await;
    let mut tour = Tour::new("customer-scene");
    let (window, address) = (&window, &address);
    for (scene, says) in CUSTOMERS {
        let show = |looks: Looks| async move {
            let words = Words::for_customers(looks.language).unwrap();
            let (language, theme) = (looks.language, looks.theme);
            let page =
                format!("{address}/customer.html?scene={scene}&lang={language}&theme={theme}");
            window.visit(&page).await.unwrap();
            window.text(&words.get(says).unwrap()).await.unwrap();
        };
        tour.stop_anew(window, scene, EVERY, show).await;
    }
    tour.end();
}

async fn play(window: &Window, address: &str, scene: &Scene, looks: Looks) {
    let Looks {
        language,
        theme,
        type_percent,
    } = looks;
    let words = Shop::words_of(looks);
    let begins = scene.begins;
    let page = format!(
        "{address}/index.html?scene={begins}&lang={language}&theme={theme}&type={type_percent}"
    );
    window.visit(&page).await.unwrap();
    // What comes before the settings wears the looks of an earlier session.
    window.open_page_in(looks).await.unwrap();
    let here = until("the demo counter", PATIENCE, || async {
        let is_here = window
            .run("return window.demo?.books !== undefined")
            .await?;
        Ok((is_here == Value::Bool(true)).then_some(()))
    });
    here.await.unwrap();
    for step in scene.steps {
        match step {
            Step::Serve(name) => {
                let search = words.get("search.name").unwrap();
                window.fill("combobox", &search, name).await.unwrap();
                let hit = format!("/{name}/");
                window.click("option", &hit).await.unwrap();
                let label = words.get("member.name").unwrap();
                window.control("region", &label).await.unwrap();
            }
            Step::Type(keys) => window.type_text(keys).await.unwrap(),
            Step::Press(key) => window.press(*key).await.unwrap(),
            Step::Click(key) => {
                let name = words.get(key).unwrap();
                window.click("button", &name).await.unwrap();
            }
            Step::Begins(key) => {
                let name = format!("/^{}/", words.start_of(key).unwrap());
                window.click("button", &name).await.unwrap();
            }
            Step::Wait(key) => window.text(words.start_of(key).unwrap()).await.unwrap(),
            Step::Tell(what) => {
                window.run(&format!("{MOVE} {what}")).await.unwrap();
            }
        }
    }
    window
        .text(words.start_of(scene.says).unwrap())
        .await
        .unwrap();
}

/// Serves the pages from this machine to itself.
async fn serve() -> String {
    let pages = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(PAGES);
    assert!(pages.join("index.html").exists(), "{PAGES} is not built");
    let router = Router::new().route(
        "/{*name}",
        get(move |Path(name): Path<String>| {
            let file = pages.join(&name);
            async move { page(&name, std::fs::read(file)) }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn page(name: &str, read: std::io::Result<Vec<u8>>) -> Response {
    let Ok(bytes) = read else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    ([(CONTENT_TYPE, kind)], bytes).into_response()
}
