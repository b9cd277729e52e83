//! Receipt printers on USB, as Linux shows them: a character device to write to, and beside it what
//! the printer says of itself.

#[cfg(target_os = "linux")]
mod wire;
#[cfg(not(target_os = "linux"))]
#[path = "usb/no_wire.rs"]
mod wire;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::line::Line;
use super::printer::PrinterTrouble;
use crate::view::printer::UsbPrinter;

/// Whether this system gives a direct way to printers on USB. The others print by their spooler.
pub const IS_SUPPORTED: bool = cfg!(target_os = "linux");

/// Where the system shows what is on USB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbPorts {
    /// What is known of each device, by its name.
    pub class: PathBuf,
    /// The devices.
    pub devices: PathBuf,
}

/// A printer that is plugged in.
struct Plugged {
    printer: UsbPrinter,
    device: PathBuf,
}

impl UsbPorts {
    /// The system's own places.
    pub fn of_system() -> UsbPorts {
        UsbPorts {
            class: PathBuf::from("/sys/class/usbmisc"),
            devices: PathBuf::from("/dev/usb"),
        }
    }

    /// The printers that are plugged in, by name.
    ///
    /// # Errors
    /// [`PrinterTrouble::UsbUnknown`] where the system does not let itself be asked.
    pub fn printers(&self) -> Result<Vec<UsbPrinter>, PrinterTrouble> {
        let plugged = self.plugged()?.into_iter();
        let mut printers: Vec<UsbPrinter> = plugged.map(|plugged| plugged.printer).collect();
        printers.sort_by(|one, other| (&one.name, &one.port).cmp(&(&other.name, &other.port)));
        Ok(printers)
    }

    /// The device of `printer`, whichever number it has now.
    fn device_of(&self, printer: &UsbPrinter) -> Result<PathBuf, PrinterTrouble> {
        let mut alike = self.plugged()?;
        alike.retain(|plugged| is_same(&plugged.printer, printer));
        if alike.len() > 1 {
            alike.retain(|plugged| plugged.printer.port == printer.port);
            return match alike.pop() {
                Some(plugged) => Ok(plugged.device),
                None => Err(PrinterTrouble::UsbAlike),
            };
        }
        let only = alike.pop().ok_or(PrinterTrouble::UsbGone)?;
        Ok(only.device)
    }

    fn plugged(&self) -> Result<Vec<Plugged>, PrinterTrouble> {
        let unknown = |error: io::Error| {
            tracing::warn!(%error, "printers on USB");
            PrinterTrouble::UsbUnknown
        };
        let entries = match fs::read_dir(&self.class) {
            Ok(entries) => entries,
            // It comes with the first device.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unknown(error)),
        };
        let mut plugged = Vec::new();
        for entry in entries {
            let name = entry.map_err(unknown)?.file_name();
            let Some(name) = name.to_str().filter(|name| is_printer(name)) else {
                continue;
            };
            match described(&self.class.join(name).join("device")) {
                Ok(printer) => plugged.push(Plugged {
                    printer,
                    device: self.devices.join(name),
                }),
                // Pulled out while it was looked at.
                Err(error) => tracing::info!(%error, name, "a printer on USB cannot be described"),
            }
        }
        Ok(plugged)
    }
}

/// Opens the way to `printer`. Nothing is sent.
///
/// # Errors
/// [`PrinterTrouble::UsbGone`] and its like.
pub async fn open(printer: &UsbPrinter, ports: UsbPorts) -> Result<Line, PrinterTrouble> {
    if !IS_SUPPORTED {
        return Err(PrinterTrouble::UsbUnknown);
    }
    let printer = printer.clone();
    wire::open(move || ports.device_of(&printer)).await
}

/// One with a number of its own is the same in every socket. Others are as good as their like.
fn is_same(one: &UsbPrinter, other: &UsbPrinter) -> bool {
    let what = |printer: &UsbPrinter| {
        let UsbPrinter {
            vendor,
            product,
            serial,
            ..
        } = printer.clone();
        (vendor, product, serial)
    };
    what(one) == what(other)
}

/// `lp0`, `lp1`, …; other devices stand in the same place.
fn is_printer(name: &str) -> bool {
    let digits = name.strip_prefix("lp").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the printer behind `interface` says of itself.
fn described(interface: &Path) -> io::Result<UsbPrinter> {
    let interface = fs::canonicalize(interface)?;
    let device = interface.parent().ok_or(ErrorKind::NotFound)?;
    let port = device.file_name().ok_or(ErrorKind::NotFound)?;
    let vendor = said(&device.join("idVendor"))?.ok_or(ErrorKind::InvalidData)?;
    let product = said(&device.join("idProduct"))?.ok_or(ErrorKind::InvalidData)?;
    let id = said(&interface.join("ieee1284_id"))?.unwrap_or_default();
    let maker = field(&id, &["MFG", "MANUFACTURER"]);
    let model = field(&id, &["MDL", "MODEL"]);
    let maker = maker.map_or_else(|| said(&device.join("manufacturer")), |it| Ok(Some(it)))?;
    let model = model.map_or_else(|| said(&device.join("product")), |it| Ok(Some(it)))?;
    Ok(UsbPrinter {
        name: called(maker, model).unwrap_or_else(|| format!("USB {vendor}:{product}")),
        serial: said(&device.join("serial"))?,
        port: port.to_string_lossy().into_owned(),
        vendor,
        product,
    })
}

/// Maker and model; many models begin with their maker's name.
fn called(maker: Option<String>, model: Option<String>) -> Option<String> {
    match (maker, model) {
        (Some(maker), Some(model)) if !model.starts_with(&maker) => {
            Some(format!("{maker} {model}"))
        }
        (maker, model) => model.or(maker),
    }
}

/// The value of the first of `keys` in an IEEE 1284 device id, `KEY:value;KEY:value;`.
fn field(id: &str, keys: &[&str]) -> Option<String> {
    let mut pairs = id.split(';').filter_map(|pair| pair.split_once(':'));
    let (_, value) = pairs.find(|(key, _)| keys.contains(&key.trim()))?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The text of a file; none where the printer says nothing.
fn said(file: &Path) -> io::Result<Option<String>> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes);
    let text: String = text
        .chars()
        .filter(|char| !char.is_control())
        .take(80)
        .collect();
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_id_names_maker_and_model() {
        let cases = [
            (
                "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;",
                Some("EPSON TM-T20II"),
            ),
            (
                "MANUFACTURER: STMicroelectronics ;MODEL:POS80 Printer USB;",
                Some("STMicroelectronics POS80 Printer USB"),
            ),
            ("MFG:GP;MDL:GP-C80250;", Some("GP-C80250")),
            ("MFG:;MDL:POS58;", Some("POS58")),
            ("CLS:PRINTER", None),
            ("", None),
        ];
        for (id, expected) in cases {
            let name = called(
                field(id, &["MFG", "MANUFACTURER"]),
                field(id, &["MDL", "MODEL"]),
            );
            assert_eq!(name.as_deref(), expected, "{id}");
        }
    }

    #[test]
    fn only_printers_are_printers() {
        for (name, is_one) in [
            ("lp0", true),
            ("lp12", true),
            ("lp", false),
            ("hiddev0", false),
        ] {
            assert_eq!(is_printer(name), is_one, "{name}");
        }
    }
}
