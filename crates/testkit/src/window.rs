//! The app in its real window, seen as assistive technology sees it: by roles and names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fantoccini::elements::{Element, ElementRef};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::display::Display;
use crate::driver::Driver;
use crate::eye::{Eye, Picture};
use crate::fault::Fault;
use crate::hand::{Actions, length};
use crate::launch::Launch;
use crate::wait::{PATIENCE, until};

/// Finds controls by role and name, and runs axe; built by `npm run build:testkit` in ui/.
const PROBE: &str = "ui/dist-testkit/testkit.js";
/// The member by which WebDriver passes an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A screen that still moves after so many looks moves by itself.
const LOOKS_MAX: u32 = 300;
/// A screen that shows the same so many times is at rest.
const LOOKS_AT_REST: u32 = 4;
/// A window that does not open so often does not open.
const TRIES: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(30);

/// The app in its real window.
#[derive(Debug)]
pub struct Window {
    pub(crate) client: Client,
    pub(crate) actions: Actions,
    eye: Eye,
    probe: String,
    binary: PathBuf,
    driver: Driver,
}

impl Window {
    /// Starts the app on `display` and waits for its page.
    ///
    /// # Errors
    /// Where a program is missing or the window does not open.
    pub async fn open(display: &Display, launch: &Launch) -> Result<Window, Fault> {
        let mut tries = 1;
        loop {
            match Window::open_once(display, launch).await {
                // Driver and app meet at a port that somebody else may have taken in between; then
                // neither ever hears of the other.
                Err(fault) if fault.is_unanswered() && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn open_once(display: &Display, launch: &Launch) -> Result<Window, Fault> {
        let probe = probe_path();
        let probe = std::fs::read_to_string(&probe).map_err(|source| Fault::file(probe, source))?;
        let driver = Driver::start(display, launch).await?;
        let binary = std::path::absolute(&launch.binary)
            .map_err(|source| Fault::file(&launch.binary, source))?;
        let options = json!({"binary": binary, "args": launch.arguments});
        let mut capabilities = Capabilities::new();
        capabilities.insert("webkitgtk:browserOptions".into(), options);
        let connected = ClientBuilder::new(Driver::connector())
            .capabilities(capabilities)
            .connect(&driver.url())
            .await;
        let client = match connected {
            Ok(client) => client,
            Err(error) => {
                let apps = Apps::of(&driver, &binary);
                drop(driver);
                apps.ended().await?;
                return Err(error.into());
            }
        };
        Ok(Window {
            client,
            actions: Actions::default(),
            eye: display.eye(),
            probe,
            binary,
            driver,
        })
    }

    /// Closes the window as a person does, and waits until the app has ended.
    ///
    /// # Errors
    /// Where the driver does not answer or the app stays.
    pub async fn close(self) -> Result<(), Fault> {
        let Window {
            client,
            binary,
            driver,
            ..
        } = self;
        let apps = Apps::of(&driver, &binary);
        client.close().await?;
        apps.ended().await
    }

    /// Ends the app at once, as a power cut would.
    ///
    /// # Errors
    /// Where the app is not running.
    #[cfg(target_os = "linux")]
    pub async fn kill(self) -> Result<(), Fault> {
        let apps = Apps::of(&self.driver, &self.binary);
        if apps.0.is_empty() {
            return Err(Fault::Unexpected("the app is not running".into()));
        }
        for app in &apps.0 {
            crate::process::kill(*app)?;
        }
        apps.ended().await
    }

    /// The button called `name`, once it is there.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn button(&self, name: &str) -> Result<Control, Fault> {
        self.control("button", name).await
    }

    /// The control of this ARIA role with this accessible name, once it is there. A name that begins
    /// and ends with `/` is a regular expression.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn control(&self, role: &str, name: &str) -> Result<Control, Fault> {
        self.control_within(role, name, PATIENCE).await
    }

    /// As [`Window::control`], with another patience.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn control_within(
        &self,
        role: &str,
        name: &str,
        patience: Duration,
    ) -> Result<Control, Fault> {
        let what = format!("the {role} called {name:?}");
        self.explained(until(&what, patience, || self.look(role, name)).await)
            .await
    }

