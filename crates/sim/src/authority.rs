//! The server: router, writer and ledger of the product, one step at a time.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use ed25519_dalek::VerifyingKey;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::{Request, Response};
use http_body_util::BodyExt;
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_server::backup::backup;
use qiantai_server::db::{Batch, Head, Ledger};
use qiantai_server::replay::follow;
use qiantai_server::restore::{Allowed, restore_to_folder};
use qiantai_server::sample::{self, SeededShop, ShopKind};
use qiantai_server::writer::{OwnOperation, WriterTurns};
use qiantai_server::{Channels, Server};
use qiantai_wire::api::OpResultDto;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use uuid::Uuid;

use crate::bug::Bug;
use crate::halt::{Halt, Invariant, Step};
use crate::image::{self, Shelf};
use crate::ledger::{FILE, SimLedger};
use crate::time::{MachineClock, Sky};

/// Of every backup.
const KEY: [u8; 32] = [8; 32];

/// Nothing says who went out of service since the backup, so somebody has looked.
const CHECKED: Allowed = Allowed {
    replace: false,
    terminals_checked: true,
};

pub type Working<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An answer of the server, whole.
pub type Answered = Response<Bytes>;

/// The server's machine.
pub struct Authority {
    /// Its clock.
    pub clock: Arc<MachineClock>,
    /// Whose books.
    pub shop: SeededShop,
    /// The server as a device.
    pub device: DeviceId,
    /// The key that it signs with.
    pub server_key: VerifyingKey,
    runtime: Runtime,
    shelf: Shelf,
    folder: PathBuf,
    /// Of the ledger, once it was restored.
    key: Option<[u8; 32]>,
    up: Option<Up>,
    boots: u32,
    bug: Option<Bug>,
    channels: Channels,
    disk_full: bool,
    /// A second server that replays the log, and of which timeline.
    copy: Option<(u32, Server)>,
}

struct Up {
    server: Server,
    router: Router,
    ledger: Arc<SimLedger>,
    turns: WriterTurns,
    handling: Vec<(u64, Working<Answered>)>,
    streams: Vec<(u64, BoxStream<'static, Result<Bytes, axum::Error>>)>,
}

/// How far a request has come.
pub enum Served {
    /// Answered.
    Done(Answered),
    /// It waits for the writer.
    Waits,
}

/// What a turn of the writer brought.
#[derive(Default)]
pub struct Turned {
    /// Answers to calls that waited.
    pub answers: Vec<(u64, Answered)>,
    /// What was written.
    pub tape: Vec<Batch>,
    /// Whether the machine died at it.
    pub died: bool,
}

impl Authority {
    /// A server with a sample shop, switched on, and the batches that made the shop.
    pub fn open(
        root: &Path,
        sky: &Arc<Sky>,
        kind: ShopKind,
        members: usize,
        seed: u64,
        bug: Option<Bug>,
    ) -> Step<(Authority, Vec<Batch>)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Nothing here may depend on how long anything takes, nor on which of two is first.
            .start_paused(true)
            .max_blocking_threads(1)
            .build()?;
        let mut shelf = Shelf::new(root.to_owned());
        let folder = shelf.next()?;
        let clock = MachineClock::new(sky);
        let ledger = SimLedger::open(&folder, None, None)?;
        let (server, _) = Server::by_turns(
            Arc::clone(&ledger) as _,
            Arc::clone(&clock) as _,
            Channels::default(),
            Uuid::from_u128(1),
        )?;
        let shop = runtime.block_on(sample::seed(&server, kind, members, seed))?;
        let mut tenants = server.tenants()?.into_iter();
        let tenant = tenants.find(|row| row.id == shop.tenant);
        let tenant = tenant.expect("the shop that was made is there");
        let device = tenant.server_device;
        let server_key = tenant.signing_key().verifying_key();
        runtime.block_on(server.stop());
        let tape = ledger.take_tape();
        drop((server, ledger));
        let mut authority = Authority {
            clock,
            shop,
            device,
            server_key,
            runtime,
            shelf,
            folder,
            key: None,
            up: None,
            boots: 1,
            bug,
            channels: Channels::default(),
            disk_full: false,
            copy: None,
        };
        authority.start()?;
        Ok((authority, tape))
    }

