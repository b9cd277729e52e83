//! What the command line says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use qiantai_server::sample::ShopKind;

/// The ledger server of Qiantai.
///
/// Settings come from flags, else from the environment, else from a settings file, else they are
/// built in. `qiantai-server config` shows them all with their sources.
#[derive(Debug, Parser)]
#[command(name = "qiantai-server", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) told: Told,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Settings as flags; each is also a key of the settings file and an environment variable.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Told {
    /// Settings file (TOML). Also `QIANTAI_CONFIG`; else `/etc/qiantai/server.toml` if it exists.
    #[arg(long, global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Folder with an embedded ledger, for one server. Also `QIANTAI_DATA`.
    #[arg(long, global = true)]
    pub(crate) data: Option<String>,
    /// PostgreSQL database that servers share, as `postgres://user:password@host:port/name`. Also
    /// `QIANTAI_DATABASE_URL`, which other users of the machine do not see.
    #[arg(long, global = true)]
    pub(crate) database_url: Option<String>,
    /// File with that address. Also `QIANTAI_DATABASE_URL_FILE`.
    #[arg(long, global = true)]
    pub(crate) database_url_file: Option<String>,
    /// Address and port for terminals; port 0 takes a free one and prints it. Also
    /// `QIANTAI_LISTEN`; 127.0.0.1:7810 if nothing is said.
    #[arg(long, global = true)]
    pub(crate) listen: Option<String>,
    /// Address and port for metrics and probes: `/metrics`, `/livez`, `/readyz`,
    /// `/writez`. Also `QIANTAI_UPKEEP_LISTEN`; closed if nothing is said.
    #[arg(long, global = true)]
    pub(crate) upkeep_listen: Option<String>,
    /// Address at which gateways and, where servers share a database, terminals that asked another
    /// one reach this one. Also `QIANTAI_PUBLIC_URL`; the listening address if nothing is said and
    /// that is one.
    #[arg(long, global = true)]
    pub(crate) public_url: Option<String>,
    /// Where connections are not encrypted: `loopback`, where nobody else can listen; `always`,
    /// which is what the flag alone says; `never`. Also `QIANTAI_PLAIN_HTTP`; loopback if nothing
    /// is said.
    #[arg(long, global = true, num_args = 0..=1, default_missing_value = "always")]
    pub(crate) plain_http: Option<String>,
    /// Folder with the certificate authority of our own, made when absent. Also
    /// `QIANTAI_TLS_FOLDER`; `tls` in the data folder if nothing is said.
    #[arg(long, global = true)]
    pub(crate) tls_folder: Option<String>,
    /// PEM file of a certificate that was given, with those above it; read again when it changes.
    /// Also `QIANTAI_TLS_CERTIFICATE`.
    #[arg(long, global = true)]
    pub(crate) tls_certificate: Option<String>,
    /// PEM file of its key. Also `QIANTAI_TLS_KEY`.
    #[arg(long, global = true)]
    pub(crate) tls_key: Option<String>,
    /// Folder, best on another machine, into which the signed head of the books is written every
    /// day. Also `QIANTAI_TREE_HEADS`; nowhere if nothing is said.
    #[arg(long, global = true)]
    pub(crate) tree_heads: Option<String>,
    /// Seconds that open requests have to finish when the server is told to stop. Also
    /// `QIANTAI_STOP_PATIENCE_S`; 10 if nothing is said.
    #[arg(long, global = true)]
    pub(crate) stop_patience_s: Option<String>,
    /// Requests of one device in a second. Also `QIANTAI_DEVICE_REQUESTS_PER_S`; 100 if nothing is
    /// said.
    #[arg(long, global = true)]
    pub(crate) device_requests_per_s: Option<String>,
    /// Requests from one address without a known token in a minute. Also
    /// `QIANTAI_STRANGER_REQUESTS_PER_MIN`; 60 if nothing is said.
    #[arg(long, global = true)]
    pub(crate) stranger_requests_per_min: Option<String>,
    /// Form of the log on standard error: text or json. Also `QIANTAI_LOG_FORM`.
    #[arg(long, global = true)]
    pub(crate) log: Option<String>,
    /// What is logged, such as `info` or `qiantai_server=debug`. Also `QIANTAI_LOG`.
    #[arg(long, global = true)]
    pub(crate) log_filter: Option<String>,
    /// Address of a training gateway that carries every wallet. Also `QIANTAI_TRAINING_GATEWAY`.
    #[arg(long, global = true)]
    pub(crate) training_gateway: Option<String>,
    /// File with the key shared with it, in hexadecimal. Also `QIANTAI_TRAINING_KEY_FILE`.
    #[arg(long, global = true)]
    pub(crate) training_key_file: Option<String>,
    /// Our merchant number there. Also `QIANTAI_TRAINING_MERCHANT`.
    #[arg(long, global = true)]
    pub(crate) training_merchant: Option<String>,
}

