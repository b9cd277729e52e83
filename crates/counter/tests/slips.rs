//! The slips of a sale.

use std::path::Path;

use ed25519_dalek::VerifyingKey;
use qiantai_core::operation::OperationBody;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::order::{
    Approval, Holder, OrderView, PayCash, PrintCopy, PrintJobView, PrintState, ReceiptRow, Stage,
};
use qiantai_counter::view::session::{Language, PrinterTarget};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_testkit::Words;
use qiantai_wire::SignedOperation;
use qiantai_wire::receipt_qr::parse_receipt_text;

use crate::line::Weather;
use crate::paper::{self, Paper};
use crate::shop::Shop;
use crate::till::{Till, copy_of, key, sentence};
use crate::time::SLIP_WAITS;

/// What the code on the receipt says.
async fn code_of(till: &Till, order: &OrderView) -> SignedOperation {
    let receipt = till.desk.receipt(key(&order.id)).await.unwrap();
    let mut codes = receipt.rows.iter().filter_map(|row| match row {
        ReceiptRow::Qr { qr } => Some(qr.payload.as_str()),
        _ => None,
    });
    let code = parse_receipt_text(codes.next().expect("a receipt has a code")).unwrap();
    assert_eq!(codes.next(), None);
    code
}

/// The texts of the preview, row by row, as they stand on paper.
async fn preview(till: &Till, order: &OrderView) -> Vec<String> {
    let receipt = till.desk.receipt(key(&order.id)).await.unwrap();
    let texts = receipt.rows.into_iter().filter_map(|row| match row {
        ReceiptRow::Text { cells } => Some(cells.into_iter().map(|cell| cell.text).collect()),
        ReceiptRow::Signature { label } => Some(vec![label]),
        ReceiptRow::Qr { .. } | ReceiptRow::Rule { .. } | ReceiptRow::Feed { .. } => None,
    });
    let rows: Vec<Vec<String>> = texts.collect();
    rows.into_iter()
        .map(|cells| solid(&cells.concat()))
        .collect()
}

/// Without the blanks between columns and the lines to sign on.
fn solid(line: &str) -> String {
    line.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '=' | '─' | '━'))
        .collect()
}

fn printed(paper: &Paper) -> Vec<String> {
    let lines = paper.lines().into_iter().map(|line| solid(&line));
    lines.filter(|line| !line.is_empty()).collect()
}

/// The moment of printing is the one thing that differs.
fn without_print_time(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .filter(|line| !line.starts_with("打印时间"))
        .collect()
}

fn slips(folder: &Path, order: &OrderView) -> (Paper, Paper) {
    (
        Paper::of(folder, order, "shop"),
        Paper::of(folder, order, "member"),
    )
}

/// The line is up and no answer comes: what is on paper must not look certain.
#[tokio::test(flavor = "multi_thread")]
async fn a_slip_without_the_servers_word_says_so() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    for (weather, is_marked) in [(Weather::Fair, false), (Weather::HoldsAnswers, true)] {
        till.line.set(weather);
        let order = till
            .cash(&member, if is_marked { "500" } else { "300" })
            .await;
        if is_marked {
            assert!(till.prints(&order).await.iter().all(is_waiting));
            till.until("the patience of the slips", async || {
                shop.time.advance(SLIP_WAITS);
                (!till.prints(&order).await.iter().any(is_waiting)).then_some(())
            })
            .await;
        }
        till.until_printed(&order, 2).await;
        let (for_shop, for_member) = slips(&till.folder, &order);
        for slip in [for_shop, for_member] {
            assert_eq!(slip.says(&["离线待同步"]), is_marked, "{:#?}", slip.lines());
        }
    }
}

