//! Books that hold are found to hold; whatever is changed behind the server's back is named.

use qiantai_server::verify::{VerifyError, replayed, verify};

use super::day::day;
use crate::harness::{On, Place, Shop};

/// What is said about the books; `holds` when they do.
pub(super) fn verdict(place: &Place) -> String {
    let ledger = place.open();
    let tenant = ledger.tenants().unwrap().remove(0);
    match verify(ledger.as_ref(), &tenant) {
        Ok(found) => {
            assert_eq!(found.head, ledger.head(tenant.id).unwrap());
            assert!(found.postings > 0 && found.members >= 12, "{found:?}");
            "holds".into()
        }
        Err(VerifyError::Bad(bad)) => bad.to_string(),
        Err(error) => panic!("the books could not be read: {error}"),
    }
}

/// Whoever edits the file can also take away what guards it.
pub(super) fn disarm(place: &Place) {
    if let Place::File(_) = place {
        let db = rusqlite::Connection::open(place.file()).unwrap();
        let mut names = db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap();
        let names: Vec<String> = names
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for name in names {
            place.execute(&format!("DROP TRIGGER {name}"));
        }
    }
}

/// What is changed, how it is changed back, and what is said between. `{first}` is the first
/// operation that posted anything.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "UPDATE account SET bonus_fen = bonus_fen + 1",
        "UPDATE account SET bonus_fen = bonus_fen - 1",
        "account ",
    ),
    (
        "UPDATE account SET debt_fen = debt_fen + 1",
        "UPDATE account SET debt_fen = debt_fen - 1",
        "account ",
    ),
    (
        "UPDATE lot SET principal_init_fen = principal_init_fen + 1,
             principal_left_fen = principal_left_fen + 1",
        "UPDATE lot SET principal_left_fen = principal_left_fen - 1,
             principal_init_fen = principal_init_fen - 1",
        "lot ",
    ),
    (
        "UPDATE journal SET d_principal_fen = d_principal_fen + 1 WHERE seq = 1",
        "UPDATE journal SET d_principal_fen = d_principal_fen - 1 WHERE seq = 1",
        "journal 1 of member ",
    ),
    (
        "UPDATE account SET last_seq = last_seq + 1",
        "UPDATE account SET last_seq = last_seq - 1",
        "account ",
    ),
    (
        "UPDATE posting SET amount_fen = amount_fen + 1 WHERE server_seq = {first} AND leg = 0",
        "UPDATE posting SET amount_fen = amount_fen - 1 WHERE server_seq = {first} AND leg = 0",
        "operation {first}: its legs in Money sum to 1 fen",
    ),
    (
        "UPDATE posting SET amount_fen = amount_fen * 2 WHERE server_seq = {first}",
        "UPDATE posting SET amount_fen = amount_fen / 2 WHERE server_seq = {first}",
        "operation {first}: its link of the chain",
    ),
    (
        "UPDATE posting SET channel = 'wechat' WHERE server_seq = {first} AND leg = 0",
        "UPDATE posting SET channel = NULL WHERE server_seq = {first} AND leg = 0",
        "operation {first}: a posting has more dimensions",
    ),
    (
        "UPDATE operation SET epoch = epoch + 1 WHERE server_seq = 5",
        "UPDATE operation SET epoch = epoch - 1 WHERE server_seq = 5",
        "operation 5: its columns",
    ),
    (
        "UPDATE operation SET answer = replace(answer, 'applied', 'exists') WHERE server_seq = 7",
        "UPDATE operation SET answer = replace(answer, 'exists', 'applied') WHERE server_seq = 7",
        "operation 7: its link of the chain",
    ),
    (
        "UPDATE operation SET server_seq = 100000 WHERE server_seq = 9",
        "UPDATE operation SET server_seq = 9 WHERE server_seq = 100000",
        "table operation: has rows beyond",
    ),
    (
        "UPDATE feed SET json = replace(json, '\"server_seq\":5,', '\"server_seq\":6,')
         WHERE server_seq = 5",
        "UPDATE feed SET json = replace(json, '\"server_seq\":6,', '\"server_seq\":5,')
         WHERE server_seq = 5",
        "feed 5: ",
    ),
    (
        "UPDATE device SET last_seq = last_seq + 1 WHERE is_server = 1",
        "UPDATE device SET last_seq = last_seq - 1 WHERE is_server = 1",
        "device ",
    ),
    (
        "UPDATE head SET chain_hash = (SELECT hash FROM operation WHERE server_seq = 1)",
        "UPDATE head SET chain_hash = (SELECT operation.chain_hash FROM operation
             WHERE operation.server_seq = head.server_seq)",
        "head of tenant ",
    ),
    (
        "UPDATE cash_movement SET amount_fen = amount_fen + 1",
        "UPDATE cash_movement SET amount_fen = amount_fen - 1",
        "shift ",
    ),
    (
        "UPDATE recharge_order SET paid_fen = paid_fen + 1 WHERE credited_ms IS NOT NULL",
        "UPDATE recharge_order SET paid_fen = paid_fen - 1 WHERE credited_ms IS NOT NULL",
        "order ",
    ),
];

