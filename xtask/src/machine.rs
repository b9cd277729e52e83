//! What a machine needs besides Rust and Node, and installing it where there is apt.

use std::process::{Command, Stdio};

use crate::error::Error;
use crate::{child, say};

/// What for the needed things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// To build the app and open its window.
    Window,
    /// To drive the window without a display and to look at what it leaves behind.
    Headless,
    /// To run every test.
    Tests,
}

/// Debian and Ubuntu packages, what each is for, and who needs it.
const PACKAGES: [(&str, &str, Need); 22] = [
    (
        "build-essential",
        "C compiler and make, for SQLCipher and OpenSSL",
        Need::Window,
    ),
    ("perl", "configures OpenSSL", Need::Window),
    ("pkg-config", "finds the system's libraries", Need::Window),
    (
        "libwebkit2gtk-4.1-dev",
        "the window's web view",
        Need::Window,
    ),
    ("librsvg2-dev", "icons in the window", Need::Window),
    ("libdbus-1-dev", "the system's key store", Need::Window),
    ("fonts-noto-cjk", "Chinese text on the screen", Need::Window),
    ("webkit2gtk-driver", "drives the window", Need::Headless),
    ("xvfb", "a display without a screen", Need::Headless),
    (
        "libgl1-mesa-dri",
        "draws on it without a graphics card",
        Need::Headless,
    ),
    (
        "poppler-utils",
        "reads the receipt's PDF back",
        Need::Headless,
    ),
    ("zbar-tools", "reads the QR codes back", Need::Headless),
    ("xserver-xorg-core", "a display of two screens", Need::Tests),
    (
        "xserver-xorg-video-dummy",
        "screens that nobody sees",
        Need::Tests,
    ),
    (
        "x11-xserver-utils",
        "plugs a screen in and pulls it",
        Need::Tests,
    ),
    ("x11-apps", "a picture of both screens", Need::Tests),
    ("dbus", "a bus for the key store under test", Need::Tests),
    ("gnome-keyring", "the key store under test", Need::Tests),
    ("postgresql", "the shared ledger under test", Need::Tests),
    ("python3", "a terminal in another language", Need::Tests),
    ("python3-cbor2", "its operations", Need::Tests),
    ("python3-cryptography", "its signatures", Need::Tests),
];

const NODE_MAJOR_MIN: u32 = 20;

/// Makes sure that what `need` asks for is there, installing system packages where apt can.
///
/// # Errors
/// Where something is missing that we cannot install; the message says what to install by hand.
pub fn prepare(need: Need) -> Result<(), Error> {
    node()?;
    if cfg!(target_os = "linux") {
        linux(need)
    } else {
        elsewhere(need)
    }
}

fn linux(need: Need) -> Result<(), Error> {
    let wanted: Vec<_> = PACKAGES
        .iter()
        .filter(|(_, _, whose)| *whose <= need)
        .collect();
    if !answers("apt-get", "--version") {
        let names: Vec<_> = wanted
            .iter()
            .map(|(name, what, _)| format!("{name} ({what})"))
            .collect();
        say::line(
            "This system has no apt-get, so nothing is installed. Needed, by Debian's names:",
        );
        say::line(format_args!("  {}", names.join("\n  ")));
        return Ok(());
    }
    let missing: Vec<_> = wanted
        .into_iter()
        .filter(|(name, _, _)| !installed(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    say::line("Installing system packages:");
    for (name, what, _) in &missing {
        say::line(format_args!("  {name:<24} {what}"));
    }
    child::run("apt update", apt()?.args(["update", "-q"]))?;
    child::run(
        "apt install",
        apt()?
            .args(["install", "-q", "-y", "--no-install-recommends"])
            .args(missing.iter().map(|(name, _, _)| *name)),
    )?;
    Ok(())
}

fn installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

fn apt() -> Result<Command, Error> {
    let mut command = if is_root()? {
        Command::new("apt-get")
    } else {
        say::line("  (with sudo, which may ask for a password)");
        let mut sudo = Command::new("sudo");
        sudo.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

/// Whether this account may do everything.
pub fn is_root() -> Result<bool, Error> {
    let output = Command::new("id")
        .arg("-u")
        .output()
        .map_err(|source| Error::Start {
            program: "id".into(),
            source,
        })?;
    Ok(output.stdout.trim_ascii() == b"0")
}

fn elsewhere(need: Need) -> Result<(), Error> {
    if need >= Need::Headless {
        return Err(Error::Machine(
            "Driving the window without a display needs Linux; `cargo xtask run` opens it here."
                .into(),
        ));
    }
    if cfg!(target_os = "macos") {
        say::line("Needed on macOS: the Xcode command line tools (`xcode-select --install`).");
    } else if cfg!(windows) {
        say::line(
            "Needed on Windows: the Visual Studio Build Tools with \"Desktop development with C++\", \
             Strawberry Perl (for OpenSSL), and WebView2 (part of Windows 10 and 11).",
        );
    }
    Ok(())
}

fn node() -> Result<(), Error> {
    let found = Command::new("node")
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.trim()
                .strip_prefix('v')?
                .split('.')
                .next()?
                .parse::<u32>()
                .ok()
        });
    match found {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        Some(major) => Err(Error::Machine(format!(
            "Node {major} is too old: install Node {NODE_MAJOR_MIN} or newer, with npm."
        ))),
        None => Err(Error::Machine(format!(
            "Node is missing: install Node {NODE_MAJOR_MIN} or newer, with npm."
        ))),
    }
}

/// Whether a program can be started at all.
pub fn answers(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