fn is_waiting(job: &PrintJobView) -> bool {
    job.state == PrintState::Queued
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cash_sale_prints_a_slip_for_the_shop_and_one_for_the_member() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.cash_offer(&member, "1200").await;
    let order = till
        .pay_cash(&PayCash {
            tendered: "1300".to_owned(),
            ..offer
        })
        .await
        .unwrap();
    till.until_printed(&order, 2).await;
    till.until_confirmed(&order.id).await;
    let endings = ["member.escpos", "member.pdf", "shop.escpos", "shop.pdf"];
    let expected = endings.map(|ending| format!("{}-{ending}", order.order_no));
    assert_eq!(paper::files(&till.folder), expected);
    let (for_shop, for_member) = slips(&till.folder, &order);
    assert_eq!(
        (for_shop.pulses(), for_member.pulses()),
        (1, 0),
        "the drawer opens once"
    );
    let training = Words::of("zh-CN").unwrap().get("training.name").unwrap();
    for (name, slip, holder) in [
        ("shop", &for_shop, "商户联"),
        ("member", &for_member, "会员联"),
    ] {
        assert_eq!(slip.cuts(), 1, "{name}");
        assert!(
            slip.pdf.starts_with(b"%PDF-") && slip.pdf.len() < 100_000,
            "{name}"
        );
        for words in [
            &[training.as_str()][..],
            &["简单美发·天河店"],
            &["充值单", holder],
            &["单号", &order.order_no],
            &["会员", "张*"],
            &["手机", "138****5678"],
            &["等级", "银卡 → 金卡"],
            &["实付", "1,200.00"],
            &["大写", "壹仟贰佰元整"],
            &["付款方式", "现金"],
            &["收款", "1,300.00"],
            &["找零", "100.00"],
            &["赠送", "230.00"],
            &["活动", "秋季阶梯"],
            &["本金", "460.00", "1,660.00"],
            &["赠金", "70.00", "300.00"],
            &["余额", "530.00", "1,960.00"],
            &["投诉电话", "12315"],
            &["会员签名"],
        ] {
            assert!(
                slip.says(words),
                "{name} lacks {words:?}: {:#?}",
                slip.lines()
            );
        }
        let text = slip.lines().concat();
        assert!(
            !text.contains("13812345678") && !text.contains("张伟"),
            "{name}: not masked"
        );
        assert!(!text.contains("离线") && !text.contains("补打"), "{name}");
    }
    let shown = without_print_time(preview(&till, &order).await);
    assert_eq!(shown, without_print_time(printed(&for_member)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_on_a_cash_slip_is_the_terminals_signed_operation() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    till.until_confirmed(&order.id).await;
    let signed = code_of(&till, &order).await;
    let device = till.device().await;
    let devices = shop.server.ledger().devices(shop.tenant).unwrap();
    let (known, _) = devices
        .iter()
        .find(|(known, _)| known.id == device)
        .unwrap();
    signed
        .verify(&VerifyingKey::from_bytes(&known.public_key).unwrap())
        .unwrap();
    let operation = signed.operation().unwrap();
    assert_eq!(operation.device, device);
    match operation.body {
        OperationBody::RechargeCash(cash) => assert_eq!(cash.open.order_no, order.order_no),
        other => panic!("{other:?}"),
    }
    assert!(
        shop.operations().contains(&signed),
        "the server has the same bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_on_a_qr_slip_is_the_servers_signed_settlement() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let waiting = till.show_qr(&member, "300").await;
    assert_eq!(
        sentence(till.desk.receipt(key(&waiting.id)).await),
        "error.order_state"
    );
    assert_eq!(
        sentence(till.desk.reprint(copy_of(&waiting.id)).await),
        "error.order_state"
    );
    shop.phone(&waiting, &PhoneAction::Pay);
    let order = till.until_stage(&waiting.id, Stage::Credited).await;
    till.until_printed(&order, 2).await;
    let signed = code_of(&till, &order).await;
    let tenant = &shop.server.tenants().unwrap()[0];
    signed
        .verify(&VerifyingKey::from_bytes(&tenant.public_key()).unwrap())
        .unwrap();
    assert_eq!(signed.operation().unwrap().device, tenant.server_device);
    let (for_shop, for_member) = slips(&till.folder, &order);
    assert_eq!(
        (for_shop.pulses(), for_member.pulses()),
        (0, 0),
        "no cash, no drawer"
    );
    let txn = order.channel_txn_no.as_deref().unwrap();
    assert!(for_member.says(&["付款方式", "微信支付"]) && for_member.says(&["交易号"]));
    assert!(
        printed(&for_member).concat().contains(txn),
        "{txn}: {:#?}",
        for_member.lines()
    );
    let shown = without_print_time(preview(&till, &order).await);
    assert_eq!(shown, without_print_time(printed(&for_member)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reprint_is_marked_counted_and_opens_no_drawer() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    till.until_printed(&order, 2).await;
    for copy in 1..=2 {
        let job = till.desk.reprint(copy_of(&order.id)).await.unwrap();
        assert_eq!(
            (job.copy, job.order_no.as_str()),
            (copy, order.order_no.as_str())
        );
        till.until_printed(&order, 2 + usize::try_from(copy).unwrap())
            .await;
        let slip = Paper::of(&till.folder, &order, &format!("member-copy{copy}"));
        assert!(
            slip.says(&[&format!("补打 COPY {copy}")]),
            "{:#?}",
            slip.lines()
        );
        assert!(slip.says(&[&till.session().await.signed_in.unwrap().name]));
        assert_eq!(slip.pulses(), 0);
    }
    till.until("the server's count", async || {
        (shop.order(&order.id)?.copies == 2 && till.order(&order.id).await.copies == 2)
            .then_some(())
    })
    .await;
}

fn by_manager(order: &str, staff_no: &str, pin: &str) -> PrintCopy {
    PrintCopy {
        approval: Some(Approval {
            staff_no: staff_no.to_owned(),
            pin: pin.to_owned(),
        }),
        ..copy_of(order)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_two_copies_a_manager_lets_each() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    for _ in 0..2 {
        // Nobody is asked for, and who was typed all the same is in no operation.
        let job = till.desk.reprint(by_manager(&order.id, "9999", "")).await;
        job.unwrap();
    }
    let refused = till.desk.reprint(copy_of(&order.id)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ApprovalNeeded);
    assert_eq!(refused.message_key, "error.reprint_limit");
    for (number, pin, expected) in [
        ("1001", "1234", "error.approver_no_manager"),
        ("9999", "8888", "error.approver_unknown"),
        ("8001", "0000", "error.pin_wrong"),
    ] {
        let refused = till.desk.reprint(by_manager(&order.id, number, pin)).await;
        assert_eq!(sentence(refused), expected);
    }
    assert_eq!(till.order(&order.id).await.copies, 2);
    let job = till
        .desk
        .reprint(by_manager(&order.id, "8001", "8888"))
        .await;
    assert_eq!(job.unwrap().copy, 3);
    // For that one alone.
    let fourth = till.desk.reprint(copy_of(&order.id)).await;
    assert_eq!(sentence(fourth), "error.reprint_limit");
    till.until("the server's count", async || {
        (shop.order(&order.id)?.copies == 3).then_some(())
    })
    .await;
    let approvals =
        shop.operations()
            .into_iter()
            .filter_map(|signed| match signed.operation().unwrap().body {
                OperationBody::ReceiptReprint { copy, approval, .. } => {
                    Some((copy, approval.map(|it| it.staff)))
                }
                _ => None,
            });
    let manager = shop
        .policy()
        .staff
        .iter()
        .find(|it| it.staff_no == "8001")
        .map(|it| it.id);
    assert_eq!(
        approvals.collect::<Vec<_>>(),
        [(1, None), (2, None), (3, manager)]
    );
    assert_eq!(shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_decide_paper_copies_drawer_and_language() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let mut settings = till.session().await.settings;
    settings.printer.language = Language::En;
    settings.printer.paper_mm = 58;
    settings.printer.copies = 1;
    till.desk.save_settings(settings.clone()).await.unwrap();
    let order = till.cash(&member, "300").await;
    let jobs = till.until_printed(&order, 1).await;
    assert_eq!(jobs[0].state, PrintState::Printed);
    let slip = Paper::of(&till.folder, &order, "member");
    assert_eq!(slip.pulses(), 1, "the only slip opens the drawer");
    assert!(slip.says(&["Top-up", "Member copy"]) && slip.says(&["Method", "Cash"]));
    assert_eq!(till.desk.receipt(key(&order.id)).await.unwrap().columns, 32);
    settings.printer.drawer = false;
    settings.printer.paper_mm = 80;
    till.desk.save_settings(settings).await.unwrap();
    let order = till.cash(&member, "200").await;
    till.until_printed(&order, 1).await;
    assert_eq!(Paper::of(&till.folder, &order, "member").pulses(), 0);
    assert_eq!(till.desk.receipt(key(&order.id)).await.unwrap().columns, 48);
}

/// The slips of an order speak the language of the printer at the moment of the sale.
#[tokio::test(flavor = "multi_thread")]
async fn every_slip_of_an_order_speaks_its_first_language() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let folder = till.session().await.settings.printer.target;
    till.print_to(PrinterTarget::Network {
        host: "127.0.0.1".to_owned(),
        port: 1,
    })
    .await;
    let order = till.cash(&member, "300").await;
    let jobs = till.prints(&order).await;
    let holders: Vec<Holder> = jobs.iter().filter_map(|job| job.holder).collect();
    assert_eq!(holders, [Holder::Shop, Holder::Member]);

    // The screen, then the printer, speak English before anything is on paper.
    let mut settings = till.session().await.settings;
    settings.language = Language::En;
    settings.printer.language = Language::En;
    settings.printer.target = folder;
    till.desk.save_settings(settings).await.unwrap();
    till.until_printed(&order, 2).await;
    till.desk.reprint(copy_of(&order.id)).await.unwrap();
    till.until_printed(&order, 3).await;
    for which in ["shop", "member", "member-copy1"] {
        let slip = Paper::of(&till.folder, &order, which);
        assert!(slip.says(&["充值单"]), "{which}: {:#?}", slip.lines());
    }
    let shown = preview(&till, &order).await;
    assert!(
        shown.iter().any(|line| line.starts_with("充值单")),
        "{shown:#?}"
    );

    let next = till.cash(&member, "500").await;
    till.until_printed(&next, 2).await;
    assert!(Paper::of(&till.folder, &next, "member").says(&["Top-up", "Member copy"]));
}
