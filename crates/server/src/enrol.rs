//! `qiantai-server enrol`: a code that lets one terminal into one store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fast_qr::{ECL, QRBuilder, QRCode};
use image::{GrayImage, Luma};
use qiantai_core::{Millis, Timestamp};
use qiantai_server::db::Ledger;
use qiantai_server::tls::Authority;
use qiantai_server::{Channels, Clock, INVITE_VALID, SystemClock};
use qiantai_sync::Client;
use qiantai_sync::transport::{HttpTransport, Trust};
use qiantai_wire::enrol::EnrolCode;
use sha2::{Digest, Sha256};

use crate::cli::Enrol;
use crate::settings::{Protection, Settings, outward};
use crate::{AnyError, Ending, books, say, serving, serving_by};

/// Light modules around a code, which readers need to find it.
const QUIET: usize = 4;

/// Pixels to a module in the picture.
const SCALE: usize = 8;

/// How long the server may take to tell its time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// Makes a code and shows it: as text first, then as QR code, in the picture too if one is wanted.
pub(crate) async fn enrol(asked: &Enrol, settings: &Settings) -> Result<Ending, AnyError> {
    let (server, authority) = reached_at(asked, settings)?;
    let opened = books::open_beside(&settings.books()?)?;
    let store = match &asked.store {
        Some(code) => code.clone(),
        None => only_store(opened.ledger.as_ref())?,
    };
    let serving = match time_at(&server, authority.is_some(), settings).await {
        Some(now) => serving_by(
            AtServer(now - SystemClock.now()),
            &opened,
            Channels::default(),
        )?,
        // It may not run yet.
        None => serving(&opened, Channels::default())?,
    };
    let invitation = serving.invite(&store)?;
    serving.stop().await;
    let code = EnrolCode {
        server,
        authority,
        secret: invitation.secret,
        expires_at: invitation.expires_at,
    };
    let text = code.to_string();
    let drawn = QRBuilder::new(text.as_str()).ecl(ECL::M).build()?;
    if let Some(path) = &asked.png {
        picture(&drawn).save_with_format(path, image::ImageFormat::Png)?;
    }
    say(&text)?;
    say(&in_letters(&drawn))?;
    let (minutes, server) = (INVITE_VALID.0 / 60_000, &code.server);
    say(&format!(
        "For one terminal of store {store}, within {minutes} minutes. It reaches the server at \
         {server}.\nThere: qiantai --data FOLDER --enrol CODE"
    ))?;
    Ok(Ending::Well)
}

/// The time of the server that will judge the code, which need not be this machine's (docs: adr 52).
struct AtServer(Millis);

impl Clock for AtServer {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.0
    }
}

/// What the server at this address says that it is now, if it can be reached from here.
async fn time_at(address: &str, has_authority: bool, settings: &Settings) -> Option<Timestamp> {
    let trust = match settings.authority_folder().filter(|_| has_authority) {
        Some(folder) => {
            let authority = Authority::open_or_make(&folder, SystemClock.now()).ok()?;
            Trust::Authority(authority.certificate_der().ok()?)
        }
        None => Trust::Machine,
    };
    let client = Client::new(Arc::new(HttpTransport::new(address, &trust).ok()?));
    let asked = tokio::time::timeout(ANSWERS_WITHIN, client.health()).await;
    let health = asked.ok()?.ok()?;
    Some(Timestamp::from_ms(health.server_time_ms))
}

/// The address that the terminal is told, and the fingerprint of the authority by which it knows
/// the server.
fn reached_at(asked: &Enrol, settings: &Settings) -> Result<(String, Option<[u8; 32]>), AnyError> {
    let protection = settings.protection()?;
    let scheme = match protection {
        Protection::Plain => "http",
        Protection::Own(_) | Protection::Given { .. } => "https",
    };
    let address = match (&asked.address, settings.public_url()?) {
        (Some(said), _) => said.trim_end_matches('/').to_owned(),
        (None, Some(public)) => public,
        (None, None) => listening(settings, scheme)?,
    };
    let found: http::Uri = address.parse()?;
    let authority = match (&protection, found.scheme_str(), found.host()) {
        (Protection::Own(folder), Some("https"), Some(_)) => {
            Some(fingerprint(folder, SystemClock.now())?)
        }
        (Protection::Given { .. }, Some("https"), Some(_)) => None,
        // Something before the server may encrypt, with a certificate that the machine believes.
        (Protection::Plain, Some("http" | "https"), Some(_)) => None,
        _ => {
            return Err(format!(
                "{address} is not where terminals reach this server: it must begin with {scheme}://"
            )
            .into());
        }
    };
    Ok((address, authority))
}

fn listening(settings: &Settings, scheme: &str) -> Result<String, AnyError> {
    let mut listen = settings.listen()?;
    if listen.ip().is_unspecified()
        && let Some(outward) = outward()
    {
        listen.set_ip(outward);
    }
    if listen.port() == 0 || listen.ip().is_unspecified() {
        return Err("where do terminals reach the server? Give --address or --public-url".into());
    }
    Ok(format!("{scheme}://{listen}"))
}

fn fingerprint(folder: &Path, now: Timestamp) -> Result<[u8; 32], AnyError> {
    let authority = Authority::open_or_make(folder, now)?;
    Ok(Sha256::digest(authority.certificate_der()?).into())
}

fn only_store(ledger: &dyn Ledger) -> Result<String, AnyError> {
    let mut codes = Vec::new();
    for tenant in ledger.tenants()? {
        let policies = ledger.policies(tenant.id)?;
        codes.extend(policies.iter().map(|policy| policy.store.code.clone()));
    }
    codes.sort_unstable();
    codes.dedup();
    match codes.as_slice() {
        [] => Err("there is no store yet".into()),
        [code] => Ok(code.clone()),
        _ => Err(format!("which store? Give --store, one of {}", codes.join(", ")).into()),
    }
}

/// Two rows of modules to a line, light ones drawn: terminals are dark.
fn in_letters(code: &QRCode) -> String {
    let end = code.size + 2 * QUIET;
    let mut lines = Vec::new();
    for row in (0..end).step_by(2) {
        let letter = |column| match (is_dark(code, column, row), is_dark(code, column, row + 1)) {
            (false, false) => '█',
            (false, true) => '▀',
            (true, false) => '▄',
            (true, true) => ' ',
        };
        lines.push((0..end).map(letter).collect::<String>());
    }
    lines.join("\n")
}

fn picture(code: &QRCode) -> GrayImage {
    let side = u32::try_from((code.size + 2 * QUIET) * SCALE).expect("codes have 177 modules");
    GrayImage::from_fn(side, side, |x, y| {
        let place = |pixel: u32| pixel as usize / SCALE;
        Luma([if is_dark(code, place(x), place(y)) {
            0
        } else {
            255
        }])
    })
}

/// A module, counted with the quiet zone around the code.
fn is_dark(code: &QRCode, column: usize, row: usize) -> bool {
    let within = |place: usize| place.checked_sub(QUIET).filter(|place| *place < code.size);
    match (within(column), within(row)) {
        (Some(column), Some(row)) => code[row][column].value(),
        _ => false,
    }
}
