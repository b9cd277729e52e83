//! A display whose second screen can be plugged in and pulled.

use std::process::Command;

use tempfile::TempDir;

use crate::display::Display;
use crate::eye::Eye;
use crate::fault::Fault;
use crate::process::said_by;

/// An X server of screens that nobody sees, as many as are wanted. Xvfb has but one.
const CONFIGURATION: &str = r#"
Section "Device"
    Identifier "card"
    Driver "dummy"
    VideoRam 16384
EndSection
Section "Screen"
    Identifier "screens"
    Device "card"
    DefaultDepth 24
    SubSection "Display"
        Depth 24
        Virtual 2048 768
        Visual "TrueColor"
    EndSubSection
EndSection
Section "ServerFlags"
    Option "AutoAddDevices" "false"
EndSection
"#;

const FIRST: &str = "DUMMY0";
const FIRST_SIZE: (u32, u32) = (1024, 768);
const SECOND: &str = "DUMMY1";
/// What the second screen shows of the display: left, top, width, height.
pub const SECOND_SCREEN: [u32; 4] = [1024, 0, 1024, 768];

impl Display {
    /// Starts a display of one screen of 1024×768 that can have a second one.
    ///
    /// # Errors
    /// Where Xorg, its driver `dummy`, `xrandr` or `xwd` is not installed, or this account may not
    /// configure an X server.
    pub fn of_screens() -> Result<Display, Fault> {
        let folder = TempDir::new().map_err(|source| Fault::file(std::env::temp_dir(), source))?;
        let file = |name: &str| folder.path().join(name);
        let configuration = file("xorg.conf");
        std::fs::write(&configuration, CONFIGURATION)
            .map_err(|source| Fault::file(&configuration, source))?;
        let mut server = Command::new("Xorg");
        server
            .args(["-novtswitch", "-sharevts", "-config"])
            .arg(configuration)
            .arg("-logfile")
            .arg(file("xorg.log"));
        let display = Display::of_server(server, Some(folder), Eye::asking)?;
        display.pull()?;
        Ok(display)
    }

    /// Plugs the second screen in, at the right of the first.
    ///
    /// # Errors
    /// Where the display was not made for it.
    pub fn plug_in(&self) -> Result<(), Fault> {
        let [left, top, width, height] = SECOND_SCREEN;
        let (mode, place) = (format!("{width}x{height}"), format!("{left}x{top}"));
        self.arrange(&["--addmode", SECOND, &mode])?;
        self.arrange(&["--output", SECOND, "--mode", &mode, "--pos", &place])?;
        // Asked what is there, the server tells everybody of what it had not looked for.
        self.arrange(&["--query"])
    }

    /// Pulls the second screen.
    ///
    /// # Errors
    /// Where the display was not made for it.
    pub fn pull(&self) -> Result<(), Fault> {
        let mode = format!("{}x{}", FIRST_SIZE.0, FIRST_SIZE.1);
        let first = ["--output", FIRST, "--mode", &mode, "--pos", "0x0"];
        self.arrange(&[&first[..], &["--output", SECOND, "--off"]].concat())?;
        self.arrange(&["--query"])
    }

    fn arrange(&self, wish: &[&str]) -> Result<(), Fault> {
        let mut xrandr = Command::new("xrandr");
        said_by(xrandr.args(["--display", self.name()]).args(wish)).map(drop)
    }
}
