//! Receipt printers on USB: found, remembered, stuck, pulled out and back.

use qiantai_core::Millis;
use qiantai_counter::api::CounterApi;
use qiantai_counter::surroundings::UsbPorts;
use qiantai_counter::view::order::{OrderView, PrintJobView, PrintState, Stage};
use qiantai_counter::view::printer::{
    PrinterGlyphs, PrinterName, SendPrint, SparePrinter, TestPrint, UsbPrinter,
};
use qiantai_counter::view::queue::JobKey;
use qiantai_counter::view::session::{Language, PrinterTarget};
use qiantai_print::decode::{Printed, decode, escpos_text};
use qiantai_testkit::{UsbBus, UsbCable, UsbModel};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::shop::Shop;
use crate::talking_printer::TalkingPrinter;
use crate::till::{Till, sentence};

const MARK: &str = "*** 重打 ***";

const EPSON: UsbModel = UsbModel::EPSON;

/// Those of a till, with nothing in them.
fn sockets(shop: &Shop, till: &Till) -> UsbBus {
    let bus = UsbBus::new(&shop.path("usb")).unwrap();
    till.clock.set_usb(UsbPorts {
        class: bus.class(),
        devices: bus.devices(),
    });
    bus
}

/// A printer as the settings keep it.
fn kept(model: &UsbModel, port: &str) -> UsbPrinter {
    UsbPrinter {
        name: "EPSON TM-T20II".to_owned(),
        vendor: model.vendor.to_owned(),
        product: model.product.to_owned(),
        serial: model.serial.map(str::to_owned),
        port: port.to_owned(),
    }
}

fn target(port: &str) -> PrinterTarget {
    PrinterTarget::Usb(kept(&EPSON, port))
}

async fn print_to(till: &Till, target: PrinterTarget, copies: u8, glyphs: PrinterGlyphs) {
    let mut settings = till.session().await.settings;
    settings.printer.target = target;
    settings.printer.copies = copies;
    settings.printer.glyphs = glyphs;
    till.desk.save_settings(settings).await.unwrap();
}

async fn until_trouble(till: &Till, order: &OrderView, key: &str) -> PrintJobView {
    till.until(key, async || {
        let job = till.prints(order).await.remove(0);
        (job.trouble.as_deref() == Some(key)).then_some(job)
    })
    .await
}

fn count(printed: &[Printed], what: &Printed) -> usize {
    printed.iter().filter(|done| *done == what).count()
}

/// Takes what comes until a slip was cut; this printer says nothing.
async fn slip_of(cable: &mut UsbCable) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        bytes.push(cable.read_u8().await.unwrap());
        let start = bytes.windows(2).position(|pair| pair == b"\x1b@");
        let slip = start.map(|start| &bytes[start..]).unwrap_or_default();
        if decode(slip).is_ok_and(|printed| printed.contains(&Printed::Cut)) {
            return slip.to_vec();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_on_usb_is_found_tried_and_known_again_in_another_socket() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let none = till.desk.found_usb(()).await.unwrap();
    assert_eq!((none.supported, none.printers), (true, Vec::new()));
    let bus = sockets(&shop, &till);
    let printer = TalkingPrinter::on_usb(bus.plug(&EPSON, "1-1", 0).unwrap(), 500);
    let mut found = till.desk.found_usb(()).await.unwrap().printers;
    assert_eq!(found, [kept(&EPSON, "1-1")]);
    let target = PrinterTarget::Usb(found.remove(0));
    let page = TestPrint {
        target: target.clone(),
        paper_mm: 80,
        glyphs: PrinterGlyphs::Gbk,
        language: Language::En,
    };
    till.desk.print_test_page(page.clone()).await.unwrap();
    assert!(printer.lines().contains(&"Test page".to_owned()));
    drop(printer);
    let told = till.desk.print_test_page(page).await;
    assert_eq!(sentence(told), "error.printer_usb_gone");

    print_to(&till, target, 2, PrinterGlyphs::Gbk).await;
    let printer = TalkingPrinter::on_usb(bus.plug(&EPSON, "1-4", 3).unwrap(), 500);
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    till.until_printed(&order, 2).await;
    let printed = printer.printed();
    assert_eq!(count(&printed, &Printed::Cut), 2);
    let pulses = count(&printed, &Printed::DrawerPulse);
    assert_eq!(pulses, 1, "the drawer opens once");
}

#[tokio::test(flavor = "multi_thread")]
async fn paper_that_ends_in_a_slip_is_said_and_the_slip_comes_again_marked() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let bus = sockets(&shop, &till);
    let mut cable = bus.plug(&EPSON, "1-1", 0).unwrap();
    // What it told the program before this one: that it had no paper.
    cable.write_all(&[0x32, 0x72]).await.unwrap();
    let printer = TalkingPrinter::on_usb(cable, 9);
    print_to(&till, target("1-1"), 1, PrinterGlyphs::Gbk).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    let stopped = until_trouble(&till, &order, "error.printer_paper_out").await;
    assert_eq!((stopped.state, stopped.torn), (PrintState::Queued, true));
    let torn = printer.lines();
    assert!(!torn.is_empty(), "it was taken at its old word");
    printer.load(500);
    shop.time.advance(Millis::seconds(61));
    till.until_printed(&order, 1).await;
    let lines = printer.lines();
    assert_eq!(lines[torn.len()], MARK, "{lines:#?}");
    assert_eq!(count(&printer.printed(), &Printed::Cut), 1);
}

