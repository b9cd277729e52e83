//! The print spooler of Windows: which queues there are, and documents past every driver.
#![cfg(windows)]
#![expect(unsafe_code, reason = "winspool is an interface of pointers")]

use std::ffi::c_void;
use std::{io, ptr, slice};

use windows_sys::Win32::Foundation::ERROR_INSUFFICIENT_BUFFER;
use windows_sys::Win32::Graphics::Printing::{
    AbortPrinter, ClosePrinter, DOC_INFO_1W, EndDocPrinter, EndPagePrinter, EnumPrintersW,
    OpenPrinterW, PRINTER_ATTRIBUTE_WORK_OFFLINE, PRINTER_ENUM_CONNECTIONS, PRINTER_ENUM_LOCAL,
    PRINTER_HANDLE, PRINTER_INFO_2W, PRINTER_STATUS_OFFLINE, PRINTER_STATUS_PAUSED,
    StartDocPrinterW, StartPagePrinter, WritePrinter,
};

/// Level of [`PRINTER_INFO_2W`].
const WITH_STATUS: u32 = 2;
/// Level of [`DOC_INFO_1W`].
const DOCUMENT: u32 = 1;
/// New printers between two looks make the second one too small as well.
const LOOKS_MAX: usize = 4;

/// A queue of the spooler.
pub struct Queue {
    /// Its name.
    pub name: String,
    /// It keeps documents and prints none.
    pub paused: bool,
}

/// Why a document is not in its queue.
#[derive(Debug)]
pub enum Fault {
    /// Nothing was taken.
    Refused(io::Error),
    /// A part was taken; some of it may be on paper.
    Broken(io::Error),
}

/// The queues of this computer and those that it is connected to.
///
/// # Errors
/// What Windows says.
pub fn queues() -> io::Result<Vec<Queue>> {
    // Of words of eight bytes, so that structures in it lie as they must.
    let mut room: Vec<u64> = Vec::new();
    for _ in 0..LOOKS_MAX {
        let (mut needed, mut count) = (0, 0);
        let bytes = u32::try_from(room.len() * 8).map_err(io::Error::other)?;
        let kinds = PRINTER_ENUM_LOCAL | PRINTER_ENUM_CONNECTIONS;
        let start = room.as_mut_ptr().cast::<u8>();
        // SAFETY: `room` has `bytes` bytes, and both numbers outlive the call.
        let done = unsafe {
            EnumPrintersW(
                kinds,
                ptr::null(),
                WITH_STATUS,
                start,
                bytes,
                &mut needed,
                &mut count,
            )
        };
        if done != 0 {
            if count == 0 {
                return Ok(Vec::new());
            }
            let count = usize::try_from(count).map_err(io::Error::other)?;
            let first = room.as_ptr().cast::<PRINTER_INFO_2W>();
            // SAFETY: Windows has written `count` structures to the start of `room`.
            let found = unsafe { slice::from_raw_parts(first, count) };
            return Ok(found.iter().map(queue).collect());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != i32::try_from(ERROR_INSUFFICIENT_BUFFER).ok() {
            return Err(error);
        }
        let words = usize::try_from(needed)
            .map_err(io::Error::other)?
            .div_ceil(8);
        room = vec![0; words];
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Hands `bytes` to `queue` as they are.
///
/// # Errors
/// See [`Fault`].
pub fn print(queue: &str, title: &str, bytes: &[u8]) -> Result<(), Fault> {
    let printer = Printer::open(queue).map_err(Fault::Refused)?;
    let (mut title, mut datatype) = (wide(title), wide("RAW"));
    let document = DOC_INFO_1W {
        pDocName: title.as_mut_ptr(),
        pOutputFile: ptr::null_mut(),
        pDatatype: datatype.as_mut_ptr(),
    };
    // SAFETY: the handle is open; `document` and its texts outlive the call.
    let job = unsafe { StartDocPrinterW(printer.0, DOCUMENT, &document) };
    if job == 0 {
        return Err(Fault::Refused(io::Error::last_os_error()));
    }
    let ended = printer.write_page(bytes).and_then(|()| {
        // SAFETY: the handle is open.
        succeeded(unsafe { EndDocPrinter(printer.0) })
    });
    ended.map_err(|error| {
        // What Windows has not passed on yet is not printed any more. Should that fail as well,
        // the whole slip that follows says that this one is void.
        // SAFETY: the handle is open.
        let _kept = unsafe { AbortPrinter(printer.0) };
        Fault::Broken(error)
    })
}

/// A handle, closed when it is dropped.
struct Printer(PRINTER_HANDLE);

impl Printer {
    fn open(queue: &str) -> io::Result<Printer> {
        let name = wide(queue);
        let mut handle = PRINTER_HANDLE::default();
        // SAFETY: `name` ends in nought; `name` and `handle` outlive the call.
        succeeded(unsafe { OpenPrinterW(name.as_ptr(), &mut handle, ptr::null()) })?;
        Ok(Printer(handle))
    }

    fn write_page(&self, bytes: &[u8]) -> io::Result<()> {
        // SAFETY: the handle is open.
        succeeded(unsafe { StartPagePrinter(self.0) })?;
        let mut left = bytes;
        while !left.is_empty() {
            let length = u32::try_from(left.len()).unwrap_or(u32::MAX);
            let start = left.as_ptr().cast::<c_void>();
            let mut taken = 0;
            // SAFETY: the handle is open; `left` has `length` bytes, which are only read.
            succeeded(unsafe { WritePrinter(self.0, start, length, &mut taken) })?;
            let taken = usize::try_from(taken).map_err(io::Error::other)?;
            if taken == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            left = left.get(taken..).unwrap_or_default();
        }
        // SAFETY: the handle is open.
        succeeded(unsafe { EndPagePrinter(self.0) })
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        // A handle that does not close is Windows' own to clear away with the program.
        // SAFETY: the handle is open, and nobody uses it after this.
        let _closed = unsafe { ClosePrinter(self.0) };
    }
}

fn queue(info: &PRINTER_INFO_2W) -> Queue {
    let rests = info.Status & (PRINTER_STATUS_PAUSED | PRINTER_STATUS_OFFLINE) != 0;
    Queue {
        name: text(info.pPrinterName),
        paused: rests || info.Attributes & PRINTER_ATTRIBUTE_WORK_OFFLINE != 0,
    }
}

/// A text of Windows that ends in nought, or none.
fn text(start: *const u16) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: the text ends in nought, so that everything up to there can be pointed at.
    let unit = |at: usize| unsafe { start.add(at) };
    // SAFETY: and read.
    let is_end = |at: &usize| unsafe { *unit(*at) } == 0;
    let length = (0..).take_while(|at| !is_end(at)).count();
    // SAFETY: `length` units were just read.
    String::from_utf16_lossy(unsafe { slice::from_raw_parts(start, length) })
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn succeeded(done: windows_sys::core::BOOL) -> io::Result<()> {
    match done {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
