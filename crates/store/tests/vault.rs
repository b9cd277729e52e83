use std::fs;
use std::path::Path;
use std::sync::Mutex;

use qiantai_store::vault::{
    self, FileKeyHolder, KeyHolder, KeyHolderError, RecoveryCode, VaultError,
};

/// A key store of the operating system.
#[derive(Default)]
struct Memory {
    held: Mutex<Option<(String, [u8; 32])>>,
    locked: bool,
}

impl KeyHolder for Memory {
    fn load(&self, name: &str) -> Result<Option<[u8; 32]>, KeyHolderError> {
        if self.locked {
            return Err(KeyHolderError::Unavailable("locked".into()));
        }
        let held = self.held.lock().unwrap();
        Ok(held
            .as_ref()
            .filter(|(held_name, _)| held_name == name)
            .map(|(_, key)| *key))
    }

    fn store(&self, name: &str, key: &[u8; 32]) -> Result<(), KeyHolderError> {
        if self.locked {
            return Err(KeyHolderError::Unavailable("locked".into()));
        }
        *self.held.lock().unwrap() = Some((name.to_owned(), *key));
        Ok(())
    }
}

fn vault_bytes(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("vault.json")).unwrap()
}

#[test]
fn a_vault_opens_with_the_key_store() {
    let folder = tempfile::tempdir().unwrap();
    let holder = Memory::default();
    assert!(!vault::exists(folder.path()).unwrap());
    let (secrets, _) = vault::create(folder.path(), &holder).unwrap();
    assert!(vault::exists(folder.path()).unwrap());
    assert!(vault::open(folder.path(), &holder).unwrap() == secrets);
    let keys = [
        secrets.terminal_db_key,
        secrets.server_db_key,
        secrets.device_signing_seed,
        secrets.pin_pepper,
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "each secret is its own");
        let clear = hex::encode(key);
        assert!(
            !String::from_utf8(vault_bytes(folder.path()))
                .unwrap()
                .contains(&clear)
        );
    }
}

#[test]
fn a_vault_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let holder = Memory::default();
    vault::create(folder.path(), &holder).unwrap();
    let before = vault_bytes(folder.path());
    let error = vault::create(folder.path(), &holder).unwrap_err();
    assert!(matches!(error, VaultError::AlreadyExists), "{error:?}");
    assert_eq!(vault_bytes(folder.path()), before);
    vault::open(folder.path(), &holder).unwrap();
}

#[test]
fn of_two_starts_at_once_one_makes_the_vault() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let holder = FileKeyHolder::new(folder.path());
        let made = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| vault::create(folder.path(), &holder)))
                .collect();
            let ends = starts.into_iter().map(|start| start.join().unwrap());
            ends.filter_map(Result::ok)
                .map(|(secrets, _)| secrets)
                .collect::<Vec<_>>()
        });
        assert_eq!(made.len(), 1);
        assert!(vault::open(folder.path(), &holder).unwrap() == made[0]);
    }
}

#[test]
fn a_lost_key_store_costs_a_recovery_code_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (secrets, code) = vault::create(folder.path(), &Memory::default()).unwrap();
    let new_machine = Memory::default();
    let error = vault::open(folder.path(), &new_machine).unwrap_err();
    assert!(matches!(error, VaultError::KeyStoreLost), "{error:?}");
    let typed: RecoveryCode = code.to_string().to_lowercase().parse().unwrap();
    let opened = vault::open_with_recovery(folder.path(), &new_machine, &typed).unwrap();
    assert!(opened == secrets);
    assert!(vault::open(folder.path(), &new_machine).unwrap() == secrets);
}

#[test]
fn a_new_recovery_code_ends_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let holder = Memory::default();
    let (secrets, old) = vault::create(folder.path(), &holder).unwrap();
    let new = vault::renew_recovery(folder.path(), &holder).unwrap();
    let error = vault::open_with_recovery(folder.path(), &holder, &old).unwrap_err();
    assert!(matches!(error, VaultError::RecoveryWrong), "{error:?}");
    assert!(vault::open_with_recovery(folder.path(), &holder, &new).unwrap() == secrets);
    assert!(vault::open(folder.path(), &holder).unwrap() == secrets);
}