    /// Switches it on, on what its disk holds.
    pub fn start(&mut self) -> Step {
        self.boots += 1;
        let ledger = SimLedger::open(&self.folder, self.key, self.bug)?;
        ledger.fill_disk(self.disk_full)?;
        let (server, mut writers) = Server::by_turns(
            Arc::clone(&ledger) as _,
            Arc::clone(&self.clock) as _,
            self.channels.clone(),
            Uuid::from_u128(u128::from(self.boots)),
        )?;
        let turns = writers.pop().expect("the ledger has one tenant");
        self.up = Some(Up {
            router: server.router(),
            server,
            ledger,
            turns,
            handling: Vec::new(),
            streams: Vec::new(),
        });
        Ok(())
    }

    /// Gives it gateways, from its next start on.
    pub fn equip(&mut self, channels: Channels) {
        self.channels = channels;
    }

    /// Ends it at once; what was written is on the disk.
    pub fn die(&mut self) -> io::Result<()> {
        let fresh = self.shelf.next()?;
        let with_log = self.bug != Some(Bug::LogLost);
        image::copy(&self.folder, &fresh, FILE, with_log)?;
        self.lose_power();
        self.folder = fresh;
        Ok(())
    }

    /// Writes a backup beside the running server; none while it is off or has no room.
    pub fn back_up(&mut self) -> Step<Option<PathBuf>> {
        let file = self.shelf.next()?.join("books.backup");
        let Some(ledger) = self.ledger().filter(|_| !self.disk_full) else {
            return Ok(None);
        };
        let made = backup(&ledger.inner, &file, KEY, self.clock.shows())?;
        Ok(Some(made.path))
    }

    /// The disk is lost, and what a backup holds stands on another one, switched off.
    pub fn restore(&mut self, file: &Path) -> Step {
        self.lose_power();
        let fresh = self.shelf.next()?;
        if self.bug == Some(Bug::TimelineNotBegun) {
            std::fs::copy(file, fresh.join(FILE))?;
        } else {
            restore_to_folder(file, KEY, &fresh, CHECKED, self.clock.shows())?;
        }
        self.folder = fresh;
        self.key = Some(KEY);
        self.disk_full = false;
        Ok(())
    }

    fn lose_power(&mut self) {
        let _guard = self.runtime.enter();
        self.up = None;
    }

    /// Whether it is on.
    pub fn is_up(&self) -> bool {
        self.up.is_some()
    }

    /// Whose books.
    pub fn tenant(&self) -> TenantId {
        self.shop.tenant
    }

    /// Its ledger, while it is on.
    pub fn ledger(&self) -> Option<&Arc<SimLedger>> {
        self.up.as_ref().map(|up| &up.ledger)
    }

    /// Where its log stands, while it is on.
    pub fn head(&self) -> Step<Option<Head>> {
        let ledger = self.ledger();
        let head = ledger
            .map(|ledger| ledger.head(self.tenant()))
            .transpose()?;
        Ok(head)
    }

    /// Lets its disk be full from now on, or not.
    pub fn fill_disk(&mut self, full: bool) -> Step {
        self.disk_full = full;
        if let Some(ledger) = self.ledger() {
            ledger.fill_disk(full)?;
        }
        Ok(())
    }

    /// Whether its disk is full.
    pub fn is_disk_full(&self) -> bool {
        self.disk_full
    }

