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
    /// Make an empty ledger: a data folder with its key, or the tables of a database.
    Init(Init),
    /// Serve terminals.
    Serve(Serve),
    /// Print a one-time invitation for a terminal; valid for ten minutes.
    Invite(Invite),
    /// Move the books of a data folder to a database, by replaying their log.
    Adopt(Adopt),
    /// Walk the books from the first operation to the last and name the first row that does not
    /// hold. A server may serve them meanwhile.
    Verify(BooksOnly),
    /// Look at folder, disk, key, database, clock, backups and terminals, in plain words.
    Doctor(BooksOnly),
    /// Write the books as of now to an encrypted file, and read it back. A server may serve them
    /// meanwhile.
    Backup(Backup),
    /// Make books from a backup. They begin a new timeline: terminals send again what the backup
    /// lacks, and gateways are asked about every payment since.
    Restore(Restore),
    /// Print the OpenAPI document.
    Openapi,
}

/// Where the books are.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Books {
    /// Folder with an embedded ledger, for one server.
    #[arg(long, env = "QIANTAI_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// PostgreSQL database that servers share, as `postgres://user:password@host:port/name`.
    #[arg(long, env = "QIANTAI_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct BooksOnly {
    #[command(flatten)]
    pub(crate) books: Books,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) books: Books,
    /// File to write, or a folder in which a name is made of the time.
    #[arg(long)]
    pub(crate) to: PathBuf,
    /// File with the key. Left out, the key of the data folder; for a database it is needed, and
    /// made when it is absent. Keep it apart from the backups.
    #[arg(long)]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) books: Books,
    /// The backup; it is only read.
    #[arg(long)]
    pub(crate) from: PathBuf,
    /// File with the key of the backup. Left out, the key that lies in the data folder.
    #[arg(long)]
    pub(crate) key_file: Option<PathBuf>,
    /// Put a ledger that is in the folder aside, under another name.
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The data folder; no server may run on it. It stays as it is.
    #[arg(long)]
    pub(crate) from: PathBuf,
    /// The PostgreSQL database; empty, or left by an adoption that was cut short.
    #[arg(long, env = "QIANTAI_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: String,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) books: Books,
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
    #[command(flatten)]
    pub(crate) books: Books,
    /// Address of a training gateway that carries every wallet.
    #[arg(long, requires = "training_key_file")]
    pub(crate) training_gateway: Option<String>,
    /// File with the key shared with it, in hexadecimal.
    #[arg(long, requires = "training_gateway")]
    pub(crate) training_key_file: Option<PathBuf>,
    /// Our merchant number there.
    #[arg(long, default_value = "1900000001")]
    pub(crate) training_merchant: String,
    /// Address at which gateways and other servers reach this one; the listening address if
    /// absent.
    #[arg(long)]
    pub(crate) public_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Invite {
    #[command(flatten)]
    pub(crate) books: Books,
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
