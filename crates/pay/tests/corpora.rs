//! The corpora of the fuzz targets, replayed: whole, cut short and with bytes changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::parsers::PARSERS;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn every_parser_has_a_corpus_and_survives_it() {
    for (name, parser) in PARSERS {
        let folder = corpora().join(name);
        let files = names(&folder);
        assert!(files.len() >= 2, "{name} has examples");
        for file in files {
            let bytes = fs::read(folder.join(&file)).unwrap();
            assert!(bytes.len() <= 16 * 1024, "{name}/{file} is small");
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
fn targets_corpora_and_parsers_are_the_same() {
    let targets = corpora().join("../fuzz_targets");
    let is_ours = |file: &String| {
        let source = fs::read_to_string(targets.join(file)).unwrap();
        let others = source.contains("crates/wire/");
        assert!(
            others || source.contains("crates/pay/"),
            "{file} is of none"
        );
        !others
    };
    let files = names(&targets);
    let name_of = |file: &String| file.trim_end_matches(".rs").to_owned();
    assert_eq!(names(&corpora()), files.iter().map(name_of).collect());
    let ours: BTreeSet<String> = files
        .iter()
        .filter(|file| is_ours(file))
        .map(name_of)
        .collect();
    let parsers: BTreeSet<String> = PARSERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(ours, parsers);
}
