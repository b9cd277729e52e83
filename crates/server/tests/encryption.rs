//! Encrypted connections: the program on a real socket, its authority, other authorities.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name, X509NameRef};
use qiantai_core::{Millis, Timestamp};
use qiantai_server::tls::{Authority, Door, Names, RENEWED_BEFORE, TlsError};
use qiantai_server::{Clock, SystemClock, network};
use qiantai_sync::transport::{HttpTransport, Trust, introduce};
use qiantai_sync::{CallFailed, Client, TransportError};
use qiantai_wire::enrol::EnrolCode;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::process::{Running, ask, program};

const UNTRUSTED: CallFailed = CallFailed::Transport(TransportError::Untrusted);

fn now() -> Timestamp {
    SystemClock.now()
}

fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

fn authority_elsewhere() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("tls");
    let authority = Authority::open_or_make(&folder, now()).unwrap();
    authority.certificate_der().unwrap()
}

async fn health(url: &str, trust: &Trust) -> Result<bool, CallFailed> {
    let transport = HttpTransport::new(url, trust)?;
    let health = Client::new(Arc::new(transport)).health().await?;
    Ok(health.ready)
}

#[tokio::test]
async fn a_terminal_speaks_with_a_server_of_its_authority_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let books = ["--data", data.to_str().unwrap()];
    let made = program().arg("init").args(books).status().unwrap();
    assert!(made.success());
    let tls = data.join("tls");
    #[cfg(unix)]
    for (path, mode) in [(tls.clone(), 0o700), (tls.join("authority.key"), 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        let found = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{}", path.display());
    }
    let own = Authority::certificate_der_in(&tls).unwrap();
    let ours = Trust::Authority(own.clone());
    let (mut port, mut serials) = (0, Vec::new());
    // The second start shows another certificate of the same authority.
    for _ in 0..2 {
        let listen = format!("127.0.0.1:{port}");
        let arguments = [&books[..], &["--plain-http", "never"]].concat();
        let (server, address) = Running::serve_at(&listen, &arguments);
        port = address.parse::<SocketAddr>().unwrap().port();
        let url = format!("https://{address}");
        assert_eq!(
            introduce(&url, &fingerprint(&own)).await,
            Ok(own.clone()),
            "the authority is told to whoever asks"
        );
        let other = authority_elsewhere();
        let foreign = introduce(&url, &fingerprint(&other)).await;
        assert_eq!(foreign, Err(UNTRUSTED));
        assert_eq!(health(&url, &ours).await, Ok(true));
        // Its name is none of those in the certificate: enrolled terminals look at the authority.
        let by_name = url.replace("127.0.0.1", "127.0.0.2");
        if cfg!(target_os = "linux") {
            assert!(
                health(&by_name, &ours).await.is_err(),
                "it listens on one address"
            );
        }
        assert_eq!(health(&url, &Trust::Authority(other)).await, Err(UNTRUSTED));
        assert_eq!(health(&url, &Trust::Machine).await, Err(UNTRUSTED));
        assert!(
            ask(&address, "GET /v1/health", None, &[]).is_err(),
            "in the clear"
        );
        serials.push(shown_by(address.parse().unwrap()).await);
        server.end();
    }
    assert_ne!(serials[0], serials[1]);
}

