//! The window's side of the call surface.

use std::collections::BTreeMap;
use std::path::Path;

use qiantai_counter::{api, codegen};
use ts_rs::Config;

#[test]
fn every_command_is_in_the_bindings() {
    let files: BTreeMap<String, String> = codegen::typescript().into_iter().collect();
    let commands = &files["commands.ts"];
    let signatures = api::signatures(&Config::new());
    assert!(signatures.len() > 20);
    for (name, request, response) in signatures {
        let row = format!("  {name}: {{ request: {request}; response: {response} }};");
        assert!(commands.contains(&row), "{row}");
        for part in [request, response] {
            let named = part.trim_start_matches("Array<").trim_end_matches('>');
            let plain = named == "null";
            assert!(
                plain || files.contains_key(&format!("{named}.ts")),
                "no file for {named}"
            );
        }
    }
}

#[test]
fn the_committed_bindings_are_what_the_code_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/bindings");
    let mut committed = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        committed.insert(name, std::fs::read_to_string(path).unwrap());
    }
    let generated: BTreeMap<String, String> = codegen::typescript().into_iter().collect();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&committed),
        names(&generated),
        "run `cargo xtask codegen`"
    );
    for (name, text) in generated {
        assert_eq!(
            committed[&name], text,
            "{name} is stale: run `cargo xtask codegen`"
        );
    }
}
