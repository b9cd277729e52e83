//! Books that move from a file to the cluster.

use std::process::{Command, Output};

use qiantai_core::ids::{AttemptId, DeviceId};
use qiantai_server::adopt::{AdoptError, adopt};
use qiantai_server::audit::Act;
use qiantai_server::db::postgres::{Holder, PostgresLedger, place_of};
use qiantai_server::db::{CodeCharge, DeviceStanding, Ledger, LedgerError, Revocation};

use super::cluster::TestDatabase;
use super::day::day;
use super::hints::hint;
use crate::harness::Shop;

fn open(database: &TestDatabase) -> PostgresLedger {
    PostgresLedger::open(
        &database.url(),
        Holder::fresh(uuid::Uuid::now_v7(), "http://new".into()),
    )
    .unwrap()
}

#[tokio::test]
async fn books_move_with_everything_beside_them() {
    let shop = Shop::open(12).await;
    let till = day(&shop).await;
    let (from, tenant) = (shop.server.ledger(), shop.seeded.tenant);
    let gone = Revocation {
        device: DeviceId(till.join.device),
        revoked_at: shop.now(),
        reason: "stolen".into(),
    };
    from.save_revocation(tenant, &gone).unwrap();
    from.save_hint(tenant, &hint(1)).unwrap();
    let attempt = AttemptId(uuid::Uuid::from_u128(7));
    let charge = CodeCharge {
        code: Some([7; 32]),
        at: shop.now(),
    };
    from.save_code_charge(tenant, attempt, &charge).unwrap();
    let audited = from.audit_page(tenant, 0, 1_000).unwrap();
    assert!(!audited.is_empty());
    let database = TestDatabase::make();
    let adopted = adopt(from.as_ref(), &database.url()).await.unwrap();
    assert_eq!(adopted.len(), 1);
    assert_eq!(adopted[0].operations, from.head(tenant).unwrap().server_seq);

    let to = open(&database);
    assert_eq!(to.digest(tenant).unwrap(), from.digest(tenant).unwrap());
    assert_eq!(adopted[0].digest, from.digest(tenant).unwrap());
    let token = {
        use sha2::{Digest, Sha256};
        Sha256::digest(till.join.token.as_bytes()).into()
    };
    let seat = to.seat_of_token(&token).unwrap();
    assert!(seat.is_some(), "terminals go on without joining again");
    assert_eq!(seat, from.seat_of_token(&token).unwrap());
    assert_eq!(seat.unwrap().standing, DeviceStanding::Revoked);
    assert_eq!(to.revocations(tenant).unwrap(), [gone]);
    assert_eq!(to.hints(tenant).unwrap(), [hint(1)]);
    // A code that was charged is not charged again.
    let known = to.attempt_of_code(tenant, &[7; 32]).unwrap();
    assert_eq!(known, Some(attempt));
    assert_eq!(
        to.code_charges(tenant).unwrap(),
        from.code_charges(tenant).unwrap()
    );
    let mut entries = to.audit_page(tenant, 0, 1_000).unwrap();
    assert_eq!(entries.pop().unwrap().deed.act, Act::BooksAdopted);
    assert_eq!(entries, audited);
    // Money that was sent back is not sent back again.
    assert!(!from.deliveries(tenant).unwrap().is_empty());
    assert_eq!(
        to.deliveries(tenant).unwrap(),
        from.deliveries(tenant).unwrap()
    );
    to.hold(tenant).unwrap();

    let before = database.number("SELECT count(*) FROM operation");
    let again = adopt(from.as_ref(), &database.url()).await;
    assert!(matches!(again, Err(AdoptError::NotEmpty)), "{again:?}");
    assert_eq!(database.number("SELECT count(*) FROM operation"), before);
}

#[tokio::test]
async fn an_adoption_cut_short_is_nobodys_and_goes_on() {
    let shop = Shop::open(12).await;
    day(&shop).await;
    let (from, tenant) = (shop.server.ledger(), shop.seeded.tenant);
    let database = TestDatabase::make();
    drop(open(&database));
    database.execute(
        "ALTER TABLE payment_attempt ADD CONSTRAINT sabotage CHECK (state <> 'succeeded')",
    );
    let cut = adopt(from.as_ref(), &database.url()).await;
    assert!(matches!(cut, Err(AdoptError::Replay(_))), "{cut:?}");
    let server = open(&database);
    let written = server.head(tenant).unwrap().server_seq;
    assert!(written > 0 && written < from.head(tenant).unwrap().server_seq);
    let refused = server.may_write(tenant);
    assert!(
        matches!(&refused, Err(LedgerError::WrittenElsewhere { address }) if address == "qiantai-server adopt"),
        "{refused:?}"
    );

    database.execute("ALTER TABLE payment_attempt DROP CONSTRAINT sabotage");
    let row = from.log_row(tenant, written).unwrap().unwrap();
    assert_eq!(server.head(tenant).unwrap().chain_hash, row.chain_hash);
    database.execute("UPDATE head SET chain_hash = sha256('another')");
    let other = adopt(from.as_ref(), &database.url()).await;
    assert!(
        matches!(other, Err(AdoptError::OtherHistory(id)) if id == tenant),
        "{other:?}"
    );
    let hash = hex::encode(row.chain_hash);
    database.execute(&format!("UPDATE head SET chain_hash = '\\x{hash}'"));
    adopt(from.as_ref(), &database.url()).await.unwrap();
    assert_eq!(server.digest(tenant).unwrap(), from.digest(tenant).unwrap());
    server.hold(tenant).unwrap();
}

