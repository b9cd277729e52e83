//! The driver against a scripted server in the same process, as real requests and answers.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use qiantai_core::Timestamp;
use qiantai_core::operation::Cursor;
use qiantai_sync::engine::PollIntervals;
use qiantai_sync::transport::{ByteStream, InProcessTransport};
use qiantai_sync::{
    Client, LocalLog, LocalLogError, LocalPosition, StopReason, Surroundings, SyncHandle,
    SyncStatus, Transport, TransportError, driver,
};
use qiantai_wire::api::{
    EVENTS_SILENCE_MAX, Event, FeedEvent, HelloEvent, OpResultDto, PushAnswer, PushRequest,
    PushedProfile,
};
use qiantai_wire::feed::{CursorDto, FeedEntry, FeedPage, OutcomeDto, SnapshotPage};
use qiantai_wire::text::Hex;
use qiantai_wire::{ApiError, ErrorCode, SignedOperation};
use tokio::time::Instant;
use uuid::Uuid;

const NOW: i64 = 1_795_240_992_480;

/// Virtual time: tokio's paused clock.
struct Virtual(Instant);

#[async_trait]
impl Surroundings for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(NOW + i64::try_from(self.0.elapsed().as_millis()).unwrap())
    }

    fn random(&self) -> u64 {
        7
    }
}

#[derive(Default)]
struct Log {
    position: LocalPosition,
    answers: Vec<PushAnswer>,
    entries: Vec<u64>,
    heard: Vec<Event>,
    refuses: Option<LocalLogError>,
}

struct Terminal(Mutex<Log>);

fn signed(seq: u64) -> SignedOperation {
    SignedOperation::from(vec![u8::try_from(seq).unwrap(); 5])
}

#[async_trait]
impl LocalLog for Terminal {
    async fn position(&self) -> Result<LocalPosition, LocalLogError> {
        Ok(self.0.lock().unwrap().position)
    }

