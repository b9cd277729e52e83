//! A walk through screens that keeps a picture of each and what is wrong with it. Each screen has a
//! row in `screens/table.toml`.
//!
//! `cargo xtask screens` walks with `SCREENS=all`, keeps every screen in every look, and judges more
//! strictly than the tests, which look at each screen in a few looks.

use std::collections::BTreeSet;
use std::path::PathBuf;

use qiantai_testkit::{Looks, PATIENCE, Picture, Spill, SpillKind, Window, Words, until};

use crate::screens::table;

/// Language, theme and size of type in every combination. The first is worn between looks.
pub const LOOKS: [Looks; 8] = [
    looks("zh-CN", "light", 100),
    looks("zh-CN", "dark", 100),
    looks("en", "light", 100),
    looks("en", "dark", 100),
    looks("zh-CN", "light", 150),
    looks("zh-CN", "dark", 150),
    looks("en", "light", 150),
    looks("en", "dark", 150),
];
const PLAIN: Looks = LOOKS[0];
/// The size between the two that every screen is looked at in.
const MIDDLE: Looks = looks("zh-CN", "light", 125);

/// How every screen is looked at in the tests.
pub const EVERY: &[Looks] = &[LOOKS[0], LOOKS[1], LOOKS[2]];
/// How the main screens are looked at in the tests.
pub const AND_LARGE: &[Looks] = &[LOOKS[0], LOOKS[1], LOOKS[2], LOOKS[4], LOOKS[7]];
/// How a screen is looked at that every size of type must fit.
pub const EVERY_SIZE: &[Looks] = &[LOOKS[0], LOOKS[1], LOOKS[2], MIDDLE, LOOKS[4], LOOKS[7]];
/// How a screen is looked at that does not last.
pub const IN_BRIEF: &[Looks] = &[LOOKS[0], LOOKS[2]];

const fn looks(language: &'static str, theme: &'static str, type_percent: u16) -> Looks {
    Looks {
        language,
        theme,
        type_percent,
    }
}

/// The looks in which this run looks at a screen, at least one: `few`, or those that it was told.
pub fn looks_at(few: &[Looks]) -> Vec<Looks> {
    match wanted().as_deref() {
        Some("all") => LOOKS.to_vec(),
        Some(name) => LOOKS
            .into_iter()
            .filter(|looks| looks.name() == name)
            .collect(),
        None => few.to_vec(),
    }
}

/// As [`looks_at`], for a screen that may have one size of type only.
pub fn looks_of(screen: &str, few: &[Looks]) -> Vec<Looks> {
    let mut looks = looks_at(few);
    if table::has_one_size(screen) {
        looks.retain(|looks| looks.type_percent == PLAIN.type_percent);
    }
    looks
}

/// What `cargo xtask screens` asks for.
fn wanted() -> Option<String> {
    std::env::var("SCREENS").ok()
}

/// A walk. What it finds wrong is said in the end, all at once.
pub struct Tour {
    name: &'static str,
    seen: BTreeSet<String>,
    findings: Vec<String>,
    /// The screen in the look before; another look is another picture.
    before: Option<Picture>,
    is_page: bool,
}

impl Tour {
    /// A walk whose pictures begin with `name`.
    pub fn new(name: &'static str) -> Tour {
        Tour {
            name,
            seen: BTreeSet::new(),
            findings: Vec::new(),
            before: None,
            is_page: false,
        }
    }

    /// A walk through a page that may be longer than the window.
    pub fn of_page(name: &'static str) -> Tour {
        Tour {
            is_page: true,
            ..Tour::new(name)
        }
    }

    /// Looks at the screen as it is shown now, its looks changed as in the settings.
    pub async fn stop(&mut self, window: &Window, screen: &str, few: &[Looks]) {
        self.walk(window, screen, few, None).await;
    }

    /// As [`Tour::stop`], for a state that may pass: in each look the sentence of `key` must still be
    /// there once the picture is taken.
    pub async fn stop_while(&mut self, window: &Window, screen: &str, few: &[Looks], key: &str) {
        self.walk(window, screen, few, Some(key)).await;
    }

    async fn walk(&mut self, window: &Window, screen: &str, few: &[Looks], says: Option<&str>) {
        let name = self.go_on(screen);
        let looks = looks_at(few);
        if looks[0] != PLAIN {
            self.before = Some(window.picture().await.unwrap());
        }
        for looks in looks {
            window.wear(looks).await.unwrap();
            self.look(window, &name, looks).await;
            if let Some(key) = says {
                self.findings
                    .extend(passed(window, &name, looks, key).await);
            }
        }
        window.wear(PLAIN).await.unwrap();
    }