#[test]
fn what_is_wrong_with_a_vault_is_named() {
    type Spoil = fn(&mut serde_json::Value);
    type Expected = fn(&VaultError) -> bool;
    let corrupt: Expected = |e| matches!(e, VaultError::VaultCorrupt);
    let cases: [(&str, Spoil, Expected); 5] = [
        (
            "secrets damaged",
            |v| flip(&mut v["secrets"]["ciphertext"]),
            corrupt,
        ),
        (
            "nonce damaged",
            |v| flip(&mut v["secrets"]["nonce"]),
            corrupt,
        ),
        ("format of the future", |v| v["format"] = 2.into(), corrupt),
        (
            "field gone",
            |v| v["recovery"] = serde_json::Value::Null,
            corrupt,
        ),
        (
            "another vault's name",
            |v| flip(&mut v["vault_id"]),
            |e| matches!(e, VaultError::KeyStoreLost),
        ),
    ];
    for (name, spoil, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let holder = Memory::default();
        vault::create(folder.path(), &holder).unwrap();
        let mut document = serde_json::from_slice(&vault_bytes(folder.path())).unwrap();
        spoil(&mut document);
        fs::write(folder.path().join("vault.json"), document.to_string()).unwrap();
        let before = vault_bytes(folder.path());
        let error = vault::open(folder.path(), &holder).unwrap_err();
        assert!(expected(&error), "{name}: {error:?}");
        assert_eq!(vault_bytes(folder.path()), before, "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    let error = vault::open(folder.path(), &Memory::default()).unwrap_err();
    assert!(matches!(error, VaultError::Missing), "{error:?}");
    fs::write(folder.path().join("vault.json"), "").unwrap();
    let error = vault::open(folder.path(), &Memory::default()).unwrap_err();
    assert!(matches!(error, VaultError::VaultCorrupt), "{error:?}");
}

fn flip(field: &mut serde_json::Value) {
    let digits = field.as_str().unwrap();
    let flipped = if digits.starts_with('0') { "1" } else { "0" };
    *field = format!("{flipped}{}", &digits[1..]).into();
}

#[test]
fn a_hostile_cost_is_refused_before_memory_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let holder = Memory::default();
    let (_, code) = vault::create(folder.path(), &holder).unwrap();
    let mut document: serde_json::Value =
        serde_json::from_slice(&vault_bytes(folder.path())).unwrap();
    document["recovery"]["argon2id_memory_kib"] = u32::MAX.into();
    fs::write(folder.path().join("vault.json"), document.to_string()).unwrap();
    let error = vault::open_with_recovery(folder.path(), &holder, &code).unwrap_err();
    assert!(matches!(error, VaultError::VaultCorrupt), "{error:?}");
}

#[test]
fn a_key_store_that_does_not_answer_is_not_a_lost_one() {
    let folder = tempfile::tempdir().unwrap();
    vault::create(folder.path(), &Memory::default()).unwrap();
    let locked = Memory {
        locked: true,
        ..Memory::default()
    };
    let error = vault::open(folder.path(), &locked).unwrap_err();
    assert!(
        matches!(error, VaultError::KeyStoreUnavailable(_)),
        "{error:?}"
    );
    // Without a key store no vault is begun: it could never be opened again.
    let fresh = tempfile::tempdir().unwrap();
    let error = vault::create(fresh.path(), &locked).unwrap_err();
    assert!(
        matches!(error, VaultError::KeyStoreUnavailable(_)),
        "{error:?}"
    );
    assert!(!vault::exists(fresh.path()).unwrap());
}

#[test]
fn the_fallback_file_holds_the_key_of_its_own_vault() {
    let folder = tempfile::tempdir().unwrap();
    let holder = FileKeyHolder::new(folder.path());
    let (secrets, _) = vault::create(folder.path(), &holder).unwrap();
    assert!(vault::open(folder.path(), &holder).unwrap() == secrets);
    let other = tempfile::tempdir().unwrap();
    vault::create(other.path(), &FileKeyHolder::new(other.path())).unwrap();
    fs::copy(other.path().join("kek.key"), folder.path().join("kek.key")).unwrap();
    let error = vault::open(folder.path(), &holder).unwrap_err();
    assert!(matches!(error, VaultError::KeyStoreLost), "{error:?}");
}

#[cfg(unix)]
#[test]
fn vault_and_fallback_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let holder = FileKeyHolder::new(folder.path());
    vault::create(folder.path(), &holder).unwrap();
    let mode = |name: &str| {
        fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("vault.json"), mode("kek.key")), (0o600, 0o600));
    let lax = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.path().join("kek.key"), lax).unwrap();
    vault::open(folder.path(), &holder).unwrap();
    assert_eq!(mode("kek.key"), 0o600);
}