    /// The control if it is on the screen now.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn look(&self, role: &str, name: &str) -> Result<Option<Control>, Fault> {
        let script = "const [role, name] = arguments; \
                      const pattern = /^\\/.+\\/$/.test(name); \
                      const wanted = pattern ? new RegExp(name.slice(1, -1)) : name; \
                      return window.__testkit.queryAllByRole(role, wanted)[0] ?? null";
        match self.probe(script, vec![json!(role), json!(name)]).await {
            Ok(found) => Ok(self.taken(&found)),
            // Drawn anew while the driver took hold of it: not there yet.
            Err(fault) if fault.is_gone() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Clicks the control of this role and name, once it is there and takes input.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn click(&self, role: &str, name: &str) -> Result<(), Fault> {
        let what = format!("a click on the {role} called {name:?}");
        let clicked = until(&what, PATIENCE, || async {
            Ok(self.try_click(role, name).await?.then_some(()))
        });
        self.explained(clicked.await).await
    }

    /// Clicks the control of this role and name if it is there now and takes input.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn try_click(&self, role: &str, name: &str) -> Result<bool, Fault> {
        let Some(control) = self.look(role, name).await? else {
            return Ok(false);
        };
        match control.click_if_enabled().await {
            Ok(clicked) => {
                self.actions.add(u32::from(clicked));
                Ok(clicked)
            }
            Err(fault) if fault.is_gone() || fault.is_covered() => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Types into the control of this role and name, once it is there.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn fill(&self, role: &str, name: &str, text: &str) -> Result<(), Fault> {
        let what = format!("the {role} called {name:?} to type into");
        self.on(&what, role, name, |control| async move {
            control.clear().await?;
            control.type_text(text).await?;
            self.actions.add(length(text));
            self.actions.typed(text);
            Ok(Some(()))
        })
        .await
    }

    /// Does something with a control until it is done; a control that is drawn anew in the middle
    /// is looked for again.
    pub(crate) async fn on<F>(
        &self,
        what: &str,
        role: &str,
        name: &str,
        act: impl Fn(Control) -> F,
    ) -> Result<(), Fault>
    where
        F: Future<Output = Result<Option<()>, Fault>>,
    {
        let done = until(what, PATIENCE, || async {
            let Some(control) = self.look(role, name).await? else {
                return Ok(None);
            };
            match act(control).await {
                Err(fault) if fault.is_gone() => Ok(None),
                outcome => outcome,
            }
        });
        self.explained(done.await).await
    }

    /// Adds what the screen says to a wait in vain.
    pub(crate) async fn explained<T>(&self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        match outcome {
            Err(Fault::InVain { what, seconds }) => {
                let there = self.seen().await?;
                Err(Fault::InVain {
                    what: format!("{what}; the screen says: {there}"),
                    seconds,
                })
            }
            outcome => outcome,
        }
    }

    /// The control that a script gave back, if it gave one.
    pub(crate) fn taken(&self, answer: &Value) -> Option<Control> {
        let id = answer.get(ELEMENT)?.as_str()?.to_owned();
        let element = Element::from_element_id(self.client.clone(), ElementRef::from(id));
        Some(Control { element })
    }

    /// Clicks a radio button or box where people do: on the label around it.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn choose(&self, role: &str, name: &str) -> Result<(), Fault> {
        let what = format!("a choice of the {role} called {name:?}");
        self.on(&what, role, name, |control| async move {
            self.click_label_of(&control).await
        })
        .await
    }

    pub(crate) async fn click_label_of(&self, control: &Control) -> Result<Option<()>, Fault> {
        let script = "const [control] = arguments; return control.closest('label') ?? control";
        let control = vec![control.reference()?];
        let label = self.client.execute(script, control).await?;
        let Some(label) = self.taken(&label) else {
            return Ok(None);
        };
        label.click().await?;
        self.actions.add(1);
        Ok(Some(()))
    }

    /// Waits until the control is no longer on the screen.
    ///
    /// # Errors
    /// Where it stays.
    pub async fn gone(&self, role: &str, name: &str) -> Result<(), Fault> {
        let what = format!("the {role} called {name:?} to go");
        until(&what, PATIENCE, || async {
            Ok(self.look(role, name).await?.is_none().then_some(()))
        })
        .await
    }

    /// Waits until the screen shows `text`.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn text(&self, text: &str) -> Result<(), Fault> {
        let what = format!("the text {text:?}");
        let seen = until(&what, PATIENCE, || async {
            Ok(self.seen().await?.contains(text).then_some(()))
        });
        self.explained(seen.await).await
    }

