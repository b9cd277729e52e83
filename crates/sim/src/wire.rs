//! A terminal's end of the network: what it sends is laid down here, for the world to carry.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::channel::oneshot;
use http::{Request, Response};
use qiantai_core::{Millis, Timestamp};
use qiantai_sync::{ByteStream, Surroundings, Transport, TransportError};
use rand::Rng;

use crate::dice::Dice;
use crate::time::MachineClock;

/// An answer to a call.
pub type Answer = Result<Response<Bytes>, TransportError>;

/// An answer that goes on.
pub type StreamAnswer = Result<Response<ByteStream>, TransportError>;

/// Something that a terminal wants of the world.
pub enum Wish {
    /// Carry a request.
    Call(Request<Bytes>, oneshot::Sender<Answer>),
    /// Open a connection that stays.
    Stream(Request<Bytes>, oneshot::Sender<StreamAnswer>),
    /// Wake the terminal.
    Wake(Timestamp),
}

/// Where one run of a terminal lays down its wishes.
#[derive(Default)]
pub struct Desk(Mutex<Vec<Wish>>);

impl Desk {
    /// Takes the wishes laid down since the last call.
    pub fn take(&self) -> Vec<Wish> {
        std::mem::take(&mut self.lock())
    }

    fn lay(&self, wish: Wish) {
        self.lock().push(wish);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Wish>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the server, for the terminal's client.
pub struct SimTransport(pub Arc<Desk>);

#[async_trait]
impl Transport for SimTransport {
    async fn send(&self, request: Request<Bytes>) -> Answer {
        let (sender, answer) = oneshot::channel();
        self.0.lay(Wish::Call(request, sender));
        answer.await.unwrap_or(Err(TransportError::Interrupted))
    }

    async fn stream(&self, request: Request<Bytes>) -> StreamAnswer {
        let (sender, answer) = oneshot::channel();
        self.0.lay(Wish::Stream(request, sender));
        answer.await.unwrap_or(Err(TransportError::Interrupted))
    }
}

/// Clock, dice and sleep of a terminal's driver.
pub struct SimSurroundings {
    /// The machine's clock.
    pub clock: Arc<MachineClock>,
    /// Where it asks to be woken.
    pub desk: Arc<Desk>,
    /// Its dice.
    pub dice: Mutex<Dice>,
}

#[async_trait]
impl Surroundings for SimSurroundings {
    fn now(&self) -> Timestamp {
        self.clock.shows()
    }

    fn random(&self) -> u64 {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        dice.next_u64()
    }

    async fn sleep(&self, span: Millis) {
        let sky = Arc::clone(self.clock.sky());
        let until = sky.now() + Millis(span.0.max(1));
        self.desk.lay(Wish::Wake(until));
        futures::future::poll_fn(move |_| match sky.now() >= until {
            true => std::task::Poll::Ready(()),
            // The world polls the terminal when it moves the time.
            false => std::task::Poll::Pending,
        })
        .await;
    }
}
