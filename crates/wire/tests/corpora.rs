//! The corpora of the fuzz targets, replayed: whole, cut short and with bytes changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::parsers::PARSERS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

#[test]
fn every_parser_has_a_corpus_and_survives_it() {
    for (name, parser) in PARSERS {
        let files: Vec<PathBuf> = fs::read_dir(fuzz().join("corpus").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(files.len() >= 2, "{name} has examples");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            assert!(bytes.len() <= 16 * 1024, "{} is small", file.display());
            parser(&bytes);
            for part in 1..16 {
                parser(&bytes[..bytes.len() * part / 16]);
                let mut changed = bytes.clone();
                if let Some(byte) = changed.get_mut(bytes.len() * part / 16) {
                    *byte ^= 0x55;
                }
                parser(&changed);
            }
        }
    }
}

/// A parser without a target would never be fuzzed, a target without a parser never replayed.
#[test]
fn targets_and_parsers_are_the_same() {
    let mut targets = BTreeSet::new();
    for entry in fs::read_dir(fuzz().join("fuzz_targets")).unwrap() {
        let path = entry.unwrap().path();
        if fs::read_to_string(&path).unwrap().contains("crates/wire/") {
            targets.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    let parsers: BTreeSet<String> = PARSERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets, parsers);
}
