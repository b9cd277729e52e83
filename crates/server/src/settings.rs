//! What the server is told to do, and by whom: flags go before the environment, the environment
//! before the file, the file before what is built in. A value that is wrong is refused with the
//! name of its source; nothing is guessed.

mod protection;
mod reached;

use std::fmt::{self, Display, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qiantai_server::limits::Limits;

use crate::cli::{LogFormat, Told};
use crate::pay_tables::PayTables;
pub(crate) use protection::{Protection, outward};

/// Read when no other file is named, if it exists.
const USUAL_FILE: &str = "/etc/qiantai/server.toml";

/// One thing that can be set.
struct Setting {
    /// Its name in the file.
    key: &'static str,
    /// Its name in the environment. The flag is `--` with hyphens for underscores.
    env: &'static str,
    /// Built in; `None` leaves it unset.
    default: Option<&'static str>,
    is_secret: bool,
}

const fn plain(key: &'static str, env: &'static str, default: Option<&'static str>) -> Setting {
    Setting {
        key,
        env,
        default,
        is_secret: false,
    }
}

const SETTINGS: &[Setting] = &[
    plain("data", "QIANTAI_DATA", None),
    Setting {
        key: "database_url",
        env: "QIANTAI_DATABASE_URL",
        default: None,
        is_secret: true,
    },
    plain("database_url_file", "QIANTAI_DATABASE_URL_FILE", None),
    plain("listen", "QIANTAI_LISTEN", Some("127.0.0.1:7810")),
    plain("upkeep_listen", "QIANTAI_UPKEEP_LISTEN", None),
    plain("public_url", "QIANTAI_PUBLIC_URL", None),
    plain("plain_http", "QIANTAI_PLAIN_HTTP", Some("loopback")),
    plain("tls_folder", "QIANTAI_TLS_FOLDER", None),
    plain("tls_certificate", "QIANTAI_TLS_CERTIFICATE", None),
    plain("tls_key", "QIANTAI_TLS_KEY", None),
    plain("tree_heads", "QIANTAI_TREE_HEADS", None),
    plain("stop_patience_s", "QIANTAI_STOP_PATIENCE_S", Some("10")),
    plain(
        "device_requests_per_s",
        "QIANTAI_DEVICE_REQUESTS_PER_S",
        Some("100"),
    ),
    plain(
        "stranger_requests_per_min",
        "QIANTAI_STRANGER_REQUESTS_PER_MIN",
        Some("60"),
    ),
    plain("log", "QIANTAI_LOG_FORM", Some("text")),
    plain("log_filter", "QIANTAI_LOG", Some("info")),
    plain("training_gateway", "QIANTAI_TRAINING_GATEWAY", None),
    plain("training_key_file", "QIANTAI_TRAINING_KEY_FILE", None),
    plain(
        "training_merchant",
        "QIANTAI_TRAINING_MERCHANT",
        Some("1900000001"),
    ),
];

/// Where a value comes from, the strongest last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    BuiltIn,
    File(PathBuf),
    Environment(&'static str),
    Flag(String),
}

impl Source {
    fn strength(&self) -> u8 {
        match self {
            Source::BuiltIn => 0,
            Source::File(_) => 1,
            Source::Environment(_) => 2,
            Source::Flag(_) => 3,
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::BuiltIn => f.write_str("built in"),
            Source::File(path) => write!(f, "the file {}", path.display()),
            Source::Environment(name) => write!(f, "the environment variable {name}"),
            Source::Flag(flag) => write!(f, "the flag {flag}"),
        }
    }
}

/// Why settings are refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The file that was named, or the usual one, cannot be read.
    #[error("the settings file {path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// A value that cannot be used.
    #[error("{key} is {value:?}, from {from}: {needs}")]
    Wrong {
        /// Which setting.
        key: &'static str,
        /// What it is; secrets are not repeated.
        value: String,
        /// Where it was said.
        from: String,
        /// What it must be.
        needs: String,
    },
    /// Two settings that exclude each other.
    #[error("{one} (from {one_from}) and {other} (from {other_from}) exclude each other")]
    Both {
        /// The one.
        one: &'static str,
        /// Its source.
        one_from: String,
        /// The other.
        other: &'static str,
        /// Its source.
        other_from: String,
    },
    /// Accounts at payment channels.
    #[error("payment channels: {0}")]
    Pay(String),
    /// Anybody on the network could read along.
    #[error(
        "{0} is reached from other machines, so connections must be encrypted: give --tls-folder \
         for an authority of our own, or --tls-certificate with --tls-key, or --plain-http if \
         something before this server encrypts"
    )]
    Unprotected(SocketAddr),
    /// Nothing says where the books are.
    #[error(
        "where are the books? Give --data or --database-url, or set data or database_url in the \
         settings file"
    )]
    NoBooks,
    /// The other servers of the database would send terminals nowhere.
    #[error(
        "public_url is not set, and {0} is no address at which others reach this server: servers that \
         share a database name each other to terminals, so set public_url (--public-url, \
         QIANTAI_PUBLIC_URL), as https://192.168.1.10:7810"
    )]
    Nowhere(SocketAddr),
    /// One needs the other.
    #[error("{has} is set (from {from}) and {lacks} is not; they go together")]
    Alone {
        /// The one that is there.
        has: &'static str,
        /// Its source.
        from: String,
        /// The one that is not.
        lacks: &'static str,
    },
}

