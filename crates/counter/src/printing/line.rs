//! A line to a receipt printer, by network or by USB: raw ESC/POS, and what the printer says about
//! its paper if it says anything (Epson ESC/POS: `DLE EOT`, `GS r`, `DLE DC4`).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::printer::{NotReady, PrinterTrouble};

/// A slow printer takes a slip within this time.
const WRITE_MAX: Duration = Duration::from_secs(20);
/// Whoever answers questions at all answers the first one within this time. Every slip for a
/// printer that does not pays it.
const FIRST_ANSWER_MAX: Duration = Duration::from_millis(700);
/// A printer that answers and is busy answers within this time.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// How often a printer is asked while it prints.
const GLANCE: Duration = Duration::from_millis(500);
/// A slip is out within this time, or the printer does not tell when one is.
const FINISH_MAX: Duration = Duration::from_secs(20);

/// `DLE EOT n`: answered at once, in the middle of a slip and without paper as well.
const fn status_now(which: u8) -> [u8; 3] {
    [0x10, 0x04, which]
}
/// Why the printer is off line.
const OFFLINE_CAUSE: u8 = 2;
/// The paper sensors.
const PAPER: u8 = 4;
/// `GS r 1`: answered in its turn, when everything before it was printed.
const TELL_WHEN_DONE: [u8; 3] = [0x1d, b'r', 1];
/// `DLE DC4 8`: forgets what it has not printed yet.
const CLEAR_BUFFERS: [u8; 10] = [0x10, 0x14, 8, 1, 3, 20, 1, 6, 2, 8];

/// What carries bytes to a printer, and back if it answers. Flushed, the printer has them.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// A connection to a printer.
pub struct Line {
    stream: Box<dyn Wire>,
    /// It answered when it was asked.
    answers: bool,
    /// It said that everything before [`TELL_WHEN_DONE`] is out.
    is_out: bool,
    /// Bytes still to come of a report that nobody asked for.
    report_left: u8,
}

impl Line {
    /// To the printer at the other end of `stream`, which has no byte yet.
    pub fn over(stream: impl Wire + 'static) -> Line {
        Line {
            stream: Box::new(stream),
            answers: false,
            is_out: false,
            report_left: 0,
        }
    }

    /// Asks the printer whether it can print. One that does not answer is taken to be able to.
    ///
    /// # Errors
    /// [`PrinterTrouble::NotReady`], [`PrinterTrouble::TakesNothing`], or
    /// [`PrinterTrouble::Unreachable`] when it hung up.
    pub async fn ask(&mut self) -> Result<(), PrinterTrouble> {
        match self.status(FIRST_ANSWER_MAX).await {
            Ok(Some(Some(cause))) => Err(PrinterTrouble::NotReady(cause)),
            Ok(Some(None)) => {
                self.answers = true;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                Err(PrinterTrouble::TakesNothing)
            }
            Err(_) => Err(PrinterTrouble::Unreachable),
        }
    }

    /// Sends a slip. A printer that answers is watched until the slip is out.
    ///
    /// # Errors
    /// [`PrinterTrouble::Stopped`] when it says why it stopped, else
    /// [`PrinterTrouble::Interrupted`].
    pub async fn print(mut self, bytes: &[u8]) -> Result<(), PrinterTrouble> {
        if !self.answers {
            return self.send(bytes).await;
        }
        let sent = async {
            self.put(bytes).await?;
            self.put(&TELL_WHEN_DONE).await
        };
        match timeout(WRITE_MAX, sent).await {
            Ok(Ok(())) => self.until_out().await,
            Ok(Err(_)) | Err(_) => Err(PrinterTrouble::Interrupted),
        }
    }

    /// Sends bytes and hangs up.
    ///
    /// # Errors
    /// [`PrinterTrouble::Interrupted`].
    pub async fn send(mut self, bytes: &[u8]) -> Result<(), PrinterTrouble> {
        let sent = async {
            self.put(bytes).await?;
            self.stream.shutdown().await
        };
        match timeout(WRITE_MAX, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(PrinterTrouble::Interrupted),
        }
    }

    async fn until_out(&mut self) -> Result<(), PrinterTrouble> {
        let until = Instant::now() + FINISH_MAX;
        loop {
            match timeout(GLANCE, self.answer()).await {
                // A late answer to an earlier question, unless the slip is out.
                Ok(Ok(_)) if !self.is_out => continue,
                Ok(Err(_)) => return Err(PrinterTrouble::Interrupted),
                Ok(Ok(_)) | Err(_) => {}
            }
            if self.is_out {
                return Ok(());
            }
            match self.status(ANSWER_MAX).await {
                Ok(_) if self.is_out => return Ok(()),
                Ok(Some(Some(cause))) => return Err(self.give_up(cause).await),
                Ok(Some(None)) if Instant::now() < until => {}
                // Nothing is wrong with it: it is of those that do not tell when a slip is out.
                Ok(Some(None)) => return Ok(()),
                Ok(None) | Err(_) => return Err(PrinterTrouble::Interrupted),
            }
        }
    }

