//! What stands on the customer's display: the order on the counter's screen, told by that window
//! and followed by the counter's own events.

use std::sync::Arc;

use qiantai_counter::api::CounterApi;
use qiantai_counter::customer;
use qiantai_counter::error::CallError;
use qiantai_counter::view::boot::BootState;
use qiantai_counter::view::customer::{CustomerDisplay, CustomerView};
use qiantai_counter::view::event::CounterEvent;
use qiantai_counter::view::order::{OrderKey, OrderView};
use qiantai_counter::view::session::SessionView;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

/// What the display needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Where it is to be.
    pub display: CustomerDisplay,
    /// What it shows.
    pub view: CustomerView,
}

/// Id of the order on the counter's screen.
pub type FollowedOrder = Option<String>;

/// Feeds `display` for as long as the counter speaks.
pub async fn run(
    counter: Arc<dyn CounterApi>,
    mut events: broadcast::Receiver<CounterEvent>,
    mut followed: watch::Receiver<FollowedOrder>,
    display: watch::Sender<Option<Feed>>,
) {
    let mut shown = Shown::default();
    loop {
        if let Err(error) = shown.catch_up(counter.as_ref(), &followed).await {
            tracing::warn!(?error, "the customer's display may be behind");
        }
        shown.publish(&display);
        let news = loop {
            tokio::select! {
                changed = followed.changed() => match changed {
                    Ok(()) => break News::Nothing,
                    Err(_) => return,
                },
                event = events.recv() => match shown.news(event) {
                    News::Nothing => {}
                    news => break news,
                },
            }
        };
        match news {
            News::Nothing => {}
            News::Order(order) => shown.order = Some(*order),
            News::Looks => shown.session = None,
            News::Everything => shown = Shown::default(),
            News::End => return,
        }
    }
}

/// What an event means for the display.
enum News {
    Nothing,
    Order(Box<OrderView>),
    Looks,
    Everything,
    End,
}

/// What is known. Whatever is missing is asked for.
#[derive(Default)]
struct Shown {
    training: bool,
    session: Option<SessionView>,
    order: Option<OrderView>,
}

impl Shown {
    fn news(&self, event: Result<CounterEvent, RecvError>) -> News {
        match event {
            Ok(CounterEvent::Order { order }) => {
                match self
                    .order
                    .as_ref()
                    .is_some_and(|shown| shown.id == order.id)
                {
                    true => News::Order(order),
                    false => News::Nothing,
                }
            }
            Ok(CounterEvent::Session) => News::Looks,
            Ok(CounterEvent::Boot) | Err(RecvError::Lagged(_)) => News::Everything,
            Ok(_) => News::Nothing,
            Err(RecvError::Closed) => News::End,
        }
    }

    async fn catch_up(
        &mut self,
        counter: &dyn CounterApi,
        followed: &watch::Receiver<FollowedOrder>,
    ) -> Result<(), CallError> {
        if self.session.is_none() {
            let status = counter.boot_status(()).await?;
            if status.state != BootState::Ready {
                return Ok(());
            }
            self.training = status.training.is_some();
            self.session = Some(counter.session(()).await?);
        }
        let wanted = followed.borrow().clone();
        match wanted {
            None => self.order = None,
            Some(order_id) if self.order.as_ref().is_none_or(|order| order.id != order_id) => {
                self.order = None;
                self.order = Some(counter.order(OrderKey { order_id }).await?);
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn publish(&self, display: &watch::Sender<Option<Feed>>) {
        let feed = self.session.as_ref().map(|session| Feed {
            display: session.settings.customer_display,
            view: customer::view(session, self.training, self.order.as_ref()),
        });
        display.send_if_modified(|before| {
            let changed = *before != feed;
            *before = feed;
            changed
        });
    }
}