/// Where the books are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A data folder with an embedded ledger.
    Folder(PathBuf),
    /// A PostgreSQL database; its address may hold a password.
    Database(String),
}

/// Every value with its source.
#[derive(Debug)]
pub(crate) struct Settings(Vec<(&'static Setting, Option<(String, Source)>)>, PayTables);

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)
    }
}

impl Settings {
    /// What flags, environment and file say together.
    pub(crate) fn gather(
        told: &Told,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Settings, SettingsError> {
        let flags = told.flags();
        let file = match (&told.config, environment("QIANTAI_CONFIG")) {
            (Some(path), _) => Some(path.clone()),
            (None, Some(path)) => Some(PathBuf::from(path)),
            (None, None) => {
                let usual = PathBuf::from(USUAL_FILE);
                usual.exists().then_some(usual)
            }
        };
        let (in_file, pay) = match &file {
            Some(path) => read_file(path)?,
            None => (Vec::new(), PayTables::default()),
        };
        let value_of = |setting: &'static Setting| {
            let flag = flags.iter().find(|(key, _)| *key == setting.key);
            if let Some((key, value)) = flag {
                let flag = format!("--{}", key.replace('_', "-"));
                return Some((value.clone(), Source::Flag(flag)));
            }
            if let Some(value) = environment(setting.env) {
                return Some((value, Source::Environment(setting.env)));
            }
            let of_file = in_file.iter().find(|(key, _)| *key == setting.key);
            if let (Some((_, value)), Some(path)) = (of_file, &file) {
                return Some((value.clone(), Source::File(path.clone())));
            }
            let built_in = setting.default?;
            Some((built_in.to_owned(), Source::BuiltIn))
        };
        let values = SETTINGS.iter().map(|setting| (setting, value_of(setting)));
        Ok(Settings(values.collect(), pay))
    }

    /// Where the books are. What is said more strongly stands; as strongly for both is refused.
    pub(crate) fn books(&self) -> Result<Place, SettingsError> {
        let keys = ["data", "database_url", "database_url_file"];
        let mut said: Vec<_> = keys
            .iter()
            .filter_map(|key| self.get(key).map(|(value, source)| (*key, value, source)))
            .collect();
        said.sort_by_key(|(_, _, source)| std::cmp::Reverse(source.strength()));
        match said.as_slice() {
            [] => Err(SettingsError::NoBooks),
            [one, other, ..] if one.2.strength() == other.2.strength() => {
                Err(SettingsError::Both {
                    one: one.0,
                    one_from: one.2.to_string(),
                    other: other.0,
                    other_from: other.2.to_string(),
                })
            }
            [("data", folder, _), ..] => Ok(Place::Folder(PathBuf::from(folder))),
            [("database_url", url, _), ..] => Ok(Place::Database((*url).to_owned())),
            [(_, path, _), ..] => match std::fs::read_to_string(path) {
                Ok(url) => Ok(Place::Database(url.trim().to_owned())),
                Err(error) => Err(self.wrong("database_url_file", &error.to_string())),
            },
        }
    }

