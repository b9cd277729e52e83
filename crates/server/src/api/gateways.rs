//! `GET /v1/gateways` and `POST /v1/gateways/{name}/check`: the accounts at payment gateways.

mod found;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use qiantai_core::ids::StaffId;
use qiantai_pay::credentials::CredentialError;
use qiantai_pay::set_up::{FieldKind, SetUpForm, form};
use qiantai_pay::{Surroundings, SystemSurroundings};
use qiantai_wire::api::{
    GatewayCheckAnswer, GatewayCheckRequest, GatewayDto, GatewayEndDto, GatewayFieldDto,
    GatewayFieldKindDto, GatewaysAnswer, StandingDto,
};
use qiantai_wire::{ApiError, ErrorCode};
use serde_json::Value;

use super::another_merchant::{is_awaited, moved};
use super::approver::is_manager;
use super::auth::{Origin, Seated};
use super::failure::Failure;
use super::request::read as read_books;
use super::signed::Signed;
use crate::accounts::{AccountSource, Filled, FilledAccounts, KeptAccounts, KeptError, Terminals};
use crate::audit::{Act, Deed};
use crate::db::Seat;
use crate::embedded::Server;
use crate::engine::Standing;
use crate::gateway_check::{CheckReport, check_with as check_account};
use crate::gateways::{GatewaySettings, KNOWN, open_kept, transport_to};

/// The accounts of this server; no key is among what is told.
#[utoipa::path(
    get,
    path = "/v1/gateways",
    responses(
        (status = 200, description = "The accounts", body = GatewaysAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn read(
    State(server): State<Server>,
    Seated(_seat): Seated,
) -> Result<Json<GatewaysAnswer>, Failure> {
    let (entered_here, accounts) = match server.0.engine.channels().accounts() {
        AccountSource::Nowhere => (false, None),
        AccountSource::Settings(accounts, _) => (false, Some(Accounts::Named(accounts))),
        AccountSource::Kept(kept) => (true, Some(Accounts::Filled(filled(kept).await?))),
    };
    let told = |accounts: Accounts<'_>| {
        let names = KNOWN.iter().map(|(name, _)| *name);
        names
            .filter_map(|name| accounts.told(&server, name))
            .collect()
    };
    Ok(Json(GatewaysAnswer {
        entered_here,
        gateways: accounts.map_or_else(Vec::new, told),
    }))
}

/// What is known of accounts.
enum Accounts<'a> {
    /// The settings file names them.
    Named(&'a [GatewaySettings]),
    /// They were entered in the window.
    Filled(FilledAccounts),
}

impl Accounts<'_> {
    fn told(&self, server: &Server, name: &str) -> Option<GatewayDto> {
        let usual = GatewaySettings::usual(name);
        let (carries, set_up, fields) = match self {
            Accounts::Named(accounts) => {
                let account = accounts.iter().find(|account| account.name() == name);
                let carries = account.map_or(usual, GatewaySettings::carries);
                (carries.to_vec(), account.is_some(), Vec::new())
            }
            Accounts::Filled(accounts) => {
                let form = form(name).filter(|form| !form.fields.is_empty())?;
                let filled = accounts.get(name).cloned().unwrap_or_default();
                let others = accounts.iter().filter(|(_, filled)| !filled.is_empty());
                let others = others.map(|(name, _)| name.as_str());
                let carries = GatewaySettings::carried(name, others);
                (carries, !filled.is_empty(), fields(form, &filled))
            }
        };
        let engine = &server.0.engine;
        Some(GatewayDto {
            name: name.to_owned(),
            carries: carries.iter().map(|one| (*one).into()).collect(),
            set_up,
            standing: match engine.channels().named(name) {
                None => StandingDto::Absent,
                Some(gateway) => match engine.standing_of(gateway.id()) {
                    Standing::Up => StandingDto::Up,
                    Standing::Down(_) => StandingDto::Down,
                },
            },
            ends: ends(server, name),
            fields,
        })
    }
}

fn ends(server: &Server, name: &str) -> Vec<GatewayEndDto> {
    let now = server.now();
    let ending = server.0.engine.channels().ending_soon(now).into_iter();
    let ending = ending.filter(|(channel, _)| channel.0 == name);
    ending
        .map(|(_, expiry)| GatewayEndDto {
            days: expiry.days_left(now),
            place: expiry.credential,
        })
        .collect()
}

