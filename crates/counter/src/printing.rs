//! Slips of sales: queued with the sale, rendered from what is durable, sent to the printer by a
//! task of their own. A failed print never blocks or repeats a sale (docs: domain §5.5).

mod device;
mod drawer;
mod line;
mod network;
pub(crate) mod preview;
mod printer;
mod pulse;
mod queue;
pub(crate) mod slip;
mod spooler;
mod test_page;
mod usb;
mod word;

pub(crate) use drawer::{AtPrinter, open as open_drawer};
pub(crate) use pulse::{has_drawer, pulse_job};
pub(crate) use queue::job_view;
pub use queue::run;
pub use spooler::{Cups, Spooler};
pub(crate) use test_page::{PageHead, found_printers, found_usb, print_page, print_test_page};
pub use usb::UsbPorts;
