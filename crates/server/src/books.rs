//! Opening the books that the settings name.

use std::path::Path;
use std::sync::Arc;

use qiantai_server::data_folder;
use qiantai_server::db::Archive;
use qiantai_server::db::postgres::{Holder, PostgresLedger};
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_sqlite::FolderLock;

use crate::AnyError;
use crate::settings::Place;

/// An open ledger and, while it is held, the folder that nobody else may work in.
pub(crate) struct Opened {
    pub(crate) ledger: Arc<dyn Archive>,
    _alone: Option<FolderLock>,
}

/// Makes empty books. Those that exist are refused and not touched.
pub(crate) fn make(place: &Place) -> Result<Opened, AnyError> {
    match place {
        Place::Folder(folder) => {
            let (key, alone) = data_folder::create(folder)?;
            file(folder, key, Some(alone))
        }
        Place::Database(url) => {
            let opened = database(url, String::new())?;
            if !opened.ledger.tenants()?.is_empty() {
                return Err("the database holds a ledger already".into());
            }
            Ok(opened)
        }
    }
}

/// Opens books to write them; `address` is told to whoever asks another server to.
pub(crate) fn open_to_write(place: &Place, address: String) -> Result<Opened, AnyError> {
    match place {
        Place::Folder(folder) => {
            let alone = data_folder::lock(folder)?;
            file(folder, data_folder::read_key(folder)?, Some(alone))
        }
        Place::Database(url) => database(url, address),
    }
}

/// Opens books that a server may be writing. Their schema is left to it: who does not know it is
/// refused.
pub(crate) fn open_beside(place: &Place) -> Result<Opened, AnyError> {
    match place {
        Place::Folder(folder) => {
            let key = data_folder::read_key(folder)?;
            let ledger = SqliteLedger::open_beside(&data_folder::ledger_path(folder), Some(key))?;
            Ok(Opened {
                ledger: Arc::new(ledger),
                _alone: None,
            })
        }
        Place::Database(url) => {
            let ledger = PostgresLedger::open_beside(url, nobody())?;
            Ok(Opened {
                ledger: Arc::new(ledger),
                _alone: None,
            })
        }
    }
}

/// Opens books only to read them, also those in a folder from which they were moved.
pub(crate) fn open_to_read(place: &Place) -> Result<Opened, AnyError> {
    let Place::Folder(folder) = place else {
        return open_beside(place);
    };
    let (path, key) = data_folder::to_read(folder)?;
    let ledger = SqliteLedger::open_beside(&path, Some(key))?;
    Ok(Opened {
        ledger: Arc::new(ledger),
        _alone: None,
    })
}

/// Who writes nothing that needs the right to write.
fn nobody() -> Holder {
    Holder::fresh(uuid::Uuid::now_v7(), String::new())
}

fn file(folder: &Path, key: [u8; 32], alone: Option<FolderLock>) -> Result<Opened, AnyError> {
    let ledger = SqliteLedger::open(&data_folder::ledger_path(folder), Some(key))?;
    Ok(Opened {
        ledger: Arc::new(ledger),
        _alone: alone,
    })
}

fn database(url: &str, address: String) -> Result<Opened, AnyError> {
    let ledger = PostgresLedger::open(url, Holder::fresh(uuid::Uuid::now_v7(), address))?;
    Ok(Opened {
        ledger: Arc::new(ledger),
        _alone: None,
    })
}
