//! Licences of everything we build on, checked against `deny.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::error::Error;
use crate::{say, tree};

/// A package, where it comes from and what it may be used under.
#[derive(Debug)]
struct Package {
    name: String,
    licence: Option<String>,
}

/// Prints what is not allowed.
///
/// # Errors
/// Where a package's licence is missing or not allowed.
pub fn report() -> Result<(), Error> {
    let allowed = allowed()?;
    let mut packages = crates()?;
    packages.extend(npm_packages()?);
    let mut refused = 0;
    for package in &packages {
        if let Err(why) = judge(package, &allowed) {
            say::line(format_args!("{}: {why}", package.name));
            refused += 1;
        }
    }
    if refused > 0 {
        say::line("Choose another package, or allow the licence in deny.toml with its reason.");
        return Err(Error::Reported);
    }
    say::line(format_args!(
        "{} packages, all under allowed licences",
        packages.len()
    ));
    Ok(())
}

fn judge(package: &Package, allowed: &[LicenseReq]) -> Result<(), String> {
    let text = package.licence.as_deref().ok_or("it names no licence")?;
    let expression = Expression::parse_mode(text, ParseMode::LAX)
        .map_err(|error| format!("{text:?} is no SPDX expression: {}", error.reason))?;
    if expression.evaluate(|wanted| allowed.contains(wanted)) {
        Ok(())
    } else {
        Err(format!("{text} is not allowed"))
    }
}

#[derive(Deserialize)]
struct Deny {
    licenses: Licences,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

fn allowed() -> Result<Vec<LicenseReq>, Error> {
    let deny: Deny = toml::from_str(&tree::read("deny.toml")?)
        .map_err(|error| Error::unreadable("deny.toml", error))?;
    deny.licenses
        .allow
        .iter()
        .map(|text| {
            let expression = Expression::parse(text)
                .map_err(|error| Error::unreadable(format!("deny.toml: {text}"), error.reason))?;
            let mut requirements = expression.requirements();
            let first = requirements.next().map(|found| found.req.clone());
            first.ok_or_else(|| Error::unreadable(format!("deny.toml: {text}"), "no licence"))
        })
        .collect()
}

fn crates() -> Result<Vec<Package>, Error> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(tree::root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .map_err(|error| Error::unreadable("cargo metadata", error))?;
    Ok(metadata
        .packages
        .into_iter()
        .map(|package| Package {
            name: format!("{} {}", package.name, package.version),
            licence: package.license,
        })
        .collect())
}

#[derive(Deserialize)]
struct NpmLock {
    packages: BTreeMap<String, NpmPackage>,
}

#[derive(Deserialize)]
struct NpmPackage {
    #[serde(default)]
    version: String,
    license: Option<String>,
}

fn npm_packages() -> Result<Vec<Package>, Error> {
    let lock: NpmLock = serde_json::from_str(&tree::read("ui/package-lock.json")?)
        .map_err(|error| Error::unreadable("ui/package-lock.json", error))?;
    Ok(lock
        .packages
        .into_iter()
        .map(|(path, package)| {
            let name = path.rsplit("node_modules/").next().unwrap_or_default();
            let name = if name.is_empty() { "qiantai-ui" } else { name };
            Package {
                name: format!("npm {name} {}", package.version),
                licence: package.license,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_judged_as_expressions() {
        let allowed = allowed().expect("deny.toml is readable");
        for (licence, expected) in [
            (Some("MIT OR Apache-2.0"), true),
            (Some("MIT/Apache-2.0"), true),
            (Some("GPL-3.0-only OR MIT"), true),
            (Some("MIT AND GPL-3.0-only"), false),
            (Some("GPL-3.0-only"), false),
            (Some("see licence file"), false),
            (None, false),
        ] {
            let package = Package {
                name: "x".into(),
                licence: licence.map(str::to_owned),
            };
            assert_eq!(judge(&package, &allowed).is_ok(), expected, "{licence:?}");
        }
    }
}
