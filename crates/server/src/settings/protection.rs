//! Whether connections of terminals are encrypted, and by whose certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;

use qiantai_server::data_folder;
use qiantai_server::tls::Names;

use super::{Place, Settings, SettingsError};

/// How terminals reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Not encrypted: everybody on the way reads along.
    Plain,
    /// By certificates of the own authority in this folder.
    Own(PathBuf),
    /// By a certificate that was given.
    Given {
        /// PEM file of the certificate and of those above it.
        certificate: PathBuf,
        /// PEM file of its key.
        key: PathBuf,
    },
}

impl Settings {
    /// How terminals reach the server: encrypted, unless only this machine can reach it or it was
    /// said that it shall not be.
    pub(crate) fn protection(&self) -> Result<Protection, SettingsError> {
        let listen = self.listen()?;
        let plain = match self.get("plain_http").map_or("", |(words, _)| words) {
            "loopback" => listen.ip().is_loopback(),
            "always" => true,
            "never" => false,
            _ => {
                let needs = "it must be loopback, always or never";
                return Err(self.wrong("plain_http", needs));
            }
        };
        if let Some((certificate, key)) = self.certificate_files()? {
            return match self.get("plain_http") {
                Some(("always", source)) => Err(SettingsError::Both {
                    one: "plain_http",
                    one_from: source.to_string(),
                    other: "tls_certificate",
                    other_from: self.source_of("tls_certificate"),
                }),
                _ => Ok(Protection::Given { certificate, key }),
            };
        }
        if plain {
            return Ok(Protection::Plain);
        }
        match self.authority_folder() {
            Some(folder) => Ok(Protection::Own(folder)),
            None => Err(SettingsError::Unprotected(listen)),
        }
    }

    /// The folder of the own authority: the one that was said, else one in the data folder.
    pub(crate) fn authority_folder(&self) -> Option<PathBuf> {
        if let Some((folder, _)) = self.get("tls_folder") {
            return Some(PathBuf::from(folder));
        }
        match self.books() {
            Ok(Place::Folder(folder)) => Some(data_folder::tls_path(&folder)),
            Ok(Place::Database(_)) | Err(_) => None,
        }
    }

    /// Names and addresses by which others reach a server that listens at `address`. A terminal
    /// that was enrolled needs none of them; browsers and scripts do.
    pub(crate) fn names(&self, address: SocketAddr) -> Result<Names, SettingsError> {
        let mut names = Names {
            hosts: vec!["localhost".to_owned()],
            addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        };
        let public = self.public_url()?.and_then(|url| url.parse().ok());
        if let Some(host) = public.as_ref().and_then(http::Uri::host) {
            match host.trim_matches(['[', ']']).parse() {
                Ok(address) => names.addresses.push(address),
                Err(_) => names.hosts.push(host.to_owned()),
            }
        }
        if address.ip().is_unspecified() {
            names.addresses.extend(outward());
        } else {
            names.addresses.push(address.ip());
        }
        names.addresses.sort_unstable();
        names.addresses.dedup();
        Ok(names)
    }

    fn certificate_files(&self) -> Result<Option<(PathBuf, PathBuf)>, SettingsError> {
        let alone = |has: &'static str, lacks| SettingsError::Alone {
            has,
            from: self.source_of(has),
            lacks,
        };
        match (self.get("tls_certificate"), self.get("tls_key")) {
            (None, None) => Ok(None),
            (Some((certificate, _)), Some((key, _))) => Ok(Some((certificate.into(), key.into()))),
            (Some(_), None) => Err(alone("tls_certificate", "tls_key")),
            (None, Some(_)) => Err(alone("tls_key", "tls_certificate")),
        }
    }

    fn source_of(&self, key: &str) -> String {
        let found = self.get(key);
        found.map_or("nowhere".to_owned(), |(_, source)| source.to_string())
    }
}

/// The address under which this machine goes out to others: none without a network. Nothing is sent.
pub(crate) fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Of the block for examples: only the way to it is looked up.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Told;

    fn check(said: &[(&str, &str)], expected: &str) {
        let environment = |name: &str| {
            let found = said.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let settings = Settings::gather(&Told::default(), &environment);
        let found = match settings.and_then(|settings| settings.protection()) {
            Ok(protection) => format!("{protection:?}"),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{said:?}: {found}");
    }

    #[test]
    fn only_this_machine_is_spoken_with_in_the_clear() {
        let (data, listen) = (("QIANTAI_DATA", "/d"), ("QIANTAI_LISTEN", "0.0.0.0:1"));
        let database = ("QIANTAI_DATABASE_URL", "postgres://h/n");
        let plain = |words| ("QIANTAI_PLAIN_HTTP", words);
        let certificate = ("QIANTAI_TLS_CERTIFICATE", "/c");
        let key = ("QIANTAI_TLS_KEY", "/k");
        check(&[data], "Plain");
        check(&[data, plain("never")], "Own(\"/d/tls\")");
        check(&[data, listen], "Own(\"/d/tls\")");
        check(&[data, ("QIANTAI_LISTEN", "[::1]:1")], "Plain");
        check(&[data, listen, plain("always")], "Plain");
        check(&[data, plain("perhaps")], "loopback, always or never");
        check(
            &[database, listen],
            "0.0.0.0:1 is reached from other machines",
        );
        check(
            &[database, listen, ("QIANTAI_TLS_FOLDER", "/t")],
            "Own(\"/t\")",
        );
        check(&[data, certificate, key], "Given { certificate: \"/c\"");
        check(&[data, certificate], "tls_key is not; they go together");
        check(&[data, key], "tls_certificate is not; they go together");
        check(
            &[data, certificate, key, plain("always")],
            "plain_http (from the environment variable QIANTAI_PLAIN_HTTP) and tls_certificate",
        );
    }
}
