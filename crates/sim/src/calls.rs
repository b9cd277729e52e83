//! The network: what is carried, lost, doubled, delayed and overtaken.

use bytes::Bytes;
use futures::channel::{mpsc, oneshot};
use http::{Request, Response};
use qiantai_core::Millis;
use qiantai_sync::{ByteStream, TransportError};
use rand::RngExt;

use crate::authority::{Answered, Served};
use crate::dice::{chance, mostly_low};
use crate::halt::Step;
use crate::plan::Misfortune;
use crate::wire::{Answer, StreamAnswer};
use crate::world::{Happening, OpenEnd, World};

/// How long a terminal waits for an answer, as its HTTP client does.
const PATIENCE: Millis = Millis::seconds(30);

/// Longest delay of a message in fair weather, in milliseconds.
const DELAY_FAIR: i64 = 80;

/// A call under way.
pub struct Call {
    till: usize,
    generation: u64,
    request: Request<Bytes>,
    sender: Option<oneshot::Sender<Answer>>,
}

impl Call {
    /// Whether its terminal waits for an answer. A call stays known for longer where the network
    /// doubles: its request may still be on the way.
    pub fn is_awaited(&self) -> bool {
        self.sender.is_some()
    }
}

/// What a line does to messages.
#[derive(Clone, Copy, Debug)]
struct Weather {
    loss: u32,
    double: u32,
    delay_ms: i64,
}

impl World {
    /// Whether the line of a terminal is cut.
    pub fn is_cut(&self, till: usize) -> bool {
        self.faults_of(till)
            .any(|misfortune| matches!(misfortune, Misfortune::Cut { .. }))
    }

    fn is_deaf(&self, till: usize) -> bool {
        self.faults_of(till)
            .any(|misfortune| matches!(misfortune, Misfortune::Deaf { .. }))
    }

    /// Faults of a terminal's line in force.
    fn faults_of(&self, till: usize) -> impl Iterator<Item = Misfortune> {
        let seat = self.seats.iter().position(|seated| *seated == till);
        let faults = &self.plan.faults;
        self.active
            .iter()
            .map(move |index| faults[*index].misfortune)
            .filter(move |misfortune| match misfortune {
                Misfortune::Storm { till, .. }
                | Misfortune::Cut { till }
                | Misfortune::Deaf { till } => Some(*till) == seat,
                _ => false,
            })
    }

    fn weather(&self, till: usize) -> Weather {
        let mut weather = Weather {
            loss: 0,
            double: 0,
            delay_ms: DELAY_FAIR,
        };
        for misfortune in self.faults_of(till) {
            if let Misfortune::Storm {
                loss,
                double,
                delay,
                ..
            } = misfortune
            {
                weather.loss = weather.loss.max(loss);
                weather.double = weather.double.max(double);
                weather.delay_ms = weather.delay_ms.max(delay.0);
            }
        }
        weather
    }

    fn delay(&mut self, weather: Weather) -> Millis {
        Millis(1 + mostly_low(&mut self.network, weather.delay_ms))
    }

    /// A terminal sends a request.
    pub fn send(&mut self, till: usize, request: Request<Bytes>, sender: oneshot::Sender<Answer>) {
        let call = self.number();
        let generation = self.tills[till].generation;
        self.carried += 1;
        self.calls.insert(
            call,
            Call {
                till,
                generation,
                request,
                sender: Some(sender),
            },
        );
        if self.is_cut(till) {
            let answer = Err(TransportError::NotSent);
            self.after(Millis(5), Happening::Answer { call, answer });
            return;
        }
        let weather = self.weather(till);
        self.after(PATIENCE, Happening::Expire { call });
        if !chance(&mut self.network, weather.loss) {
            let delay = self.delay(weather);
            self.after(delay, Happening::Arrive { call });
        }
        if chance(&mut self.network, weather.double) {
            let delay = self.delay(weather);
            self.after(delay, Happening::Arrive { call });
        }
    }

    /// A request reaches the server, for the first time or again, or long after its terminal
    /// gave up.
    pub fn arrive(&mut self, call: u64) -> Step {
        let Some(known) = self.calls.get(&call) else {
            return Ok(());
        };
        let (till, request) = (known.till, known.request.clone());
        if self.is_cut(till) {
            return Ok(());
        }
        if !self.authority.is_up() {
            let answer = Err(TransportError::NotSent);
            self.after(Millis(2), Happening::Answer { call, answer });
            return Ok(());
        }
        match self.authority.serve(call, request) {
            Served::Done(answered) => self.send_back(call, answered),
            Served::Waits => {
                if !self.turn_is_due {
                    self.turn_is_due = true;
                    let gather = Millis(self.network.random_range(0..20));
                    self.after(gather, Happening::Turn);
                }
            }
        }
        Ok(())
    }

