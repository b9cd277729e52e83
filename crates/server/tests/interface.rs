//! The committed description of the interface.

#[test]
fn the_committed_openapi_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == qiantai_server::openapi(),
        "docs/openapi.json is stale; run `cargo xtask codegen`"
    );
}