fn fields(form: &SetUpForm, filled: &Filled) -> Vec<GatewayFieldDto> {
    let fields = form.fields.iter().map(|field| GatewayFieldDto {
        place: field.place.to_owned(),
        kind: match field.kind {
            FieldKind::Plain => GatewayFieldKindDto::Plain,
            FieldKind::Secret => GatewayFieldKindDto::Secret,
            FieldKind::Key => GatewayFieldKindDto::Key,
            FieldKind::Certificate => GatewayFieldKindDto::Certificate,
            FieldKind::File => GatewayFieldKindDto::File,
        },
        needed: field.needed,
        filled: filled.get(field.place).is_some(),
    });
    fields.collect()
}

/// Goes through the set-up of an account step by step and says what is wrong. Nobody is charged: the
/// gateway is asked about a payment that nobody made. What was entered and passes every step is
/// kept and in force at once; what does not pass changes nothing.
#[utoipa::path(
    post,
    path = "/v1/gateways/{name}/check",
    params(
        ("name" = String, Path, description = "The account"),
        ("Qiantai-Call" = Option<String>, Header, description = "The device's signature of this call")
    ),
    request_body = GatewayCheckRequest,
    responses(
        (status = 200, description = "What was found", body = GatewayCheckAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn check(
    State(server): State<Server>,
    Origin(address): Origin,
    path: Result<Path<String>, PathRejection>,
    Signed { seat, request }: Signed<GatewayCheckRequest>,
) -> Result<Json<GatewayCheckAnswer>, Failure> {
    let Ok(Path(name)) = path else {
        return Err(ErrorCode::BadRequest.into());
    };
    let manager = StaffId(request.manager);
    let tenant = seat.tenant;
    let policies = read_books(&server, move |ledger| ledger.policies(tenant)).await?;
    if !is_manager(policies, seat.store, manager, server.now()) {
        return Err(ErrorCode::NoManager.into());
    }
    let known = KNOWN.iter().find(|(known, _)| *known == name);
    let (name, _) = known.ok_or(ErrorCode::NotFound)?;
    let entry = Entry {
        server: server.clone(),
        seat,
        manager,
        name,
    };
    if request.entered.is_empty() {
        entry.note(Act::GatewayChecked, address).await?;
        let (settings, terminal) = entry.named().await?;
        let report = look(name, settings, terminal).await?;
        return Ok(Json(found::told(report, false)));
    }
    // Keys travel over no wire: they are taken from this process alone.
    let kept = match server.0.engine.channels().accounts() {
        AccountSource::Kept(kept) if address.is_none() => Arc::clone(kept),
        _ => return Err(ErrorCode::KeysElsewhere.into()),
    };
    entry.note(Act::GatewayEntered, address).await?;
    // To its end, whoever has stopped listening: a change is in force and kept, or neither.
    let entering = tokio::spawn(async move { entry.enter(kept, request).await });
    entering.await.map_err(|error| defect(&error))?
}

/// Settings with every text in place or why there are none, and where a terminal of theirs is kept.
type Named = (Result<Value, CredentialError>, Option<Terminals>);

/// One account at which somebody works.
struct Entry {
    server: Server,
    seat: Seat,
    manager: StaffId,
    name: &'static str,
}

impl Entry {
    /// Enters who does it; nothing happens without.
    async fn note(&self, act: Act, address: Option<std::net::IpAddr>) -> Result<(), Failure> {
        let deed = Deed {
            at: self.server.now(),
            act,
            device: Some(self.seat.device),
            address,
            subject: format!("account {} by manager {}", self.name, self.manager),
        };
        let tenant = self.seat.tenant;
        read_books(&self.server, move |ledger| ledger.save_deed(tenant, &deed)).await
    }

    /// The settings that are set up now.
    async fn named(&self) -> Result<Named, Failure> {
        match self.server.0.engine.channels().accounts() {
            AccountSource::Nowhere => Err(ErrorCode::NotFound.into()),
            AccountSource::Settings(accounts, credentials) => {
                let mut accounts = accounts.iter();
                let account = accounts.find(|account| account.name() == self.name);
                let account = account.ok_or(ErrorCode::GatewayNotConfigured)?.clone();
                let credentials = credentials.clone();
                let resolve = move || credentials.resolve(account.settings());
                let resolved = tokio::task::spawn_blocking(resolve).await;
                Ok((resolved.map_err(|error| defect(&error))?, None))
            }
            AccountSource::Kept(kept) => {
                let form = form(self.name).ok_or(ErrorCode::NotFound)?;
                let filled = filled(kept).await?.remove(self.name);
                let filled = filled.ok_or(ErrorCode::GatewayNotConfigured)?;
                let settings = kept.settings(self.name, form, &filled).map_err(unkept)?;
                let terminal = kept.terminal(self.name, &settings);
                Ok((Ok(settings), terminal))
            }
        }
    }

    /// Payments that wait for a result would be asked about at another merchant's account.
    async fn refuse_another_merchant(
        &self,
        accounts: (&Filled, &Filled),
        others: &FilledAccounts,
    ) -> Result<(), Failure> {
        let channels = self.server.0.engine.channels();
        let names = others.keys().map(String::as_str);
        let methods = moved(self.name, accounts, names, channels);
        if methods.is_empty() {
            return Ok(());
        }
        let at = self.server.now();
        let awaited = read_books(&self.server, move |ledger| is_awaited(ledger, &methods, at));
        match awaited.await? {
            true => Err(ErrorCode::PaymentsOpen.into()),
            false => Ok(()),
        }
    }

    /// Checks what was entered, and keeps it where every step passes.
    async fn enter(
        self,
        kept: Arc<KeptAccounts>,
        request: GatewayCheckRequest,
    ) -> Result<Json<GatewayCheckAnswer>, Failure> {
        let form = form(self.name).ok_or(ErrorCode::NotFound)?;
        let is_field = |place: &String| form.fields.iter().any(|field| field.place == place);
        if !request.entered.keys().all(is_field) {
            return Err(ErrorCode::BadRequest.into());
        }
        let _alone = kept.changing.lock().await;
        let mut accounts = filled(&kept).await?;
        let before = accounts.remove(self.name).unwrap_or_default();
        let now = before.clone().with(request.entered);
        self.refuse_another_merchant((&before, &now), &accounts)
            .await?;
        let settings = kept.settings(self.name, form, &now).map_err(unkept)?;
        let terminal = kept.terminal(self.name, &settings);
        let report = match found::unsafe_address(now.get("base_url")) {
            Some(report) => report,
            None => look(self.name, Ok(settings), terminal).await?,
        };
        if !report.is_good() {
            return Ok(Json(found::told(report, false)));
        }
        // To look takes seconds, in which somebody may have begun to pay.
        self.refuse_another_merchant((&before, &now), &accounts)
            .await?;
        accounts.insert(self.name.to_owned(), now);
        let writer = Arc::clone(&kept);
        let written = tokio::task::spawn_blocking(move || {
            writer.write(&accounts)?;
            Ok(accounts)
        });
        let written = written.await.map_err(|error| defect(&error))?;
        let accounts = written.map_err(unkept)?;
        let channels = self.server.0.engine.channels();
        let id = open_kept(channels, &kept, self.name, &accounts);
        let id = id.map_err(|error| defect(&error))?;
        self.server.0.engine.account_opened(id);
        tracing::info!(
            channel = self.name,
            "an account that was entered is in force"
        );
        Ok(Json(found::told(report, true)))
    }
}

async fn look(
    name: &'static str,
    settings: Result<Value, CredentialError>,
    terminal: Option<Terminals>,
) -> Result<CheckReport, Failure> {
    let transport = transport_to(name).map_err(|error| defect(&error))?;
    let surroundings: Arc<dyn Surroundings> = Arc::new(SystemSurroundings);
    let report = check_account(name, settings, terminal, transport, surroundings).await;
    tracing::info!(
        channel = name,
        good = report.is_good(),
        "an account was checked"
    );
    Ok(report)
}

async fn filled(kept: &Arc<KeptAccounts>) -> Result<FilledAccounts, Failure> {
    let kept = Arc::clone(kept);
    let read = tokio::task::spawn_blocking(move || kept.read()).await;
    match read.map_err(|error| defect(&error))? {
        // Nobody can open it any more: they are entered anew.
        Err(error @ KeptError::Damaged) => {
            tracing::error!(%error, "payment accounts");
            Ok(FilledAccounts::new())
        }
        read => read.map_err(unkept),
    }
}

fn unkept(error: KeptError) -> Failure {
    let is_full = |error: &std::io::Error| {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(error.kind(), StorageFull | QuotaExceeded)
    };
    let code = match &error {
        KeptError::Io(error) if is_full(error) => ErrorCode::DiskFull,
        KeptError::Io(_) | KeptError::Damaged | KeptError::Crypto(_) => ErrorCode::Internal,
    };
    Failure::logged(code, &error)
}

fn defect(error: &impl std::fmt::Display) -> Failure {
    Failure::logged(ErrorCode::Internal, error)
}
