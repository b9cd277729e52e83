//! The line between a terminal and the server: it leads to wherever the server is now, and can be
//! cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Outcome;

/// One terminal's line.
pub struct Line {
    url: String,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    is_cut: bool,
    server: Option<SocketAddr>,
}

impl Line {
    /// A line that leads nowhere yet.
    pub async fn open() -> Outcome<Line> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://{}", listener.local_addr()?);
        let (state, seen) = watch::channel(State::default());
        tokio::spawn(async move {
            // Until the process ends: who cannot be taken now tries again.
            loop {
                if let Ok((terminal, _)) = listener.accept().await {
                    tokio::spawn(carry(terminal, seen.clone()));
                }
            }
        });
        Ok(Line { url, state })
    }

    /// Where a terminal reaches the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server is here now. What leads elsewhere breaks.
    pub fn lead_to(&self, url: &str) -> Outcome<()> {
        let address = url.rsplit('/').next().unwrap_or_default().parse()?;
        self.state.send_modify(|state| state.server = Some(address));
        Ok(())
    }

    /// Breaks what is on the line and lets nothing through, or mends it.
    pub fn cut(&self, is_cut: bool) {
        self.state.send_if_modified(|state| {
            let is_new = state.is_cut != is_cut;
            state.is_cut = is_cut;
            is_new
        });
    }
}

/// Carries one connection until an end of it closes or the line changes.
async fn carry(mut terminal: TcpStream, mut seen: watch::Receiver<State>) {
    let state = *seen.borrow_and_update();
    let Some(server) = state.server.filter(|_| !state.is_cut) else {
        return;
    };
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    tokio::select! {
        // However it ends, both ends see it.
        _ended = copy_bidirectional(&mut terminal, &mut server) => {}
        _changed = seen.changed() => {}
    }
}