    /// Looks at a screen that comes before the settings can be read. `again` brings the page to
    /// the same state after it was started anew.
    pub async fn stop_at_start<F>(
        &mut self,
        window: &Window,
        screen: &str,
        again: impl Fn(Looks) -> F,
    ) where
        F: Future<Output = ()>,
    {
        let again = &again;
        let open = |looks| async move {
            window.open_page_in(looks).await.unwrap();
            again(looks).await;
        };
        self.stop_anew(window, screen, EVERY, open).await;
        window.open_page_in(PLAIN).await.unwrap();
    }

    /// Looks at a screen that `open` brings about in the look that it is given.
    pub async fn stop_anew<F>(
        &mut self,
        window: &Window,
        screen: &str,
        few: &[Looks],
        open: impl Fn(Looks) -> F,
    ) where
        F: Future<Output = ()>,
    {
        let name = self.go_on(screen);
        for looks in looks_of(&name, few) {
            open(looks).await;
            self.look(window, &name, looks).await;
        }
    }

    /// Looks at a screen that changed looks would bring back to its beginning.
    pub async fn look_as_it_is(&mut self, window: &Window, screen: &str) {
        let name = self.go_on(screen);
        self.look(window, &name, PLAIN).await;
    }

    fn go_on(&mut self, screen: &str) -> String {
        let name = named(self.name, screen);
        assert!(self.seen.insert(name.clone()), "{name} twice in one walk");
        self.before = None;
        name
    }

    async fn look(&mut self, window: &Window, name: &str, looks: Looks) {
        let what = format!("{name} in another look");
        let picture = until(&what, PATIENCE, || async {
            let picture = window.picture().await?;
            Ok((Some(&picture) != self.before.as_ref()).then_some(picture))
        })
        .await
        .unwrap();
        keep(&picture, name, looks);
        self.before = Some(picture);
        let findings = findings(window, name, looks, self.is_page).await;
        self.findings.extend(findings);
    }

    /// Says what was found.
    pub fn end(self) {
        assert!(
            !self.seen.is_empty(),
            "{}: a walk without a stop",
            self.name
        );
        assert!(self.findings.is_empty(), "{:#?}", self.findings);
    }
}

/// The name of a screen in the table, where it must stand.
pub fn named(walk: &str, screen: &str) -> String {
    let name = format!("{walk}-{screen}");
    assert!(
        table::has(&name),
        "{name} has no row in tests/screens/table.toml"
    );
    name
}

/// Keeps a picture of the screen `name`, in the folder of its look.
pub fn keep(picture: &Picture, name: &str, looks: Looks) {
    let out = std::env::var_os("SCREENS_OUT").map(PathBuf::from);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = out.unwrap_or_else(|| root.join("target/screens"));
    let folder = folder.join(looks.name());
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{name}.png"));
    std::fs::write(file, picture.png().unwrap()).unwrap();
}

/// A complaint when the sentence of `key` is not on the screen any more.
async fn passed(window: &Window, name: &str, looks: Looks, key: &str) -> Option<String> {
    let words = Words::of(looks.language).unwrap();
    let seen = window.seen().await.unwrap();
    let is_there = seen.contains(words.start_of(key).unwrap());
    (!is_there).then(|| format!("{name} ({}): {key} has passed: {seen}", looks.name()))
}

/// What is wrong with the screen that the window shows now. A page may be longer than the window.
pub async fn findings(window: &Window, name: &str, looks: Looks, is_page: bool) -> Vec<String> {
    let place = format!("{name} ({})", looks.name());
    let audit = window.audit().await.unwrap();
    let spills = window.spills().await.unwrap();
    let counted = spills
        .into_iter()
        .filter(|spill| counts(spill, looks, is_page));
    let broken = audit
        .iter()
        .map(|finding| format!("{place}: {finding:?}"))
        .chain(counted.map(|spill| format!("{place}: {}", spill.what)));
    broken.collect()
}

/// Nothing may be cut off. Large type may scroll where small type must not, but never aside.
fn counts(spill: &Spill, looks: Looks, is_page: bool) -> bool {
    let is_strict = wanted().is_some();
    match spill.kind {
        SpillKind::Cut | SpillKind::Turned | SpillKind::Covered => true,
        SpillKind::Control => is_strict,
        SpillKind::List => is_strict && spill.aside,
        SpillKind::Window => !is_page || (is_strict && spill.aside),
        SpillKind::Part => {
            let is_small = !is_page && looks.type_percent == 100;
            is_small || (is_strict && spill.aside)
        }
    }
}
