//! The bell of a data folder: a second start there rings it, and the window that is open comes to
//! the front.
//!
//! Not by the name of the application, as libraries for this do: shops side by side on one machine,
//! and training beside a shop, are different folders and each may be open.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Says where the bell hangs and by which word it is rung. What an earlier start left in it rings
/// nowhere.
const FILE: &str = "bell";
const WORD_BYTES: usize = 16;
/// What the window's process answers once it is in front.
const IN_FRONT: &[u8] = b"in front\n";
const NOBODY: &[u8] = b"nobody\n";
const CONNECTED_WITHIN: Duration = Duration::from_secs(1);
/// A window that is only just opening answers when it is there.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);
/// How long whoever rings may take to say the word.
const SAID_WITHIN: Duration = Duration::from_secs(2);

/// A bell that hangs: whoever rings is heard once [`Bell::answer`] runs.
#[derive(Debug)]
pub struct Bell {
    listener: TcpListener,
    word: String,
}

impl Bell {
    /// Hangs the bell of `folder`, which must be ours.
    ///
    /// # Errors
    /// Where this machine gives no port of its own, no random numbers, or no room in the folder.
    pub fn hang(folder: &Path) -> io::Result<Bell> {
        let mut bytes = [0; WORD_BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let word: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        std::fs::write(folder.join(FILE), format!("{port} {word}\n"))?;
        Ok(Bell { listener, word })
    }

    /// Answers whoever rings for as long as the runtime lives; `come` brings the window to the
    /// front and says whether there was one.
    ///
    /// # Errors
    /// Where the bell fell down.
    pub async fn answer(self, come: impl Fn() -> bool) -> io::Result<()> {
        self.listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let heard = tokio::time::timeout(SAID_WITHIN, hear(stream, &self.word, &come)).await;
            if let Ok(Err(error)) = heard {
                tracing::debug!(%error, "somebody rang and went away");
            }
        }
    }
}

async fn hear(
    mut stream: tokio::net::TcpStream,
    word: &str,
    come: impl Fn() -> bool,
) -> io::Result<()> {
    let mut said = [0; WORD_BYTES * 2];
    stream.read_exact(&mut said).await?;
    let ours = said == *word.as_bytes();
    let answer = if ours && come() { IN_FRONT } else { NOBODY };
    stream.write_all(answer).await
}

/// Rings the bell of `folder`; whether the window that is open there came to the front.
pub fn ring(folder: &Path) -> bool {
    match try_ring(folder) {
        Ok(came) => came,
        Err(error) => {
            tracing::debug!(%error, "nobody came to the door");
            false
        }
    }
}

fn try_ring(folder: &Path) -> io::Result<bool> {
    let text = std::fs::read_to_string(folder.join(FILE))?;
    let (port, word) = text.trim().split_once(' ').ok_or_else(unreadable)?;
    let port: u16 = port.parse().map_err(|_| unreadable())?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, CONNECTED_WITHIN)?;
    stream.set_write_timeout(Some(CONNECTED_WITHIN))?;
    stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
    stream.write_all(word.as_bytes())?;
    let mut answer = [0; IN_FRONT.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer == *IN_FRONT)
}

fn unreadable() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the bell cannot be read")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    async fn rung(folder: &Path) -> bool {
        let folder = PathBuf::from(folder);
        let rings = tokio::task::spawn_blocking(move || ring(&folder));
        rings.await.expect("it rings or not")
    }

    #[tokio::test]
    async fn whoever_is_there_comes() {
        for at_home in [true, false] {
            let folder = TempDir::new().expect("a folder");
            let bell = Bell::hang(folder.path()).expect("a bell");
            let answering = tokio::spawn(bell.answer(move || at_home));
            for _ in 0..2 {
                assert_eq!(rung(folder.path()).await, at_home);
            }
            answering.abort();
        }
    }

    #[tokio::test]
    async fn a_bell_of_another_time_rings_nowhere() {
        let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = stranger.local_addr().expect("it is bound").port();
        let left = std::thread::spawn(move || {
            let (mut caller, _) = stranger.accept().expect("somebody rings");
            caller.write_all(b"220 mail.example ESMTP\r\n")
        });
        let other = TempDir::new().expect("a folder");
        let bell = Bell::hang(other.path()).expect("a bell");
        let bells_port = bell.listener.local_addr().expect("it is bound").port();
        let answering = tokio::spawn(bell.answer(|| true));
        let wrong_word = format!("{bells_port} {}\n", "0".repeat(WORD_BYTES * 2));
        let stranger = format!("{port} {}\n", "0".repeat(WORD_BYTES * 2));
        for text in [
            None,
            Some(""),
            Some("x y"),
            Some(&wrong_word),
            Some(&stranger),
        ] {
            let folder = TempDir::new().expect("a folder");
            if let Some(text) = text {
                std::fs::write(folder.path().join(FILE), text).expect("it is ours");
            }
            assert!(!rung(folder.path()).await, "{text:?}");
        }
        assert!(rung(other.path()).await, "its own word still rings");
        answering.abort();
        left.join().expect("it was rung").expect("it answered");
    }
}