/// Many printers take nothing while they have no paper, and never say why.
#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_takes_nothing_holds_up_no_sale_and_gets_no_half_slip() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let bus = sockets(&shop, &till);
    let mut stuck = bus.plug(&EPSON, "1-1", 0).unwrap();
    stuck.fill().await.unwrap();
    print_to(&till, target("1-1"), 2, PrinterGlyphs::Gbk).await;
    let other = UsbModel {
        serial: Some("SPARE"),
        ..EPSON
    };
    let spare = TalkingPrinter::on_usb(bus.plug(&other, "1-2", 1).unwrap(), 500);
    let mut settings = till.session().await.settings;
    settings.printer.spare = Some(SparePrinter {
        target: PrinterTarget::Usb(kept(&other, "1-2")),
        paper_mm: 58,
        glyphs: PrinterGlyphs::Gbk,
    });
    till.desk.save_settings(settings).await.unwrap();
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    assert_eq!(order.stage, Stage::Credited);
    let waiting = until_trouble(&till, &order, "error.printer_takes_nothing").await;
    assert_eq!((waiting.state, waiting.torn), (PrintState::Queued, false));

    let send = SendPrint {
        job_id: waiting.id,
        printer: PrinterName::Spare,
    };
    till.desk.send_print(send).await.unwrap();
    till.until("the spare printer's slip", async || {
        let job = till.prints(&order).await.remove(0);
        (job.state == PrintState::Printed).then_some(())
    })
    .await;
    let printed = spare.printed();
    assert_eq!(count(&printed, &Printed::Cut), 1);
    assert_eq!(count(&printed, &Printed::DrawerPulse), 0, "it has none");

    // The usual one takes the other slip once it has paper, whole and not marked.
    let whole = tokio::spawn(async move { slip_of(&mut stuck).await });
    till.until("the usual printer's slip", async || {
        shop.time.advance(Millis::seconds(61));
        let job = till.prints(&order).await.remove(1);
        (job.state == PrintState::Printed).then_some(())
    })
    .await;
    let lines = escpos_text(&whole.await.unwrap()).unwrap();
    assert!(lines.concat().contains(&order.order_no));
    assert!(!lines.contains(&MARK.to_owned()), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_pulled_out_of_a_slip_asks_a_person_and_doubles_nothing_unmarked() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let bus = sockets(&shop, &till);
    let mut settings = till.session().await.settings;
    settings.printer.drawer = false;
    till.desk.save_settings(settings).await.unwrap();
    // Longer than what is on its way at once.
    print_to(&till, target("1-1"), 1, PrinterGlyphs::Pictures).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    let gone = until_trouble(&till, &order, "error.printer_usb_gone").await;
    assert_eq!((gone.state, gone.torn), (PrintState::Queued, false));

    let mut cable = bus.plug(&EPSON, "1-1", 0).unwrap();
    till.desk
        .retry_print(JobKey { job_id: gone.id })
        .await
        .unwrap();
    let mut part = [0; 2_000];
    cable.read_exact(&mut part).await.unwrap();
    drop(cable);
    let job = until_trouble(&till, &order, "error.printer_timeout").await;
    assert_eq!((job.state, job.torn), (PrintState::Failed, true));

    let mut cable = bus.plug(&EPSON, "1-1", 1).unwrap();
    shop.time.advance(Millis::minutes(10));
    let tries = till.prints(&order).await[0].tries;
    assert_eq!(tries, job.tries, "nobody asked for it again");
    print_to(&till, target("1-1"), 1, PrinterGlyphs::Gbk).await;
    let whole = tokio::spawn(async move { slip_of(&mut cable).await });
    till.desk
        .retry_print(JobKey { job_id: job.id })
        .await
        .unwrap();
    till.until_printed(&order, 1).await;
    let lines = escpos_text(&whole.await.unwrap()).unwrap();
    assert_eq!(lines[0], MARK, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn printers_without_a_number_are_told_apart_by_their_socket_or_not_at_all() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let bus = sockets(&shop, &till);
    let bare = UsbModel {
        serial: None,
        ..EPSON
    };
    let try_at = async |port: &str| {
        let page = TestPrint {
            target: PrinterTarget::Usb(kept(&bare, port)),
            paper_mm: 80,
            glyphs: PrinterGlyphs::Gbk,
            language: Language::ZhCn,
        };
        till.desk.print_test_page(page).await
    };
    let pages = |printer: &TalkingPrinter| count(&printer.printed(), &Printed::Cut);
    let one = TalkingPrinter::on_usb(bus.plug(&bare, "1-1", 0).unwrap(), 500);
    try_at("1-9").await.unwrap();
    assert_eq!(pages(&one), 1, "the only one of its kind");
    let other = TalkingPrinter::on_usb(bus.plug(&bare, "1-2", 1).unwrap(), 500);
    try_at("1-2").await.unwrap();
    assert_eq!((pages(&one), pages(&other)), (1, 1));
    assert_eq!(sentence(try_at("1-9").await), "error.printer_usb_alike");
    assert_eq!((pages(&one), pages(&other)), (1, 1), "nobody guesses");
}
