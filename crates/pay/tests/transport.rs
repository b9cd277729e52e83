//! The network transport against real loopback sockets.

use std::time::Duration;

use bytes::Bytes;
use openssl::ssl::{SslAcceptor, SslMethod};
use qiantai_pay::crypto::Certificate;
use qiantai_pay::transport::{
    AnswerLimit, ClientIdentity, HttpTransport, NetworkTransport, Patience, TransportError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::wechat::gateway::{GATEWAY, MERCHANT, certificate};

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

/// Reads a request that has no body to its end: a socket that is closed before breaks the answer.
async fn drain(socket: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(socket.read_u8().await.unwrap());
    }
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

#[tokio::test]
async fn a_broken_or_untrusted_tls_handshake_sends_nothing() {
    // Plain HTTP where TLS is expected.
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = plain.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = plain.accept().await.unwrap();
        let mut hello = [0; 64];
        socket.read_exact(&mut hello).await.unwrap();
        assert!(!hello.windows(5).any(|part| part == b"hello"));
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    });
    let answer = send(&format!("https://{address}/")).await;
    assert_eq!(
        answer.map(|answer| answer.status()),
        Err(TransportError::NotSent)
    );
    server.await.unwrap();

    // A certificate that nobody vouches for.
    let key = &GATEWAY.pkey;
    let pem = certificate(&GATEWAY, "01", 3_650);
    let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key(key).unwrap();
    let own = openssl::x509::X509::from_pem(pem.as_bytes()).unwrap();
    acceptor.set_certificate(&own).unwrap();
    let acceptor = acceptor.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        acceptor.accept(socket).is_err()
    });
    let answer = send(&format!("https://{address}/")).await;
    assert_eq!(
        answer.map(|answer| answer.status()),
        Err(TransportError::NotSent)
    );
    assert!(server.join().unwrap(), "the handshake fails");
}

#[tokio::test]
async fn a_client_certificate_is_taken_up_once() {
    let pem = certificate(&MERCHANT, "01", 9);
    let certificate = Certificate::from_pem(&pem).unwrap();
    let identity = ClientIdentity::new(&certificate, &MERCHANT.private).unwrap();
    let transport = NetworkTransport::new(Patience::default()).unwrap();
    for _ in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            drain(&mut socket).await;
            let reply = b"HTTP/1.1 204 No Content\r\n\r\n";
            socket.write_all(reply).await.unwrap();
        });
        let mut request = http::Request::post(format!("http://{address}/"))
            .body(Bytes::new())
            .unwrap();
        request.extensions_mut().insert(identity.clone());
        assert_eq!(transport.send(request).await.unwrap().status(), 204);
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_bill_may_be_larger_than_a_message() {
    let check = async |limit: AnswerLimit, expected: Result<u16, TransportError>| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            drain(&mut socket).await;
            let mut reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n".to_vec();
            reply.resize(reply.len() + 2_000_000, b'x');
            // Fails where the other side has had enough.
            let _ = socket.write_all(&reply).await;
        });
        let mut request = http::Request::post(format!("http://{address}/"))
            .body(Bytes::new())
            .unwrap();
        request.extensions_mut().insert(limit);
        let transport = NetworkTransport::new(Patience::default()).unwrap();
        let answer = transport.send(request).await;
        assert_eq!(answer.map(|answer| answer.status().as_u16()), expected);
        server.await.unwrap();
    };
    check(AnswerLimit::MESSAGE, Err(TransportError::Broken)).await;
    check(AnswerLimit::BILL, Ok(200)).await;
}
