//! `[pay.CHANNEL]` of the settings file.

use std::path::{Path, PathBuf};

use qiantai_server::gateways::{GatewaySettings, GatewaysError, routes};
use serde_json::Value;

/// The tables as they stand, and the folder from which their relative paths begin.
#[derive(Clone, Default)]
pub(crate) struct PayTables {
    folder: PathBuf,
    tables: Vec<(String, Value)>,
    /// One account, whichever channel it is asked for.
    account: Option<Value>,
}

/// May hold keys.
impl std::fmt::Debug for PayTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.tables.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// Why there are no tables.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PayTablesError {
    /// A channel without its table.
    #[error("there is no [pay.{0}] in the settings file; name it with --config")]
    NoTable(String),
    /// See [`GatewaysError`].
    #[error(transparent)]
    Gateways(#[from] GatewaysError),
    /// The file of an account.
    #[error("{path}: {cause}")]
    Account {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: String,
    },
}

impl PayTables {
    /// The table `pay` of the settings file in `folder`.
    ///
    /// # Errors
    /// In plain words, where it is no table of tables.
    pub(crate) fn new(folder: &Path, pay: toml::Value) -> Result<PayTables, String> {
        let toml::Value::Table(pay) = pay else {
            return Err("pay must be tables, [pay.wechat] and so on".to_owned());
        };
        let table = |(name, table): (String, toml::Value)| match table {
            toml::Value::Table(_) => match serde_json::to_value(table) {
                Ok(table) => Ok((name, table)),
                Err(error) => Err(format!("pay.{name}: {error}")),
            },
            _ => Err(format!("pay.{name} must be a table")),
        };
        Ok(PayTables {
            folder: folder.to_owned(),
            tables: pay.into_iter().map(table).collect::<Result<_, _>>()?,
            account: None,
        })
    }

    /// One account in a JSON file of the channel's own settings.
    pub(crate) fn of_account(path: &Path) -> Result<PayTables, PayTablesError> {
        let refuse = |cause: String| PayTablesError::Account {
            path: path.to_owned(),
            cause,
        };
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        // The usual error quotes what stands there, which may be a key.
        let account = serde_json::from_str(&text)
            .map_err(|error| refuse(format!("not JSON in line {}", error.line())))?;
        Ok(PayTables {
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
            tables: Vec::new(),
            account: Some(account),
        })
    }

    /// Where relative paths begin.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The settings of one channel.
    pub(crate) fn read(&self, name: &str) -> Result<GatewaySettings, PayTablesError> {
        let table = self.tables.iter().find(|(known, _)| known == name);
        let account = self.account.as_ref();
        let settings = account.or(table.map(|(_, table)| table)).cloned();
        let mut settings = settings.ok_or_else(|| PayTablesError::NoTable(name.to_owned()))?;
        if let (Some(_), Some(fields)) = (account, settings.as_object_mut()) {
            // What it carries is for serving.
            fields.insert("carries".to_owned(), serde_json::json!(["wechat"]));
        }
        Ok(GatewaySettings::read(name, settings)?)
    }

    /// Every channel.
    pub(crate) fn all(&self) -> Result<Vec<GatewaySettings>, GatewaysError> {
        let tables = self.tables.iter();
        let gateways = tables
            .map(|(name, table)| GatewaySettings::read(name, table.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        routes(&gateways).map(|_| gateways)
    }
}
