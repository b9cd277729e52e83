//! Where a request ends when the servers name one another as the writer, over real sockets.

use std::sync::{Arc, Mutex};

use futures::StreamExt;
use qiantai_core::operation::Cursor;
use qiantai_sync::transport::{FollowingTransport, HttpTransport, Trust};
use qiantai_sync::{CallFailed, Client, TransportError};
use qiantai_wire::ErrorCode;
use qiantai_wire::api::Event;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[derive(Clone)]
enum Says {
    /// It writes the books.
    Writes,
    /// Another does, at this address.
    Names(String),
    /// It takes the request, and the connection breaks.
    Breaks,
}

/// One of several servers of the same books.
struct Server {
    url: String,
    says: Arc<Mutex<Says>>,
    heads: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start(says: Says) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let says = Arc::new(Mutex::new(says));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (answering, heard) = (Arc::clone(&says), Arc::clone(&heads));
        let serving = tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                    let mut buffer = [0; 1_024];
                    let read = socket.read(&mut buffer).await.unwrap();
                    head.extend_from_slice(&buffer[..read]);
                }
                let head = String::from_utf8(head).unwrap().to_lowercase();
                let answer = answer(&answering.lock().unwrap(), &head);
                heard.lock().unwrap().push(head);
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Server {
            url,
            says,
            heads,
            serving,
        }
    }

    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn names(&self, other: &Server) {
        self.says(Says::Names(other.url.clone()));
    }

    /// How often it was asked since the last look.
    fn asked(&self) -> usize {
        self.heads.lock().unwrap().drain(..).count()
    }

    async fn dies(&mut self) {
        self.serving.abort();
        let ended = (&mut self.serving).await;
        assert!(ended.unwrap_err().is_cancelled());
    }
}

fn answer(says: &Says, head: &str) -> String {
    match says {
        Says::Breaks => String::new(),
        Says::Names(other) => format!(
            "HTTP/1.1 421 Misdirected Request\r\nconnection: close\r\n\r\n\
             {{\"code\":1025,\"message_key\":\"error.written_elsewhere\",\"retryable\":true,\
             \"params\":{{\"address\":\"{other}\"}}}}"
        ),
        Says::Writes if head.starts_with("get /v1/events") => concat!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n",
            "event: feed\ndata: {\"head\":3}\n\n"
        )
        .to_owned(),
        Says::Writes => concat!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
            r#"{"ready":true,"version":"1","protocol":1,"server_time_ms":5}"#
        )
        .to_owned(),
    }
}

fn enrolled_at(server: &Server) -> Client {
    let transport = HttpTransport::new(&server.url, &Trust::Machine).unwrap();
    Client::new(Arc::new(FollowingTransport::new(transport))).with_token("secret")
}

fn is_named_away(failed: &CallFailed) -> bool {
    matches!(failed, CallFailed::Refused(error)
        if error.error_code() == Some(ErrorCode::WrittenElsewhere))
}

#[tokio::test]
async fn the_writer_is_followed_and_left_again() {
    let mut other = Server::start(Says::Writes).await;
    let home = Server::start(Says::Names(other.url.clone())).await;
    let client = enrolled_at(&home);
    for asked_at_home in [1, 0] {
        assert!(client.health().await.unwrap().ready);
        assert_eq!((home.asked(), other.asked()), (asked_at_home, 1));
    }
    // The writer moved back, and says so.
    other.names(&home);
    home.says(Says::Writes);
    for asked_there in [1, 0] {
        assert!(client.health().await.unwrap().ready);
        assert_eq!((home.asked(), other.asked()), (1, asked_there));
    }
    // It is followed once more, and gone without a word.
    other.says(Says::Writes);
    home.names(&other);
    assert!(client.health().await.unwrap().ready);
    other.dies().await;
    home.says(Says::Writes);
    assert_eq!(home.asked(), 1);
    assert!(client.health().await.unwrap().ready);
    assert_eq!(home.asked(), 1);
}

