//! The second copy of what a terminal wrote: it follows every sale, holds none up, and brings a
//! destroyed terminal back.

use qiantai_core::{Millis, Money};
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{CallError, ErrorCode};
use qiantai_counter::view::second_copy::{SecondCopySetting, SecondCopyView};

use crate::shop::Shop;
use crate::till::Till;

async fn choose(till: &Till, folder: Option<&str>) -> Result<SecondCopyView, CallError> {
    let folder = folder.map(str::to_owned);
    till.desk
        .set_second_copy(SecondCopySetting { folder })
        .await
}

async fn until(till: &Till, what: &str, is_so: impl Fn(&SecondCopyView) -> bool) -> SecondCopyView {
    till.until(what, async || {
        let view = till.desk.second_copy(()).await.unwrap();
        is_so(&view).then_some(view)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_terminal_comes_back_from_its_second_copy() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let stick = shop.path("stick");
    let name = stick.to_string_lossy().into_owned();
    let before = till.desk.second_copy(()).await.unwrap();
    assert_eq!((before.folder, before.waiting), (None, 0));
    for (folder, expected) in [("stick", "copy_not_absolute"), (&name, "copy_gone")] {
        let refused = choose(&till, Some(folder)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidInput);
        assert_eq!(refused.message_key, format!("error.{expected}"));
    }
    std::fs::create_dir(&stick).unwrap();
    let chosen = choose(&till, Some(&format!(" {name} "))).await.unwrap();
    assert_eq!(chosen.folder.as_deref(), Some(name.as_str()));
    assert_eq!(chosen.waiting, 0, "what was written before is there too");
    // The test's stick lies on the till's own disk.
    assert_eq!(chosen.warning_key.as_deref(), Some("copy.same_disk"));
    assert_eq!(till.session().await.sync.copy_key, chosen.warning_key);

    till.cut(&shop).await;
    for _ in 0..3 {
        till.cash(&member, "100").await;
    }
    until(&till, "the copy has the sales", |view| view.waiting == 0).await;

    // Pulled out: sales go on, and the pill says what is wrong with the copy.
    let pocket = shop.path("pocket");
    std::fs::rename(&stick, &pocket).unwrap();
    till.cash(&member, "200").await;
    let gone = until(&till, "the stick is missed", |view| {
        view.warning_key.as_deref() == Some("copy.gone")
    })
    .await;
    assert_eq!(gone.waiting, 1);
    assert!(gone.oldest_ms.is_some());
    let pill = till.session().await.sync;
    assert_eq!(pill.copy_key.as_deref(), Some("copy.gone"));
    std::fs::rename(&pocket, &stick).unwrap();
    till.cash(&member, "300").await;
    let back = until(&till, "the copy caught up", |view| view.waiting == 0).await;
    assert_eq!(back.warning_key.as_deref(), Some("copy.same_disk"));

    till.crash().await;
    for folder in ["till", "keys"] {
        std::fs::remove_dir_all(shop.path(folder)).unwrap();
    }
    assert_eq!(shop.credits(&member), []);
    let taken = shop.server.bring_back_copies(&stick).await.unwrap();
    let taken = taken.terminals;
    assert_eq!((taken.len(), taken[0].new, taken[0].stopped), (1, 5, None));
    let expected = [100, 100, 100, 200, 300].map(Money::from_yuan);
    assert_eq!(shop.credits(&member), expected);
    shop.time.advance(Millis::minutes(5));
    let till = Till::open(&shop).await;
    assert_eq!(till.member(&member).await.available_fen.0 % 100, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_can_be_ended_and_needs_a_person() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let stick = shop.path("stick");
    std::fs::create_dir(&stick).unwrap();
    choose(&till, stick.to_str()).await.unwrap();
    let ended = choose(&till, Some("  ")).await.unwrap();
    assert_eq!((ended.folder, ended.warning_key), (None, None));
    assert_eq!(till.session().await.sync.copy_key, None);
    till.desk.sign_out(()).await.unwrap();
    let refused = choose(&till, stick.to_str()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotSignedIn);
    let refused = till.desk.second_copy(()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotSignedIn);
}
