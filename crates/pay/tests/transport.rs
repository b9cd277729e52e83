//! The network transport against real loopback sockets.

use std::time::Duration;

use bytes::Bytes;
use qiantai_pay::transport::{HttpTransport, NetworkTransport, Patience, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Sends one request to a listener that reads it and then does `reply`.
async fn exchange(
    reply: &'static [u8],
    stays_open: bool,
) -> Result<http::Response<Bytes>, TransportError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"hello") {
            let mut chunk = [0; 1024];
            let count = socket.read(&mut chunk).await.unwrap();
            assert!(count > 0, "the whole request arrives");
            seen.extend_from_slice(&chunk[..count]);
        }
        socket.write_all(reply).await.unwrap();
        if stays_open {
            std::future::pending::<()>().await;
        }
    });
    let answer = send(&format!("http://{address}/path")).await;
    server.abort();
    answer
}

async fn send(url: &str) -> Result<http::Response<Bytes>, TransportError> {
    let patience = Patience {
        connect: Duration::from_secs(2),
        answer: Duration::from_millis(400),
    };
    let request = http::Request::post(url)
        .body(Bytes::from_static(b"hello"))
        .unwrap();
    NetworkTransport::new(patience).unwrap().send(request).await
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let reply = b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\nx-mark: 1\r\n\r\nbusy";
    let answer = exchange(reply, true).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["x-mark"], "1");
    assert_eq!(&answer.body()[..], b"busy");
    let redirect =
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(exchange(redirect, true).await.unwrap().status(), 302);
}

#[tokio::test]
async fn trouble_says_whether_anything_was_sent() {
    let check = |answer: Result<http::Response<Bytes>, TransportError>, expected| {
        assert_eq!(answer.map(|answer| answer.status()), Err(expected));
    };
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    check(
        send(&format!("http://{address}/")).await,
        TransportError::NotSent,
    );
    check(
        send("http://no-such-host.invalid/").await,
        TransportError::NotSent,
    );
    check(exchange(b"", true).await, TransportError::Timeout);
    check(
        exchange(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal", true).await,
        TransportError::Timeout,
    );
    check(exchange(b"", false).await, TransportError::Broken);
    check(
        exchange(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal", false).await,
        TransportError::Broken,
    );
    check(
        exchange(b"this is not HTTP\r\n\r\n", false).await,
        TransportError::Broken,
    );
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let mut reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n".to_vec();
    reply.resize(reply.len() + 2_000_000, b'x');
    let answer = exchange(reply.leak(), true).await;
    assert_eq!(
        answer.map(|answer| answer.status()),
        Err(TransportError::Broken)
    );
}