#[tokio::test]
async fn every_change_behind_the_servers_back_is_named() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 12).await;
        day(&shop).await;
        shop.server.stop().await;
        disarm(&shop.place);
        let first = shop.place.number("SELECT min(server_seq) FROM posting");
        let first = first.to_string();
        assert_eq!(verdict(&shop.place), "holds");
        for (damage, repair, expected) in CHANGES {
            let [damage, repair, expected] =
                [damage, repair, expected].map(|words| words.replace("{first}", &first));
            shop.place.execute(&damage);
            let said = verdict(&shop.place);
            assert!(said.starts_with(&expected), "{on:?} {damage}: {said}");
            shop.place.execute(&repair);
        }
        assert_eq!(verdict(&shop.place), "holds");
    }
}

/// What is said about the books and what their log gives.
async fn verdict_of_replay(place: &Place) -> String {
    let ledger = place.open();
    let tenant = ledger.tenants().unwrap().remove(0);
    match replayed(ledger.as_ref(), &tenant, &std::env::temp_dir()).await {
        Ok(operations) => {
            assert_eq!(operations, ledger.head(tenant.id).unwrap().server_seq);
            "holds".into()
        }
        Err(VerifyError::Bad(bad)) => bad.to_string(),
        Err(error) => panic!("the books could not be read: {error}"),
    }
}

/// The same, where no signature, chain or sum says anything. What cannot be changed back comes last.
const UNSEALED: &[(&str, &str, &str)] = &[
    (
        "UPDATE account SET growth = growth + 1 WHERE points > 0",
        "UPDATE account SET growth = growth - 1 WHERE points > 0",
        "account ",
    ),
    (
        "UPDATE feed SET json = replace(json, '\"points\":', '\"points\":1') WHERE server_seq = {first}",
        "UPDATE feed SET json = replace(json, '\"points\":1', '\"points\":') WHERE server_seq = {first}",
        "feed {first}: is not what the log gives",
    ),
    (
        "UPDATE operation SET decided_ms = decided_ms + 1 WHERE server_seq = {first}",
        "UPDATE operation SET decided_ms = decided_ms - 1 WHERE server_seq = {first}",
        "",
    ),
    (
        "INSERT INTO device SELECT device.tenant_id, member_id, device.store_id, '77', public_key, 0, 1, 0,
             {zeros}, 'active'
         FROM device, member
         WHERE terminal_code = '01' AND member_no = (SELECT min(member_no) FROM member)",
        "DELETE FROM device WHERE terminal_code = '77'",
        "device ",
    ),
    (
        "DELETE FROM earning_log",
        "",
        "earning_log ",
    ),
    (
        "UPDATE account SET tier_id = member_id WHERE points > 0",
        "",
        "account ",
    ),
];

#[tokio::test]
async fn what_the_log_does_not_give_is_named() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 12).await;
        day(&shop).await;
        shop.server.stop().await;
        disarm(&shop.place);
        let first = shop.place.number("SELECT min(server_seq) FROM posting");
        let first = first.to_string();
        let zeros = match on {
            On::Sqlite => "zeroblob(32)",
            On::Postgres => "decode(repeat('00', 32), 'hex')",
        };
        assert_eq!(verdict_of_replay(&shop.place).await, "holds", "{on:?}");
        for (damage, repair, expected) in UNSEALED {
            let [damage, repair, expected] = [damage, repair, expected].map(|words| {
                let words = words.replace("{first}", &first);
                words.replace("{zeros}", zeros)
            });
            shop.place.execute(&damage);
            assert_eq!(verdict(&shop.place), "holds", "{on:?} {damage}");
            let said = verdict_of_replay(&shop.place).await;
            assert!(said.starts_with(&expected), "{on:?} {damage}: {said}");
            assert_ne!(said, "holds", "{on:?} {damage}");
            shop.place.execute(&repair);
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_named() {
    let shop = Shop::open(12).await;
    day(&shop).await;
    shop.server.stop().await;
    disarm(&shop.place);
    let check = |damage: &str, expected: &str| {
        let copy = Place::File(tempfile::tempdir().unwrap());
        let path = copy.file();
        shop.place
            .execute(&format!("VACUUM INTO '{}'", path.display()));
        copy.execute(damage);
        let said = verdict(&copy);
        assert!(said.starts_with(expected), "{damage}: {said}");
    };
    check(
        "DELETE FROM operation WHERE server_seq = 9",
        "operation 9: is missing",
    );
    check(
        "UPDATE operation SET bytes = CAST(bytes || x'00' AS BLOB) WHERE server_seq = 4",
        "operation 4: its bytes do not have its hash",
    );
    check(
        "DELETE FROM action",
        "operation 1: its action is not remembered",
    );
    check(
        "DELETE FROM feed WHERE server_seq = 3",
        "feed 3: is missing",
    );
    check(
        "UPDATE policy SET document = hash",
        "operation 1: its rules are missing or were changed",
    );
    check(
        "UPDATE device SET public_key = (SELECT hash FROM operation WHERE server_seq = 1)
         WHERE is_server = 0",
        "operation ",
    );
    check(
        "DELETE FROM device WHERE is_server = 1",
        "operation 1: its device is not known",
    );
    check("DELETE FROM account", "account ");
    check("DELETE FROM journal WHERE seq = 1", "journal 1 of member ");
    check("DELETE FROM lot", "account ");
    check("DELETE FROM cash_movement", "shift ");
    check("DELETE FROM held_operation", "operation ");
    check(
        "UPDATE head SET server_seq = server_seq - 1",
        "table operation: has rows beyond",
    );
}