    /// The server answers.
    pub fn send_back(&mut self, call: u64, answered: Answered) {
        let Some(known) = self.calls.get(&call) else {
            return;
        };
        let till = known.till;
        let weather = self.weather(till);
        if self.is_cut(till) || chance(&mut self.network, weather.loss) {
            if chance(&mut self.network, 50) {
                let answer = Err(TransportError::Interrupted);
                self.after(Millis(50), Happening::Answer { call, answer });
            }
            return;
        }
        let delay = self.delay(weather);
        let answer = Ok(answered);
        self.after(delay, Happening::Answer { call, answer });
    }

    /// An answer, or the lack of one, reaches a terminal. The call stays known for a while: its
    /// request may still be on the way.
    pub fn answer(&mut self, call: u64, answer: Answer) -> Step {
        let is_last = matches!(
            answer,
            Err(TransportError::Timeout | TransportError::NotSent)
        );
        let Some(known) = self.calls.get_mut(&call) else {
            return Ok(());
        };
        let (till, generation) = (known.till, known.generation);
        let sender = known.sender.take();
        let weather_is_fair = self.weather(till).double == 0;
        if is_last || weather_is_fair {
            self.calls.remove(&call);
        }
        let Some(sender) = sender else {
            return Ok(());
        };
        if !self.is_running(till, generation) {
            return Ok(());
        }
        // A driver that no longer waits has dropped its end.
        drop(sender.send(answer));
        self.poll(till)
    }

    /// A terminal asks for live events.
    pub fn connect(
        &mut self,
        till: usize,
        request: Request<Bytes>,
        sender: oneshot::Sender<StreamAnswer>,
    ) -> Step {
        let is_through = !self.is_cut(till) && !self.is_deaf(till) && self.authority.is_up();
        let loss = self.weather(till).loss;
        let lost = chance(&mut self.network, loss);
        if !is_through || lost {
            drop(sender.send(Err(TransportError::NotSent)));
            return self.poll(till);
        }
        let stream = self.number();
        let Some(answered) = self.authority.open_stream(stream, request) else {
            drop(sender.send(Err(TransportError::NotSent)));
            return self.poll(till);
        };
        let (head, _) = answered.into_parts();
        let (frames, body) = mpsc::unbounded();
        if head.status.is_success() {
            let generation = self.tills[till].generation;
            let end = OpenEnd {
                till,
                generation,
                sender: frames,
            };
            self.streams.insert(stream, end);
        }
        let body: ByteStream = Box::pin(body);
        drop(sender.send(Ok(Response::from_parts(head, body))));
        self.tell_frames();
        self.poll(till)
    }

    /// Sends what came on the open streams.
    pub fn tell_frames(&mut self) {
        for (stream, bytes) in self.authority.frames() {
            let Some(end) = self.streams.get(&stream) else {
                continue;
            };
            let till = end.till;
            let is_through = !self.is_cut(till) && !self.is_deaf(till);
            let weather = self.weather(till);
            // A stream that loses something is broken from there on.
            let lost = !is_through || chance(&mut self.network, weather.loss / 4);
            let bytes = bytes.filter(|_| !lost);
            let delay = Millis(1 + self.network.random_range(0..DELAY_FAIR));
            self.after(delay, Happening::Frame { stream, bytes });
        }
    }

    /// A frame reaches its terminal.
    pub fn frame(&mut self, stream: u64, bytes: Option<Bytes>) -> Step {
        let Some(end) = self.streams.get(&stream) else {
            return Ok(());
        };
        let (till, generation) = (end.till, end.generation);
        let running = self.is_running(till, generation);
        let delivered = match bytes {
            Some(bytes) if running => end.sender.unbounded_send(Ok(bytes)).is_ok(),
            _ => false,
        };
        if !delivered {
            self.streams.remove(&stream);
            self.authority.close_stream(stream);
        }
        match running {
            true => self.poll(till),
            false => Ok(()),
        }
    }

    /// Breaks the live events of every terminal that `is_hit`.
    pub fn break_streams(&mut self, is_hit: impl Fn(&OpenEnd) -> bool) -> Step {
        let hit = self.streams.iter().filter(|(_, end)| is_hit(end));
        let hit: Vec<u64> = hit.map(|(stream, _)| *stream).collect();
        for stream in hit {
            self.frame(stream, None)?;
        }
        Ok(())
    }
}