impl Told {
    /// What was said, by key of the settings file.
    pub(crate) fn flags(&self) -> Vec<(&'static str, String)> {
        let flags = [
            ("data", &self.data),
            ("database_url", &self.database_url),
            ("database_url_file", &self.database_url_file),
            ("listen", &self.listen),
            ("upkeep_listen", &self.upkeep_listen),
            ("public_url", &self.public_url),
            ("plain_http", &self.plain_http),
            ("tls_folder", &self.tls_folder),
            ("tls_certificate", &self.tls_certificate),
            ("tls_key", &self.tls_key),
            ("tree_heads", &self.tree_heads),
            ("stop_patience_s", &self.stop_patience_s),
            ("device_requests_per_s", &self.device_requests_per_s),
            ("stranger_requests_per_min", &self.stranger_requests_per_min),
            ("log", &self.log),
            ("log_filter", &self.log_filter),
            ("training_gateway", &self.training_gateway),
            ("training_key_file", &self.training_key_file),
            ("training_merchant", &self.training_merchant),
        ];
        let said = flags.into_iter();
        said.filter_map(|(key, value)| Some((key, value.clone()?)))
            .collect()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an empty ledger: a data folder with its key, or the tables of a database.
    Init(Init),
    /// Serve terminals.
    Serve(Serve),
    /// Make a one-time code for a terminal, as text and as QR code; valid for ten minutes. A server
    /// may serve the books meanwhile.
    Enrol(Enrol),
    /// Show the terminals, or take one out of service. A server may serve the books meanwhile.
    #[command(subcommand)]
    Terminals(Terminals),
    /// Show what terminals may spend of members' money without asking, or declare that a terminal
    /// which holds any will not come back.
    #[command(subcommand)]
    Leases(Leases),
    /// Show what was kept for review, and admit or refuse it.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Move the books of a data folder to a database, by replaying their log.
    Adopt(Adopt),
    /// Walk the books from the first operation to the last and name the first row that does not
    /// hold. A server may serve them meanwhile.
    Verify(Verify),
    /// Look at folder, disk, key, database, clock, backups and terminals, in plain words.
    Doctor,
    /// Write the books as of now to an encrypted file, and read it back. A server may serve them
    /// meanwhile.
    Backup(Backup),
    /// Make books from a backup. They begin a new timeline: terminals send again what the backup
    /// lacks, and gateways are asked about every payment since.
    Restore(Restore),
    /// Bring back what a lost terminal sold from the receipts that it printed, scanned into a text
    /// file. No server may serve the books meanwhile: at a running one the counter does it.
    ImportReceipts(ImportReceipts),
    /// Bring back what a lost terminal wrote from its second copy. No server may serve the books
    /// meanwhile.
    ImportCopy(ImportCopy),
    /// Try a merchant account of a payment channel: one call, its answer as JSON. The account
    /// stands in `[pay.CHANNEL]` of the settings file, or is a JSON file of the channel's settings.
    Pay(crate::pay::Pay),
    /// Keep a credential of a payment channel in the operating system's key store, which settings
    /// name as `{ key_store = "NAME" }`. It is the key store of the user who runs this command.
    #[command(subcommand)]
    Credential(crate::key_store::Credential),
    /// Print every setting as it stands, with its source; secrets are not shown.
    Config,
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The clock of this machine was looked at and is right, although the books are ahead of it or
    /// years behind: what is decided from now on has its time. For one start.
    #[arg(long)]
    pub(crate) believe_clock: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A head of the books that was written before, which they must still contain. May be given
    /// several times.
    #[arg(long)]
    pub(crate) tree_head: Vec<PathBuf>,
    /// Also decide the whole log again, into books beside these, and name the first row that it does not
    /// give: tiers, points, coupons, times, what terminals are told. It takes as long as the shop has
    /// worked, and room in the temporary folder (`TMPDIR`) for a second set of books, encrypted and
    /// removed afterwards.
    #[arg(long)]
    pub(crate) replay: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write, or a folder in which a name is made of the time.
    #[arg(long)]
    pub(crate) to: PathBuf,
    /// File with the key. Left out, the key of the data folder; for a database it is needed, and
    /// made when it is absent. Keep it apart from the backups.
    #[arg(long)]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportReceipts {
    /// Text file with the code of one receipt on each line, as scanned; `-` reads what is scanned
    /// into the terminal, up to its end (Ctrl+D).
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ImportCopy {
    /// The folder that the terminal's settings named, or a copy of it; it is only read.
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup; it is only read.
    #[arg(long)]
    pub(crate) from: PathBuf,
    /// File with the key of the backup. Left out, the key that lies in the data folder.
    #[arg(long)]
    pub(crate) key_file: Option<PathBuf>,
    /// Put a ledger that is in the folder aside, under another name.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Somebody has looked whether every terminal is where it belongs. Asked for where the books after
    /// the backup are lost: they alone say which terminals went out of service since.
    #[arg(long)]
    pub(crate) terminals_checked: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The data folder; no server may run on it, and none will any more: a note in it says where its
    /// books are. The database is empty, or left by an adoption that was cut short.
    #[arg(long)]
    pub(crate) from: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
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
pub(crate) struct Enrol {
    /// Five-digit code of the store; may be left out where there is only one.
    #[arg(long)]
    pub(crate) store: Option<String>,
    /// Address at which the terminal reaches the server, as `https://192.168.1.10:7810`. Left out,
    /// the public address, else the listening one.
    #[arg(long)]
    pub(crate) address: Option<String>,
    /// Also draw the QR code in a PNG file. Whoever sees it may use it.
    #[arg(long)]
    pub(crate) png: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Terminals {
    /// Every terminal: whether it is in service, when it was heard, what waits for review.
    List,
    /// Take a terminal out of service, for good. It is refused from its next contact on; what it
    /// sends then is kept for review. Whoever is to stand there again is enrolled anew.
    Revoke {
        /// Five-digit code of its store.
        #[arg(long)]
        store: String,
        /// Its two digits.
        #[arg(long)]
        terminal: String,
        /// Why, for those who ask later.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Leases {
    /// What every terminal holds, what was declared lost, and what members owe. A server may serve the
    /// books meanwhile.
    Exposure {
        /// As JSON, amounts in fen.
        #[arg(long)]
        json: bool,
    },
    /// Declare that a terminal will not come back: what it holds is the members' again, and may have
    /// been spent there. No server may serve the books meanwhile.
    Lost {
        /// Five-digit code of its store.
        #[arg(long)]
        store: String,
        /// Its two digits.
        #[arg(long)]
        terminal: String,
        /// Why, for those who ask later.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// Every operation that waits: of terminals that were out of service when it came, of two
    /// histories, or without those before it; and every operation that is held, because it could not be
    /// decided when it came. A server may serve the books meanwhile.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// It happened: it goes into the books now, with its own time and terminal, also from a disk that
    /// was cloned or set back. Only facts do; what asks for something is refused. No server may serve the books meanwhile.
    Admit(Review),
    /// It is no word of the shop: it stays in the log, refused, and waits no more. No server may serve
    /// the books meanwhile.
    Refuse(Review),
}

#[derive(Debug, Args)]
pub(crate) struct Review {
    /// Five-digit code of the terminal's store.
    #[arg(long)]
    pub(crate) store: String,
    /// Its two digits.
    #[arg(long)]
    pub(crate) terminal: String,
    /// Number of an operation, as the list says it; may be given several times. Left out, everything
    /// of the terminal that waits.
    #[arg(long)]
    pub(crate) number: Vec<u64>,
    /// Mark of an operation, as the list says it: where two histories of the terminal have one number.
    #[arg(long)]
    pub(crate) mark: Vec<String>,
    /// Who looked, and why; it goes into the audit log.
    #[arg(long)]
    pub(crate) reason: String,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
