//! The table of the window's screens, and what keeps it whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::tour::LOOKS;

/// Every screen and state, by the test that looks at it.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let path = root().join("tests/screens/table.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    looks: Vec<String>,
    test: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    /// Looked at in the first look only.
    #[serde(default)]
    plain: bool,
    /// Run once for each look, because its states do not last.
    #[serde(default)]
    brief: bool,
    /// Dressed in the usual size of type whatever is set, so looked at in no other.
    #[serde(default)]
    one_size: bool,
    shows: BTreeMap<String, Vec<String>>,
}

/// Whether the screen has a row.
pub fn has(screen: &str) -> bool {
    let mut tests = TABLE.test.iter();
    tests.any(|test| test.shows.contains_key(screen))
}

/// Whether the screen has one size of type in every look.
pub fn has_one_size(screen: &str) -> bool {
    let mut tests = TABLE.test.iter();
    tests.any(|test| test.one_size && test.shows.contains_key(screen))
}

#[test]
fn every_part_of_the_window_is_on_a_picture() {
    let shown: BTreeSet<String> = TABLE
        .test
        .iter()
        .flat_map(|test| test.shows.values().flatten().cloned())
        .collect();
    let parts = parts();
    let unseen: Vec<_> = parts.difference(&shown).collect();
    assert!(unseen.is_empty(), "on no picture: {unseen:?}");
}

#[test]
fn a_screen_has_one_row_and_a_row_one_kind() {
    assert_eq!(TABLE.looks, LOOKS.map(|looks| looks.name()));
    let (mut screens, mut tests) = (BTreeSet::new(), BTreeSet::new());
    for test in &TABLE.test {
        assert!(tests.insert(&test.name), "{} stands twice", test.name);
        let kinds = [test.plain, test.brief, test.one_size];
        let count = kinds.iter().filter(|is_it| **is_it).count();
        assert!(count <= 1, "{} is of {count} kinds", test.name);
        assert!(!test.shows.is_empty(), "{} shows nothing", test.name);
        for screen in test.shows.keys() {
            assert!(screens.insert(screen), "{screen} has two rows");
        }
    }
}

/// What the window is made of and a picture must show: folders of features with something to see,
/// dialogs, parts of the settings, stages of a payment, what its customer is shown of it, causes of
/// trouble.
fn parts() -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    let features = root().join("ui/src/features");
    for folder in std::fs::read_dir(features).unwrap() {
        let folder = folder.unwrap();
        let feature = folder.file_name().into_string().unwrap();
        for (name, text) in components(&folder.path()) {
            if text.contains("<style>") {
                parts.insert(format!("feature/{feature}"));
            }
            if text.contains("<Dialog") || text.contains("<ManagerDialog") {
                parts.insert(format!("dialog/{feature}/{name}"));
            }
        }
    }
    let list = std::fs::read_to_string(root().join("ui/src/features/settings/parts.ts")).unwrap();
    let (_, list) = list.split_once("PARTS = {").unwrap();
    let (list, _) = list.split_once('}').unwrap();
    let names = list.lines().filter_map(|line| line.split_once(':'));
    parts.extend(names.map(|(name, _)| format!("settings/{}", name.trim())));
    for (kind, binding) in [
        ("stage", "Stage"),
        ("trouble", "TroubleCause"),
        ("customer", "CustomerState"),
    ] {
        let file = root().join(format!("ui/src/bindings/{binding}.ts"));
        let text = std::fs::read_to_string(file).unwrap();
        // Every second piece between quotation marks is a word of the union.
        let words = text.split('"').skip(1).step_by(2);
        parts.extend(words.map(|word| format!("{kind}/{word}")));
    }
    parts
}

/// The components of a feature, by name, with their texts.
fn components(folder: &Path) -> Vec<(String, String)> {
    let mut components = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "svelte") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            components.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    components
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
