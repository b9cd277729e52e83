//! What tests share: a display without a screen, the real app in its real window, the customer's
//! phone, and waiting for conditions instead of for time.
//!
//! ```no_run
//! # async fn example() -> Result<(), qiantai_testkit::Fault> {
//! use qiantai_testkit::{Display, Launch, Window};
//! let display = Display::start()?;
//! let window = Window::open(&display, &Launch::training("target/debug/qiantai")).await?;
//! window.button("收款").await?.click().await?;
//! # Ok(()) }
//! ```

mod cashier;
mod choices;
mod display;
mod driver;
mod examine;
mod eye;
mod fault;
mod hand;
mod launch;
mod looks;
mod pages;
mod phone;
mod process;
mod small_disk;
mod two_screens;
#[cfg(unix)]
mod usb;
mod wait;
mod window;
mod words;

pub use cashier::{Cashier, Method};
pub use display::Display;
pub use examine::{Finding, Spill, SpillKind};
pub use eye::{Eye, Glance, Picture};
pub use fantoccini::key::Key;
pub use fault::Fault;
pub use launch::Launch;
pub use looks::Looks;
pub use phone::{Phone, ScannedPayment};
pub use process::Group;
pub use small_disk::SmallDisk;
pub use two_screens::SECOND_SCREEN;
#[cfg(unix)]
pub use usb::{UsbBus, UsbCable, UsbModel};
pub use wait::{PATIENCE, until};
pub use window::{Control, Window};
pub use words::Words;