    /// Address and port for terminals; port 0 takes a free one.
    pub(crate) fn listen(&self) -> Result<SocketAddr, SettingsError> {
        let address = self.address("listen")?;
        address.ok_or_else(|| self.wrong("listen", "it is needed"))
    }

    /// Address and port for metrics and probes; none when it is not set.
    pub(crate) fn upkeep_listen(&self) -> Result<Option<SocketAddr>, SettingsError> {
        self.address("upkeep_listen")
    }

    /// Folder for the daily heads of the books.
    pub(crate) fn tree_heads(&self) -> Option<PathBuf> {
        self.get("tree_heads").map(|(folder, _)| folder.into())
    }

    /// How long open requests may take to finish when the server is told to stop.
    pub(crate) fn stop_patience(&self) -> Result<Duration, SettingsError> {
        let said = self.get("stop_patience_s").map(|(value, _)| value.parse());
        match said {
            Some(Ok(seconds @ 1..=300)) => Ok(Duration::from_secs(seconds)),
            _ => Err(self.wrong("stop_patience_s", "it must be 1 to 300 seconds")),
        }
    }

    /// How much one device and one stranger may ask.
    pub(crate) fn limits(&self) -> Result<Limits, SettingsError> {
        let measure = |key| {
            let said = self.get(key).and_then(|(value, _)| value.parse().ok());
            said.ok_or_else(|| self.wrong(key, "it must be a whole number above 0"))
        };
        Ok(Limits {
            device_per_second: measure("device_requests_per_s")?,
            strangers_per_minute: measure("stranger_requests_per_min")?,
        })
    }

    /// Form of the log.
    pub(crate) fn log_format(&self) -> Result<LogFormat, SettingsError> {
        match self.get("log").map(|(value, _)| value) {
            Some("text") => Ok(LogFormat::Text),
            Some("json") => Ok(LogFormat::Json),
            _ => Err(self.wrong("log", "it must be text or json")),
        }
    }

    /// What is logged, in the words of `tracing_subscriber::EnvFilter`.
    pub(crate) fn log_filter(&self) -> Result<tracing_subscriber::EnvFilter, SettingsError> {
        let words = self.get("log_filter").map_or("info", |(value, _)| value);
        tracing_subscriber::EnvFilter::try_new(words)
            .map_err(|error| self.wrong("log_filter", &error.to_string()))
    }

