//! The window's own sentences, so that tests find controls in every language.

use std::collections::BTreeMap;
use std::path::Path;

use crate::fault::Fault;

/// One language's message catalogue.
#[derive(Debug, Clone)]
pub struct Words {
    language: String,
    texts: BTreeMap<String, String>,
}

impl Words {
    /// The catalogue of `language` (`zh-CN`, `en`).
    ///
    /// # Errors
    /// Where there is none.
    pub fn of(language: &str) -> Result<Words, Fault> {
        Words::read(language, "../../ui/messages")
    }

    /// What the customer's display says in `language`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn for_customers(language: &str) -> Result<Words, Fault> {
        Words::read(language, "../../ui/messages/customer")
    }

    fn read(language: &str, folder: &str) -> Result<Words, Fault> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let path = folder.join(format!("{language}.json"));
        let text = std::fs::read_to_string(&path).map_err(|source| Fault::file(&path, source))?;
        let texts = serde_json::from_str(&text)
            .map_err(|error| Fault::Unexpected(format!("{}: {error}", path.display())))?;
        Ok(Words {
            language: language.to_owned(),
            texts,
        })
    }

    /// The language, as the app's `--lang` takes it.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The sentence of `key`, up to its first placeholder.
    ///
    /// # Errors
    /// Where the catalogue has no such key.
    pub fn start_of(&self, key: &str) -> Result<&str, Fault> {
        let text = self.raw(key)?;
        Ok(text.split('{').next().unwrap_or(text).trim_end())
    }

    /// The sentence of `key` with `values` in its placeholders.
    ///
    /// # Errors
    /// Where the catalogue has no such key.
    pub fn with(&self, key: &str, values: &[(&str, &str)]) -> Result<String, Fault> {
        let mut text = self.raw(key)?.to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        Ok(text)
    }

    /// The sentence of `key`, which has no placeholders.
    ///
    /// # Errors
    /// Where the catalogue has no such key.
    pub fn get(&self, key: &str) -> Result<String, Fault> {
        self.with(key, &[])
    }

    fn raw(&self, key: &str) -> Result<&str, Fault> {
        let text = self.texts.get(key).map(String::as_str);
        text.ok_or_else(|| Fault::Unexpected(format!("no text {key:?} in {}", self.language)))
    }
}