    /// All text on the screen, without the marks that set names apart.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn seen(&self) -> Result<String, Fault> {
        let text = self
            .client
            .execute("return document.body.innerText", Vec::new())
            .await?;
        let text = text.as_str().unwrap_or_default();
        Ok(text
            .replace('\n', " ")
            .replace(['\u{2068}', '\u{2069}'], ""))
    }

    /// What the window looks like once it is drawn and nothing on it moves any more.
    ///
    /// # Errors
    /// Where something always moves.
    pub async fn picture(&self) -> Result<Picture, Fault> {
        self.drawn().await?;
        let mut still = 0;
        let mut before = self.eye.look()?;
        for _ in 0..LOOKS_MAX {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            let now = self.eye.look()?;
            still = if now == before { still + 1 } else { 0 };
            if still == LOOKS_AT_REST {
                return now.picture();
            }
            before = now;
        }
        Err(Fault::Unexpected("the screen never comes to rest".into()))
    }

    /// Waits until what moves on the page has arrived, and the page has drawn what it holds now.
    /// What moves in a part that is folded away never arrives, and nobody sees it.
    async fn drawn(&self) -> Result<(), Fault> {
        let script = "const [done] = arguments; \
                      const arrived = (motion) => motion.finished.catch(() => null); \
                      const ends = (motion) => motion.effect.getComputedTiming().endTime < Infinity; \
                      const seen = (motion) => motion.effect.target.checkVisibility(); \
                      const drawn = () => requestAnimationFrame(() => requestAnimationFrame(() => done(true))); \
                      requestAnimationFrame(() => Promise.all( \
                        document.getAnimations().filter(ends).filter(seen).map(arrived)).then(drawn))";
        self.client.execute_async(script, Vec::new()).await?;
        Ok(())
    }

    /// What a control looks like.
    ///
    /// # Errors
    /// Where the control is gone, or not wholly in the window.
    pub async fn picture_of(&self, control: &Control) -> Result<Picture, Fault> {
        loop {
            let place = self.place_of(control).await?;
            let picture = self.picture().await?;
            // A screen that is still being laid out moves the control from under the frame.
            if self.place_of(control).await? == place {
                return Ok(picture.part(place));
            }
        }
    }

    async fn place_of(&self, control: &Control) -> Result<[u32; 4], Fault> {
        let script = "const box = arguments[0].getBoundingClientRect(); \
                      return [box.left, box.top, box.width, box.height].map(Math.round)";
        let place = self
            .client
            .execute(script, vec![control.reference()?])
            .await?;
        serde_json::from_value(place.clone())
            .map_err(|_| Fault::Unexpected(format!("outside the window: {place}")))
    }

    /// Asks the counter, as the window's own pages do.
    ///
    /// # Errors
    /// Where the counter refuses.
    pub async fn call<T: DeserializeOwned>(&self, name: &str, payload: Value) -> Result<T, Fault> {
        let script = "const [name, payload, done] = arguments; \
                      window.__TAURI_INTERNALS__.invoke('call', { name, payload }) \
                      .then((value) => done({ value }), (error) => done({ error }))";
        let answer = self
            .client
            .execute_async(script, vec![json!(name), payload])
            .await?;
        match (answer.get("value"), answer.get("error")) {
            (Some(value), _) => serde_json::from_value(value.clone())
                .map_err(|error| Fault::Unexpected(format!("{name}: {error}: {value}"))),
            (None, error) => Err(Fault::Refused {
                command: name.to_owned(),
                answer: error.cloned().unwrap_or_default(),
            }),
        }
    }

    pub(crate) async fn probe(&self, script: &str, arguments: Vec<Value>) -> Result<Value, Fault> {
        self.load_probe().await?;
        Ok(self.client.execute(script, arguments).await?)
    }

    /// Puts the probe into the page, unless it is there already.
    pub(crate) async fn load_probe(&self) -> Result<(), Fault> {
        let there = self
            .client
            .execute("return !!window.__testkit", Vec::new())
            .await?;
        if there != Value::Bool(true) {
            self.client.execute(&self.probe, Vec::new()).await?;
        }
        Ok(())
    }
}

/// A control in the window.
#[derive(Debug, Clone)]
pub struct Control {
    pub(crate) element: Element,
}

impl Control {
    /// Clicks it.
    ///
    /// # Errors
    /// Where it cannot be clicked.
    pub async fn click(&self) -> Result<(), Fault> {
        Ok(self.element.click().await?)
    }

    async fn click_if_enabled(&self) -> Result<bool, Fault> {
        let enabled = self.is_enabled().await?;
        if enabled {
            self.click().await?;
        }
        Ok(enabled)
    }

    /// Types into it.
    ///
    /// # Errors
    /// Where it takes no text.
    pub async fn type_text(&self, text: &str) -> Result<(), Fault> {
        Ok(self.element.send_keys(text).await?)
    }

    /// Empties it.
    ///
    /// # Errors
    /// Where it takes no text.
    pub async fn clear(&self) -> Result<(), Fault> {
        Ok(self.element.clear().await?)
    }

    /// Its text.
    ///
    /// # Errors
    /// Where it is gone.
    pub async fn text(&self) -> Result<String, Fault> {
        Ok(self.element.text().await?)
    }

    /// Whether it takes input.
    ///
    /// # Errors
    /// Where it is gone.
    pub async fn is_enabled(&self) -> Result<bool, Fault> {
        Ok(self.element.is_enabled().await?)
    }

    /// An attribute, if it has that.
    ///
    /// # Errors
    /// Where it is gone.
    pub async fn attribute(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.element.attr(name).await?)
    }

    fn reference(&self) -> Result<Value, Fault> {
        serde_json::to_value(&self.element)
            .map_err(|error| Fault::Unexpected(format!("a control: {error}")))
    }
}

/// The processes of the app in a window.
struct Apps(Vec<u32>);

impl Apps {
    #[cfg(target_os = "linux")]
    fn of(driver: &Driver, binary: &Path) -> Apps {
        Apps(crate::process::children(driver.id(), binary))
    }

    /// Elsewhere nothing tells whose children the processes are.
    #[cfg(not(target_os = "linux"))]
    fn of(_driver: &Driver, _binary: &Path) -> Apps {
        Apps(Vec::new())
    }

    async fn ended(self) -> Result<(), Fault> {
        #[cfg(target_os = "linux")]
        until("the app to end", PATIENCE, || async {
            let gone = self.0.iter().all(|app| crate::process::is_gone(*app));
            Ok(gone.then_some(()))
        })
        .await?;
        Ok(())
    }
}

fn probe_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(PROBE)
}