#[test]
fn a_lost_half_of_the_authority_is_not_replaced() {
    let check = |lost: &str, said: &str| {
        let folder = tempfile::tempdir().unwrap();
        let tls = folder.path().join("tls");
        Authority::open_or_make(&tls, now()).unwrap();
        std::fs::remove_file(tls.join(lost)).unwrap();
        let error = Authority::open_or_make(&tls, now()).err().unwrap();
        assert!(matches!(error, TlsError::File { .. }), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    };
    check("authority.key", "authority.key");
    check("authority.pem", "authority.pem");

    let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [one, other] = [one, other].map(|folder| {
        let tls = folder.path().join("tls");
        Authority::open_or_make(&tls, now()).unwrap();
        (folder, tls)
    });
    std::fs::copy(one.1.join("authority.key"), other.1.join("authority.key")).unwrap();
    let error = Authority::open(&other.1).err().unwrap();
    assert!(
        error.to_string().contains("not the key of the certificate"),
        "{error}"
    );
}

/// What a camera reads in a picture.
fn read_by_camera(picture: &image::GrayImage) -> String {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixel = |x: usize, y: usize| picture.as_raw()[y * width + x];
    let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    let grids = seen.detect_grids();
    assert_eq!(grids.len(), 1, "one code");
    grids[0].decode().unwrap().1
}

/// The letters of a dark terminal as a picture.
fn seen_on_a_terminal(lines: &[&str]) -> image::GrayImage {
    const SCALE: u32 = 4;
    let letters: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
    let (width, height) = (letters[0].len() as u32, 2 * letters.len() as u32);
    image::GrayImage::from_fn(width * SCALE, height * SCALE, |x, y| {
        let (x, y) = (x / SCALE, y / SCALE);
        let letter = letters[(y / 2) as usize][x as usize];
        let is_light = match letter {
            '█' => true,
            '▀' => y % 2 == 0,
            '▄' => y % 2 == 1,
            _ => false,
        };
        image::Luma([if is_light { 255 } else { 0 }])
    })
}

#[test]
fn a_code_is_shown_as_text_letters_and_picture() {
    let folder = tempfile::tempdir().unwrap();
    let [data, png] = ["data", "code.png"].map(|name| folder.path().join(name));
    let run = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).arg("--data").arg(&data);
        command.args(["--listen", "0.0.0.0:0"]);
        let done = command.output().unwrap();
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        (String::from_utf8(done.stdout).unwrap(), error)
    };
    run(&["init", "--sample", "gym", "--members", "5"]);
    let enrol = ["enrol", "--png", png.to_str().unwrap()];
    let with = |address: &str| run(&[&enrol[..], &["--address", address]].concat());
    let (said, error) = with("https://books.example.com/");
    let mut lines = said.lines();
    let text = lines.next().unwrap_or_else(|| panic!("{error}"));
    let code: EnrolCode = text.parse().unwrap();
    assert_eq!(code.server, "https://books.example.com");
    let own = Authority::certificate_der_in(&data.join("tls")).unwrap();
    assert_eq!(code.authority, Some(fingerprint(&own)));
    let drawn: Vec<&str> = lines
        .take_while(|line| !line.starts_with("For one"))
        .collect();
    assert_eq!(read_by_camera(&seen_on_a_terminal(&drawn)), text);
    assert_eq!(read_by_camera(&image::open(&png).unwrap().to_luma8()), text);

    // An address that says nothing, or the wrong thing, makes no code.
    for (said, why) in [
        (run(&["enrol"]), "Give --address or --public-url"),
        (
            with("http://books.example.com"),
            "it must begin with https://",
        ),
        (
            with("ftp://books.example.com"),
            "it must begin with https://",
        ),
        (run(&["enrol", "--store", "99999"]), "Give --address"),
    ] {
        assert!(said.0.is_empty() && said.1.contains(why), "{said:?}");
    }
}

/// Serves a word through the door.
async fn behind(door: Arc<Door>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(async || "here"));
    let never = std::future::pending();
    tokio::spawn(network::serve(listener, Some(door), router, never));
    address
}

/// Serial number of the certificate that is shown.
async fn shown_by(address: SocketAddr) -> String {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    let ssl = connector
        .build()
        .configure()
        .unwrap()
        .into_ssl("x")
        .unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut stream = tokio_openssl::SslStream::new(ssl, stream).unwrap();
    std::pin::Pin::new(&mut stream).connect().await.unwrap();
    let certificate = stream.ssl().peer_certificate().unwrap();
    let serial = certificate.serial_number().to_bn().unwrap();
    serial.to_hex_str().unwrap().to_string()
}

#[tokio::test]
async fn a_certificate_is_renewed_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open_or_make(&folder.path().join("tls"), now()).unwrap();
    let ours = Trust::Authority(authority.certificate_der().unwrap());
    let nearly_over = now() - Millis::days(90) + RENEWED_BEFORE;
    let door = Door::of_authority(authority, Names::default(), nearly_over).unwrap();
    let door = Arc::new(door);
    let address = behind(Arc::clone(&door)).await;
    let url = format!("https://{address}");
    let first = shown_by(address).await;
    assert!(!door.renew(nearly_over).unwrap());
    assert_eq!(shown_by(address).await, first);
    assert!(door.renew(now() + Millis::minutes(1)).unwrap());
    assert_ne!(shown_by(address).await, first);
    assert!(!door.renew(now() + Millis::minutes(1)).unwrap());
    let transport = HttpTransport::new(&url, &ours).unwrap();
    let answered = Client::new(Arc::new(transport)).health().await;
    // The word is no health report, and came over the connection.
    assert!(
        matches!(answered, Err(CallFailed::Unreadable { status: 404, .. })),
        "{answered:?}"
    );
}

