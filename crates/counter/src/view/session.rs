//! Shop, people, shift and settings.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::brand::BrandView;
use crate::view::customer::CustomerDisplay;
use crate::view::printer::{PrinterGlyphs, SparePrinter, SpoolerForm, UsbPrinter};
use crate::view::queue::SyncView;
use crate::view::{Fen, Ms};

/// The frame around every screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SessionView {
    /// Name of the shop.
    pub shop: String,
    /// How the shop looks to its customers.
    pub brand: BrandView,
    /// Two digits of the terminal.
    pub terminal: String,
    /// People who may sign in.
    pub staff: Vec<StaffTile>,
    /// Who is signed in.
    pub signed_in: Option<StaffTile>,
    /// The open shift of this terminal.
    pub shift: Option<ShiftView>,
    /// Sync pill.
    pub sync: SyncView,
    /// Settings of this terminal.
    pub settings: Settings,
    /// Whether the form leads whoever is signed in through a top-up in steps.
    pub guided: bool,
    /// How far the clock is off the server's, in milliseconds, when above 60 s.
    pub clock_skew_ms: Option<Ms>,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StaffTile {
    /// Identity.
    pub id: String,
    /// Staff number.
    pub staff_no: String,
    /// Name.
    pub name: String,
    /// Role.
    pub role: RoleView,
    /// Set while locked after wrong PINs.
    pub locked_until_ms: Option<Ms>,
}

/// Roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RoleView {
    /// 收银
    Cashier,
    /// 店长
    Manager,
    /// 财务
    Finance,
    /// 异常专员
    ExceptionHandler,
    /// 稽核
    Auditor,
    /// 总部
    HeadOffice,
}

/// An open shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShiftView {
    /// Number.
    pub shift_no: String,
    /// Who opened it.
    pub cashier: String,
    /// When.
    pub opened_at_ms: Ms,
    /// Counted float.
    pub float_fen: Fen,
}

/// A PIN to check.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SignIn {
    /// Who.
    pub staff_id: String,
    /// Digits.
    pub pin: String,
}

/// The float at the start of a shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OpenShift {
    /// Denomination in fen and count.
    pub counts: Vec<(Fen, u32)>,
}

/// Settings of this terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Settings {
    /// Language of the screen.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// Type size in per cent: 100, 125 or 150.
    pub type_percent: u16,
    /// Whether sounds play.
    pub sound: bool,
    /// How loud, from 1 to 100. Settings of earlier versions have none.
    #[serde(default = "full_volume")]
    pub volume_percent: u16,
    /// Who is led through a top-up in steps. Settings of earlier versions have none.
    #[serde(default)]
    pub guide: Guide,
    /// When figures can be entered on the screen. Settings of earlier versions have none.
    #[serde(default)]
    pub number_pad: NumberPad,
    /// Below this balance a member is told to top up; zero for never. Settings of earlier versions
    /// have none.
    #[serde(default = "some_services")]
    pub low_balance_fen: Fen,
    /// Whether money that arrived is said aloud, as loud as the sounds and never while they are off.
    /// Settings of earlier versions have none.
    #[serde(default = "spoken")]
    pub voice: bool,
    /// Where the customer's display is. Settings of earlier versions have none.
    #[serde(default)]
    pub customer_display: CustomerDisplay,
    /// Longest pause between two keys of one scan, in milliseconds, from 20 to 200. Settings of
    /// earlier versions have none.
    #[serde(default = "scanners_pause")]
    pub scan_pause_max_ms: u16,
    /// Where receipts go.
    pub printer: PrinterSetting,
}

const fn spoken() -> bool {
    true
}

/// Slow scanners take 30 to 50 ms for a key, and a busy machine hands keys on late.
pub(crate) const fn scanners_pause() -> u16 {
    80
}

const fn full_volume() -> u16 {
    100
}

/// ¥100: about one visit at the sample shops.
pub(crate) const fn some_services() -> Fen {
    Fen(10_000)
}

/// Who is led through a top-up in three steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Guide {
    /// People who are new at this counter, for their first top-ups.
    #[default]
    First,
    /// Everybody.
    Always,
    /// Nobody.
    Never,
}

/// When figures can be entered on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NumberPad {
    /// While the screen is touched.
    #[default]
    Touch,
    /// With every field for figures.
    Always,
    /// Not at all.
    Never,
}

/// Languages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum Language {
    /// 简体中文
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English
    #[serde(rename = "en")]
    En,
}

/// Themes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system says.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Where receipts go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrinterSetting {
    /// The device.
    pub target: PrinterTarget,
    /// Width of the paper: 58 or 80 mm.
    pub paper_mm: u16,
    /// Copies of each sale: 1 or 2 (shop and member).
    pub copies: u8,
    /// Whether the drawer is on this printer.
    pub drawer: bool,
    /// Language of the slips, whatever the screen speaks. Settings of earlier versions have none.
    #[serde(default)]
    pub language: Language,
    /// What it can write as text. Settings of earlier versions do not say.
    #[serde(default)]
    pub glyphs: PrinterGlyphs,
    /// Where slips can be sent while this printer is in trouble.
    #[serde(default)]
    pub spare: Option<SparePrinter>,
}

/// Printer devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PrinterTarget {
    /// ESC/POS over TCP, usually port 9100.
    Network {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A receipt printer on USB.
    Usb(UsbPrinter),
    /// A queue of the system's spooler.
    Spooler {
        /// Its name.
        queue: String,
        /// What it takes.
        form: SpoolerForm,
    },
    /// Files in a folder: each receipt as PDF and as ESC/POS.
    Folder {
        /// Where.
        path: String,
    },
}
