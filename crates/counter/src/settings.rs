//! Settings of this terminal.

use std::path::Path;

use qiantai_store::{Store, StoreError};

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::view::customer::CustomerDisplay;
use crate::view::event::CounterEvent;
use crate::view::printer::{PrinterGlyphs, UsbPrinter};
use crate::view::session::{
    Guide, Language, NumberPad, PrinterSetting, PrinterTarget, SessionView, Settings, Theme,
    scanners_pause, some_services,
};

const KEY: &str = "settings";

/// ¥10,000: a threshold above it would be met by nearly every member.
const LOW_BALANCE_FEN_MAX: i64 = 1_000_000;

/// In milliseconds. Below the least every scanner is taken for a hand, beyond the most every hand
/// for a scanner.
const SCAN_PAUSE_MS: std::ops::RangeInclusive<u16> = 20..=200;

/// The settings, or what a new terminal starts with: receipts go to a folder beside the store.
///
/// # Errors
/// The store cannot be read.
pub fn load(store: &Store) -> Result<Settings, StoreError> {
    let saved = store.setting(KEY)?;
    Ok(saved.unwrap_or_else(|| initial(store.path())))
}

fn initial(store: &Path) -> Settings {
    let folder = store.parent().unwrap_or(Path::new(".")).join("receipts");
    Settings {
        language: Language::ZhCn,
        theme: Theme::System,
        type_percent: 100,
        sound: true,
        volume_percent: 100,
        voice: true,
        customer_display: CustomerDisplay::SecondScreen,
        guide: Guide::First,
        number_pad: NumberPad::Touch,
        low_balance_fen: some_services(),
        scan_pause_max_ms: scanners_pause(),
        printer: PrinterSetting {
            target: PrinterTarget::Folder {
                path: folder.to_string_lossy().into_owned(),
            },
            paper_mm: 80,
            copies: 2,
            drawer: true,
            language: Language::ZhCn,
            glyphs: PrinterGlyphs::Gbk,
            spare: None,
        },
    }
}

impl Counter {
    /// Saves settings after checking them. Whoever stands before a locked screen may make it
    /// readable; where receipts go and how it sells is for a person who
    /// works here.
    pub(crate) fn save_settings(&self, settings: &Settings) -> Result<SessionView, CallError> {
        let before = load(&self.store)?;
        let sells_alike = settings.guide == before.guide
            && settings.low_balance_fen == before.low_balance_fen
            && settings.scan_pause_max_ms == before.scan_pause_max_ms;
        if settings.printer != before.printer || !sells_alike {
            self.staff()?;
        }
        if settings.customer_display != before.customer_display {
            self.staff()?;
        }
        check(settings)?;
        self.keep_settings(settings)?;
        self.session()
    }

    /// Language and theme that the machine's owner starts the program with; `None` leaves one as
    /// it is. No person is needed.
    pub(crate) fn adopt_looks(
        &self,
        language: Option<Language>,
        theme: Option<Theme>,
    ) -> Result<(), CallError> {
        adopt_looks(&self.store, language, theme)?;
        self.tell(CounterEvent::Session);
        Ok(())
    }

    fn keep_settings(&self, settings: &Settings) -> Result<(), CallError> {
        self.store.set_setting(KEY, settings)?;
        self.print_wake.notify_one();
        self.tell(CounterEvent::Session);
        Ok(())
    }
}

/// Language and theme of a terminal; `None` leaves one as it is.
pub(crate) fn adopt_looks(
    store: &Store,
    language: Option<Language>,
    theme: Option<Theme>,
) -> Result<(), StoreError> {
    let mut settings = load(store)?;
    settings.language = language.unwrap_or(settings.language);
    settings.theme = theme.unwrap_or(settings.theme);
    store.set_setting(KEY, &settings)
}

/// Where the receipts of a terminal go, before it has a counter.
pub(crate) fn adopt_printer(store: &Store, printer: PrinterSetting) -> Result<(), CallError> {
    let settings = Settings {
        printer,
        ..load(store)?
    };
    check(&settings)?;
    Ok(store.set_setting(KEY, &settings)?)
}

fn check(settings: &Settings) -> Result<(), CallError> {
    let wrong = |field: &str| {
        Err(CallError::new(ErrorCode::InvalidInput, "settings_invalid").with("field", field))
    };
    if ![100, 125, 150].contains(&settings.type_percent) {
        return wrong("type_percent");
    }
    if !(1..=100).contains(&settings.volume_percent) {
        return wrong("volume_percent");
    }
    if !(0..=LOW_BALANCE_FEN_MAX).contains(&settings.low_balance_fen.0) {
        return wrong("low_balance_fen");
    }
    if !SCAN_PAUSE_MS.contains(&settings.scan_pause_max_ms) {
        return wrong("scan_pause_max_ms");
    }
    let printer = &settings.printer;
    if ![1, 2].contains(&printer.copies) {
        return wrong("copies");
    }
    if let Some(field) = wrong_device(&printer.target, printer.paper_mm) {
        return wrong(field);
    }
    let spare = printer.spare.as_ref();
    match spare.and_then(|spare| wrong_device(&spare.target, spare.paper_mm)) {
        Some(field) => wrong(&format!("spare.{field}")),
        None => Ok(()),
    }
}

/// The field that makes no sense, if one does not.
pub(crate) fn wrong_device(target: &PrinterTarget, paper_mm: u16) -> Option<&'static str> {
    if ![58, 80].contains(&paper_mm) {
        return Some("paper_mm");
    }
    match target {
        PrinterTarget::Network { host, .. } if !is_host(host) => Some("host"),
        PrinterTarget::Network { port: 0, .. } => Some("port"),
        PrinterTarget::Spooler { queue, .. } if !is_queue(queue) => Some("queue"),
        PrinterTarget::Folder { path } if !Path::new(path).is_absolute() => Some("path"),
        PrinterTarget::Usb(printer) if !is_usb(printer) => Some("usb"),
        PrinterTarget::Network { .. }
        | PrinterTarget::Usb(_)
        | PrinterTarget::Spooler { .. }
        | PrinterTarget::Folder { .. } => None,
    }
}

/// Numbers as USB has them, and texts that a printer could say of itself.
fn is_usb(printer: &UsbPrinter) -> bool {
    let is_number = |text: &str| text.len() == 4 && text.bytes().all(|c| c.is_ascii_hexdigit());
    let texts = [
        Some(&printer.name),
        Some(&printer.port),
        printer.serial.as_ref(),
    ];
    let is_text =
        |text: &String| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    is_number(&printer.vendor)
        && is_number(&printer.product)
        && texts.into_iter().flatten().all(is_text)
}

/// A name as the spooler has them: with spaces on Windows, and elsewhere nothing that its programs
/// would take for an option or for a second word.
fn is_queue(queue: &str) -> bool {
    let is_apart = |c: char| !cfg!(windows) && (c.is_whitespace() || c == '#');
    let allowed = |c: char| !c.is_control() && !is_apart(c);
    (1..=255).contains(&queue.len()) && !queue.starts_with('-') && queue.chars().all(allowed)
}

/// A name or an address; nothing that a resolver would take for more than one word.
fn is_host(host: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !host.is_empty() && host.len() <= 253 && host.chars().all(allowed)
}