    async fn operations(
        &self,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<SignedOperation>, LocalLogError> {
        let last_seq = self.0.lock().unwrap().position.last_seq;
        Ok((from_seq..=last_seq).take(limit).map(signed).collect())
    }

    async fn profiles(
        &self,
        _from_seq: u64,
        _limit: usize,
    ) -> Result<Vec<PushedProfile>, LocalLogError> {
        Ok(Vec::new())
    }

    async fn apply_push(&self, answer: PushAnswer) -> Result<(), LocalLogError> {
        let mut log = self.0.lock().unwrap();
        if let Some(refusal) = &log.refuses {
            return Err(refusal.clone());
        }
        log.position.acked_seq = answer.acked_seq;
        log.answers.push(answer);
        Ok(())
    }

    async fn apply_feed(&self, page: FeedPage) -> Result<(), LocalLogError> {
        let mut log = self.0.lock().unwrap();
        let mut server_seq = log.position.cursor.unwrap().server_seq;
        for entry in page.entries {
            if entry.server_seq > server_seq {
                server_seq += 1;
                assert_eq!(entry.server_seq, server_seq);
                log.entries.push(server_seq);
            }
        }
        log.position.cursor = Some(Cursor {
            timeline: page.timeline,
            server_seq,
        });
        Ok(())
    }

    async fn apply_snapshot(
        &self,
        _after: Option<Uuid>,
        page: SnapshotPage,
    ) -> Result<(), LocalLogError> {
        let cursor = Cursor {
            timeline: page.timeline,
            server_seq: page.at_seq,
        };
        self.0.lock().unwrap().position.cursor = Some(cursor);
        Ok(())
    }

    async fn heard(&self, event: &Event) {
        self.0.lock().unwrap().heard.push(event.clone());
    }
}

#[derive(Default)]
struct Script {
    /// Refuse everything with this.
    refuse: Option<ErrorCode>,
    /// Offer no live events.
    deaf: bool,
    /// Pushes to do without answering.
    lose: u32,
    operations: Vec<Vec<u8>>,
    requests: Vec<String>,
    head: u64,
    events: Option<futures::channel::mpsc::UnboundedSender<Bytes>>,
    /// Live events fall silent, and calls go like this from then on.
    silence: Option<AfterSilence>,
    is_silent: bool,
}

#[derive(Clone, Copy)]
enum AfterSilence {
    Answered,
    Failed,
    Unanswered,
}

type Body = BoxBody<Bytes, Infallible>;

fn json(status: u16, body: &impl serde::Serialize) -> Response<Body> {
    let body = Full::from(serde_json::to_vec(body).unwrap()).boxed();
    Response::builder().status(status).body(body).unwrap()
}

async fn serve(
    script: Arc<Mutex<Script>>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut script = script.lock().unwrap();
    script
        .requests
        .push(format!("{} {}", head.method, head.uri));
    assert_eq!(head.headers["authorization"], "Bearer secret");
    assert_eq!(head.headers["qiantai-protocol"], "1");
    if let Some(code) = script.refuse {
        return Ok(json(code.http_status(), &ApiError::new(code)));
    }
    Ok(match head.uri.path() {
        "/v1/operations" => push(&mut script, &body),
        "/v1/feed" => {
            let after: u64 = head
                .uri
                .query()
                .unwrap()
                .split("after=")
                .nth(1)
                .unwrap()
                .split('&')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            // Overlapping pages: a terminal passes over what it has.
            let entries = (after.max(1)..=script.head).map(entry).collect();
            let server_time_ms = NOW;
            json(
                200,
                &FeedPage {
                    timeline: 1,
                    head: script.head,
                    entries,
                    server_time_ms,
                },
            )
        }
        "/v1/events" if script.deaf => json(503, &ApiError::new(ErrorCode::Unavailable)),
        "/v1/events" => {
            let (sender, receiver) = futures::channel::mpsc::unbounded();
            let cursor = CursorDto {
                timeline: 1,
                server_seq: script.head,
            };
            let hello = Event::Hello(HelloEvent {
                cursor,
                server_time_ms: NOW,
            });
            sender.unbounded_send(sse(&hello)).unwrap();
            script.events = Some(sender);
            let chunks = receiver.map(|chunk| Ok(Frame::data(chunk)));
            Response::new(BodyExt::boxed(StreamBody::new(chunks)))
        }
        other => panic!("{other}"),
    })
}

fn push(script: &mut Script, body: &[u8]) -> Response<Body> {
    let request: PushRequest = serde_json::from_slice(body).unwrap();
    let mut results = Vec::new();
    for operation in request.operations {
        let device_seq = u64::from(operation.0[0]);
        let known = script.operations.len() as u64 >= device_seq;
        if !known {
            script.operations.push(operation.0);
            script.head += 1;
        }
        let outcome = if known {
            OutcomeDto::Exists
        } else {
            OutcomeDto::Applied
        };
        let op_id = Uuid::from_u128(u128::from(device_seq));
        results.push(OpResultDto {
            op_id,
            device_seq,
            server_seq: Some(device_seq),
            outcome,
        });
    }
    if script.lose > 0 {
        script.lose -= 1;
        return Response::builder()
            .status(502)
            .body(Full::from("<html>").boxed())
            .unwrap();
    }
    let answer = PushAnswer {
        results,
        acked_seq: script.operations.len() as u64,
        acked_hash: Hex([0; 32]),
        halt: None,
        server_time_ms: NOW,
        cursor: CursorDto {
            timeline: 1,
            server_seq: script.head,
        },
    };
    json(200, &answer)
}

fn entry(server_seq: u64) -> FeedEntry {
    FeedEntry {
        server_seq,
        at_ms: NOW,
        op_id: Uuid::from_u128(u128::from(server_seq)),
        device: Uuid::nil(),
        device_seq: server_seq,
        action_id: Uuid::nil(),
        kind: 4,
        outcome: OutcomeDto::Applied,
        changes: vec![],
    }
}

fn sse(event: &Event) -> Bytes {
    format!("event: {}\ndata: {}\n\n", event.name(), event.body()).into()
}

/// The way to the server.
struct Line<T> {
    server: T,
    script: Arc<Mutex<Script>>,
}

#[async_trait]
impl<T: Transport> Transport for Line<T> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let silence = {
            let script = self.script.lock().unwrap();
            script.silence.filter(|_| script.is_silent)
        };
        match silence {
            None | Some(AfterSilence::Answered) => self.server.send(request).await,
            Some(AfterSilence::Failed) => Err(TransportError::NotSent),
            Some(AfterSilence::Unanswered) => std::future::pending().await,
        }
    }

    async fn stream(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        let answer = self.server.stream(request).await?;
        if self.script.lock().unwrap().silence.is_none() {
            return Ok(answer);
        }
        let script = Arc::clone(&self.script);
        let silence = futures::stream::once(async move {
            let nothing = std::future::pending::<()>();
            let _silence = tokio::time::timeout(EVENTS_SILENCE_MAX, nothing).await;
            script.lock().unwrap().is_silent = true;
            Err(TransportError::Timeout)
        });
        // The first event, and nothing after it.
        Ok(answer.map(|body| body.take(1).chain(silence).boxed()))
    }
}