    /// The training gateway: its address, the file with the shared key, and our merchant number.
    pub(crate) fn training(&self) -> Result<Option<(String, PathBuf, String)>, SettingsError> {
        let alone = |has: &'static str, lacks, source: &Source| SettingsError::Alone {
            has,
            from: source.to_string(),
            lacks,
        };
        let merchant = self.get("training_merchant").map_or("", |(value, _)| value);
        match (self.get("training_gateway"), self.get("training_key_file")) {
            (None, None) => Ok(None),
            (Some((url, _)), Some((file, _))) => {
                Ok(Some((url.to_owned(), file.into(), merchant.to_owned())))
            }
            (Some((_, from)), None) => Err(alone("training_gateway", "training_key_file", from)),
            (None, Some((_, from))) => Err(alone("training_key_file", "training_gateway", from)),
        }
    }

    /// Accounts at payment channels.
    pub(crate) fn pay_tables(&self) -> &PayTables {
        &self.1
    }

    /// Every value as it stands, with its source; secrets are not shown.
    pub(crate) fn shown(&self) -> String {
        let mut shown = String::new();
        for (setting, value) in &self.0 {
            let line = match value {
                None => format!("# {} is not set", setting.key),
                Some((_, source)) if setting.is_secret => {
                    format!("{} = \"(hidden)\"  # {source}", setting.key)
                }
                Some((value, source)) => format!("{} = {value:?}  # {source}", setting.key),
            };
            // Writing to a string does not fail.
            let _ = writeln!(shown, "{line}");
        }
        shown
    }

    /// Refuses whatever is wrong, also what the present command does not need.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let has_books = match self.books() {
            Ok(_) => true,
            Err(SettingsError::NoBooks) => false,
            Err(error) => return Err(error),
        };
        self.listen()?;
        self.upkeep_listen()?;
        self.public_url()?;
        self.stop_patience()?;
        self.limits()?;
        self.log_format()?;
        self.log_filter()?;
        match self.protection() {
            Ok(_) => {}
            // The data folder has a place for it.
            Err(SettingsError::Unprotected(_)) if !has_books => {}
            Err(error) => return Err(error),
        }
        let gateways = self
            .1
            .all()
            .map_err(|error| SettingsError::Pay(error.to_string()))?;
        match self.training()? {
            Some(_) if !gateways.is_empty() => {
                let problem = "training_gateway and [pay] exclude each other";
                Err(SettingsError::Pay(problem.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn address(&self, key: &'static str) -> Result<Option<SocketAddr>, SettingsError> {
        let Some((value, _)) = self.get(key) else {
            return Ok(None);
        };
        let address = value.parse().map(Some);
        address.map_err(|_| self.wrong(key, "it must be an address and port, as 0.0.0.0:7810"))
    }

    fn get(&self, key: &str) -> Option<(&str, &Source)> {
        let found = self.0.iter().find(|(setting, _)| setting.key == key);
        let (value, source) = found?.1.as_ref()?;
        Some((value, source))
    }

    fn wrong(&self, key: &'static str, needs: &str) -> SettingsError {
        let found = self.0.iter().find(|(setting, _)| setting.key == key);
        let said = found.and_then(|(_, value)| value.as_ref());
        let is_secret = found.is_some_and(|(setting, _)| setting.is_secret);
        let (value, from) = match said {
            Some((_, source)) if is_secret => ("(hidden)".to_owned(), source.to_string()),
            Some((value, source)) => (value.clone(), source.to_string()),
            None => (String::new(), "nowhere".to_owned()),
        };
        SettingsError::Wrong {
            key,
            value,
            from,
            needs: needs.to_owned(),
        }
    }
}

/// Values by name, and the accounts at payment channels.
type InFile = (Vec<(&'static str, String)>, PayTables);

/// The file's values as text. Numbers and words are taken; anything else, and names that are not
/// known, are refused: a slip of the pen must not go unnoticed.
fn read_file(path: &Path) -> Result<InFile, SettingsError> {
    let refuse = |cause: String| SettingsError::File {
        path: path.to_owned(),
        cause,
    };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| refuse(format!("not TOML: {}", error.message())))?;
    let mut values = Vec::new();
    let mut pay = PayTables::default();
    for (key, value) in table {
        if key == "pay" {
            let folder = path.parent().unwrap_or(Path::new(""));
            pay = PayTables::new(folder, value).map_err(refuse)?;
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            let known: Vec<_> = SETTINGS.iter().map(|setting| setting.key).collect();
            let known = known.join(", ");
            return Err(refuse(format!("{key:?} is not known; known are {known}")));
        };
        let text = match value {
            toml::Value::String(words) => words,
            toml::Value::Integer(number) => number.to_string(),
            _ => return Err(refuse(format!("{key} must be a number or words in quotes"))),
        };
        values.push((setting.key, text));
    }
    Ok((values, pay))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `read` makes of a file, an environment and flags.
    fn check<T: fmt::Debug>(
        (file, environment, flags): (&str, &[(&str, &str)], Told),
        read: impl Fn(&Settings) -> Result<T, SettingsError>,
        expected: &str,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("server.toml");
        std::fs::write(&path, file).expect("it can be written");
        let told = Told {
            config: Some(path),
            ..flags
        };
        let environment = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let said = match Settings::gather(&told, &environment).and_then(|known| read(&known)) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(expected), "{said}");
    }

    fn flags(listen: &str) -> Told {
        Told {
            listen: Some(listen.to_owned()),
            ..Told::default()
        }
    }

    #[test]
    fn the_stronger_source_stands() {
        let listen = |settings: &Settings| settings.listen();
        let file = "listen = \"0.0.0.0:1\"";
        let env = [("QIANTAI_LISTEN", "0.0.0.0:2")];
        check(("", &[], Told::default()), listen, "127.0.0.1:7810");
        check((file, &[], Told::default()), listen, "0.0.0.0:1");
        check((file, &env, Told::default()), listen, "0.0.0.0:2");
        check((file, &env, flags("0.0.0.0:3")), listen, "0.0.0.0:3");
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_source() {
        let all = |settings: &Settings| settings.check();
        let env = |name, value| [(name, value)];
        let none = Told::default;
        check(
            ("listen = \"here\"", &[], none()),
            all,
            "listen is \"here\", from the file ",
        );
        check(
            ("", &env("QIANTAI_LISTEN", "x"), none()),
            all,
            "listen is \"x\", from the environment variable QIANTAI_LISTEN: it must be",
        );
        check(
            ("", &[], flags("y")),
            all,
            "listen is \"y\", from the flag --listen",
        );
        check(
            ("lisen = \"x\"", &[], none()),
            all,
            "\"lisen\" is not known",
        );
        check(
            ("listen = [1]", &[], none()),
            all,
            "must be a number or words",
        );
        check(("listen = ", &[], none()), all, "not TOML");
        check(("[pay.paypal]", &[], none()), all, "known are wechat");
        check(("pay = 1", &[], none()), all, "pay must be tables");
        check(("[pay.shouqianba]", &[], none()), all, "carries must list");
        let both = "[pay.wechat]\n[pay.shouqianba]\ncarries = [\"wechat\"]";
        check((both, &[], none()), all, "both carry wechat");
        check(("stop_patience_s = 0", &[], none()), all, "1 to 300");
        check(("device_requests_per_s = 0", &[], none()), all, "above 0");
        check(("log = \"xml\"", &[], none()), all, "text or json");
        check(
            ("log_filter = \"a=b=c\"", &[], none()),
            all,
            "log_filter is",
        );
        check(("public_url = \"shop\"", &[], none()), all, "http://");
        for nowhere in ["http://0.0.0.0:7810", "https://[::]"] {
            let file = format!("public_url = \"{nowhere}\"");
            check((&file, &[], none()), all, "nobody reaches anything");
        }
        check(
            ("training_gateway = \"http://x\"", &[], none()),
            all,
            "training_key_file is not; they go together",
        );
        check(
            ("database_url_file = \"/nowhere/at/all\"", &[], none()),
            all,
            "database_url_file is \"/nowhere/at/all\"",
        );
    }

    #[test]
    fn the_books_are_in_one_place() {
        let books = |settings: &Settings| settings.books();
        let none = Told::default;
        let both = "data = \"/d\"\ndatabase_url = \"postgres://u:secret@h/n\"";
        check(("", &[], none()), books, "where are the books?");
        check((both, &[], none()), books, "exclude each other");
        check(
            (both, &[("QIANTAI_DATA", "/e")], none()),
            books,
            "Folder(\"/e\")",
        );
        check(("data = \"/d\"", &[], none()), books, "Folder(\"/d\")");
        let shown = |settings: &Settings| Ok(settings.shown());
        check((both, &[], none()), shown, "(hidden)");
        check((both, &[], none()), shown, "/server.toml");
        let told = Told {
            config: None,
            database_url: Some("postgres://u:secret@h/n".into()),
            ..none()
        };
        let settings = Settings::gather(&told, &|_| None).expect("nothing is wrong with it");
        assert!(!settings.shown().contains("secret"));
    }
}
