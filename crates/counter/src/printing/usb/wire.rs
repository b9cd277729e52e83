//! The character device of a printer. It is never waited for by the kernel: a printer without
//! paper takes nothing for hours, and what it has not taken goes with the handle.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::task::spawn_blocking;
use tokio::time::{Sleep, sleep, timeout};

use crate::printing::line::Line;
use crate::printing::printer::PrinterTrouble;

/// A device that sleeps is awake within this time.
const OPEN_MAX: Duration = Duration::from_secs(4);
/// What a printer said to whoever had the device before comes within this time.
const STALE: Duration = Duration::from_millis(30);
/// One that goes on speaking is listened to no longer.
const STALE_READS_MAX: usize = 8;
/// An empty answer is no end: the printer had nothing to say, and is asked again after this time.
const NAP: Duration = Duration::from_millis(20);

/// Opens what `device` finds, and forgets what was said before.
pub async fn open(
    device: impl FnOnce() -> Result<PathBuf, PrinterTrouble> + Send + 'static,
) -> Result<Line, PrinterTrouble> {
    let opening = spawn_blocking(move || {
        let device = device()?;
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        rustix::fs::open(&device, flags, Mode::empty()).map_err(trouble)
    });
    let device = match timeout(OPEN_MAX, opening).await {
        Ok(Ok(opened)) => File::from(opened?),
        Ok(Err(_)) | Err(_) => return Err(PrinterTrouble::UsbBusy),
    };
    let mut wire = Wire::to(device).map_err(|error| {
        tracing::warn!(%error, "a printer on USB");
        PrinterTrouble::UsbGone
    })?;
    wire.forget().await;
    Ok(Line::over(wire))
}

/// An open device: two ends of a pipe to whoever waits for it.
struct Wire {
    from: Receiver,
    to: Sender,
    nap: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    fn to(device: File) -> io::Result<Wire> {
        Ok(Wire {
            from: Receiver::from_file_unchecked(device.try_clone()?)?,
            to: Sender::from_file_unchecked(device)?,
            nap: None,
        })
    }

    /// An answer to an older question would be taken for one to the next.
    async fn forget(&mut self) {
        let mut stale = [0; 64];
        for _ in 0..STALE_READS_MAX {
            // What is wrong with the device is met again by whoever writes to it.
            if !matches!(timeout(STALE, self.read(&mut stale)).await, Ok(Ok(_))) {
                return;
            }
        }
    }
}

fn trouble(error: Errno) -> PrinterTrouble {
    tracing::warn!(%error, "a printer on USB");
    match error {
        Errno::ACCESS | Errno::PERM => PrinterTrouble::UsbDenied,
        Errno::BUSY => PrinterTrouble::UsbBusy,
        _ => PrinterTrouble::UsbGone,
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Wire { from, nap, .. } = self.get_mut();
        let before = buffer.filled().len();
        loop {
            if let Some(resting) = nap {
                ready!(resting.as_mut().poll(cx));
                *nap = None;
            }
            match ready!(Pin::new(&mut *from).poll_read(cx, buffer)) {
                Ok(()) if buffer.filled().len() == before => {}
                // One that has no way back says nothing for ever.
                Err(error) if error.kind() == ErrorKind::InvalidInput => {}
                answered => return Poll::Ready(answered),
            }
            *nap = Some(Box::pin(sleep(NAP)));
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.to).poll_write(cx, bytes)
    }

    /// The driver takes bytes and lets go of them with the handle. It takes even none only when
    /// the printer has all that came before.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write(cx, &[]).map_ok(|_none| ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_device_shut_is_told_apart() {
        let cases = [
            (Errno::ACCESS, PrinterTrouble::UsbDenied),
            (Errno::PERM, PrinterTrouble::UsbDenied),
            (Errno::BUSY, PrinterTrouble::UsbBusy),
            (Errno::NODEV, PrinterTrouble::UsbGone),
            (Errno::NOENT, PrinterTrouble::UsbGone),
        ];
        for (error, expected) in cases {
            assert_eq!(trouble(error), expected, "{error}");
        }
    }
}
