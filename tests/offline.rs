//! A terminal and a server of its own: the server dies, cash goes on, everything arrives once.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use qiantai_testkit::{Key, Launch, Method, PATIENCE, Window, until};

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, app, balance, orders, sync_state, synced};

#[tokio::test(flavor = "multi_thread")]
async fn cash_goes_on_without_the_server_and_arrives_once() {
    let shop = Shop::new();
    let ledger = tempfile::tempdir().unwrap();
    let books = Books::new(ledger.path());
    let server = books.serve();
    // Where the server is and how it proves itself, the terminal learns from the code.
    let launch = Launch::of(app()).in_folder(shop.folder());
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let join = shop.words.get("first_start.join").unwrap();
    window.click("button", &join).await.unwrap();
    let asked = shop.words.get("trouble.enrol_code").unwrap();
    window.fill("textbox", &asked, &books.code()).await.unwrap();
    window.press(Key::Enter).await.unwrap();
    let next = shop.words.get("keep.last_group").unwrap();
    window.control("textbox", &next).await.unwrap();
    let code = shop.recovery_code(&window).await;
    shop.confirm_recovery_code(&window, &code).await;
    shop.sign_in_joined(&window).await;
    let cashier = shop.cashier(&window);
    cashier.open_shift().await.unwrap();
    let before = balance(&window).await;
    synced(&window).await;

    drop(server);
    sync_state(&window, "offline").await;
    let mut expected = before;
    for _ in 0..2 {
        expected += cash_top_up(&shop, &window).await;
    }
    assert_eq!(balance(&window).await, expected);
    window.kill().await.unwrap();

    // A cold start without the server: everything is still there.
    let window = Window::open(&shop.display, &launch).await.unwrap();
    shop.sign_in_joined(&window).await;
    assert_eq!(balance(&window).await, expected);
    assert!(
        orders(&window)
            .await
            .iter()
            .all(|order| order["provisional"] == true)
    );

    let _server = books.serve();
    synced(&window).await;
    // What the server took comes back with its next news.
    until("the server's word on both", PATIENCE, || async {
        let orders = orders(&window).await;
        assert_eq!(orders.len(), 2);
        let confirmed = orders.iter().all(|order| order["provisional"] == false);
        Ok(confirmed.then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(balance(&window).await, expected, "everything arrived, once");
    window.close().await.unwrap();
}

async fn cash_top_up(shop: &Shop, window: &Window) -> i64 {
    let cashier = shop.cashier(window);
    let amount = if orders(window).await.is_empty() {
        "300"
    } else {
        "500"
    };
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount(amount).await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    let order = cashier.newest_order().await.unwrap();
    assert_eq!(order["provisional"], true);
    cashier.next_customer().await.unwrap();
    order["pay_fen"].as_i64().unwrap() + order["bonus_fen"].as_i64().unwrap()
}

/// A ledger folder and its server.
struct Books {
    folder: PathBuf,
    port: u16,
}

impl Books {
    fn new(folder: &Path) -> Books {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let books = Books {
            folder: folder.to_owned(),
            port,
        };
        books.run(&["init", "--sample", "gym", "--members", "60"]);
        books
    }

    fn code(&self) -> String {
        let said = self.run(&["enrol", "--listen", &self.listen()]);
        said.lines().next().unwrap().to_owned()
    }

    fn listen(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn serve(&self) -> Running {
        let mut child = self
            .command(&["serve", "--listen", &self.listen()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Its first line says that it listens.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(!line.is_empty(), "the server ended at once");
        Running(child)
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = app().with_file_name("qiantai-server");
        assert!(
            program.exists(),
            "build it first: cargo build -p qiantai-server"
        );
        let mut command = Command::new(program);
        command.args(arguments).arg("--data").arg(&self.folder);
        // As on a network: encrypted, by an authority that only the code tells the terminal of.
        command.args(["--plain-http", "never"]);
        command
    }
}

/// A server process, killed without warning when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