/// Issued when, a clock that is right finds it in force, long over, or not begun.
#[tokio::test]
async fn dates_are_not_judged_by_the_clock_of_the_till() {
    let check = async |founded: Timestamp, issued: Timestamp| {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open_or_make(&folder.path().join("tls"), founded).unwrap();
        let own = authority.certificate_der().unwrap();
        let door = Door::of_authority(authority, Names::default(), issued).unwrap();
        let url = format!("https://{}", behind(Arc::new(door)).await);
        let spoken = health(&url, &Trust::Authority(own)).await;
        // The word is no health report, and came over the connection.
        assert!(
            matches!(spoken, Err(CallFailed::Unreadable { status: 404, .. })),
            "{founded:?} {issued:?}: {spoken:?}"
        );
        let other = Trust::Authority(authority_elsewhere());
        assert_eq!(health(&url, &other).await, Err(UNTRUSTED));
    };
    let days = |days: i64| now() + Millis::days(days);
    check(days(0), days(0)).await;
    check(days(-600), days(-90 - 400)).await;
    check(days(0), days(1 + 400)).await;
    // The authority has not begun either: the till thinks that it is long ago.
    check(days(26 * 365), days(26 * 365)).await;
    // And is over itself.
    check(days(-21 * 365), days(-21 * 365)).await;
}

#[tokio::test]
async fn the_name_of_an_authority_is_not_its_signature() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open_or_make(&folder.path().join("tls"), now()).unwrap();
    let own = authority.certificate_der().unwrap();
    let [chain, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let in_its_name = X509::from_der(&own).unwrap();
    given(folder.path(), Some(in_its_name.subject_name()));
    let door = Door::of_files(chain, key, now()).unwrap();
    let url = format!("https://{}", behind(Arc::new(door)).await);
    assert_eq!(health(&url, &Trust::Authority(own)).await, Err(UNTRUSTED));
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_proof_proves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let listens = tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 4096];
        let read = tokio::io::AsyncReadExt::read(&mut caller, &mut greeting);
        assert!(read.await.unwrap() > 0);
    });
    let broken = health(&url, &Trust::Authority(authority_elsewhere())).await;
    assert_eq!(broken, Err(TransportError::NotSent.into()));
    listens.await.unwrap();
}

/// Writes a certificate for `localhost` and its key, with which it is signed; `issuer` is whose
/// signature it says that is.
pub fn given(folder: &Path, issuer: Option<&X509NameRef>) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    certificate.set_subject_name(&name).unwrap();
    let issuer = issuer.unwrap_or(&name);
    certificate.set_issuer_name(issuer).unwrap();
    certificate.set_pubkey(&key).unwrap();
    let serial = rand::random::<u32>() >> 1;
    let serial = openssl::bn::BigNum::from_u32(serial).unwrap();
    certificate
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
    certificate
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    certificate
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    let mut names = SubjectAlternativeName::new();
    let names = names
        .dns("localhost")
        .build(&certificate.x509v3_context(None, None))
        .unwrap();
    certificate.append_extension(names).unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    std::fs::write(
        folder.join("cert.pem"),
        certificate.build().to_pem().unwrap(),
    )
    .unwrap();
    std::fs::write(
        folder.join("key.pem"),
        key.private_key_to_pem_pkcs8().unwrap(),
    )
    .unwrap();
}

#[tokio::test]
async fn a_given_certificate_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let [chain, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    given(folder.path(), None);
    let door = Arc::new(Door::of_files(chain.clone(), key.clone(), now()).unwrap());
    assert_eq!(door.authority().unwrap(), None);
    let address = behind(Arc::clone(&door)).await;
    let first = shown_by(address).await;
    assert!(!door.renew(now()).unwrap());
    let old_key = std::fs::read(&key).unwrap();
    given(folder.path(), None);
    let new_key = std::fs::read(&key).unwrap();
    // Half of the change: what is shown stays.
    std::fs::write(&key, old_key).unwrap();
    let error = door.renew(now()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is not the key of the certificate"),
        "{error}"
    );
    assert_eq!(shown_by(address).await, first);
    std::fs::write(&key, new_key).unwrap();
    assert!(door.renew(now()).unwrap());
    assert_ne!(shown_by(address).await, first);
    std::fs::write(&chain, "nothing").unwrap();
    let error = door.renew(now()).unwrap_err();
    assert!(
        error.to_string().contains("holds no certificate"),
        "{error}"
    );
}
