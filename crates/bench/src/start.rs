//! One start of a window, watched until it shows what it should.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use qiantai_testkit::Group;

use crate::screen::{Picture, Screen};
use crate::{Outcome, memory};

/// Between two looks at the display.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// A window that does not show within this does not show at all.
const SHOWS_WITHIN: Duration = Duration::from_secs(60);
/// What stands still so long is what the window shows in the end.
const AT_REST: Duration = Duration::from_secs(5);
/// From the first sight to the count of memory: late work of the start is counted too.
const SETTLED: Duration = Duration::from_secs(3);

/// A program that opens a window.
pub struct Subject {
    /// The program.
    pub binary: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// What one start took.
pub struct Start {
    /// From starting the program to the whole picture.
    pub usable: Duration,
    /// By the name of the process, in KiB.
    pub memory_kib: BTreeMap<String, u64>,
}

impl Subject {
    /// What the window shows in the end: the first picture that stands still.
    pub fn picture(&self, screen: &Screen) -> Outcome<Picture> {
        let blank = screen.look()?;
        let running = self.start(screen)?;
        let began = Instant::now();
        let (mut shown, mut since) = (blank.clone(), Instant::now());
        while shown.is_like(&blank) || since.elapsed() < AT_REST {
            if began.elapsed() > SHOWS_WITHIN {
                return Err(format!("{} shows no window", self.binary.display()).into());
            }
            sleep(LOOK_AGAIN);
            let now = screen.look()?;
            if !now.is_like(&shown) {
                (shown, since) = (now, Instant::now());
            }
        }
        drop(running);
        wait_for(screen, &blank)?;
        Ok(shown)
    }

    /// Starts it, and waits until the display shows `picture`.
    pub fn measure(&self, screen: &Screen, picture: &Picture) -> Outcome<Start> {
        let blank = screen.look()?;
        let began = Instant::now();
        let running = self.start(screen)?;
        wait_for(screen, picture)?;
        let usable = began.elapsed();
        sleep(SETTLED);
        let memory_kib = memory::of_group(running.id())?;
        drop(running);
        wait_for(screen, &blank)?;
        Ok(Start { usable, memory_kib })
    }

    fn start(&self, screen: &Screen) -> Outcome<Group> {
        let mut command = Command::new(&self.binary);
        command
            .args(&self.arguments)
            .env("DISPLAY", screen.name())
            .env_remove("WAYLAND_DISPLAY")
            .env("GDK_BACKEND", "x11")
            .env("GTK_THEME", "Adwaita")
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Group::start(&mut command)?)
    }
}

fn wait_for(screen: &Screen, picture: &Picture) -> Outcome<()> {
    let deadline = Instant::now() + SHOWS_WITHIN;
    while !screen.look()?.is_like(picture) {
        if Instant::now() > deadline {
            return Err("the display does not show what it showed before".into());
        }
        sleep(LOOK_AGAIN);
    }
    Ok(())
}
