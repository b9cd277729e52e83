//! Where the database is, how many connections go there, and how they are encrypted: the address
//! as `libpq` writes it.
//!
//! Nothing falls back to plain text: `prefer` and `allow`, which do, are refused, and so is a
//! database on another machine about whose connection nothing was said.

use std::net::IpAddr;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use percent_encoding::percent_decode_str;
use postgres_openssl::MakeTlsConnector;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::OpenPostgresError;
use crate::db::Link;

/// Connections of one server process where nothing else is said. The writer holds one for the time
/// of a batch.
const CONNECTIONS: usize = 16;

/// More than any database gives one process.
const CONNECTIONS_MAX: usize = 500;

/// How the database is reached.
pub(super) struct Reach {
    pub(super) config: Config,
    /// Encrypts; without it connections are plain.
    pub(super) tls: Option<MakeTlsConnector>,
    pub(super) link: Link,
    /// At most so many at one time.
    pub(super) connections: usize,
}

/// How much of the server's certificate must be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    /// Plain text.
    Disable,
    /// Encrypted to whoever answers.
    Require,
    /// Signed by the given authority.
    VerifyCa,
    /// The same, and for this host.
    VerifyFull,
}

/// What the address says that is ours to do.
#[derive(Default)]
struct Asked {
    protection: Option<Protection>,
    authority: Option<String>,
    connections: Option<usize>,
}

/// Reads `postgres://user:password@host:port/name?…`.
///
/// # Errors
/// [`OpenPostgresError::Url`] and [`OpenPostgresError::Protection`]; neither repeats the address.
pub(super) fn read(url: &str) -> Result<Reach, OpenPostgresError> {
    let (rest, asked) = ours(url)?;
    let mut config: Config = rest
        .parse()
        .map_err(|error: tokio_postgres::Error| OpenPostgresError::Url(error.to_string()))?;
    let is_local = is_here(&config);
    let protection = match asked.protection {
        Some(protection) => protection,
        None if is_local => Protection::Disable,
        None => {
            return refuse(
                "the database is on another machine: add sslmode=verify-full&sslrootcert=FILE with \
                 the authority of its certificate, or sslmode=disable where nobody else is on the \
                 way",
            );
        }
    };
    config.ssl_mode(match protection {
        Protection::Disable => SslMode::Disable,
        Protection::Require | Protection::VerifyCa | Protection::VerifyFull => SslMode::Require,
    });
    Ok(Reach {
        config,
        tls: connector(protection, asked.authority.as_deref())?,
        link: match protection {
            Protection::Disable if is_local => Link::Here,
            Protection::Disable => Link::Plain,
            Protection::Require => Link::Unverified,
            Protection::VerifyCa | Protection::VerifyFull => Link::Verified,
        },
        connections: asked.connections.unwrap_or(CONNECTIONS),
    })
}

/// Host, port and name of the database at `url`, to show: neither user nor password.
///
/// # Errors
/// As [`read`].
pub fn place_of(url: &str) -> Result<String, OpenPostgresError> {
    let config = read(url)?.config;
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    };
    let mut hosts: Vec<_> = config.get_hosts().iter().map(host).collect();
    hosts.extend(config.get_hostaddrs().iter().map(IpAddr::to_string));
    let ports: Vec<_> = config.get_ports().iter().map(u16::to_string).collect();
    let mut place = hosts.join(",");
    if !ports.is_empty() {
        place = format!("{place}:{}", ports.join(","));
    }
    let name = config.get_dbname().or(config.get_user());
    Ok(format!("postgres://{place}/{}", name.unwrap_or_default()))
}

/// What is said after the question mark, without what is ours; and what is ours.
fn ours(url: &str) -> Result<(String, Asked), OpenPostgresError> {
    let mut asked = Asked::default();
    let Some((place, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), asked));
    };
    let mut others = Vec::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = percent_decode_str(value).decode_utf8();
        let value = decoded.map_err(|error| OpenPostgresError::Url(error.to_string()))?;
        match key {
            "sslmode" => asked.protection = Some(protection(&value)?),
            "sslrootcert" => asked.authority = Some(value.into_owned()),
            "connections" => asked.connections = Some(connections(&value)?),
            _ => others.push(pair),
        }
    }
    let rest = match others.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", others.join("&")),
    };
    Ok((rest, asked))
}

fn protection(mode: &str) -> Result<Protection, OpenPostgresError> {
    match mode {
        "disable" => Ok(Protection::Disable),
        "require" => Ok(Protection::Require),
        "verify-ca" => Ok(Protection::VerifyCa),
        "verify-full" => Ok(Protection::VerifyFull),
        "allow" | "prefer" => refuse(
            "sslmode=allow and sslmode=prefer go on in plain text when encryption fails; say \
             disable, require, verify-ca or verify-full",
        ),
        _ => refuse("sslmode must be disable, require, verify-ca or verify-full"),
    }
}

