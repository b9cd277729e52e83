//! Saying aloud that money has arrived, by a voice of this machine and without the network.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use qiantai_counter::api::CounterApi;
use qiantai_counter::error::CallError;
use qiantai_counter::view::order::OrderView;
use qiantai_counter::view::session::Language;
use qiantai_counter::voice::{sentence, trial};
use tauri::State;
use tokio::process::Command;
use tokio::sync::Mutex;

/// A sentence takes some three seconds. A voice that hangs must not keep the next one waiting.
const SAID_WITHIN: Duration = Duration::from_secs(20);

/// Says in the shop what came in with `order`, unless this terminal is silent. Words that no voice
/// of the system took are given back for the web view's own voice.
#[tauri::command]
pub async fn announce(
    counter: State<'_, Arc<dyn CounterApi>>,
    speaker: State<'_, Speaker>,
    order: OrderView,
) -> Result<Option<String>, CallError> {
    let settings = counter.session(()).await?.settings;
    if !settings.sound || !settings.voice {
        return Ok(None);
    }
    let Some(words) = sentence(&order, settings.language) else {
        return Ok(None);
    };
    let wish = Wish {
        words,
        language: settings.language,
        volume_percent: settings.volume_percent,
    };
    Ok(speaker.offer(wish).await)
}

/// Whether a voice of the system is installed. Only [`try_voice`] tells whether it speaks.
#[tauri::command]
pub async fn has_voice() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let wish = Wish {
        words: String::new(),
        language: Language::ZhCn,
        volume_percent: 0,
    };
    let programs = voices(&wish).into_iter().map(|(program, _)| program);
    is_installed(programs, &path)
}

/// Whether one of the programs lies on the search path.
fn is_installed(programs: impl Iterator<Item = &'static str>, path: &OsStr) -> bool {
    let folders: Vec<_> = std::env::split_paths(path).collect();
    let mut places = programs.flat_map(|program| folders.iter().map(move |at| at.join(program)));
    places.any(|place| place.is_file())
}

/// Says a sentence for trial as loud as an arrival, muted or not. Words that no voice of the system
/// took are given back for the web view's own voice.
#[tauri::command]
pub async fn try_voice(
    counter: State<'_, Arc<dyn CounterApi>>,
    speaker: State<'_, Speaker>,
) -> Result<Option<String>, CallError> {
    let settings = counter.session(()).await?.settings;
    let wish = Wish {
        words: trial(settings.language).to_owned(),
        language: settings.language,
        volume_percent: settings.volume_percent,
    };
    Ok(speaker.offer(wish).await)
}

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wish {
    words: String,
    language: Language,
    volume_percent: u16,
}

/// The voice of this machine, which says one thing after the other.
#[derive(Default)]
pub struct Speaker {
    turn: Mutex<()>,
}

impl Speaker {
    /// Gives the words back that no voice of the system took.
    async fn offer(&self, wish: Wish) -> Option<String> {
        match self.say(&wish).await {
            true => None,
            false => Some(wish.words),
        }
    }

    /// Whether a voice of the system took the words. That there is none is no fault.
    async fn say(&self, wish: &Wish) -> bool {
        let _turn = self.turn.lock().await;
        for (program, arguments) in voices(wish) {
            if takes(program, &arguments).await {
                return true;
            }
        }
        false
    }
}

async fn takes(program: &str, arguments: &[String]) -> bool {
    let voice = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut voice = match voice {
        Ok(voice) => voice,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!(program, %error, "a voice does not start");
            }
            return false;
        }
    };
    match tokio::time::timeout(SAID_WITHIN, voice.wait()).await {
        Ok(Ok(status)) => status.success(),
        Ok(Err(error)) => {
            tracing::warn!(program, %error, "a voice is lost");
            false
        }
        // It may have been heard: another voice would say it twice.
        Err(_) => {
            tracing::warn!(program, "a voice did not come to its end");
            true
        }
    }
}

/// The programs that speak on Linux desktops, the better one first: the desktop's own speech
/// service, and a small synthesiser. Elsewhere the web view has the system's voices itself.
fn voices(wish: &Wish) -> Vec<(&'static str, Vec<String>)> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let volume = i32::from(wish.volume_percent.min(100));
    let (service_language, synthesiser_language) = match wish.language {
        Language::ZhCn => ("zh", "cmn"),
        Language::En => ("en", "en"),
    };
    let spoken = |options: [&str; 4], flag: Option<&str>| {
        let options = flag.into_iter().chain(options).chain(["--", &wish.words]);
        options.map(str::to_owned).collect()
    };
    // From -100 to 100, where the middle is what the desktop is set to.
    let service = (2 * volume - 100).min(0).to_string();
    let synthesiser = volume.to_string();
    vec![
        (
            "spd-say",
            spoken(["-l", service_language, "-i", &service], Some("-w")),
        ),
        (
            "espeak-ng",
            spoken(["-v", synthesiser_language, "-a", &synthesiser], None),
        ),
    ]
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn lines(language: Language, volume_percent: u16) -> Vec<String> {
        let wish = Wish {
            words: "微信收款三百元".into(),
            language,
            volume_percent,
        };
        voices(&wish)
            .into_iter()
            .map(|(program, arguments)| format!("{program} {}", arguments.join(" ")))
            .collect()
    }

    #[test]
    fn a_voice_is_asked_in_its_own_way() {
        for (language, volume, expected) in [
            (
                Language::ZhCn,
                100,
                [
                    "spd-say -w -l zh -i 0 -- 微信收款三百元",
                    "espeak-ng -v cmn -a 100 -- 微信收款三百元",
                ],
            ),
            (
                Language::En,
                30,
                [
                    "spd-say -w -l en -i -40 -- 微信收款三百元",
                    "espeak-ng -v en -a 30 -- 微信收款三百元",
                ],
            ),
        ] {
            assert_eq!(lines(language, volume), expected);
        }
    }

    #[test]
    fn a_voice_is_installed_where_its_program_lies() {
        let path = std::env::join_paths(["/no/such/folder", "/bin"]).expect("plain folders");
        for (programs, installed) in [
            (["no-such-voice", "sh"], true),
            (["no-such-voice", "nor-this"], false),
        ] {
            let programs = programs.into_iter();
            assert_eq!(is_installed(programs, &path), installed);
        }
        assert!(!is_installed(["sh"].into_iter(), OsStr::new("")));
    }

    #[tokio::test]
    async fn whoever_cannot_speak_is_passed_over() {
        for (program, taken) in [("true", true), ("false", false), ("/no/such/voice", false)] {
            assert_eq!(takes(program, &[]).await, taken, "{program}");
        }
    }
}
