//! What some tests need of the machine that a package cannot always give. Where it is missing these
//! tests are left out, and a line says so; run without this command, they fail.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{machine, say};

/// A need, and the tests that have it.
struct Ability {
    /// As people call the tests.
    tests: &'static str,
    /// Part of the name of each of them, and of no other test's.
    part_of_name: &'static str,
    /// What the machine lacks where they cannot run.
    lack: &'static str,
    is_there: fn() -> bool,
}

const ABILITIES: [Ability; 5] = [
    Ability {
        tests: "tests on full and read-only disks",
        part_of_name: "small_disk::",
        lack: "the system gives no mounts of our own (`unshare -rm`)",
        is_there: own_mounts,
    },
    Ability {
        tests: "window tests on a full disk",
        part_of_name: "mounted_disk::",
        lack: "this account may not mount",
        is_there: mounts,
    },
    Ability {
        tests: "a customer's display on a second screen",
        part_of_name: "customer::on_a_second_screen",
        lack: "this account may not configure an X server, or Xorg, its driver dummy, xrandr or xwd is missing",
        is_there: second_screen,
    },
    Ability {
        tests: "tests of the system's key store",
        part_of_name: "key_store_tests::",
        lack: "gnome-keyring-daemon or dbus-run-session is missing",
        is_there: key_store,
    },
    Ability {
        tests: "a day of a terminal in another language",
        part_of_name: "protocol::a_terminal_in_another_language",
        lack: "Python has no cbor2 or no cryptography (python3-cbor2, python3-cryptography)",
        is_there: python,
    },
];

/// Says which of these tests run, and gives parts of the names of those that cannot.
pub fn lacking() -> Vec<&'static str> {
    let mut lacking = Vec::new();
    for ability in ABILITIES.iter().filter(|_| cfg!(target_os = "linux")) {
        if (ability.is_there)() {
            say::line(format_args!("{}: run", ability.tests));
        } else {
            say::line(format_args!(
                "{}: NOT POSSIBLE HERE: {}",
                ability.tests, ability.lack
            ));
            lacking.push(ability.part_of_name);
        }
    }
    lacking
}

fn own_mounts() -> bool {
    // Some systems give name spaces without the right to mount in them.
    mounts_after("-rm")
}

fn mounts() -> bool {
    mounts_after("-m")
}

/// Whether a small disk can be mounted, in a name space that ends with the try.
fn mounts_after(unshare: &str) -> bool {
    Command::new("unshare")
        .args([unshare, "mount", "-t", "tmpfs", "small", "/mnt"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The Python that the test takes: the system's own, to which the packages belong.
fn python() -> bool {
    let of_system = "/usr/bin/python3";
    let python = match Path::new(of_system).exists() {
        true => of_system,
        false => "python3",
    };
    Command::new(python)
        .args(["-c", "import cbor2, cryptography"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Only root may give Xorg a file of settings.
fn second_screen() -> bool {
    let needed = [
        "/usr/bin/Xorg",
        "/usr/lib/xorg/modules/drivers/dummy_drv.so",
        "/usr/bin/xrandr",
        "/usr/bin/xwd",
    ];
    machine::is_root().unwrap_or(false) && needed.iter().all(|file| Path::new(file).exists())
}

fn key_store() -> bool {
    machine::answers("dbus-run-session", "--version")
        && machine::answers("gnome-keyring-daemon", "--version")
}
