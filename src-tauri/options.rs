//! What the application is started with.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use qiantai_core::policy::StoreKind;

/// The front desk of a gym, salon or beauty shop.
///
/// Without arguments it opens in training mode: sample shop, simulated gateway, a folder that the
/// next start throws away.
#[derive(Debug, Clone, Parser)]
#[command(name = "qiantai", version)]
pub struct Options {
    /// Folder of the files of a terminal that has joined a shop, or joins one now; made if it does
    /// not exist.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Training mode, which --data lets go on where it stopped. No real money can move.
    #[arg(long, conflicts_with_all = ["server", "enrol"])]
    pub training: bool,

    /// The one-time code of `qiantai-server enrol` with which this terminal joins a shop. A
    /// terminal that has joined passes it over.
    #[arg(long, value_name = "CODE", requires = "data")]
    pub enrol: Option<String>,

    /// The address of the shop's server, where it is no longer the one that this terminal was
    /// enrolled at. The server proves itself as before.
    #[arg(long, value_name = "URL", requires = "data")]
    pub server: Option<String>,

    /// This computer's clock was looked at and is right, although the books of the shop that is kept
    /// on it are ahead of it or years behind: what is decided from now on has its time. For one start.
    /// A terminal whose server is elsewhere passes it over: it is for that server.
    #[arg(long, requires = "data")]
    pub believe_clock: bool,

    /// Kind of the sample shop.
    #[arg(long, value_enum, default_value_t = Shop::Gym)]
    pub shop: Shop,

    /// Members of the sample shop.
    #[arg(long, value_name = "COUNT", default_value_t = 5_000)]
    pub members: u32,

    /// Seed of the sample shop: equal seeds make equal members.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

    /// Where the system tells of devices on USB, for a program that sees it elsewhere than usual,
    /// such as in a container.
    #[cfg(target_os = "linux")]
    #[arg(long, value_name = "DIR", default_value = "/sys/class/usbmisc")]
    pub usb_class: PathBuf,

    /// Where the devices of printers on USB are, likewise.
    #[cfg(target_os = "linux")]
    #[arg(long, value_name = "DIR", default_value = "/dev/usb")]
    pub usb_devices: PathBuf,

    /// Language of the window at the first start; it can be changed in the settings.
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,

    /// Light or dark at the first start; it can be changed in the settings.
    #[arg(long, value_enum)]
    pub theme: Option<Theme>,
}

/// Sample shops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shop {
    /// 动力健身
    Gym,
    /// 简单美发
    Salon,
    /// 悦己美容
    Beauty,
}

impl From<Shop> for StoreKind {
    fn from(shop: Shop) -> StoreKind {
        match shop {
            Shop::Gym => StoreKind::Gym,
            Shop::Salon => StoreKind::Salon,
            Shop::Beauty => StoreKind::Beauty,
        }
    }
}

/// Languages of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// 简体中文
    #[value(name = "zh-CN", alias = "zh")]
    ZhCn,
    /// English
    En,
}

/// Themes of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// Dark ink on light paper.
    Light,
    /// Light ink on dark paper.
    Dark,
}

/// What the options amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Sample shop and simulated gateway; `None` stands for the folder that is thrown away.
    Training(Option<PathBuf>),
    /// A terminal of a shop whose server is elsewhere.
    Joined {
        /// Folder of this terminal's files.
        folder: PathBuf,
        /// Where the server is now, if it moved.
        server: Option<String>,
        /// Needed at the first start only.
        code: Option<String>,
    },
}

impl Options {
    /// What the options amount to.
    pub fn mode(&self) -> Mode {
        match &self.data {
            Some(folder) if !self.training => Mode::Joined {
                folder: folder.clone(),
                server: self.server.clone(),
                code: self.enrol.clone(),
            },
            folder => Mode::Training(folder.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_choose_the_mode() {
        let joined = |server: Option<&str>, code: Option<&str>| Mode::Joined {
            folder: "d".into(),
            server: server.map(str::to_owned),
            code: code.map(str::to_owned),
        };
        for (line, expected) in [
            ("", Some(Mode::Training(None))),
            ("--training", Some(Mode::Training(None))),
            (
                "--training --data d",
                Some(Mode::Training(Some("d".into()))),
            ),
            ("--data d", Some(joined(None, None))),
            ("--data d --training --server http://s", None),
            ("--data d --training --enrol c", None),
            (
                "--data d --server http://s",
                Some(joined(Some("http://s"), None)),
            ),
            ("--data d --enrol c", Some(joined(None, Some("c")))),
            (
                "--data d --server http://s --enrol c",
                Some(joined(Some("http://s"), Some("c"))),
            ),
            ("--server http://s", None),
            ("--enrol c", None),
            ("--shop bakery", None),
            ("--data d --believe-clock", Some(joined(None, None))),
            ("--believe-clock", None),
            (
                "--lang en --theme dark --members 10",
                Some(Mode::Training(None)),
            ),
        ] {
            let words = std::iter::once("qiantai").chain(line.split_whitespace());
            let mode = Options::try_parse_from(words)
                .ok()
                .map(|options| options.mode());
            assert_eq!(mode, expected, "{line}");
        }
    }
}
