//! A printer that answers, on the network or on USB: it says when its paper is out, and when a slip is out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use qiantai_counter::view::session::PrinterTarget;
use qiantai_print::decode::{Printed, decode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// On until it is dropped.
pub struct TalkingPrinter {
    pub target: PrinterTarget,
    inside: Arc<Mutex<Inside>>,
    works: JoinHandle<()>,
}

#[derive(Default)]
struct Inside {
    /// Lines that the roll still has.
    lines_left: usize,
    cover_open: bool,
    /// It tells by itself, unasked, when its paper ends or is there again.
    reports: bool,
    /// What it last told of its paper.
    told_paper_out: bool,
    /// How often it was called and left again.
    calls: usize,
    /// What came and is not printed.
    buffer: VecDeque<u8>,
    /// Everything on paper, as commands.
    paper: Vec<u8>,
}

impl Drop for TalkingPrinter {
    fn drop(&mut self) {
        self.works.abort();
    }
}

impl TalkingPrinter {
    /// With a roll of so many lines.
    pub async fn with_roll(lines: usize) -> TalkingPrinter {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = at(listener.local_addr().unwrap().port());
        let inside = Arc::new(Mutex::new(Inside {
            lines_left: lines,
            ..Inside::default()
        }));
        let works = tokio::spawn(work(listener, Arc::clone(&inside)));
        TalkingPrinter {
            target,
            inside,
            works,
        }
    }

    /// At the end of a cable on USB, with a roll of so many lines. Its target is the test's to know.
    #[cfg(target_os = "linux")]
    pub fn on_usb(mut cable: qiantai_testkit::UsbCable, lines: usize) -> TalkingPrinter {
        let inside = Arc::new(Mutex::new(Inside {
            lines_left: lines,
            ..Inside::default()
        }));
        let shared = Arc::clone(&inside);
        let works = tokio::spawn(async move {
            serve(&mut cable, &shared).await.unwrap();
        });
        TalkingPrinter {
            target: at(1),
            inside,
            works,
        }
    }

    /// Puts in a new roll.
    pub fn load(&self, lines: usize) {
        self.inside.lock().unwrap().lines_left = lines;
    }

    /// How often it was called and left again.
    pub fn calls(&self) -> usize {
        self.inside.lock().unwrap().calls
    }

    /// Whether nothing that came waits for its turn.
    pub fn keeps_nothing(&self) -> bool {
        self.inside.lock().unwrap().buffer.is_empty()
    }

    /// Lines that the roll still has.
    pub fn lines_left(&self) -> usize {
        self.inside.lock().unwrap().lines_left
    }

    /// From now on it tells by itself how its paper is.
    pub fn report(&self) {
        self.inside.lock().unwrap().reports = true;
    }

    pub fn open_cover(&self, open: bool) {
        self.inside.lock().unwrap().cover_open = open;
    }

    /// Everything on paper so far.
    pub fn printed(&self) -> Vec<Printed> {
        let mut paper = self.inside.lock().unwrap().paper.clone();
        // A roll may end in the middle of a picture or of a command; a line is whole.
        loop {
            match decode(&paper) {
                Ok(printed) => return printed,
                Err(_) => paper.truncate(paper.len() - 1),
            }
        }
    }

    /// The lines of text on paper so far.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.printed().into_iter().filter_map(|done| match done {
            Printed::Line(line) if !line.is_empty() => Some(line),
            _ => None,
        });
        lines.collect()
    }
}

fn at(port: u16) -> PrinterTarget {
    PrinterTarget::Network {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

async fn work(listener: TcpListener, inside: Arc<Mutex<Inside>>) {
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        // A connection that breaks ends; the printer goes on.
        let _broken = serve(&mut connection, &inside).await;
        inside.lock().unwrap().calls += 1;
    }
}

async fn serve<C>(connection: &mut C, inside: &Mutex<Inside>) -> std::io::Result<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = [0; 4_096];
    loop {
        let answers = inside.lock().unwrap().print();
        connection.write_all(&answers).await?;
        let count = match connection.read(&mut bytes).await? {
            0 => return Ok(()),
            count => count,
        };
        inside.lock().unwrap().buffer.extend(&bytes[..count]);
    }
}

impl Inside {
    /// Does what can be done and returns the answers to questions.
    fn print(&mut self) -> Vec<u8> {
        let mut answers = self.at_once();
        while self.lines_left > 0 && !self.cover_open {
            let bytes: &[u8] = self.buffer.make_contiguous();
            let length = match bytes {
                [] | [0x10, ..] => break,
                [0x1d, b'r', 1, ..] => {
                    self.buffer.drain(..3);
                    answers.push(0);
                    continue;
                }
                [0x1d, b'v', b'0', _, x0, x1, y0, y1, ..] => {
                    let side = |low: &u8, high: &u8| usize::from(u16::from_le_bytes([*low, *high]));
                    8 + side(x0, x1) * side(y0, y1)
                }
                [b'\n', ..] => {
                    self.lines_left -= 1;
                    1
                }
                _ => 1,
            };
            if bytes.len() < length {
                break;
            }
            self.paper.extend(self.buffer.drain(..length));
        }
        let paper_out = self.lines_left == 0;
        if self.reports && paper_out != self.told_paper_out {
            self.told_paper_out = paper_out;
            let out = u8::from(paper_out);
            answers.extend([0x10 | out << 3 | out << 5, 0, out * 0x0c, 0x0f]);
        }
        answers
    }

    /// Commands that are obeyed wherever they stand, outside pictures.
    fn at_once(&mut self) -> Vec<u8> {
        let mut answers = Vec::new();
        let mut at = 0;
        loop {
            let bytes = self.buffer.make_contiguous();
            match &bytes[at.min(bytes.len())..] {
                // What is not whole comes with the next bytes.
                [] | [0x10] | [0x10, 0x04] => return answers,
                [0x10, 0x04, which, ..] => {
                    let which = *which;
                    answers.push(self.status(which));
                    self.buffer.drain(at..at + 3);
                }
                [0x10, 0x14, 8, ..] => self.buffer.clear(),
                [0x1d, b'v', b'0', _, x0, x1, y0, y1, ..] => {
                    let side = |low: &u8, high: &u8| usize::from(u16::from_le_bytes([*low, *high]));
                    at += 8 + side(x0, x1) * side(y0, y1);
                }
                _ => at += 1,
            }
        }
    }

    fn status(&self, which: u8) -> u8 {
        let paper_out = self.lines_left == 0;
        0x12 | match which {
            2 => u8::from(self.cover_open) << 2 | u8::from(paper_out) << 5,
            4 => u8::from(paper_out) * 0x60,
            other => panic!("DLE EOT {other}"),
        }
    }
}
