//! The start of the application, and files that are not as they were left.

use std::fs;

use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::boot::{BootState, RecoveryCode, TroubleCause, TypedEnrolCode};

use crate::line::Weather;
use crate::shop::{Shop, bytes_below};
use crate::till::{GOOD_CODE, Setup, Till};

/// A terminal that people work with, not in training.
const REAL: Setup = Setup {
    training: false,
    books_here: false,
    clock_wrong_by: qiantai_core::Millis(0),
    weather: Weather::Fair,
    trouble: None,
};

/// A shop whose terminal was set up and closed, and its recovery code.
async fn set_up() -> (Shop, String) {
    let shop = Shop::salon().await;
    let till = Till::start(&shop, REAL).await;
    let code = till.shown_code().await;
    till.confirm_code(code.rsplit('-').next().unwrap())
        .await
        .unwrap();
    till.sign_in().await;
    till.open_shift().await;
    till.until_synced().await;
    till.crash().await;
    (shop, code)
}

async fn recover(till: &Till, code: &str) -> Result<BootState, ErrorCode> {
    let answer = till
        .desk
        .recover(RecoveryCode {
            code: code.to_owned(),
        })
        .await;
    answer
        .map(|status| status.state)
        .map_err(|error| error.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_shows_the_recovery_code_until_it_is_on_paper() {
    let shop = Shop::salon().await;
    let till = Till::start(&shop, REAL).await;
    let first = till.shown_code().await;
    assert_eq!(first.split('-').count(), 7);
    assert!(till.folder.join("vault.json").exists() && till.folder.join("terminal.db").exists());
    let refused = till.desk.session(()).await.unwrap_err();
    assert_eq!(
        refused.code,
        ErrorCode::WrongState,
        "nobody works before the code is safe"
    );
    let last = first.rsplit('-').next().unwrap();
    for wrong in ["", "0000", &last[..3], first.split('-').next().unwrap()] {
        let refused = till.confirm_code(wrong).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::RecoveryWrong, "{wrong}");
    }
    till.crash().await;

    // Nobody has confirmed the first code: it is replaced, and only the new one counts.
    let till = Till::start(&shop, REAL).await;
    let second = till.shown_code().await;
    assert_ne!(first, second);
    let typed = format!(" {} ", second.rsplit('-').next().unwrap().to_lowercase());
    till.confirm_code(&typed).await.unwrap();
    assert_eq!(till.boot_state().await, BootState::Ready);
    till.sign_in().await;
    till.crash().await;

    let till = Till::start(&shop, REAL).await;
    assert_eq!(
        till.boot_state().await,
        BootState::Ready,
        "the code is shown once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn training_asks_nobody_to_write_a_code_down() {
    let shop = Shop::salon().await;
    let till = Till::start(&shop, Setup::default()).await;
    assert_eq!(till.boot_state().await, BootState::Ready);
    assert!(till.desk.boot_status(()).await.unwrap().training.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_recovered_by_the_code() {
    let (shop, code) = set_up().await;
    let typed: [fn(&str) -> String; 4] = [
        str::to_owned,
        str::to_lowercase,
        |code| code.replace('0', "O").replace('1', "l"),
        |code| code.replace('-', " "),
    ];
    for typed in typed {
        fs::remove_file(shop.path("keys").join("kek.key")).unwrap();
        let before = bytes_below(&shop.path("till"));
        let till = Till::start(&shop, REAL).await;
        let lost = BootState::Trouble {
            cause: TroubleCause::KeyLost,
            folder: till.folder.to_string_lossy().into_owned(),
            recoverable: true,
            enrollable: false,
        };
        assert_eq!(till.boot_state().await, lost);
        let other = "0000-0000-0000-0000-0000-0000-0000";
        for wrong in ["", "hello", other, &code[..code.len() - 1]] {
            assert_eq!(
                recover(&till, wrong).await,
                Err(ErrorCode::RecoveryWrong),
                "{wrong}"
            );
        }
        assert!(
            bytes_below(&shop.path("till")) == before,
            "a wrong code changed a file"
        );
        assert!(!shop.path("keys").join("kek.key").exists());
        let typed = typed(&code);
        assert_eq!(
            recover(&till, &typed).await,
            Ok(BootState::Ready),
            "{typed}"
        );
        assert_eq!(recover(&till, &typed).await, Err(ErrorCode::WrongState));
        till.sign_in().await;
        assert!(
            till.session().await.shift.is_some(),
            "the shift is still open"
        );
        till.crash().await;
        let till = Till::start(&shop, REAL).await;
        assert_eq!(
            till.boot_state().await,
            BootState::Ready,
            "the key store has the key again"
        );
        till.crash().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_open_are_named_and_left_alone() {
    type Spoil = fn(&Shop);
    let cases: [(&str, Spoil, TroubleCause, bool); 8] = [
        (
            "store replaced",
            |shop| overwrite(shop, "terminal.db", &[b'x'; 8192]),
            TroubleCause::DatabaseUnreadable,
            false,
        ),
        (
            "store emptied",
            |shop| overwrite(shop, "terminal.db", b""),
            TroubleCause::DatabaseCorrupt,
            false,
        ),
        (
            "store cut short",
            |shop| {
                let whole = fs::read(shop.path("till/terminal.db")).unwrap();
                overwrite(shop, "terminal.db", &whole[..4096]);
            },
            TroubleCause::DatabaseCorrupt,
            false,
        ),
        (
            "store gone",
            |shop| {
                fs::remove_file(shop.path("till/terminal.db")).unwrap();
            },
            TroubleCause::DatabaseUnreadable,
            false,
        ),
        (
            "vault gone",
            |shop| fs::remove_file(shop.path("till/vault.json")).unwrap(),
            TroubleCause::KeyLost,
            false,
        ),
        (
            "vault replaced",
            |shop| overwrite(shop, "vault.json", b"{}"),
            TroubleCause::VaultCorrupt,
            false,
        ),
        (
            "vault cut short",
            |shop| {
                let whole = fs::read(shop.path("till/vault.json")).unwrap();
                overwrite(shop, "vault.json", &whole[..whole.len() / 2]);
            },
            TroubleCause::VaultCorrupt,
            false,
        ),
        (
            "key of another vault",
            |shop| {
                let line = format!("qiantai-vault-{} {}\n", "0".repeat(32), "0".repeat(64));
                fs::write(shop.path("keys/kek.key"), line).unwrap();
            },
            TroubleCause::KeyLost,
            true,
        ),
    ];
    for (name, spoil, expected, expected_recoverable) in cases {
        let (shop, _) = set_up().await;
        // A power cut leaves the log beside the store; here it was folded in.
        spoil(&shop);
        let before = (
            bytes_below(&shop.path("till")),
            bytes_below(&shop.path("keys")),
        );
        for _ in 0..2 {
            let till = Till::start(&shop, REAL).await;
            match till.boot_state().await {
                BootState::Trouble {
                    cause, recoverable, ..
                } => {
                    assert_eq!(
                        (cause, recoverable),
                        (expected, expected_recoverable),
                        "{name}"
                    );
                }
                other => panic!("{name}: {other:?}"),
            }
            let refused = till.desk.session(()).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::WrongState, "{name}");
            till.crash().await;
        }
        let after = (
            bytes_below(&shop.path("till")),
            bytes_below(&shop.path("keys")),
        );
        assert!(after == before, "{name}: a file was changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_were_brought_back_open_without_a_new_start() {
    for name in ["terminal.db", "vault.json"] {
        let (shop, _) = set_up().await;
        let path = shop.path("till").join(name);
        let whole = fs::read(&path).unwrap();
        overwrite(&shop, name, &[b'x'; 8192]);
        let till = Till::start(&shop, REAL).await;
        let trouble = till.boot_state().await;
        assert!(matches!(trouble, BootState::Trouble { .. }), "{name}");
        let again = till.desk.open_again(()).await.unwrap();
        assert_eq!(again.state, trouble, "{name}: nothing was brought back");
        assert_eq!(fs::read(&path).unwrap(), [b'x'; 8192], "{name}");

        fs::write(&path, &whole).unwrap();
        let again = till.desk.open_again(()).await.unwrap();
        assert_eq!(again.state, BootState::Ready, "{name}");
        let refused = till.desk.open_again(()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::WrongState, "{name}");
        till.sign_in().await;
        assert!(
            till.session().await.shift.is_some(),
            "{name}: the shift is open"
        );
        till.crash().await;
    }
}

fn overwrite(shop: &Shop, name: &str, bytes: &[u8]) {
    fs::write(shop.path("till").join(name), bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_way_to_the_server_ends_in_is_shown() {
    use TroubleCause::{DatabaseCorrupt, DatabaseUnreadable, ServerUnreachable};
    let (shop, _) = set_up().await;
    // The ledger of this process is gone, is damaged; no server.
    for expected in [DatabaseUnreadable, DatabaseCorrupt, ServerUnreachable] {
        let setup = Setup {
            trouble: Some(expected),
            ..REAL
        };
        let till = Till::start(&shop, setup).await;
        match till.boot_state().await {
            BootState::Trouble {
                cause, recoverable, ..
            } => {
                assert_eq!((cause, recoverable), (expected, false));
            }
            other => panic!("{other:?}"),
        }
        till.crash().await;
    }
    let till = Till::start(&shop, REAL).await;
    assert_eq!(
        till.boot_state().await,
        BootState::Ready,
        "everything is still there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_joins_by_the_code_that_is_typed() {
    let shop = Shop::salon().await;
    let setup = Setup {
        trouble: Some(TroubleCause::NotJoined),
        ..REAL
    };
    let till = Till::start(&shop, setup).await;
    let is_asked = |state: BootState| matches!(state, BootState::FirstStart { .. });
    assert!(is_asked(till.boot_state().await));
    let enrol = async |code: &str| {
        let code = code.to_owned();
        till.desk.enrol(TypedEnrolCode { code }).await
    };
    assert!(is_asked(enrol("QTE1wrong").await.unwrap().state));
    let joined = enrol(GOOD_CODE).await.unwrap().state;
    assert!(
        matches!(joined, BootState::ShowRecoveryCode { .. }),
        "{joined:?}"
    );
    let again = enrol(GOOD_CODE).await.unwrap_err();
    assert_eq!(
        again.code,
        ErrorCode::WrongState,
        "there is nothing left to join"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_without_the_server_leaves_nothing_in_the_way_of_the_next() {
    let shop = Shop::salon().await;
    let till = Till::start(
        &shop,
        Setup {
            weather: Weather::Cut,
            ..REAL
        },
    )
    .await;
    match till.boot_state().await {
        BootState::Trouble {
            cause: TroubleCause::ServerUnreachable,
            ..
        } => {}
        other => panic!("{other:?}"),
    }
    till.crash().await;
    let till = Till::start(&shop, REAL).await;
    let code = till.shown_code().await;
    till.confirm_code(code.rsplit('-').next().unwrap())
        .await
        .unwrap();
    till.sign_in().await;
}