#[tokio::test]
async fn a_profile_that_differs_is_found() {
    let shop = Shop::open(8).await;
    let from = shop.server.ledger();
    let database = TestDatabase::make();
    drop(open(&database));
    database.execute(
        "CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN NEW.sealed = NEW.sealed || '\\x00'; RETURN NEW; END $$;
         CREATE TRIGGER damage BEFORE INSERT ON member_profile
             FOR EACH ROW EXECUTE FUNCTION damage()",
    );
    let moved = adopt(from.as_ref(), &database.url()).await;
    assert!(matches!(moved, Err(AdoptError::Differs(_))), "{moved:?}");
}

#[test]
fn the_program_moves_a_folder() {
    let program = || Command::new(env!("CARGO_BIN_EXE_qiantai-server"));
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = program()
        .args(["init", "--sample", "gym", "--members", "5", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(made.status.success());
    let database = TestDatabase::make();
    let adopt = || {
        program()
            .args(["adopt", "--database-url", &database.url(), "--from"])
            .arg(&data)
            .output()
            .unwrap()
    };
    let log = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    // Cut short between the comparison and the note: the right to write is not given away.
    let way = data.join("adopted.json.part");
    std::fs::create_dir(&way).unwrap();
    let cut = adopt();
    assert!(!cut.status.success(), "{}", log(&cut));
    assert!(data.join("ledger.db").exists() && !data.join("adopted.json").exists());
    let server = open(&database);
    let tenant = server.tenants().unwrap().remove(0).id;
    let held = server.may_write(tenant);
    assert!(
        matches!(held, Err(LedgerError::WrittenElsewhere { .. })),
        "{held:?}"
    );
    // Cut short after the note: nobody serves the folder, and adopting goes on.
    let place = place_of(&database.url()).unwrap();
    let note = format!(r#"{{"at_ms":1795240800000,"to":"{place}"}}"#);
    std::fs::remove_dir(way).unwrap();
    std::fs::write(data.join("adopted.json"), note).unwrap();
    let in_folder = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).arg("--data").arg(&data);
        command.output().unwrap()
    };
    let refused = |output: &Output| {
        let said = log(output);
        assert!(!output.status.success(), "{said}");
        let says = format!("were moved to {place} at 2026-11-21T14:00:00.000+08:00");
        assert!(said.contains(&says), "{said}");
        assert!(said.contains("qiantai-server verify --data"), "{said}");
    };
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    refused(&in_folder(&serve));
    let moved = adopt();
    let said = String::from_utf8_lossy(&moved.stdout);
    assert!(moved.status.success(), "{}", log(&moved));
    assert!(said.contains(" digest="), "{said}");
    server.hold(tenant).unwrap();
    server.let_go().unwrap();
    // From here on the folder is a record of what was.
    assert!(!data.join("ledger.db").exists());
    assert!(data.join("ledger.db.adopted-1795240800000").exists());
    refused(&adopt());
    for command in [
        &serve[..],
        &["init"],
        &["terminals", "list"],
        &["enrol"],
        &["backup", "--to", "/nowhere"],
        &["restore", "--from", "/nowhere", "--replace"],
    ] {
        refused(&in_folder(command));
    }
    let elsewhere = TestDatabase::make();
    let other = program()
        .args(["adopt", "--database-url", &elsewhere.url(), "--from"])
        .arg(&data)
        .output()
        .unwrap();
    refused(&other);
    let verified = in_folder(&["verify"]);
    assert!(verified.status.success(), "{}", log(&verified));
    let looked = in_folder(&["doctor"]);
    let said = String::from_utf8_lossy(&looked.stdout);
    assert!(said.contains("BAD  folder"), "{said}");
    let init = program()
        .args(["init", "--database-url", &database.url()])
        .output()
        .unwrap();
    assert!(!init.status.success(), "a ledger is never overwritten");
    let neither = program().arg("serve").output().unwrap();
    assert!(!neither.status.success());
    let both = program()
        .args(["serve", "--database-url", &database.url(), "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(!both.status.success());
}
