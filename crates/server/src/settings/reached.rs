//! Where others reach the server.

use std::net::IpAddr;

use super::{Place, Settings, SettingsError};

impl Settings {
    /// Address at which gateways and, by the word of other servers, terminals reach this one.
    pub(crate) fn public_url(&self) -> Result<Option<String>, SettingsError> {
        let Some((url, _)) = self.get("public_url") else {
            return Ok(None);
        };
        let uri: Option<http::Uri> = url.parse().ok();
        let is_web = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
        let Some(uri) = uri.filter(is_web).filter(|uri| uri.host().is_some()) else {
            return Err(self.wrong("public_url", "it must begin with http:// or https://"));
        };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified()) {
            return Err(self.wrong("public_url", "nobody reaches anything at this address"));
        }
        Ok(Some(url.trim_end_matches('/').to_owned()))
    }

    /// The address that terminals are told: `None` stands for the one at which it listens.
    pub(crate) fn told_address(&self) -> Result<Option<String>, SettingsError> {
        let (public, listen) = (self.public_url()?, self.listen()?);
        let is_shared = matches!(self.books()?, Place::Database(_));
        match public {
            None if is_shared && listen.ip().is_unspecified() => {
                Err(SettingsError::Nowhere(listen))
            }
            public => Ok(public),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Told;

    fn check(file: &str, expected: &str) {
        let folder = tempfile::tempdir().expect("a folder for a file");
        let path = folder.path().join("server.toml");
        std::fs::write(&path, file).expect("the folder is empty");
        let told = Told {
            config: Some(path),
            ..Told::default()
        };
        let settings = Settings::gather(&told, &|_| None);
        let found = match settings.and_then(|settings| settings.told_address()) {
            Ok(address) => format!("{address:?}"),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{file}: {found}");
    }

    /// Terminals at another server of the database are sent there.
    #[test]
    fn a_server_of_several_says_where_it_is() {
        let database = "database_url = \"postgres://h/n\"";
        let shared = |more: &str| format!("{database}\n{more}");
        for listen in ["0.0.0.0:7810", "[::]:7810"] {
            let everywhere = format!("listen = \"{listen}\"");
            check(&shared(&everywhere), "so set public_url (--public-url");
            let named = "public_url = \"https://10.0.0.5:7810/\"";
            let named = shared(&format!("{everywhere}\n{named}"));
            check(&named, "Some(\"https://10.0.0.5:7810\")");
            check(&format!("data = \"/d\"\n{everywhere}"), "None");
        }
        check(&shared("listen = \"10.0.0.5:7810\""), "None");
    }
}
