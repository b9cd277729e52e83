//! Printers on USB: pseudo-terminals in place of the kernel's devices, and beside them the files in
//! which it tells of them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::sleep;

/// So often without room, this far apart, a line is full.
const REFUSALS: u32 = 10;
const GLANCE: Duration = Duration::from_millis(10);

/// What a printer says of itself.
#[derive(Clone, Copy, Debug)]
pub struct UsbModel {
    /// Its IEEE 1284 device id.
    pub id: &'static str,
    /// Number of its maker.
    pub vendor: &'static str,
    /// Number of its model.
    pub product: &'static str,
    /// Its own number, if it has one.
    pub serial: Option<&'static str>,
}

impl UsbModel {
    /// A receipt printer as many shops have it.
    pub const EPSON: UsbModel = UsbModel {
        id: "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;",
        vendor: "04b8",
        product: "0e15",
        serial: Some("J4ZF001"),
    };
}

/// The sockets of a computer.
#[derive(Debug)]
pub struct UsbBus {
    folder: PathBuf,
}

impl UsbBus {
    /// Sockets with nothing in them, told of in `folder`.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn new(folder: &Path) -> io::Result<UsbBus> {
        let bus = UsbBus {
            folder: folder.to_owned(),
        };
        fs::create_dir_all(bus.class())?;
        fs::create_dir_all(bus.devices())?;
        Ok(bus)
    }

    /// What is known of each device, by its name.
    pub fn class(&self) -> PathBuf {
        self.folder.join("class")
    }

    /// The devices.
    pub fn devices(&self) -> PathBuf {
        self.folder.join("dev")
    }

    /// Plugs a printer into the socket `port`; the kernel makes it `lp{number}`.
    ///
    /// # Errors
    /// Where the system gives no further pseudo-terminal, or the folder cannot be written.
    pub fn plug(&self, model: &UsbModel, port: &str, number: u32) -> io::Result<UsbCable> {
        let device = self.folder.join("bus").join(port);
        let interface = device.join(format!("{port}:1.0"));
        fs::create_dir_all(&interface)?;
        fs::write(interface.join("ieee1284_id"), model.id)?;
        let tell = |name: &str, text: &str| fs::write(device.join(name), format!("{text}\n"));
        tell("idVendor", model.vendor)?;
        tell("idProduct", model.product)?;
        if let Some(serial) = model.serial {
            tell("serial", serial)?;
        }
        let class = self.class().join(format!("lp{number}"));
        fs::create_dir_all(&class)?;
        let node = self.devices().join(format!("lp{number}"));
        let (printer, computer) = terminal(&node)?;
        // Last: a program that looks meanwhile finds a printer whole or not at all.
        symlink(&interface, class.join("device"))?;
        Ok(UsbCable {
            from: Receiver::from_file_unchecked(printer.try_clone()?)?,
            to: Sender::from_file_unchecked(printer)?,
            computer,
            traces: vec![class, device, node],
        })
    }
}

/// Both ends of a line that carries every byte as it is; the computer's stands at `node`.
fn terminal(node: &Path) -> io::Result<(File, File)> {
    let printer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    fcntl_setfl(&printer, OFlags::RDWR | OFlags::NONBLOCK)?;
    grantpt(&printer)?;
    unlockpt(&printer)?;
    let name = ptsname(&printer, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let computer = rustix::fs::open(&name, flags, Mode::empty())?;
    let mut raw = tcgetattr(&computer)?;
    raw.make_raw();
    tcsetattr(&computer, OptionalActions::Now, &raw)?;
    symlink(std::ffi::OsStr::from_bytes(name.to_bytes()), node)?;
    Ok((printer.into(), computer.into()))
}

/// The printer's end. Dropped, it is pulled out.
#[derive(Debug)]
pub struct UsbCable {
    from: Receiver,
    to: Sender,
    /// Kept open, so that the line is there while no program has it.
    computer: File,
    traces: Vec<PathBuf>,
}

impl UsbCable {
    /// Leaves no room for another byte, as a printer does that takes none.
    ///
    /// # Errors
    /// Where the line fails otherwise.
    pub async fn fill(&mut self) -> io::Result<()> {
        let mut refused = 0;
        // The system moves what is on the line on for a while, and has room again.
        while refused < REFUSALS {
            match self.computer.write(&[0]) {
                Ok(_) => refused = 0,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    refused += 1;
                    sleep(GLANCE).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for UsbCable {
    fn drop(&mut self) {
        for trace in &self.traces {
            let removed = match trace.is_symlink() {
                true => fs::remove_file(trace),
                false => fs::remove_dir_all(trace),
            };
            // What the end of a test has removed with its folder is gone as well.
            drop(removed);
        }
    }
}

impl AsyncRead for UsbCable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.from).poll_read(cx, buffer)
    }
}

impl AsyncWrite for UsbCable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.to).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
