//! The phone page over its router.

use std::collections::HashSet;

use axum::Router;
use axum::body::{Body, to_bytes};
use fast_qr::QRBuilder;
use http::{Request, Response, StatusCode, header};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use qiantai_pay::{Channel, GatewayAnswer, QrAnswer};
use qiantai_paysim::serve;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::world::{ATTEMPT, World};

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

async fn send(router: &Router, method: &str, path: &str, kind: &str, body: Vec<u8>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body))
        .unwrap();
    let response: Response<Body> = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap().to_vec();
    Answer {
        status: head.status,
        headers: head.headers,
        body,
    }
}

async fn post(router: &Router, path: &str, body: Value) -> Answer {
    send(
        router,
        "POST",
        path,
        "application/json",
        body.to_string().into_bytes(),
    )
    .await
}

async fn get(router: &Router, path: &str) -> Answer {
    send(router, "GET", path, "text/plain", Vec::new()).await
}

/// The code as a picture with its quiet zone.
fn png(text: &str) -> Vec<u8> {
    let code = QRBuilder::new(text).build().unwrap();
    picture(code.size + 8, |x, y| {
        let inside = |at: usize| at.checked_sub(4).filter(|at| *at < code.size);
        match (inside(x), inside(y)) {
            (Some(column), Some(row)) => code[row][column].value(),
            _ => false,
        }
    })
}

/// The code in an SVG of squares: `M4,4h1v1h-1` is a dark module in column 4 of row 4.
fn png_of(svg: &str) -> Vec<u8> {
    let between = |text: &str, start, end| -> String {
        let from = text.split(start).nth(1).unwrap();
        from.split(end).next().unwrap().to_owned()
    };
    let side = between(svg, "viewBox=\"0 0 ", " ").parse().unwrap();
    let path = between(svg, " d=\"", "\"");
    let dark: HashSet<(usize, usize)> = path
        .split('M')
        .skip(1)
        .map(|square| {
            let (x, y) = square
                .strip_suffix("h1v1h-1")
                .unwrap()
                .split_once(',')
                .unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        })
        .collect();
    picture(side, |x, y| dark.contains(&(x, y)))
}

/// A picture of `modules` each way, five pixels a module.
fn picture(modules: usize, is_dark: impl Fn(usize, usize) -> bool) -> Vec<u8> {
    let side = modules * 5;
    let pixels: Vec<u8> = (0..side * side)
        .map(|at| {
            if is_dark(at % side / 5, at / side / 5) {
                0
            } else {
                255
            }
        })
        .collect();
    let side = u32::try_from(side).unwrap();
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&pixels, side, side, ExtendedColorType::L8)
        .unwrap();
    png
}

async fn shown() -> (World, Router, String) {
    let world = World::new();
    let router = serve::router(world.simulator.clone());
    let QrAnswer::Created { payload } = world.channel.create_qr(&world.qr_request(ATTEMPT)).await
    else {
        panic!("no QR code")
    };
    (world, router, payload)
}

#[tokio::test]
async fn the_picture_of_a_code_is_scanned_and_paid() {
    let (world, router, payload) = shown().await;
    let scanned = send(&router, "POST", "/phone/scan", "image/png", png(&payload)).await;
    assert_eq!(scanned.status, StatusCode::OK);
    let view = scanned.json();
    assert_eq!(view["merchant"], "悦动健身");
    assert_eq!(view["amount_fen"], 30_000);
    assert_eq!(view["wallet"], "WECHAT");
    assert_eq!(view["state"], "confirming");
    assert_eq!(
        view["expires_at_ms"],
        world.qr_request(ATTEMPT).expires_at.ms()
    );
    let path = format!("/phone/pay/{}", view["token"].as_str().unwrap());
    let paid = post(&router, &path, json!({"action": "pay"})).await;
    assert_eq!(
        (paid.status, &paid.json()["state"]),
        (StatusCode::OK, &json!("paid"))
    );
    assert!(matches!(
        world.channel.query(ATTEMPT).await,
        GatewayAnswer::Success(_)
    ));
    assert_eq!(get(&router, &path).await.json()["received_fen"], 30_000);
    let again = post(&router, &path, json!({"action": "pay"})).await;
    assert_eq!(
        (again.status, &again.json()["code"]),
        (StatusCode::CONFLICT, &json!("over"))
    );
}

