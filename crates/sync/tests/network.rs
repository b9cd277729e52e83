//! The HTTP transport against a real socket on the loopback.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use http::Request;
use qiantai_sync::transport::{HttpTransport, Trust};
use qiantai_sync::{CallFailed, Client, Transport, TransportError};
use qiantai_wire::api::Event;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers one connection with `answer` and closes it; returns the request's head.
async fn once(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.windows(4).any(|window| window == b"\r\n\r\n") {
            let mut buffer = [0; 1_024];
            let read = socket.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the request ended early");
            request.extend_from_slice(&buffer[..read]);
        }
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    (base, serving)
}

fn client(base: &str) -> Client {
    Client::new(Arc::new(HttpTransport::new(base, &Trust::Machine).unwrap())).with_token("secret")
}

#[tokio::test]
async fn a_call_goes_over_the_network() {
    let (base, serving) = once(concat!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        r#"{"ready":true,"version":"1","protocol":1,"server_time_ms":5}"#
    ))
    .await;
    let health = client(&format!("{base}/")).health().await.unwrap();
    assert!(health.ready);
    let request = serving.await.unwrap().to_lowercase();
    assert!(
        request.starts_with("get /v1/health http/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("authorization: bearer secret\r\n"),
        "{request}"
    );
    assert!(request.contains("qiantai-protocol: 1\r\n"), "{request}");
}

#[tokio::test]
async fn what_went_wrong_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let failed = client(&nobody).health().await.unwrap_err();
    assert_eq!(failed, CallFailed::Transport(TransportError::NotSent));

    let (base, _serving) = once("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
    let failed = client(&base).health().await.unwrap_err();
    assert_eq!(failed, CallFailed::Transport(TransportError::Interrupted));

    let (base, _serving) = once("").await;
    let failed = client(&base).health().await.unwrap_err();
    assert_eq!(failed, CallFailed::Transport(TransportError::Interrupted));

    let (base, _serving) =
        once("HTTP/1.1 302 Found\r\nlocation: /login\r\nconnection: close\r\n\r\n<html>").await;
    let failed = client(&base).health().await.unwrap_err();
    assert!(
        matches!(failed, CallFailed::Unreadable { status: 302, .. }),
        "{failed}"
    );

    let (base, _serving) = once(concat!(
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n",
        r#"{"code":1021,"message_key":"error.busy","retryable":true}"#
    ))
    .await;
    let CallFailed::Refused(error) = client(&base).health().await.unwrap_err() else {
        panic!("not a refusal");
    };
    assert!(error.retryable);
}

#[tokio::test]
async fn events_come_over_the_network() {
    let (base, _serving) = once(concat!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n",
        "event: feed\ndata: {\"head\":3}\n\n: silence\n\nevent: feed\ndata: {\"head\":4}\n\n"
    ))
    .await;
    let events: Vec<_> = client(&base).events().await.unwrap().collect().await;
    let heads: Vec<_> = events
        .into_iter()
        .map(|event| match event.unwrap() {
            Event::Feed(feed) => feed.head,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(heads, [3, 4]);

    let (base, _serving) = once(concat!(
        "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n",
        r#"{"code":1002,"message_key":"error.unauthorised","retryable":false}"#
    ))
    .await;
    let refused = client(&base).events().await.err().unwrap();
    assert!(matches!(refused, CallFailed::Refused(_)), "{refused}");
}

/// A cable that is pulled closes nothing: only the heartbeat stays away.
#[tokio::test]
async fn events_that_fall_silent_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1_024];
        let _head = socket.read(&mut buffer).await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        socket.write_all(head).await.unwrap();
        socket
            .write_all(b"event: feed\ndata: {\"head\":3}\n\n")
            .await
            .unwrap();
        // Nothing more; the connection stays open until the other side gives up.
        socket.read(&mut buffer).await.unwrap()
    });
    let events: Vec<_> = client(&base).events().await.unwrap().collect().await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[0].is_ok());
    assert_eq!(events[1], Err(TransportError::Timeout));
    assert_eq!(serving.await.unwrap(), 0, "the connection is given up");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1_024];
        let _head = socket.read(&mut buffer).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while socket.write_all(&[b' '; 1 << 16]).await.is_ok() {}
    });
    let transport = HttpTransport::new(&base, &Trust::Machine).unwrap();
    let request = Request::builder().uri("/").body(Bytes::new()).unwrap();
    assert_eq!(
        transport.send(request).await.unwrap_err(),
        TransportError::TooLong
    );
}

#[test]
fn an_address_needs_scheme_and_host() {
    for base in ["", "localhost", "/v1", "http://"] {
        assert!(HttpTransport::new(base, &Trust::Machine).is_err(), "{base}");
    }
}