    /// Takes a request until it is answered or waits for the writer. The server must be on.
    pub fn serve(&mut self, call: u64, request: Request<Bytes>) -> Served {
        let Some(up) = &mut self.up else {
            return Served::Waits;
        };
        let before = up.turns.waiting();
        let mut working = handle(up.router.clone(), request);
        let turns = &up.turns;
        let answered = self.runtime.block_on(futures::future::poll_fn(|context| {
            match working.as_mut().poll(context) {
                Poll::Ready(answered) => Poll::Ready(Some(answered)),
                Poll::Pending if turns.waiting() > before => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        }));
        match answered {
            Some(answered) => Served::Done(answered),
            None => {
                up.handling.push((call, working));
                Served::Waits
            }
        }
    }

    /// Lets the writer write what waits, in batches of its own making.
    pub fn turn(&mut self) -> Turned {
        let Some(up) = &mut self.up else {
            return Turned::default();
        };
        let mut turned = Turned::default();
        loop {
            while !up.ledger.trap.is_sprung() && up.turns.turn() {}
            turned.tape.extend(up.ledger.take_tape());
            if up.ledger.trap.is_sprung() {
                turned.died = true;
                turned.answers.clear();
                return turned;
            }
            // Whoever wrote may read what came of it, and write again.
            for (call, mut working) in std::mem::take(&mut up.handling) {
                let turns = &up.turns;
                // What another waits for is not its: it reads before the next write, not beside it.
                let before = turns.waiting();
                let answered = self.runtime.block_on(futures::future::poll_fn(|context| {
                    match working.as_mut().poll(context) {
                        Poll::Ready(answered) => Poll::Ready(Some(answered)),
                        Poll::Pending if turns.waiting() > before => Poll::Ready(None),
                        Poll::Pending => Poll::Pending,
                    }
                }));
                match answered {
                    Some(answered) => turned.answers.push((call, answered)),
                    None => up.handling.push((call, working)),
                }
            }
            if up.handling.is_empty() {
                return turned;
            }
        }
    }

    /// Writes operations of the server itself, with whatever else waits. `None` when it is off
    /// or dies.
    pub fn say(
        &mut self,
        operations: Vec<OwnOperation>,
    ) -> Step<(Option<Vec<OpResultDto>>, Turned)> {
        let tenant = self.tenant();
        let Some(up) = &self.up else {
            return Ok((None, Turned::default()));
        };
        let server = up.server.clone();
        let mut saying: Working<_> = Box::pin(async move { server.say(tenant, operations).await });
        let queued = futures::future::poll_fn(|context| {
            let early = saying.as_mut().poll(context);
            Poll::Ready(matches!(early, Poll::Ready(_)))
        });
        if self.runtime.block_on(queued) {
            let detail = "the writer does not take the server's own words".to_owned();
            return Err(Halt::Violated(Invariant::KeepsWorking, detail));
        }
        let turned = self.turn();
        if turned.died {
            return Ok((None, turned));
        }
        let said = self.runtime.block_on(saying);
        Ok((said.ok(), turned))
    }

    /// The server and its books, while it is on.
    pub fn serving(&self) -> Option<(Server, Arc<SimLedger>)> {
        let up = self.up.as_ref()?;
        Some((up.server.clone(), Arc::clone(&up.ledger)))
    }

    /// Takes a request and lets the writer write until it is answered. `None` when it is off or
    /// dies.
    pub fn call(&mut self, request: Request<Bytes>) -> (Option<Answered>, Turned) {
        match self.up.as_ref().map(|up| up.router.clone()) {
            Some(router) => self.drive(handle(router, request)),
            None => (None, Turned::default()),
        }
    }

    /// Does everything about payments that is due, unless it is off.
    pub fn settle(&mut self) -> Step<Turned> {
        let Some(server) = self.up.as_ref().map(|up| up.server.clone()) else {
            return Ok(Turned::default());
        };
        let (settled, turned) = self.drive(Box::pin(async move { server.settle_due().await }));
        match settled {
            Some(Err(error)) if !turned.died => Err(error.into()),
            _ => Ok(turned),
        }
    }

    /// Works until `work` is done, and lets the writer write whenever something waits for it.
    pub fn drive<T>(&mut self, mut work: Working<T>) -> (Option<T>, Turned) {
        let Some(up) = &mut self.up else {
            return (None, Turned::default());
        };
        let mut turned = Turned::default();
        let done = loop {
            let turns = &mut up.turns;
            let done = self.runtime.block_on(futures::future::poll_fn(|context| {
                match work.as_mut().poll(context) {
                    Poll::Ready(done) => Poll::Ready(Some(done)),
                    // Also what a task of the server's own calls for, while `work` waits for it.
                    Poll::Pending => turns.poll_waiting(context).map(|()| None),
                }
            }));
            if done.is_some() {
                break done;
            }
            // What others read now, they read before the write and not beside it.
            let read = tokio::task::spawn_blocking;
            let idle = self.runtime.block_on(async { read(|| ()).await });
            if idle.is_err() {
                break None;
            }
            while !up.ledger.trap.is_sprung() && up.turns.turn() {}
            if up.ledger.trap.is_sprung() {
                turned.died = true;
                break None;
            }
        };
        // What is kept beside the log is written without the writer.
        turned.died |= up.ledger.trap.is_sprung();
        turned.tape = up.ledger.take_tape();
        let _guard = self.runtime.enter();
        drop(work);
        (done, turned)
    }

    /// Opens a stream of live events; `None` when it is refused.
    pub fn open_stream(&mut self, stream: u64, request: Request<Bytes>) -> Option<Answered> {
        let up = self.up.as_mut()?;
        let router = up.router.clone();
        let response = self.runtime.block_on(async move {
            let answer = router.oneshot(request.map(Body::from)).await;
            answer.unwrap_or_else(|never| match never {})
        });
        let (head, body) = response.into_parts();
        let answered = Response::from_parts(head, Bytes::new());
        if answered.status().is_success() {
            up.streams
                .push((stream, StreamExt::boxed(body.into_data_stream())));
        }
        Some(answered)
    }

    /// Frames that came on the open streams, and streams that ended.
    pub fn frames(&mut self) -> Vec<(u64, Option<Bytes>)> {
        let Some(up) = &mut self.up else {
            return Vec::new();
        };
        let streams = &mut up.streams;
        let mut frames = Vec::new();
        self.runtime.block_on(futures::future::poll_fn(|context| {
            streams.retain_mut(|(stream, body)| {
                loop {
                    match body.poll_next_unpin(context) {
                        Poll::Ready(Some(Ok(bytes))) => frames.push((*stream, Some(bytes))),
                        Poll::Ready(None | Some(Err(_))) => {
                            frames.push((*stream, None));
                            return false;
                        }
                        Poll::Pending => return true,
                    }
                }
            });
            Poll::Ready(())
        }));
        frames
    }

    /// Forgets a stream whose other end is gone.
    pub fn close_stream(&mut self, stream: u64) {
        let _guard = self.runtime.enter();
        if let Some(up) = &mut self.up {
            up.streams.retain(|(open, _)| *open != stream);
        }
    }

    /// Replays what is new in the log and compares the digests; returns the digest.
    pub fn replayed_digest(&mut self) -> Step<[u8; 32]> {
        let tenant = self.tenant();
        let ledger = Arc::clone(self.ledger().expect("the server is on at an audit"));
        let copy = self.copy_of(ledger.head(tenant)?.timeline, &ledger)?;
        let outcome = self
            .runtime
            .block_on(follow(ledger.as_ref(), tenant, &copy));
        let violated = |detail| Err(Halt::Violated(Invariant::ReplayIdentical, detail));
        if let Err(error) = outcome {
            return violated(format!("the log cannot be replayed: {error}"));
        }
        let (digest, again) = (ledger.digest(tenant)?, copy.ledger().digest(tenant)?);
        if digest != again {
            let (digest, again) = (hex::encode(digest), hex::encode(again));
            return violated(format!("digest {digest}, replayed {again}"));
        }
        Ok(digest)
    }

    /// The second server for a timeline. Another one begins with empty books, as an adoption does.
    fn copy_of(&mut self, timeline: u32, from: &SimLedger) -> Step<Server> {
        if let Some((known, copy)) = &self.copy
            && *known == timeline
        {
            return Ok(copy.clone());
        }
        self.end_copy();
        let ledger = SimLedger::open(&self.shelf.next()?, None, None)?;
        for tenant in from.tenants()? {
            ledger.create_tenant(&tenant, self.clock.shows())?;
        }
        let clock = Arc::clone(&self.clock) as _;
        let copy = Server::on_ledger(ledger, clock, Channels::default())?;
        self.copy = Some((timeline, copy.clone()));
        Ok(copy)
    }

    fn end_copy(&mut self) {
        if let Some((_, copy)) = self.copy.take() {
            self.runtime.block_on(copy.stop());
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.end_copy();
    }
}

fn handle(router: Router, request: Request<Bytes>) -> Working<Answered> {
    Box::pin(async move {
        let answer = router.oneshot(request.map(Body::from)).await;
        let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
        let bytes = match body.collect().await {
            Ok(whole) => whole.to_bytes(),
            Err(_) => Bytes::new(),
        };
        Response::from_parts(head, bytes)
    })
}