#[tokio::test]
async fn only_the_token_opens_a_payment() {
    let (_world, router, payload) = shown().await;
    let listed = get(&router, "/phone/payments").await.json();
    assert_eq!(listed[0]["attempt_no"], ATTEMPT);
    assert_eq!(listed[0]["token"], "");
    let secret = payload.rsplit('/').next().unwrap();
    assert!(!listed.to_string().contains(secret));
    for path in [format!("/phone/pay/{ATTEMPT}"), "/phone/pay/0".to_owned()] {
        let refused = post(&router, &path, json!({"action": "pay"})).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
    let typed = post(
        &router,
        "/phone/open",
        json!({"payload": format!(" {payload}\n")}),
    )
    .await;
    assert_eq!(typed.status, StatusCode::OK);
}

#[tokio::test]
async fn nonsense_is_refused_with_a_code() {
    let (world, router, payload) = shown().await;
    let check = async |kind: &str, body: Vec<u8>, status: u16, code: &str| {
        let answer = send(&router, "POST", "/phone/scan", kind, body).await;
        assert_eq!(answer.status.as_u16(), status, "{code}");
        assert_eq!(answer.json()["code"], code);
    };
    check("image/png", b"no picture".to_vec(), 422, "not_a_picture").await;
    check("image/jpeg", png(&payload), 422, "not_a_picture").await;
    check(
        "image/png",
        png("https://example.com/"),
        404,
        "no_such_payment",
    )
    .await;
    check(
        "image/png",
        png("qiantai-training://pay/guess"),
        404,
        "no_such_payment",
    )
    .await;
    let huge = vec![0; 9 * 1024 * 1024];
    let answer = send(&router, "POST", "/phone/scan", "image/png", huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let path = format!("/phone/pay/{}", payload.rsplit('/').next().unwrap());
    for body in [
        json!({}),
        json!({"action": "steal"}),
        json!({"action": "decline"}),
    ] {
        let answer = post(&router, &path, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    // A form of a foreign page cannot send JSON, so it cannot act.
    let body = br#"{"action":"pay"}"#.to_vec();
    let foreign = send(&router, "POST", &path, "text/plain", body).await;
    assert_eq!(foreign.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(world.takings(), qiantai_core::money::Money::ZERO);
    let large = format!("{{\"payload\":\"{}\"}}", "x".repeat(20_000)).into_bytes();
    let answer = send(&router, "POST", "/phone/open", "application/json", large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn every_page_is_guarded() {
    let (_world, router, _) = shown().await;
    for (path, kind) in [
        ("/phone", "text/html; charset=utf-8"),
        ("/phone/page.js", "text/javascript; charset=utf-8"),
        ("/phone/texts.js", "text/javascript; charset=utf-8"),
        ("/phone/page.css", "text/css; charset=utf-8"),
        ("/phone/payments", "application/json"),
    ] {
        let answer = get(&router, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], kind, "{path}");
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(
            answer.headers[header::X_CONTENT_TYPE_OPTIONS],
            "nosniff",
            "{path}"
        );
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
    }
}

#[tokio::test]
async fn codes_and_faults_are_set_from_the_page() {
    let (world, router, _) = shown().await;
    let wish = json!({"wallet": "ALIPAY", "asks_password": true});
    let code = post(&router, "/phone/codes", wish).await.json();
    assert!(code["digits"].as_str().unwrap().starts_with("28"));
    let shown = image::load_from_memory(&png_of(code["svg"].as_str().unwrap())).unwrap();
    let shown = shown.into_luma8();
    let (width, height) = (shown.width() as usize, shown.height() as usize);
    let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        shown.get_pixel(x as u32, y as u32).0[0]
    });
    let (_, read) = seen.detect_grids()[0].decode().unwrap();
    assert_eq!(json!(read), code["digits"]);

    let wanted = json!({
        "answers": [{"fault": {"kind": "delay", "delay_ms": 5}, "operation": "query", "times": 1}],
        "notices": [{"fault": {"kind": "lose", "tries": 1}, "attempt_no": ATTEMPT}],
    });
    let body = wanted.to_string().into_bytes();
    let set = send(&router, "PUT", "/phone/faults", "application/json", body).await;
    assert_eq!(set.status, StatusCode::OK);
    let now = get(&router, "/phone/faults").await.json();
    assert_eq!(
        now["answers"][0]["fault"],
        json!({"kind": "delay", "delay_ms": 5})
    );
    assert_eq!(now["notices"][0]["attempt_no"], ATTEMPT);
    let count = world
        .simulator
        .with(|gateway, _| gateway.faults().answers.len());
    assert_eq!(count, 1);
    let body = br#"{"answers":[{"fault":{"kind":"explode"}}]}"#.to_vec();
    let unknown = send(&router, "PUT", "/phone/faults", "application/json", body).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
}
