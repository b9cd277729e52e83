//! What is committed because others read it: the interface and the schema.

use qiantai_server::db::sqlite::MIGRATIONS;
use qiantai_sqlite::{OpenOptions, migrate, open, schema_snapshot};

#[test]
fn the_committed_openapi_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == qiantai_server::openapi(),
        "docs/openapi.json is stale; run `cargo xtask codegen`"
    );
}

#[test]
fn the_committed_schema_is_what_the_migrations_make() {
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        create: true,
        ..OpenOptions::default()
    };
    let mut connection = open(&folder.path().join("ledger.db"), options).unwrap();
    migrate(&mut connection, MIGRATIONS).unwrap();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../migrations/server-sqlite/schema.sql"
    );
    let made = schema_snapshot(&connection).unwrap();
    if std::env::var_os("QIANTAI_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == made,
        "run this test with QIANTAI_WRITE_SNAPSHOTS=1 and review"
    );
}
