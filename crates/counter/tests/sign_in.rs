//! Signing in, and what nobody may do without.

use qiantai_core::Millis;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::Fen;
use qiantai_counter::view::member::{MemberKey, MemberSearch};
use qiantai_counter::view::queue::JobKey;
use qiantai_counter::view::session::{OpenShift, SignIn};

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::{Setup, Till, copy_of, key, sentence};

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_pins_lock_for_ten_minutes_and_across_a_restart() {
    let shop = Shop::salon().await;
    let till = Till::start(&shop, Setup::default()).await;
    let session = till.session().await;
    assert_eq!(session.signed_in, None);
    assert_eq!(session.staff.len(), 4);
    for left in ["4", "3", "2", "1"] {
        let refused = till.sign_in_as("1001", "0000").await.unwrap_err();
        assert_eq!(
            (refused.code, refused.params["left"].as_str()),
            (ErrorCode::PinWrong, left)
        );
    }
    let locked = till.sign_in_as("1001", "0000").await.unwrap_err();
    assert_eq!(locked.code, ErrorCode::PinLocked);
    let right = till.sign_in_as("1001", "1234").await.unwrap_err();
    assert_eq!(
        right.code,
        ErrorCode::PinLocked,
        "the right PIN is not looked at"
    );
    till.crash().await;

    let till = Till::start(&shop, Setup::default()).await;
    let tile = till
        .session()
        .await
        .staff
        .into_iter()
        .find(|tile| tile.staff_no == "1001");
    assert!(tile.unwrap().locked_until_ms.is_some());
    assert_eq!(
        sentence(till.sign_in_as("1001", "1234").await),
        "error.pin_locked"
    );
    till.sign_in_as("1002", "2345")
        .await
        .expect("others may sign in");
    shop.time.advance(Millis::minutes(11));
    let session = till.sign_in_as("1001", "1234").await.unwrap();
    assert_eq!(session.signed_in.unwrap().staff_no, "1001");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_and_a_malformed_id_sign_nobody_in() {
    let shop = Shop::salon().await;
    let till = Till::start(&shop, Setup::default()).await;
    for id in ["", "1001", "01890000-0000-7000-8000-000000000000"] {
        let request = SignIn {
            staff_id: id.to_owned(),
            pin: "1234".to_owned(),
        };
        assert_eq!(
            till.desk.sign_in(request).await.unwrap_err().code,
            ErrorCode::NotFound,
            "{id}"
        );
    }
    assert_eq!(till.session().await.signed_in, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_without_a_person() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.cash_offer(&member, "300").await;
    let sale = till.cash(&member, "200").await;
    let slips = till.until_printed(&sale, 2).await;
    let slip = JobKey {
        job_id: slips[0].id.clone(),
    };
    let mut readable = till.session().await.settings;
    readable.type_percent = 150;
    let mut settings = readable.clone();
    settings.printer.drawer = !settings.printer.drawer;
    till.until_confirmed(&sale.id).await;
    till.desk.sign_out(()).await.unwrap();
    let member_key = || MemberKey {
        member_id: member.clone(),
    };
    let search = MemberSearch {
        text: "张伟".to_owned(),
        exact: false,
    };
    till.desk.save_settings(readable).await.unwrap();
    let answers = [
        ("search", till.desk.search_members(search).await.map(drop)),
        ("member", till.desk.member(member_key()).await.map(drop)),
        ("form", till.desk.top_up_form(member_key()).await.map(drop)),
        ("cash", till.pay_cash(&offer).await.map(drop)),
        (
            "cancel",
            till.desk.cancel_order(key(&sale.id)).await.map(drop),
        ),
        (
            "reprint",
            till.desk.reprint(copy_of(&sale.id)).await.map(drop),
        ),
        ("order", till.desk.order(key(&sale.id)).await.map(drop)),
        ("codes", till.desk.offer_codes(()).await.map(drop)),
        ("orders", till.desk.orders(()).await.map(drop)),
        ("receipt", till.desk.receipt(key(&sale.id)).await.map(drop)),
        ("queue", till.desk.queue(()).await.map(drop)),
        ("print", till.desk.retry_print(slip).await.map(drop)),
        (
            "settings",
            till.desk.save_settings(settings).await.map(drop),
        ),
        (
            "query",
            till.desk.query_payment(key(&sale.id)).await.map(drop),
        ),
        (
            "shift",
            till.desk
                .open_shift(OpenShift { counts: Vec::new() })
                .await
                .map(drop),
        ),
    ];
    for (name, answer) in answers {
        assert_eq!(
            answer.expect_err(name).code,
            ErrorCode::NotSignedIn,
            "{name}"
        );
    }
    till.until_synced().await;
    assert_eq!(shop.credits(&member).len(), 1);
    assert!(
        till.session().await.shift.is_some(),
        "locking the screen leaves the shift open"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn money_needs_a_shift_with_a_counted_float() {
    let shop = Shop::salon().await;
    let till = Till::start(&shop, Setup::default()).await;
    till.sign_in().await;
    let member = till.zhang_wei().await;
    let offer = till.cash_offer(&member, "300").await;
    assert_eq!(
        till.pay_cash(&offer).await.unwrap_err().code,
        ErrorCode::NoShift
    );
    let qr = till.qr_offer(
        &member,
        "300",
        qiantai_counter::view::top_up::ChannelView::Wechat,
    );
    let refused = till.desk.start_qr(qr.await).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoShift);

    let wrong: [&[(i64, u32)]; 5] = [
        &[(3_000, 1)],
        &[(-10_000, 1)],
        &[(0, 1)],
        &[(10_000, 1), (10_000, 2)],
        &[(10_000, 10_000)],
    ];
    let open = async |counts: &[(i64, u32)]| {
        let counts = counts
            .iter()
            .map(|(fen, count)| (Fen(*fen), *count))
            .collect();
        till.desk.open_shift(OpenShift { counts }).await
    };
    for counts in wrong {
        assert_eq!(
            sentence(open(counts).await),
            "error.float_invalid",
            "{counts:?}"
        );
    }
    assert_eq!(till.session().await.shift, None);
    let counts = [(10_000, 3), (5_000, 0), (10, 7), (50, 1)];
    let shift = open(&counts).await.unwrap().shift.unwrap();
    assert_eq!((shift.float_fen, shift.shift_no.len()), (Fen(30_120), 30));
    assert_eq!(shift.cashier, till.session().await.signed_in.unwrap().name);
    assert_eq!(sentence(open(&counts).await), "error.shift_already_open");
    till.pay_cash(&offer)
        .await
        .expect("the price shown before still holds");
    till.until_synced().await;
    till.crash().await;

    let till = Till::reopen(&shop, Weather::Fair).await;
    assert_eq!(till.session().await.shift.unwrap().shift_no, shift.shift_no);
    assert_eq!(
        sentence(till.desk.open_shift(OpenShift { counts: Vec::new() }).await),
        "error.shift_already_open"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_takes_no_money() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    shop.change_rules(|policy| {
        policy.staff[0].role = qiantai_core::policy::Role::Auditor;
    })
    .await;
    till.until("the new role", async || {
        let staff = till.session().await.staff;
        let role = staff
            .iter()
            .find(|tile| tile.staff_no == "1001")
            .unwrap()
            .role;
        (role == qiantai_counter::view::session::RoleView::Auditor).then_some(())
    })
    .await;
    let offer = till.cash_offer(&member, "300").await;
    assert_eq!(
        sentence(till.pay_cash(&offer).await),
        "error.role_not_allowed"
    );
    till.until_synced().await;
    assert!(shop.credits(&member).is_empty());
}
