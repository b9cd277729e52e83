//! What the application is started with.

use std::path::PathBuf;

use clap::{ArgGroup, Parser, ValueEnum};
use qiantai_core::policy::StoreKind;

/// The front desk of a gym, salon or beauty shop.
///
/// Without arguments it opens in training mode: sample shop, simulated gateway, a folder that the
/// next start throws away.
#[derive(Debug, Clone, Parser)]
#[command(name = "qiantai", version)]
#[command(group(ArgGroup::new("shop_of_data").args(["training", "server"])))]
pub struct Options {
    /// Folder of the terminal's files; made if it does not exist.
    #[arg(long, value_name = "DIR", requires = "shop_of_data")]
    pub data: Option<PathBuf>,

    /// Training mode, which --data lets go on where it stopped. No real money can move.
    #[arg(long)]
    pub training: bool,

    /// The shop's server, instead of the one inside the application.
    #[arg(long, value_name = "URL", requires = "data")]
    pub server: Option<String>,

    /// One-time token with which this terminal joins the shop of --server.
    #[arg(long, value_name = "TOKEN", requires = "server")]
    pub invite: Option<String>,

    /// Kind of the sample shop.
    #[arg(long, value_enum, default_value_t = Shop::Gym)]
    pub shop: Shop,

    /// Members of the sample shop.
    #[arg(long, value_name = "COUNT", default_value_t = 5_000)]
    pub members: u32,

    /// Seed of the sample shop: equal seeds make equal members.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,

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
        /// Where the server listens.
        server: String,
        /// Needed at the first start only.
        invite: Option<String>,
    },
}

impl Options {
    /// What the options amount to.
    pub fn mode(&self) -> Mode {
        match (&self.data, &self.server) {
            (Some(folder), Some(server)) => Mode::Joined {
                folder: folder.clone(),
                server: server.clone(),
                invite: self.invite.clone(),
            },
            (folder, _) => Mode::Training(folder.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_choose_the_mode() {
        let joined = |invite: Option<&str>| Mode::Joined {
            folder: "d".into(),
            server: "http://s".into(),
            invite: invite.map(str::to_owned),
        };
        for (line, expected) in [
            ("", Some(Mode::Training(None))),
            ("--training", Some(Mode::Training(None))),
            (
                "--training --data d",
                Some(Mode::Training(Some("d".into()))),
            ),
            ("--data d", None),
            ("--data d --training --server http://s", None),
            ("--data d --server http://s", Some(joined(None))),
            (
                "--data d --server http://s --invite t",
                Some(joined(Some("t"))),
            ),
            ("--server http://s", None),
            ("--data d --invite t", None),
            ("--shop bakery", None),
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