struct Shop {
    terminal: Arc<Terminal>,
    script: Arc<Mutex<Script>>,
    handle: SyncHandle,
}

impl Shop {
    fn open(script: Script) -> Shop {
        let script = Arc::new(Mutex::new(script));
        let cursor = Some(Cursor {
            timeline: 1,
            server_seq: 0,
        });
        let position = LocalPosition {
            cursor,
            ..LocalPosition::default()
        };
        let terminal = Arc::new(Terminal(Mutex::new(Log {
            position,
            ..Log::default()
        })));
        let serving = Arc::clone(&script);
        let service = tower::service_fn(move |request| serve(Arc::clone(&serving), request));
        let transport = Line {
            server: InProcessTransport::<_, Full<Bytes>>::new(service),
            script: Arc::clone(&script),
        };
        let client = Client::new(Arc::new(transport)).with_token("secret");
        let log: Arc<dyn LocalLog> = Arc::clone(&terminal) as _;
        let surroundings = Arc::new(Virtual(Instant::now()));
        let (handle, driver) = driver(log, client, surroundings, PollIntervals::default());
        tokio::spawn(driver.run());
        Shop {
            terminal,
            script,
            handle,
        }
    }

    fn write(&self, count: u64) {
        self.terminal.0.lock().unwrap().position.last_seq += count;
        self.handle.nudge();
    }

    async fn until(&self, wanted: impl Fn(SyncStatus) -> bool) {
        let mut status = self.handle.follow();
        let wait = status.wait_for(|status| wanted(*status));
        let minutes = std::time::Duration::from_secs(600);
        tokio::time::timeout(minutes, wait)
            .await
            .expect("it never came")
            .unwrap();
    }

    async fn pass(&self, seconds: u64) {
        // Time is virtual: it moves when nobody has anything to do.
        let span = std::time::Duration::from_secs(seconds);
        let never = std::future::pending::<()>();
        let _passed = tokio::time::timeout(span, never).await;
    }

