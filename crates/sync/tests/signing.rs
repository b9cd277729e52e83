//! What a manager asks for goes out signed, and nothing of it before the server has said over what.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use qiantai_sync::transport::InProcessTransport;
use qiantai_sync::{CallFailed, Client};
use qiantai_wire::api::{InvitationAnswer, InvitationRequest};
use qiantai_wire::call::{CALL_HEADER, CHALLENGE_PARAM, Call, Challenge};
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

const DEVICE: Uuid = Uuid::from_u128(7);
const ASKED: InvitationRequest = InvitationRequest {
    manager: Uuid::from_u128(8),
};

/// Bodies that came, each with what its signature covers if it has one.
type Came = Arc<Mutex<Vec<(Bytes, bool)>>>;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn json(status: u16, body: &impl serde::Serialize) -> Response<Full<Bytes>> {
    let body = Full::from(serde_json::to_vec(body).unwrap());
    Response::builder().status(status).body(body).unwrap()
}

/// A server that wants another challenge signed for the first `moves` signatures.
fn server(moves: usize, came: &Came) -> Client {
    let came = Arc::clone(came);
    let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let came = Arc::clone(&came);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mut came = came.lock().unwrap();
            let said = |count: usize| Challenge([u8::try_from(count).unwrap(); 16]);
            let call = Call {
                method: "POST",
                path: "/v1/invitations",
                body: &body,
                device: DEVICE,
                challenge: said(came.len()),
            };
            let header = head.headers.get(CALL_HEADER);
            let verified = header.map(|it| call.verify(it.as_bytes(), &key().verifying_key()));
            let is_signed = verified.is_some_and(|verified| verified.is_ok());
            came.push((body, is_signed));
            let refusal = ApiError::new(ErrorCode::CallUnsigned);
            let refusal = refusal.with(CHALLENGE_PARAM, said(came.len()).text());
            Ok::<_, Infallible>(match is_signed && came.len() > moves + 1 {
                false => json(401, &refusal),
                true => json(
                    200,
                    &InvitationAnswer {
                        invite: "07".into(),
                        expires_at_ms: 2,
                        server_time_ms: 1,
                    },
                ),
            })
        }
    });
    let transport = InProcessTransport::<_, Full<Bytes>>::new(service);
    Client::new(Arc::new(transport)).with_token("secret")
}

fn is_unsigned(answered: Result<InvitationAnswer, CallFailed>) -> bool {
    matches!(answered, Err(CallFailed::Refused(refusal))
        if refusal.error_code() == Some(ErrorCode::CallUnsigned))
}

#[tokio::test]
async fn a_call_is_signed_over_what_the_server_says() {
    let body = Bytes::from(serde_json::to_vec(&ASKED).unwrap());
    for moves in 0..=2 {
        let came = Came::default();
        let client = server(moves, &came).signing_as(DEVICE, key());
        let invited = client.invite(&ASKED).await.unwrap();
        assert_eq!(invited.invite, "07");
        let mut expected = vec![(Bytes::new(), false)];
        expected.resize(moves + 2, (body.clone(), true));
        assert_eq!(*came.lock().unwrap(), expected, "{moves}");
    }
    let came = Came::default();
    let client = server(9, &came).signing_as(DEVICE, key());
    assert!(is_unsigned(client.invite(&ASKED).await));
    assert_eq!(came.lock().unwrap().len(), 4, "it does not go on for ever");
}

/// It has never heard of signatures: what it misses is the body.
#[tokio::test]
async fn a_server_of_an_older_version_is_given_the_body() {
    let came = Came::default();
    let heard = Arc::clone(&came);
    let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let came = Arc::clone(&heard);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let asked = serde_json::from_slice::<InvitationRequest>(&body);
            let is_signed = head.headers.contains_key(CALL_HEADER);
            came.lock().unwrap().push((body, is_signed));
            Ok::<_, Infallible>(match asked {
                Err(_) => json(400, &ApiError::new(ErrorCode::BadRequest)),
                Ok(_) => json(
                    200,
                    &InvitationAnswer {
                        invite: "07".into(),
                        expires_at_ms: 2,
                        server_time_ms: 1,
                    },
                ),
            })
        }
    });
    let transport = InProcessTransport::<_, Full<Bytes>>::new(service);
    let client = Client::new(Arc::new(transport)).signing_as(DEVICE, key());
    assert_eq!(client.invite(&ASKED).await.unwrap().invite, "07");
    let body = Bytes::from(serde_json::to_vec(&ASKED).unwrap());
    assert_eq!(
        *came.lock().unwrap(),
        [(Bytes::new(), false), (body, false)]
    );
}

#[tokio::test]
async fn who_has_no_key_says_nothing() {
    let came = Came::default();
    assert!(is_unsigned(server(0, &came).invite(&ASKED).await));
    assert_eq!(*came.lock().unwrap(), [(Bytes::new(), false)]);
}
