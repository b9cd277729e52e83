//! A receipt printer on the network, by TCP.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::line::Line;
use super::printer::PrinterTrouble;

/// A printer that is off answers no connection within this time.
const CONNECT_MAX: Duration = Duration::from_secs(4);

/// Calls the printer; not a byte is sent.
///
/// # Errors
/// [`PrinterTrouble::Unreachable`].
pub async fn call(host: &str, port: u16) -> Result<Line, PrinterTrouble> {
    match timeout(CONNECT_MAX, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => Ok(Line::over(stream)),
        Ok(Err(_)) | Err(_) => Err(PrinterTrouble::Unreachable),
    }
}