    async fn synced(&self) {
        self.until(|status| status == SyncStatus::Synced).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_stored_bytes_go_up_and_the_entries_come_down() {
    let shop = Shop::open(Script::default());
    shop.synced().await;
    shop.write(3);
    shop.pass(1).await;
    assert_eq!(shop.handle.status(), SyncStatus::Synced);
    let script = shop.script.lock().unwrap();
    assert_eq!(
        script.operations,
        (1..=3).map(|seq| signed(seq).bytes).collect::<Vec<_>>()
    );
    let log = shop.terminal.0.lock().unwrap();
    assert_eq!(log.entries, [1, 2, 3]);
    assert_eq!(log.answers.len(), 1);
    assert_eq!(log.answers[0].results.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again() {
    let shop = Shop::open(Script {
        lose: 2,
        ..Script::default()
    });
    shop.write(2);
    shop.until(|status| matches!(status, SyncStatus::Offline { pending: 2, .. }))
        .await;
    shop.synced().await;
    let log = shop.terminal.0.lock().unwrap();
    assert_eq!(log.answers[0].results[0].outcome, OutcomeDto::Exists);
    assert_eq!(shop.script.lock().unwrap().operations.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn events_are_heard_and_a_broken_stream_is_replaced() {
    let shop = Shop::open(Script {
        head: 2,
        ..Script::default()
    });
    shop.pass(1).await;
    let sender = {
        let mut script = shop.script.lock().unwrap();
        script.head = 5;
        script.events.take().unwrap()
    };
    let event = Event::Feed(FeedEvent { head: 5 });
    sender
        .unbounded_send(": still here\n\nevent: later\ndata: {}\n\n".into())
        .unwrap();
    let (first, second) = (sse(&event).slice(..9), sse(&event).slice(9..));
    sender.unbounded_send(first).unwrap();
    sender.unbounded_send(second).unwrap();
    shop.pass(1).await;
    {
        let log = shop.terminal.0.lock().unwrap();
        assert_eq!(log.entries, [1, 2, 3, 4, 5]);
        assert_eq!(log.heard.len(), 2, "{:?}", log.heard);
        assert_eq!(log.heard[1], event);
    }
    drop(sender);
    shop.pass(3).await;
    let script = shop.script.lock().unwrap();
    let opened = script
        .requests
        .iter()
        .filter(|line| line.ends_with("/v1/events"))
        .count();
    assert_eq!(opened, 2);
    assert!(script.events.is_some());
}

/// A cable that is pulled and a proxy that holds the beat back look the same at first.
#[tokio::test(start_paused = true)]
async fn silence_is_looked_into_before_it_counts_as_a_cut() {
    let cases = [
        (AfterSilence::Answered, None),
        (AfterSilence::Failed, Some(2_500)),
        (AfterSilence::Unanswered, Some(4_000)),
    ];
    for (silence, told_after_ms) in cases {
        let shop = Shop::open(Script {
            silence: Some(silence),
            ..Script::default()
        });
        shop.synced().await;
        let start = Instant::now();
        let mut status = shop.handle.follow();
        status.mark_unchanged();
        let hour = std::time::Duration::from_secs(3_600);
        let told = tokio::time::timeout(hour, status.changed()).await;
        let after_ms = told.is_ok().then(|| start.elapsed().as_millis());
        assert_eq!(after_ms, told_after_ms);
        let offline = matches!(shop.handle.status(), SyncStatus::Offline { .. });
        assert_eq!(offline, told_after_ms.is_some());
        assert!(shop.script.lock().unwrap().is_silent);
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_become_reasons() {
    for (code, reason) in [
        (ErrorCode::Unauthorised, StopReason::Unauthorised),
        (ErrorCode::DeviceRevoked, StopReason::Revoked),
        (ErrorCode::DeviceQuarantined, StopReason::Forked),
        (ErrorCode::UpgradeNeeded, StopReason::UpgradeNeeded),
        (ErrorCode::BadRequest, StopReason::Rejected { code: 1001 }),
    ] {
        let shop = Shop::open(Script {
            refuse: Some(code),
            ..Script::default()
        });
        shop.write(1);
        let wanted = |status: SyncStatus| matches!(status, SyncStatus::Stopped { reason: shown, pending: 1, .. } if shown == reason);
        shop.until(wanted).await;
        shop.script.lock().unwrap().refuse = None;
        shop.handle.hurry();
        shop.synced().await;
    }
    let shop = Shop::open(Script {
        refuse: Some(ErrorCode::Busy),
        ..Script::default()
    });
    shop.pass(5).await;
    assert!(matches!(shop.handle.status(), SyncStatus::Offline { .. }));
    shop.handle.stop();
}

#[tokio::test(start_paused = true)]
async fn answers_that_do_not_fit_the_log_become_reasons() {
    for (refusal, expected) in [
        (LocalLogError::ForeignHistory, StopReason::Forked),
        (LocalLogError::ServerBehind, StopReason::ServerBehind),
    ] {
        let shop = Shop::open(Script::default());
        shop.terminal.0.lock().unwrap().refuses = Some(refusal);
        shop.write(1);
        shop.until(
            |status| matches!(status, SyncStatus::Stopped { reason, .. } if reason == expected),
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_payment_screen_makes_it_read_often() {
    let shop = Shop::open(Script {
        deaf: true,
        ..Script::default()
    });
    shop.synced().await;
    let reads = |shop: &Shop| {
        let script = shop.script.lock().unwrap();
        script
            .requests
            .iter()
            .filter(|line| line.contains("/v1/feed"))
            .count()
    };
    let minute = async |shop: &Shop| {
        let before = reads(shop);
        shop.pass(60).await;
        reads(shop) - before
    };
    assert!((3..=5).contains(&minute(&shop).await));
    let (first, second) = (shop.handle.watch_payment(), shop.handle.watch_payment());
    drop(first);
    assert!((28..=32).contains(&minute(&shop).await));
    drop(second);
    assert!((3..=5).contains(&minute(&shop).await));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_driver_does_nothing() {
    let shop = Shop::open(Script::default());
    shop.synced().await;
    shop.handle.stop();
    shop.pass(1).await;
    let requests = shop.script.lock().unwrap().requests.len();
    shop.write(1);
    shop.handle.hurry();
    shop.pass(600).await;
    assert_eq!(shop.script.lock().unwrap().requests.len(), requests);
}
