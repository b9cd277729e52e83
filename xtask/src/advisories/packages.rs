//! Advisories against the window's npm packages, by `npm audit`.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde::Deserialize;

use super::left_out;
use crate::child::npm;
use crate::error::Error;
use crate::say;
use crate::stages::Count;

/// What `npm audit --json` prints: a report, or why there is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audit {
    Report {
        vulnerabilities: BTreeMap<String, Vulnerability>,
    },
    Nothing {
        message: String,
    },
}

#[derive(Deserialize)]
struct Vulnerability {
    severity: String,
    range: String,
}

/// Checks every package that the window is built of or with.
///
/// # Errors
/// Where an advisory stands against one.
pub fn report() -> Result<Count, Error> {
    let asked = npm(&["audit", "--json"]).stderr(Stdio::null()).output();
    let asked = asked.map_err(|source| Error::Start {
        program: "npm".to_owned(),
        source,
    })?;
    judge(&asked.stdout)
}

fn judge(printed: &[u8]) -> Result<Count, Error> {
    let audit: Audit =
        serde_json::from_slice(printed).map_err(|error| Error::unreadable("npm audit", error))?;
    let vulnerabilities = match audit {
        Audit::Report { vulnerabilities } => vulnerabilities,
        Audit::Nothing { message } => return Ok(left_out(message)),
    };
    for (package, found) in &vulnerabilities {
        say::line(format_args!(
            "{package} {}: {}; `npm audit` tells more",
            found.range, found.severity
        ));
    }
    if vulnerabilities.is_empty() {
        say::line("Security advisories against npm packages: none");
        Ok(Count::ONE)
    } else {
        Err(Error::Reported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_fail_and_silence_does_not() {
        let found = br#"{"auditReportVersion":2,"vulnerabilities":
            {"left":{"name":"left","severity":"high","isDirect":true,"range":"<1.2.0"}},
            "metadata":{}}"#;
        assert!(matches!(judge(found), Err(Error::Reported)));
        let clean = br#"{"auditReportVersion":2,"vulnerabilities":{},"metadata":{}}"#;
        assert_eq!(judge(clean).expect("clean"), Count::ONE);
        let closed = br#"{"message":"405 Method Not Allowed","statusCode":405,"error":{}}"#;
        assert_eq!(judge(closed).expect("left out"), Count::LEFT_OUT);
        assert!(matches!(
            judge(b"npm: not found"),
            Err(Error::Unreadable { .. })
        ));
    }
}