    /// What the printer has not printed of a broken slip must not come out later, beside the
    /// whole slip that follows.
    async fn give_up(&mut self, cause: NotReady) -> PrinterTrouble {
        match timeout(ANSWER_MAX, self.put(&CLEAR_BUFFERS)).await {
            Ok(Ok(())) => {}
            // The rest comes out too; the next slip says that this one is void.
            Ok(Err(_)) | Err(_) => tracing::warn!("the printer keeps the rest of a slip"),
        }
        PrinterTrouble::Stopped(cause)
    }

    /// `None` when it does not answer, else what keeps it from printing, if anything does.
    async fn status(&mut self, patience: Duration) -> io::Result<Option<Option<NotReady>>> {
        let Some(offline) = self.question(OFFLINE_CAUSE, patience).await? else {
            return Ok(None);
        };
        let Some(paper) = self.question(PAPER, ANSWER_MAX).await? else {
            return Ok(None);
        };
        Ok(Some(cause(offline, paper)))
    }

    async fn question(&mut self, which: u8, patience: Duration) -> io::Result<Option<u8>> {
        // One that takes no question now takes no slip either.
        timeout(patience, self.put(&status_now(which))).await??;
        let answer = async {
            loop {
                let byte = self.answer().await?;
                if is_status(byte) {
                    return io::Result::Ok(byte);
                }
            }
        };
        match timeout(patience, answer).await {
            Ok(answer) => answer.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next byte that answers a question. Reports that the printer sends by itself are read
    /// over; given up halfway, nothing of one is lost.
    async fn answer(&mut self) -> io::Result<u8> {
        loop {
            let byte = self.stream.read_u8().await?;
            if self.report_left > 0 {
                self.report_left -= 1;
            } else if begins_report(byte) {
                self.report_left = 3;
            } else {
                self.is_out |= is_done(byte);
                return Ok(byte);
            }
        }
    }
}

/// Automatic status (`GS a`) comes in four bytes together. The first has bit 4 set, and bits 0, 1
/// and 7 not; the others look like answers to `GS r`.
fn begins_report(byte: u8) -> bool {
    byte & 0b1001_0011 == 0b0001_0000
}

/// Answers to `DLE EOT` have bits 1 and 4 set, and bits 0 and 7 not.
fn is_status(byte: u8) -> bool {
    byte & 0b1001_0011 == 0b0001_0010
}

/// Answers to `GS r` have bits 4 and 7 not set.
fn is_done(byte: u8) -> bool {
    byte & 0b1001_0000 == 0
}

fn cause(offline: u8, paper: u8) -> Option<NotReady> {
    let is_set = |byte: u8, bits: u8| byte & bits != 0;
    if is_set(offline, 0b0010_0000) || is_set(paper, 0b0110_0000) {
        Some(NotReady::PaperOut)
    } else if is_set(offline, 0b0000_0100) {
        Some(NotReady::CoverOpen)
    } else if is_set(offline, 0b0100_0000) {
        Some(NotReady::Fault)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_the_manual_says() {
        let cases = [
            ("fine", 0x12, 0x12, None),
            ("near the end of the roll", 0x12, 0x1e, None),
            (
                "no paper, by the sensor",
                0x12,
                0x72,
                Some(NotReady::PaperOut),
            ),
            (
                "stopped for lack of paper",
                0x32,
                0x12,
                Some(NotReady::PaperOut),
            ),
            ("cover open", 0x16, 0x12, Some(NotReady::CoverOpen)),
            // A cover stands open while the roll is changed: the paper is what is missing.
            ("cover open, no paper", 0x36, 0x72, Some(NotReady::PaperOut)),
            ("cutter", 0x52, 0x12, Some(NotReady::Fault)),
        ];
        for (name, offline, paper, expected) in cases {
            assert!(is_status(offline) && is_status(paper), "{name}");
            assert!(!is_done(offline) && !is_done(paper), "{name}");
            assert!(!begins_report(offline) && !begins_report(paper), "{name}");
            assert_eq!(cause(offline, paper), expected, "{name}");
        }
        for done in [0x00, 0x03, 0x0c, 0x0f] {
            assert!(is_done(done) && !is_status(done), "{done:#x}");
            assert!(!begins_report(done), "{done:#x}");
        }
        for report in [0x10, 0x14, 0x18, 0x38, 0x5c] {
            assert!(begins_report(report), "{report:#x}");
            assert!(!is_done(report) && !is_status(report), "{report:#x}");
        }
    }
}
