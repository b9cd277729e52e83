//! What the command line says.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use qiantai_server::sample::ShopKind;

/// The ledger server of Qiantai.
#[derive(Debug, Parser)]
#[command(name = "qiantai-server", version)]
pub(crate) struct Cli {
    /// Form of the log on standard error; `QIANTAI_LOG` sets what is logged.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub(crate) log: LogFormat,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a data folder with an empty ledger and its key.
    Init(Init),
    /// Serve terminals.
    Serve(Serve),
    /// Print a one-time invitation for a terminal; valid for ten minutes.
    Invite(Invite),
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder; made when absent, refused when it holds a ledger.
    #[arg(long, env = "QIANTAI_DATA")]
    pub(crate) data: PathBuf,
    /// Fill it with sample shops.
    #[arg(long, value_enum)]
    pub(crate) sample: Option<SampleChoice>,
    /// Members of each sample shop.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) members: usize,
    /// The same seed gives the same shops.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port; port 0 takes a free one and prints it.
    #[arg(long, env = "QIANTAI_LISTEN", default_value = "127.0.0.1:7810")]
    pub(crate) listen: SocketAddr,
    /// The data folder.
    #[arg(long, env = "QIANTAI_DATA")]
    pub(crate) data: PathBuf,
    /// Address of a training gateway that carries every wallet.
    #[arg(long, requires = "training_key_file")]
    pub(crate) training_gateway: Option<String>,
    /// File with the key shared with it, in hexadecimal.
    #[arg(long, requires = "training_gateway")]
    pub(crate) training_key_file: Option<PathBuf>,
    /// Our merchant number there.
    #[arg(long, default_value = "1900000001")]
    pub(crate) training_merchant: String,
    /// Address at which gateways reach this server; the listening address if absent.
    #[arg(long)]
    pub(crate) public_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Invite {
    /// The data folder.
    #[arg(long, env = "QIANTAI_DATA")]
    pub(crate) data: PathBuf,
    /// Five-digit code of the store.
    #[arg(long)]
    pub(crate) store: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SampleChoice {
    /// 动力健身
    Gym,
    /// 简单美发
    Salon,
    /// 悦己美容
    Beauty,
    /// All three.
    All,
}

impl SampleChoice {
    pub(crate) fn kinds(self) -> Vec<ShopKind> {
        match self {
            SampleChoice::Gym => vec![ShopKind::Gym],
            SampleChoice::Salon => vec![ShopKind::Salon],
            SampleChoice::Beauty => vec![ShopKind::Beauty],
            SampleChoice::All => vec![ShopKind::Salon, ShopKind::Gym, ShopKind::Beauty],
        }
    }
}