fn connections(number: &str) -> Result<usize, OpenPostgresError> {
    match number.parse() {
        // One for the writer, and one for everybody else.
        Ok(number @ 2..=CONNECTIONS_MAX) => Ok(number),
        _ => Err(OpenPostgresError::Url(format!(
            "connections must be 2 to {CONNECTIONS_MAX}"
        ))),
    }
}

/// Nobody else is on the way.
fn is_here(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    let is_local = |host: &Host| match host {
        Host::Tcp(name) => {
            let address: Option<IpAddr> = name.parse().ok();
            address.map_or(name == "localhost", |address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    match addresses {
        [] => config.get_hosts().iter().all(is_local),
        _ => addresses.iter().all(IpAddr::is_loopback),
    }
}

fn connector(
    protection: Protection,
    authority: Option<&str>,
) -> Result<Option<MakeTlsConnector>, OpenPostgresError> {
    let wrong =
        |error: openssl::error::ErrorStack| OpenPostgresError::Protection(error.to_string());
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(wrong)?;
    let least = Some(SslVersion::TLS1_2);
    builder.set_min_proto_version(least).map_err(wrong)?;
    match (protection, authority) {
        (Protection::Disable, _) => return Ok(None),
        (Protection::Require, None) => builder.set_verify(SslVerifyMode::NONE),
        (Protection::Require, Some(_)) => {
            return refuse(
                "sslmode=require looks at no certificate; with sslrootcert say verify-full, or \
                 verify-ca where the name differs",
            );
        }
        (Protection::VerifyCa | Protection::VerifyFull, None) => {
            return refuse(
                "sslmode=verify-ca and sslmode=verify-full need sslrootcert=FILE, the certificate \
                 of the authority in PEM",
            );
        }
        (Protection::VerifyCa | Protection::VerifyFull, Some(file)) => {
            builder.set_ca_file(file).map_err(|error| {
                let problem = std::fs::metadata(file).err();
                let problem = problem.map_or_else(|| error.to_string(), |error| error.to_string());
                OpenPostgresError::Protection(format!("sslrootcert {file}: {problem}"))
            })?;
        }
    }
    let mut connector = MakeTlsConnector::new(builder.build());
    connector.set_callback(move |one, _host| {
        one.set_verify_hostname(protection == Protection::VerifyFull);
        Ok(())
    });
    Ok(Some(connector))
}

fn refuse<T>(why: &str) -> Result<T, OpenPostgresError> {
    Err(OpenPostgresError::Protection(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_its_secrets() {
        let check = |url: &str, expected: &str| {
            let place = place_of(url).expect("it can be read");
            assert_eq!(place, expected, "{url}");
        };
        let long = "postgres://a:secret@db.example.com:5433/shop?sslmode=disable&password=secret";
        check(long, "postgres://db.example.com:5433/shop");
        check(
            "postgres://a:secret@localhost",
            "postgres://localhost:5432/a",
        );
        let socket = "postgres://a:secret@%2Frun%2Fpostgresql/shop";
        check(socket, "postgres:///run/postgresql:5432/shop");
    }

    #[test]
    fn the_address_says_how_the_database_is_reached() {
        let check = |query: &str, expected: Result<(SslMode, bool, usize), &str>| {
            let url = format!("postgres://a:secret@{query}");
            let read = read(&url).map(|reach| {
                let mode = reach.config.get_ssl_mode();
                (mode, reach.tls.is_some(), reach.connections)
            });
            match (read, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{query}"),
                (Err(error), Err(why)) => {
                    let error = error.to_string();
                    assert!(error.contains(why), "{query}: {error}");
                    assert!(!error.contains("secret"), "{query}: {error}");
                }
                (found, expected) => panic!("{query}: {:?}, not {expected:?}", found.ok()),
            }
        };
        let plain = |connections| Ok((SslMode::Disable, false, connections));
        check("127.0.0.1/b", plain(16));
        check("localhost:5433/b", plain(16));
        check("[::1]/b?connections=8", plain(8));
        check("%2Frun%2Fpostgresql/b", plain(16));
        check("10.0.0.7/b?sslmode=disable", plain(16));
        check(
            "db.example.com/b?sslmode=require&application_name=x&connections=2",
            Ok((SslMode::Require, true, 2)),
        );
        check("db.example.com/b", Err("on another machine"));
        check("10.0.0.7/b", Err("on another machine"));
        check("localhost,10.0.0.7/b", Err("on another machine"));
        check("localhost/b?sslmode=prefer", Err("go on in plain text"));
        check("localhost/b?sslmode=yes", Err("sslmode must be"));
        check("localhost/b?sslmode=verify-full", Err("need sslrootcert"));
        check(
            "localhost/b?sslmode=require&sslrootcert=/x",
            Err("looks at no certificate"),
        );
        check(
            "localhost/b?sslmode=verify-ca&sslrootcert=/no/where%20at.pem",
            Err("sslrootcert /no/where at.pem: No such file"),
        );
        for number in ["0", "1", "501", "many"] {
            let query = format!("localhost/b?connections={number}");
            check(&query, Err("connections must be 2 to 500"));
        }
        check("localhost/b?colour=red", Err("cannot be read"));
    }
}
