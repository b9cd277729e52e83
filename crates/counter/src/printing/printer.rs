//! Where bytes become paper. Each target says what went wrong in the queue's words.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::view::session::PrinterTarget;

/// A printer that is off answers no connection within this time.
const CONNECT_MAX: Duration = Duration::from_secs(4);
/// A slow printer drains a slip within this time.
const WRITE_MAX: Duration = Duration::from_secs(20);

/// One slip in the forms that targets take.
pub struct Slip {
    /// Names the files of a folder target.
    pub name: String,
    /// For printers.
    pub escpos: Vec<u8>,
    /// For people.
    pub pdf: Vec<u8>,
}

/// Why a slip is not on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrinterTrouble {
    /// No connection; not a byte was sent.
    #[error("the printer does not answer")]
    Unreachable,
    /// Connected, but the slip did not go through in time; part of it may be on paper.
    #[error("the printer stopped in the middle")]
    Interrupted,
    /// The folder cannot be written.
    #[error("the folder cannot be written")]
    Folder,
}

impl PrinterTrouble {
    /// Key of the sentence for the cashier.
    pub fn message_key(self) -> &'static str {
        match self {
            PrinterTrouble::Unreachable => "error.printer_unreachable",
            PrinterTrouble::Interrupted => "error.printer_timeout",
            PrinterTrouble::Folder => "error.printer_folder",
        }
    }

    /// Whether the queue may try again by itself. After an interruption a person looks at the
    /// paper first.
    pub fn is_safe_to_repeat(self) -> bool {
        !matches!(self, PrinterTrouble::Interrupted)
    }
}

/// A printer that was found, and has no byte yet.
pub enum Found {
    /// It took the connection.
    Network(TcpStream),
    /// A folder; it is made when a slip comes.
    Folder(PathBuf),
}

/// Looks for the printer at `target`. Nothing of a slip is sent.
///
/// # Errors
/// [`PrinterTrouble::Unreachable`].
pub async fn find(target: &PrinterTarget) -> Result<Found, PrinterTrouble> {
    match target {
        PrinterTarget::Network { host, port } => {
            let connect = TcpStream::connect((host.as_str(), *port));
            match timeout(CONNECT_MAX, connect).await {
                Ok(Ok(stream)) => Ok(Found::Network(stream)),
                Ok(Err(_)) | Err(_) => Err(PrinterTrouble::Unreachable),
            }
        }
        PrinterTarget::Folder { path } => Ok(Found::Folder(path.into())),
    }
}

impl Found {
    /// Sends `slip`. From here on part of it may be on paper.
    ///
    /// # Errors
    /// See [`PrinterTrouble`].
    pub async fn print(self, slip: &Slip) -> Result<(), PrinterTrouble> {
        match self {
            Found::Network(stream) => network(stream, &slip.escpos).await,
            Found::Folder(path) => folder(&path, slip).await,
        }
    }
}

async fn network(mut stream: TcpStream, bytes: &[u8]) -> Result<(), PrinterTrouble> {
    let sent = timeout(WRITE_MAX, async {
        stream.write_all(bytes).await?;
        stream.shutdown().await
    });
    match sent.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(PrinterTrouble::Interrupted),
    }
}

async fn folder(path: &Path, slip: &Slip) -> Result<(), PrinterTrouble> {
    let write = async {
        tokio::fs::create_dir_all(path).await?;
        whole(path.join(format!("{}.escpos", slip.name)), &slip.escpos).await?;
        whole(path.join(format!("{}.pdf", slip.name)), &slip.pdf).await
    };
    write.await.map_err(|error| {
        tracing::warn!(%error, "receipt folder");
        PrinterTrouble::Folder
    })
}

/// Readers of the folder see a whole file or none.
async fn whole(path: PathBuf, bytes: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension("part");
    tokio::fs::write(&part, bytes).await?;
    tokio::fs::rename(&part, &path).await
}