#[tokio::test]
async fn live_events_are_followed() {
    let other = Server::start(Says::Writes).await;
    let home = Server::start(Says::Names(other.url.clone())).await;
    let client = enrolled_at(&home);
    let events: Vec<_> = client.events().await.unwrap().collect().await;
    assert!(matches!(&events[..], [Ok(Event::Feed(_))]), "{events:?}");
    let after = Cursor {
        timeline: 1,
        server_seq: 0,
    };
    other.says(Says::Names("nonsense".to_owned()));
    let failed = client.events().await.err().unwrap();
    assert!(is_named_away(&failed), "{failed}");
    let failed = client.feed(after, 1).await.unwrap_err();
    assert!(is_named_away(&failed), "{failed}");
}

/// The last refusal is what the caller hears: somebody was there, and a try later may help.
#[tokio::test]
async fn who_is_named_without_end_or_wrongly_is_not_followed() {
    let home = Server::start(Says::Writes).await;
    let check = async |named: String| {
        home.says(Says::Names(named.clone()));
        let failed = enrolled_at(&home).health().await.unwrap_err();
        assert!(is_named_away(&failed), "{named}: {failed}");
        assert_eq!(home.asked(), 1, "{named}");
    };
    check(String::new()).await;
    check(home.url.clone()).await;
    check("ftp:/".to_owned()).await;
    check(home.url.replace("http://", "http://a:b@")).await;
    check(format!("{}/{}", home.url, "x".repeat(600))).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    check(nobody).await;

    // Each names the next: it ends before the last.
    let mut chain = vec![Server::start(Says::Writes).await];
    for _ in 0..5 {
        let next = Says::Names(chain[0].url.clone());
        chain.insert(0, Server::start(next).await);
    }
    let failed = enrolled_at(&chain[0]).health().await.unwrap_err();
    assert!(is_named_away(&failed), "{failed}");
    let asked: Vec<_> = chain.iter().map(Server::asked).collect();
    assert_eq!(asked, [1, 1, 1, 1, 0, 0]);
}

/// Nobody else is there to say who writes.
#[tokio::test]
async fn a_lost_answer_is_no_reason_to_forget_the_writer() {
    let other = Server::start(Says::Writes).await;
    let mut home = Server::start(Says::Names(other.url.clone())).await;
    let client = enrolled_at(&home);
    client.health().await.unwrap();
    home.dies().await;
    for _ in 0..2 {
        other.says(Says::Breaks);
        let failed = client.health().await.unwrap_err();
        assert_eq!(failed, CallFailed::Transport(TransportError::Interrupted));
        other.says(Says::Writes);
        client.health().await.unwrap();
    }
    // Nor is a while without any writer.
    other.says(Says::Names(String::new()));
    assert!(is_named_away(&client.health().await.unwrap_err()));
    other.says(Says::Writes);
    other.asked();
    client.health().await.unwrap();
    assert_eq!(other.asked(), 1);
}

/// It is silent as well: each is asked in turn, until one of them answers.
#[tokio::test]
async fn a_silent_home_does_not_hide_the_writer() {
    let other = Server::start(Says::Writes).await;
    let home = Server::start(Says::Names(other.url.clone())).await;
    let client = enrolled_at(&home);
    client.health().await.unwrap();
    for silent in [&home, &other] {
        silent.says(Says::Breaks);
    }
    home.asked();
    other.asked();
    for expected in [(0, 1), (1, 1), (1, 2)] {
        let failed = client.health().await.unwrap_err();
        assert_eq!(failed, CallFailed::Transport(TransportError::Interrupted));
        let heads = |server: &Server| server.heads.lock().unwrap().len();
        assert_eq!((heads(&home), heads(&other)), expected);
    }
    other.says(Says::Writes);
    client.health().await.unwrap_err();
    client.health().await.unwrap();
}

/// What may have been done is not asked of another.
#[tokio::test]
async fn a_broken_answer_is_not_repeated_elsewhere() {
    let other = Server::start(Says::Writes).await;
    let home = Server::start(Says::Names(other.url.clone())).await;
    let client = enrolled_at(&home);
    client.health().await.unwrap();
    other.says(Says::Breaks);
    assert_eq!((home.asked(), other.asked()), (1, 1));
    let failed = client.health().await.unwrap_err();
    assert_eq!(failed, CallFailed::Transport(TransportError::Interrupted));
    assert_eq!((home.asked(), other.asked()), (0, 1));
    home.says(Says::Writes);
    client.health().await.unwrap();
    assert_eq!((home.asked(), other.asked()), (1, 0), "the way back");
}
