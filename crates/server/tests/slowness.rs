//! Those who send slowly, half, or too much, on a real socket. The time is virtual: it passes when
//! nothing else happens.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use qiantai_server::limits::Limits;
use qiantai_server::network::{self, HANDSHAKE_MAX, HEAD_MAX, Room};
use qiantai_server::tls::{Authority, Door, Names};
use qiantai_server::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::harness::{Shop, within_patience};

const LIMITS: Limits = Limits {
    device_per_second: NonZeroU32::MAX,
    strangers_per_minute: NonZeroU32::MAX,
};

async fn serve(shop: &Shop, door: Option<Arc<Door>>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = shop.server.network_router(LIMITS, None);
    tokio::spawn(network::serve(
        listener,
        door,
        router,
        std::future::pending(),
    ));
    address
}

/// What is answered to `sent` until the connection is closed, and how long that takes.
async fn answered(address: std::net::SocketAddr, sent: &[u8]) -> (String, Duration) {
    let began = Instant::now();
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    // A server that closes on what it did not read may reset the connection.
    let read = connection.read_to_end(&mut answer).await;
    assert!(read.is_ok() || !answer.is_empty(), "{read:?}");
    (
        String::from_utf8_lossy(&answer).into_owned(),
        began.elapsed(),
    )
}

#[tokio::test(start_paused = true)]
async fn whoever_sends_half_is_cut_in_time() {
    let shop = Shop::open(1).await;
    let address = serve(&shop, None).await;
    let check = async |sent: &str, answer: &str, longest: Duration| {
        let (said, took) = answered(address, sent.as_bytes()).await;
        assert!(
            said.contains(answer) && said.is_empty() == answer.is_empty(),
            "{sent}: {said}"
        );
        let slack = Duration::from_secs(5);
        assert!(
            took >= longest && took < longest + slack,
            "{sent}: {took:?}"
        );
    };
    check("", "", HEAD_MAX).await;
    check("GET /v1/health HT", "", HEAD_MAX).await;
    check("GET /v1/health HTTP/1.1\r\nhost: x\r\nslow", "", HEAD_MAX).await;
    // Answered, and then nothing more is asked.
    let whole = "GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n";
    check(whole, "\"ready\":true", HEAD_MAX).await;
    let body = "POST /v1/devices/join HTTP/1.1\r\nhost: x\r\ncontent-length: 999\r\n\r\n{";
    check(body, "error.timeout", Duration::from_secs(30)).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_never_shakes_hands_is_cut_in_time() {
    let shop = Shop::open(1).await;
    let folder = tempfile::tempdir().unwrap();
    let now = SystemClock.now();
    let authority = Authority::open_or_make(&folder.path().join("tls"), now).unwrap();
    let door = Door::of_authority(authority, Names::default(), now).unwrap();
    let address = serve(&shop, Some(Arc::new(door))).await;
    for sent in [&b""[..], &[0x16, 3, 1, 0]] {
        let (said, took) = answered(address, sent).await;
        assert_eq!(said, "");
        assert!(
            took >= HANDSHAKE_MAX && took < 2 * HANDSHAKE_MAX,
            "{took:?}"
        );
    }
}

#[tokio::test]
async fn whoever_sends_too_much_is_told() {
    let shop = Shop::open(1).await;
    let address = serve(&shop, None).await;
    let body = "POST /v1/devices/join HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
        content-length: 99999999\r\n\r\n";
    let (said, _) = answered(address, body.as_bytes()).await;
    assert!(
        said.contains(" 413 ") && said.contains("error.too_large"),
        "{said}"
    );
    let mut head = b"GET /v1/health HTTP/1.1\r\nhost: x\r\nlong: ".to_vec();
    head.resize(100 * 1_024, b'x');
    let (said, _) = answered(address, &head).await;
    assert!(said.contains(" 431 "), "{said}");
}

#[tokio::test]
async fn told_to_stop_it_lets_idle_connections_go() {
    let shop = Shop::open(1).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = shop.server.network_router(LIMITS, None);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(network::serve(listener, None, router, async {
        drop(stopped.await);
    }));
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = b"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let mut first = [0; 15];
    connection.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    drop(stop);
    serving.await.unwrap();
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}

/// Whether a connection from `from` is answered; it stays open.
async fn is_taken(from: &str, address: std::net::SocketAddr) -> (TcpStream, bool) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut connection = socket.connect(address).await.unwrap();
    let sent = connection
        .write_all(b"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    let mut answer = [0; 12];
    let read = connection.read_exact(&mut answer).await;
    let is_taken = sent.is_ok() && read.is_ok() && answer == *b"HTTP/1.1 200";
    (connection, is_taken)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn whoever_opens_many_connections_leaves_room() {
    let shop = Shop::open(1).await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let router = shop.server.network_router(LIMITS, None);
    let never = std::future::pending();
    tokio::spawn(network::serve_in(
        Room::of(4),
        listener,
        None,
        router,
        never,
    ));
    let mut open = Vec::new();
    for (from, expected) in [
        ("127.0.0.2", true),
        ("127.0.0.2", true),
        ("127.0.0.2", false),
        ("127.0.0.3", true),
        ("127.0.0.4", true),
        ("127.0.0.5", false),
    ] {
        let (connection, taken) = is_taken(from, address).await;
        assert_eq!(taken, expected, "{from}");
        open.push(connection);
    }
    open.clear();
    within_patience("room again", async {
        while !is_taken("127.0.0.5", address).await.1 {}
    })
    .await;
}
