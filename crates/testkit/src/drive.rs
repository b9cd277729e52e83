//! `drive`: does the job of the counter through its real window and keeps what it leaves behind.
//! Started by `cargo xtask run --headless`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool answers on standard output"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use qiantai_testkit::{Cashier, Display, Fault, Launch, Method, PATIENCE, Window, Words, until};
use serde_json::{Value, json};

/// One top-up by QR code and one by cash, through the real window.
#[derive(Debug, Parser)]
struct Arguments {
    /// The app.
    #[arg(long)]
    app: PathBuf,
    /// Where screenshots, receipts and the summary go.
    #[arg(long)]
    out: PathBuf,
    /// Language of the window.
    #[arg(long, default_value = "zh-CN")]
    lang: String,
    /// Further arguments of the app.
    #[arg(last = true)]
    rest: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Whatever ends the drive, the window and the display end with it.
    let outcome = tokio::select! {
        outcome = drive(&arguments) => outcome,
        () = tokio::time::sleep(DRIVE_MAX) => Err(Fault::InVain {
            what: "the end of the drive".into(),
            seconds: DRIVE_MAX.as_secs(),
        }),
        () = told_to_stop() => Err(Fault::Unexpected("stopped".into())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Waits until a person or the system wants the program to end.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // Without a handler for signals they end the program as usual.
    std::future::pending().await
}

/// Two top-ups take seconds; a machine under load may need minutes.
const DRIVE_MAX: Duration = Duration::from_secs(600);
/// Longest time from payment to the success screen that a customer may have to stand and wait, in
/// milliseconds.
const SUCCESS_WITHIN_MS: u64 = 3_000;
/// The member of the sample shops who tops up.
const MEMBER: &str = "张伟";
const MEMBER_PHONE: &str = "13812345678";
/// What the member pays, by QR code and in cash.
const QR_YUAN: &str = "300";
const CASH_YUAN: &str = "500";

async fn drive(arguments: &Arguments) -> Result<(), Fault> {
    let words = Words::of(&arguments.lang)?;
    let mut album = Album::open(&arguments.out)?;
    let data = tempfile::tempdir().map_err(|source| Fault::file("a temporary folder", source))?;
    let display = Display::start()?;
    let launch = Launch::training(&arguments.app)
        .in_folder(data.path())
        .with(["--lang", words.language()])
        .with(&arguments.rest);
    let window = Window::open(&display, &launch).await?;
    let cashier = Cashier {
        window: &window,
        words: &words,
    };
    let phone = cashier.customers_phone().await?;

    window
        .control("heading", &words.get("sign_in.who")?)
        .await?;
    album.picture(&window, "sign-in").await?;
    cashier.sign_in().await?;
    window
        .control("heading", &words.get("shift.title")?)
        .await?;
    album.picture(&window, "open-shift").await?;
    cashier.open_shift().await?;
    album.picture(&window, "counter").await?;

    cashier.find(MEMBER_PHONE, MEMBER).await?;
    album.picture(&window, "member").await?;
    cashier.choose_amount(QR_YUAN).await?;
    cashier.choose_method(Method::Wechat).await?;
    album.picture(&window, "top-up-by-qr").await?;
    cashier.take_payment().await?;
    let code = cashier.payment_qr(Method::Wechat).await?;
    album.picture(&window, "paying").await?;
    album.keep("payment-qr.png", &code)?;
    let payload = cashier.newest_order().await?["qr"]["payload"].take();
    let payment = phone.scan(code).await?;
    let paid_at = Instant::now();
    phone.pay(&payment).await?;
    cashier.success().await?;
    let mut by_qr = summary(&cashier, paid_at).await?;
    by_qr["payment_qr"] = payload;
    album.picture(&window, "success-by-qr").await?;
    album.receipt(&window, &by_qr).await?;
    cashier.next_customer().await?;

    cashier.find(MEMBER_PHONE, MEMBER).await?;
    cashier.choose_amount(CASH_YUAN).await?;
    cashier.choose_method(Method::Cash).await?;
    album.picture(&window, "top-up-by-cash").await?;
    let paid_at = Instant::now();
    cashier.take_payment().await?;
    cashier.success().await?;
    let by_cash = summary(&cashier, paid_at).await?;
    album.picture(&window, "success-by-cash").await?;
    cashier.next_customer().await?;
    album.picture(&window, "next-customer").await?;
    window.close().await?;

    let top_ups = [by_qr, by_cash];
    let text = format!("{:#}\n", json!({ "top_ups": top_ups }));
    album.keep("summary.json", text.as_bytes())?;
    println!(
        "{text}Screenshots, receipts and summary: {}",
        arguments.out.display()
    );
    in_time(&top_ups)
}

/// Whether each success was on the screen soon enough after its payment.
fn in_time(top_ups: &[Value]) -> Result<(), Fault> {
    for top_up in top_ups {
        let took = top_up["payment_to_success_ms"].as_u64();
        if took.is_none_or(|took| took > SUCCESS_WITHIN_MS) {
            return Err(Fault::Unexpected(format!(
                "the success screen of order {} came {} ms after its payment; it may take {} ms",
                top_up["order_no"].as_str().unwrap_or("?"),
                took.map_or("?".into(), |took| took.to_string()),
                SUCCESS_WITHIN_MS
            )));
        }
    }
    Ok(())
}

/// What the summary says of the order on the success screen.
async fn summary(cashier: &Cashier<'_>, paid_at: Instant) -> Result<Value, Fault> {
    let until_success_ms = u64::try_from(paid_at.elapsed().as_millis()).unwrap_or(u64::MAX);
    let order = cashier.newest_order().await?;
    let credit = &order["credit"];
    if order["stage"] != "credited" {
        return Err(Fault::Unexpected(format!(
            "success, but the order says {}",
            order["stage"]
        )));
    }
    Ok(json!({
        "order_id": order["id"],
        "order_no": order["order_no"],
        "member": order["member"],
        "method": order["channel"],
        "paid_fen": order["pay_fen"],
        "bonus_fen": order["bonus_fen"],
        "balance_before_fen": credit["balance_before_fen"],
        "balance_after_fen": credit["balance_after_fen"],
        "tier_before": credit["tier_before"],
        "tier_after": credit["tier_after"],
        "payment_to_success_ms": until_success_ms,
    }))
}

/// The folder in which a run leaves its results.
struct Album {
    folder: PathBuf,
    pictures: u32,
}

impl Album {
    /// Makes the folder, and removes what an earlier run left in it.
    fn open(folder: &Path) -> Result<Album, Fault> {
        std::fs::create_dir_all(folder).map_err(|source| Fault::file(folder, source))?;
        let entries = std::fs::read_dir(folder).map_err(|source| Fault::file(folder, source))?;
        // Without it nothing here is of a run.
        let is_of_a_run = folder.join("summary.json").exists();
        for entry in entries {
            let path = entry.map_err(|source| Fault::file(folder, source))?.path();
            if is_of_a_run && is_ours(&path) {
                std::fs::remove_file(&path).map_err(|source| Fault::file(&path, source))?;
            }
        }
        Ok(Album {
            folder: folder.to_owned(),
            pictures: 0,
        })
    }

    async fn picture(&mut self, window: &Window, name: &str) -> Result<(), Fault> {
        self.pictures += 1;
        let name = format!("{:02}-{name}.png", self.pictures);
        self.keep(&name, &window.picture().await?.png()?)
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).map_err(|source| Fault::file(&path, source))?;
        println!("  {name}");
        Ok(())
    }

    /// Keeps the receipt of an order as the printer wrote it.
    async fn receipt(&self, window: &Window, order: &Value) -> Result<(), Fault> {
        let number = order["order_no"].as_str().unwrap_or_default();
        let session: Value = window.call("session", Value::Null).await?;
        let folder = session["settings"]["printer"]["target"]["path"].as_str();
        let folder = folder.map(PathBuf::from).ok_or_else(|| {
            Fault::Unexpected("the training printer does not print into a folder".into())
        })?;
        for ending in ["pdf", "escpos"] {
            let printed = until("the receipt", PATIENCE, || async {
                Ok(printed(&folder, number, ending))
            })
            .await?;
            let bytes = std::fs::read(&printed).map_err(|source| Fault::file(&printed, source))?;
            self.keep(&format!("receipt.{ending}"), &bytes)?;
        }
        Ok(())
    }
}

/// Whether a file was left by an earlier run.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let numbered = matches!(
        name.as_bytes(),
        [b'0'..=b'9', b'0'..=b'9', b'-', b'a'..=b'z', ..]
    ) && name.ends_with(".png");
    let fixed = [
        "payment-qr.png",
        "receipt.pdf",
        "receipt.escpos",
        "summary.json",
    ];
    numbered || fixed.contains(&name.as_ref())
}

/// The first slip of an order in the printer's folder.
fn printed(folder: &Path, order_no: &str, ending: &str) -> Option<PathBuf> {
    let slips = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()));
    slips
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .filter(|path| path.to_string_lossy().contains(order_no))
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_that_comes_late_fails_the_drive_in_plain_words() {
        let took = |ms: Value| json!({ "order_no": "RC-1", "payment_to_success_ms": ms });
        let judged = |times: &[Value]| {
            let top_ups: Vec<_> = times.iter().cloned().map(took).collect();
            in_time(&top_ups).map_err(|fault| fault.to_string())
        };
        assert_eq!(judged(&[json!(1), json!(3_000)]), Ok(()));
        let late = "the success screen of order RC-1 came 3001 ms after its payment; \
                    it may take 3000 ms";
        assert_eq!(judged(&[json!(1), json!(3_001)]), Err(late.to_owned()));
        assert!(judged(&[Value::Null]).is_err(), "unmeasured is not in time");
    }
}
