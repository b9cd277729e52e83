//! The customer's phone as a page.
//!
//! Knowing a payment's token, which only its QR code tells, is the one right to act on it. The
//! page loads nothing from elsewhere, and its policy forbids that too.

mod scan;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use qiantai_core::clock::Millis;
use serde::{Deserialize, Serialize};

use crate::gateway::{CodeView, CodeWish, Faults, PhoneAction, PhoneRefusal, PhoneView};
use crate::simulator::Simulator;
use scan::{ScanError, Scanner};

const PICTURE_BYTES_MAX: usize = 8 * 1024 * 1024;
const JSON_BYTES_MAX: usize = 16 * 1024;
const RECENT_COUNT_MAX: usize = 20;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

#[derive(Clone)]
struct Phone {
    simulator: Simulator,
    scanner: Scanner,
}

pub(crate) fn router(simulator: Simulator) -> Router {
    let phone = Phone {
        simulator,
        scanner: Scanner::new(),
    };
    let pictures = post(scan_picture).layer(DefaultBodyLimit::max(PICTURE_BYTES_MAX));
    Router::new()
        .route("/phone", get(page))
        .route("/phone/page.js", get(script))
        .route("/phone/texts.js", get(texts))
        .route("/phone/page.css", get(style))
        .route("/phone/open", post(open_payload))
        .route("/phone/pay/{token}", get(view).post(act))
        .route("/phone/payments", get(recent))
        .route("/phone/codes", post(show_code))
        .route("/phone/faults", get(faults).put(set_faults))
        .route("/phone/clock", put(put_clock))
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .route("/phone/scan", pictures)
        .layer(middleware::from_fn(guarded))
        .with_state(phone)
}

async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    response
}

async fn page() -> Response {
    asset("text/html; charset=utf-8", include_str!("page.html"))
}

async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("page.js"))
}

async fn texts() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("texts.js"))
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("page.css"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn scan_picture(
    State(phone): State<Phone>,
    headers: HeaderMap,
    picture: Bytes,
) -> Result<Json<PhoneView>, Problem> {
    if headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind != "image/png")
    {
        return Err(Problem::Scan(ScanError::NotAPicture));
    }
    let payloads = phone.scanner.read_png(picture).await?;
    phone.simulator.with(|gateway, now| {
        // A screenshot may show other codes too; ours is the one that opens.
        let mut opened = payloads.iter().map(|payload| gateway.scan(payload, now));
        match opened.find(Result::is_ok) {
            Some(Ok(view)) => Ok(Json(view)),
            Some(Err(_)) | None => Err(Problem::Phone(PhoneRefusal::NoSuchPayment)),
        }
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    payload: String,
}

async fn open_payload(
    State(phone): State<Phone>,
    Json(request): Json<Payload>,
) -> Result<Json<PhoneView>, Problem> {
    let view = phone
        .simulator
        .with(|gateway, now| gateway.scan(request.payload.trim(), now))?;
    Ok(Json(view))
}

async fn view(
    State(phone): State<Phone>,
    Path(token): Path<String>,
) -> Result<Json<PhoneView>, Problem> {
    Ok(Json(
        phone
            .simulator
            .with(|gateway, now| gateway.view(&token, now))?,
    ))
}

async fn act(
    State(phone): State<Phone>,
    Path(token): Path<String>,
    Json(action): Json<PhoneAction>,
) -> Result<Json<PhoneView>, Problem> {
    Ok(Json(
        phone
            .simulator
            .with(|gateway, now| gateway.act(&token, &action, now))?,
    ))
}

async fn recent(State(phone): State<Phone>) -> Json<Vec<PhoneView>> {
    Json(
        phone
            .simulator
            .with(|gateway, now| gateway.recent_payments(RECENT_COUNT_MAX, now)),
    )
}

#[derive(Serialize)]
struct CodePicture {
    #[serde(flatten)]
    code: CodeView,
    svg: String,
}

async fn show_code(
    State(phone): State<Phone>,
    Json(wish): Json<CodeWish>,
) -> Result<Json<CodePicture>, Problem> {
    let code = phone
        .simulator
        .with(|gateway, now| gateway.show_code_as(&wish, now))?;
    let picture = QRBuilder::new(code.digits.as_str())
        .build()
        .expect("twenty digits fit the smallest code");
    let svg = SvgBuilder::default().to_str(&picture);
    Ok(Json(CodePicture { code, svg }))
}

async fn faults(State(phone): State<Phone>) -> Json<Faults> {
    Json(phone.simulator.with(|gateway, _| gateway.faults().clone()))
}

async fn set_faults(State(phone): State<Phone>, Json(wanted): Json<Faults>) -> Json<Faults> {
    Json(phone.simulator.with(|gateway, _| {
        *gateway.faults() = wanted;
        gateway.faults().clone()
    }))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    ahead_ms: i64,
}

async fn put_clock(State(phone): State<Phone>, Json(wanted): Json<Clock>) -> Json<Clock> {
    let Millis(ahead_ms) = phone.simulator.put_ahead(Millis(wanted.ahead_ms));
    Json(Clock { ahead_ms })
}

/// Why the phone cannot do it.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Phone(#[from] PhoneRefusal),
    #[error(transparent)]
    Scan(#[from] ScanError),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Problem::Phone(PhoneRefusal::NoSuchPayment) => {
                (StatusCode::NOT_FOUND, "no_such_payment")
            }
            Problem::Phone(PhoneRefusal::Over) => (StatusCode::CONFLICT, "over"),
            Problem::Phone(PhoneRefusal::NotPossible) => (StatusCode::CONFLICT, "not_possible"),
            Problem::Phone(PhoneRefusal::NoSuchCause) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "no_such_cause")
            }
            Problem::Scan(ScanError::NotAPicture) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "not_a_picture")
            }
            Problem::Scan(ScanError::NoCode) => (StatusCode::UNPROCESSABLE_ENTITY, "no_code"),
            Problem::Scan(ScanError::Busy) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        };
        #[derive(Serialize)]
        struct Body {
            code: &'static str,
            message: String,
        }
        (
            status,
            Json(Body {
                code,
                message: self.to_string(),
            }),
        )
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use qiantai_core::attempt::DeclineCode;
    use qiantai_pay::channels::training::message::{DECLINES, decline_name};

    #[test]
    fn the_page_offers_every_cause_and_has_both_languages_complete() {
        let texts = include_str!("texts.js");
        for cause in DECLINES {
            // The gateway finds out about bad codes by itself.
            let by_phone = !matches!(cause, DeclineCode::CodeExpired | DeclineCode::CodeInvalid);
            let offered = texts.contains(&format!("cause_{}:", decline_name(cause)));
            assert_eq!(offered, by_phone, "{}", decline_name(cause));
        }
        // Each message is one line: key: [zh, en].
        let page = include_str!("page.html");
        for part in page.split("data-t=\"").skip(1) {
            let key = part
                .split('"')
                .next()
                .expect("split gives at least one part");
            assert!(texts.contains(&format!("  {key}: [")), "no text for {key}");
        }
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        for text in [include_str!("page.html"), include_str!("page.css")] {
            assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("url("));
            assert!(
                !text.contains("style=") && !text.contains("onclick"),
                "the policy forbids it"
            );
        }
        let script = include_str!("page.js");
        assert!(!script.contains("innerHTML") && !script.contains("eval("));
    }
}
