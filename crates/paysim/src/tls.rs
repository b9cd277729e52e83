//! TLS in front of the gateways, with a certificate by an authority of their own: in order, or wrong
//! in one of the ways that a merchant's side has to notice.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod, SslVerifyMode};
use qiantai_core::clock::{Millis, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_openssl::SslStream;

use crate::keys::{Issued, RsaKey, Subject, certify, certify_host};

/// The name that a good certificate is for.
pub const HOST: &str = "localhost";

/// Longer than any certificate of ours holds.
const LONG_AGO: Millis = Millis::days(6 * 365);

const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// After a fault that taking connections brought.
const AFTER_FAULT: Duration = Duration::from_millis(100);

/// The certificate that whoever connects gets to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Showing {
    /// In order.
    Good,
    /// Its time is over.
    Expired,
    /// Its time begins tomorrow.
    NotYetValid,
    /// For another host.
    AnotherName,
    /// By an authority that nobody knows.
    Stranger,
}

/// Signs what the gateways show.
#[derive(Clone, Debug)]
pub struct TestAuthority {
    rng: ChaCha20Rng,
    key: RsaKey,
    root: Issued,
}

/// What takes connections.
#[derive(Clone)]
pub struct Front(SslAcceptor);

/// The certificate, in PEM, that the other side of a connection showed.
#[derive(Clone, Debug)]
pub(crate) struct ShownCertificate(pub Option<Vec<u8>>);

impl TestAuthority {
    /// The authority of this seed.
    pub fn draw(seed: [u8; 32], now: Timestamp) -> TestAuthority {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let key = RsaKey::draw(&mut rng);
        let root = certify(&key, subject("Simulated Root"), None, now);
        TestAuthority { rng, key, root }
    }

    /// Its certificate, to be trusted by whoever connects.
    pub fn pem(&self) -> &str {
        &self.root.pem
    }

    /// Takes connections at [`HOST`].
    pub fn front(&mut self, showing: Showing, now: Timestamp) -> Front {
        let stranger = TestAuthority::draw([0xEE; 32], now);
        let key = RsaKey::draw(&mut self.rng);
        let (name, from, issuer) = match showing {
            Showing::Good => (HOST, now, &*self),
            Showing::Expired => (HOST, now - LONG_AGO, &*self),
            Showing::NotYetValid => (HOST, now + Millis::days(2), &*self),
            Showing::AnotherName => ("gateway.invalid", now, &*self),
            Showing::Stranger => (HOST, now, &stranger),
        };
        let issued = certify_host(&key, subject(name), (&issuer.root, &issuer.key), from);
        Front(acceptor(&key, &issued).expect("the key was just certified"))
    }
}

fn subject(common_name: &str) -> Subject<'_> {
    Subject {
        common_name,
        organisation: "Simulated",
        serial: "5A",
    }
}

/// Asks for a certificate and takes any, or none: who must show one is a protocol's matter.
fn acceptor(key: &RsaKey, issued: &Issued) -> Result<SslAcceptor, ErrorStack> {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    acceptor.set_private_key(&key.pkey)?;
    acceptor.set_certificate(&issued.x509)?;
    acceptor.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    acceptor.set_session_id_context(b"qiantai-paysim")?;
    Ok(acceptor.build())
}

/// Encrypted connections. Each is shaken hands with on its own: one that says nothing keeps no other
/// waiting.
pub(crate) struct TlsListener {
    shaken: mpsc::Receiver<(SslStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    pub fn over(listener: TcpListener, front: Front) -> io::Result<TlsListener> {
        let address = listener.local_addr()?;
        let (sender, shaken) = mpsc::channel(1);
        tokio::spawn(take(listener, front, sender));
        Ok(TlsListener { shaken, address })
    }
}

async fn take(
    listener: TcpListener,
    Front(acceptor): Front,
    shaken: mpsc::Sender<(SslStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = shaken.closed() => return,
        };
        let (stream, from) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(AFTER_FAULT).await;
                continue;
            }
        };
        let (acceptor, shaken) = (acceptor.clone(), shaken.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_MAX, shake(&acceptor, stream)).await {
                // Nobody takes it any more where the server has stopped.
                Ok(Ok(stream)) => drop(shaken.send((stream, from)).await),
                Ok(Err(error)) => tracing::info!(%from, %error, "no encrypted connection"),
                Err(_) => tracing::info!(%from, "the handshake took too long"),
            }
        });
    }
}

async fn shake(
    acceptor: &SslAcceptor,
    stream: TcpStream,
) -> Result<SslStream<TcpStream>, openssl::ssl::Error> {
    let mut stream = SslStream::new(Ssl::new(acceptor.context())?, stream)?;
    Pin::new(&mut stream).accept().await?;
    Ok(stream)
}

impl Listener for TlsListener {
    type Io = SslStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.shaken.recv().await {
            Some(taken) => taken,
            // Its sender ends only after this.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for ShownCertificate {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> ShownCertificate {
        let certificate = stream.io().ssl().peer_certificate();
        ShownCertificate(certificate.and_then(|certificate| certificate.to_pem().ok()))
    }
}
