//! A walk through screens that keeps a picture of each, in every look, and what is wrong with it.

use std::path::PathBuf;

use qiantai_testkit::{Looks, PATIENCE, Picture, Window, until};

const PLAIN: Looks = looks("zh-CN", "light", 100);
const DARK: Looks = looks("zh-CN", "dark", 100);
const ENGLISH: Looks = looks("en", "light", 100);
const LARGE: Looks = looks("zh-CN", "light", 150);
const LARGE_ENGLISH: Looks = looks("en", "dark", 150);

/// How every screen is looked at. The first is worn again in the end.
pub const EVERY: &[Looks] = &[PLAIN, DARK, ENGLISH];
/// How the main screens are looked at.
pub const AND_LARGE: &[Looks] = &[PLAIN, DARK, ENGLISH, LARGE, LARGE_ENGLISH];

const fn looks(language: &'static str, theme: &'static str, type_percent: u16) -> Looks {
    Looks {
        language,
        theme,
        type_percent,
    }
}

/// A walk. What it finds wrong is said in the end, all at once.
pub struct Tour {
    name: &'static str,
    stops: u32,
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
            stops: 0,
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

    /// Looks at the screen in every look, changed as in the settings.
    pub async fn stop(&mut self, window: &Window, screen: &str, every: &[Looks]) {
        self.go_on();
        for looks in every {
            window.wear(*looks).await.unwrap();
            self.look(window, screen, *looks).await;
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
        self.go_on();
        for looks in [DARK, ENGLISH, PLAIN] {
            window.open_page_in(looks).await.unwrap();
            again(looks).await;
            self.look(window, screen, looks).await;
        }
    }

    /// Looks at a screen that changed looks would bring back to its beginning.
    pub async fn look_as_it_is(&mut self, window: &Window, screen: &str) {
        self.go_on();
        self.look(window, screen, PLAIN).await;
    }

    fn go_on(&mut self) {
        self.stops += 1;
        self.before = None;
    }

    async fn look(&mut self, window: &Window, screen: &str, looks: Looks) {
        let name = format!("{}-{:02}-{screen}", self.name, self.stops);
        let folder = folder().join(looks.name());
        std::fs::create_dir_all(&folder).unwrap();
        let what = format!("{name} in another look");
        let picture = until(&what, PATIENCE, || async {
            let picture = window.picture().await?;
            Ok((Some(&picture) != self.before.as_ref()).then_some(picture))
        })
        .await
        .unwrap();
        let path = folder.join(format!("{name}.png"));
        std::fs::write(path, picture.png().unwrap()).unwrap();
        self.before = Some(picture);

        let place = format!("{name} ({})", looks.name());
        for finding in window.audit().await.unwrap() {
            self.findings.push(format!("{place}: {finding:?}"));
        }
        if self.is_page {
            return;
        }
        // Large type may scroll where small type must not.
        for spill in window.spills(looks.type_percent == 100).await.unwrap() {
            self.findings.push(format!("{place}: {spill}"));
        }
    }

    /// Says what was found.
    pub fn end(self) {
        assert!(self.stops > 0, "{}: a walk without a stop", self.name);
        assert!(self.findings.is_empty(), "{:#?}", self.findings);
    }
}

/// Where the pictures lie, a folder for each look.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screens")
}
