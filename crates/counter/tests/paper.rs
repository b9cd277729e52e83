//! What came out of the printer.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use qiantai_counter::view::order::OrderView;
use qiantai_print::decode::{Printed, decode, escpos_text};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use qiantai_counter::view::session::PrinterTarget;

/// Longer than a queue waits between two tries.
const PATIENCE: Duration = Duration::from_secs(120);

/// A slip in the receipt folder.
pub struct Paper {
    pub escpos: Vec<u8>,
    pub pdf: Vec<u8>,
}

impl Paper {
    /// The slip called `<order number>-<suffix>`.
    pub fn of(folder: &Path, order: &OrderView, suffix: &str) -> Paper {
        let read = |ending: &str| {
            let name = format!("{}-{suffix}.{ending}", order.order_no);
            std::fs::read(folder.join("receipts").join(&name)).expect(&name)
        };
        Paper {
            escpos: read("escpos"),
            pdf: read("pdf"),
        }
    }

    pub fn lines(&self) -> Vec<String> {
        escpos_text(&self.escpos).unwrap()
    }

    pub fn pulses(&self) -> usize {
        pulses(&self.escpos)
    }

    pub fn cuts(&self) -> usize {
        decode(&self.escpos)
            .unwrap()
            .iter()
            .filter(|done| **done == Printed::Cut)
            .count()
    }

    /// Whether a line holds all of `words`, in whatever columns.
    pub fn says(&self, words: &[&str]) -> bool {
        self.lines()
            .iter()
            .any(|line| words.iter().all(|word| line.contains(word)))
    }
}

/// The drawer opens, and nothing comes out.
pub fn is_pulse(escpos: &[u8]) -> bool {
    decode(escpos).unwrap() == [Printed::DrawerPulse]
}

pub fn pulses(escpos: &[u8]) -> usize {
    let done = decode(escpos).unwrap();
    done.iter()
        .filter(|done| **done == Printed::DrawerPulse)
        .count()
}

/// Names of the files in the receipt folder, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join("receipts")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A printer on the network.
pub struct NetworkPrinter {
    listener: TcpListener,
    pub target: PrinterTarget,
    /// How often the drawer was opened without a slip.
    pulses: AtomicUsize,
}

impl NetworkPrinter {
    pub async fn on() -> NetworkPrinter {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = target(listener.local_addr().unwrap().port());
        NetworkPrinter {
            listener,
            target,
            pulses: AtomicUsize::new(0),
        }
    }

    /// Switches a printer on again at its address.
    pub async fn at(target: &PrinterTarget) -> NetworkPrinter {
        let PrinterTarget::Network { host, port } = target else {
            panic!("{target:?} is no network printer");
        };
        let listener = TcpListener::bind((host.as_str(), *port)).await.unwrap();
        NetworkPrinter {
            listener,
            target: target.clone(),
            pulses: AtomicUsize::new(0),
        }
    }

    /// Takes the next slip, whole. The drawer may open before it.
    pub async fn print(&self) -> Vec<u8> {
        loop {
            let bytes = self.take().await;
            if !is_pulse(&bytes) {
                return bytes;
            }
            self.pulses.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// How often the drawer was opened without a slip, so far.
    pub fn lone_pulses(&self) -> usize {
        self.pulses.load(Ordering::SeqCst)
    }

    /// Takes whatever comes next, whole.
    pub async fn take(&self) -> Vec<u8> {
        let accepted = timeout(PATIENCE, self.listener.accept()).await;
        let (mut connection, _) = accepted.expect("a slip comes").unwrap();
        let mut bytes = Vec::new();
        connection.read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    /// Whether a slip waits to be taken.
    pub fn is_asked(&self) -> bool {
        self.listener.accept().now_or_never().is_some()
    }

    /// Takes a connection and breaks it at the first bytes of a slip; questions it leaves
    /// unanswered.
    pub async fn jam(&self) {
        let (mut connection, _) = self.listener.accept().await.unwrap();
        let mut question = [0; 3];
        connection.read_exact(&mut question).await.unwrap();
        assert_eq!(question, [0x10, 4, 2]);
        // Closing with unread bytes resets the connection.
        connection.readable().await.unwrap();
        connection.set_zero_linger().unwrap();
        drop(connection);
    }

    /// Switches the printer off: nothing listens at its address any more.
    pub fn off(self) -> PrinterTarget {
        self.target
    }
}

/// A printer that takes no further connection and refuses none: it is busy with `others`.
pub struct BusyPrinter {
    pub target: PrinterTarget,
    listener: TcpListener,
    others: Vec<TcpStream>,
}

impl BusyPrinter {
    pub async fn on() -> BusyPrinter {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut others = Vec::new();
        let moment = Duration::from_millis(300);
        while let Ok(other) = timeout(moment, TcpStream::connect(address)).await {
            others.push(other.unwrap());
        }
        BusyPrinter {
            target: target(address.port()),
            listener,
            others,
        }
    }

    /// Waits until somebody asks for a connection; the kernel answers for nobody.
    pub async fn is_asked(&self) {
        let port = self.listener.local_addr().unwrap().port();
        // Remote port and the state of a connection that was asked for and not answered.
        let asking = format!(":{port:04X} 02 ");
        let look = async {
            while !std::fs::read_to_string("/proc/net/tcp")
                .unwrap()
                .contains(&asking)
            {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, look).await.expect("somebody asks");
    }

    /// Switches the printer off, and on again at once with nobody in its way.
    pub async fn restart(self) -> NetworkPrinter {
        let target = self.target.clone();
        drop(self);
        NetworkPrinter::at(&target).await
    }

    /// It has time now: takes the next slip, whole.
    pub async fn print(&mut self) -> Vec<u8> {
        self.others.clear();
        loop {
            let accepted = timeout(PATIENCE, self.listener.accept()).await;
            let (mut connection, _) = accepted.expect("a slip comes").unwrap();
            let mut bytes = Vec::new();
            connection.read_to_end(&mut bytes).await.unwrap();
            if !bytes.is_empty() && !is_pulse(&bytes) {
                return bytes;
            }
        }
    }
}

/// A printer at a port of this machine.
pub fn target(port: u16) -> PrinterTarget {
    PrinterTarget::Network {
        host: "127.0.0.1".to_owned(),
        port,
    }
}
