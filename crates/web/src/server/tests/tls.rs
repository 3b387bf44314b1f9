use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, NamedGroup, ProtocolVersion, RootCertStore, StreamOwned};
use rustls_pki_types::CertificateDer;

use super::*;
use crate::server::tls::Certificates;
use crate::server::{BaseUrl, CertificateFault, CertificateFiles};

/// A new certificate in the folder, changed `age` seconds after the epoch: file systems tell apart no shorter times.
fn write_certificate(folder: &Path, age: u64) -> (CertificateFiles, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["id.example.com".to_owned()]).unwrap();
    let files = CertificateFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    };
    write_at(&files.certificate, &cert.pem(), age);
    write_at(&files.key, &signing_key.serialize_pem(), age);
    (files, cert.der().clone())
}

fn write_at(path: &Path, text: &str, age: u64) {
    fs::write(path, text).unwrap();
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(age);
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(changed)
        .unwrap();
}

fn connect(server: &TestServer, trusted: &CertificateDer<'static>) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connection = ClientConnection::new(Arc::new(config), "id.example.com".try_into().unwrap()).unwrap();
    StreamOwned::new(connection, server.connect().stream)
}

#[test]
fn pages_are_served_over_tls_with_a_certificate_that_follows_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (files, first) = write_certificate(folder.path(), 1);
    let mut secure = settings();
    secure.certificate = Some(files);
    secure.base_url = Some(BaseUrl::parse("https://id.example.com").unwrap());
    let server = start(secure);

    let mut stream = connect(&server, &first);
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nHost: id.example.com\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).expect("an end with close_notify");
    assert_eq!(Reply::parse(&received).expect("a reply").0.status, 200);
    assert_eq!(stream.conn.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let group = stream.conn.negotiated_key_exchange_group().map(|group| group.name());
    assert_eq!(group, Some(NamedGroup::X25519MLKEM768));

    let (_, second) = write_certificate(folder.path(), 2);
    server.tick.notify_one();
    let followed = (0..1000).any(|_| {
        let mut stream = connect(&server, &second);
        stream.conn.complete_io(&mut stream.sock).is_ok()
    });
    assert!(followed, "the new certificate is shown");
}

#[test]
fn l02_a_tls_handshake_must_come_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut hurried = settings();
    hurried.certificate = Some(write_certificate(folder.path(), 1).0);
    hurried.timeouts.head = Duration::from_millis(80);
    let server = start(hurried);
    let mut wire = server.connect();
    wire.send([0x16, 0x03, 0x01]);
    assert!(wire.reply().is_none());
}

#[test]
fn a_changed_certificate_that_cannot_be_used_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = write_certificate(folder.path(), 1);
    let certificates = Certificates::load(files.clone()).unwrap();
    let shown = || Arc::as_ptr(certificates.acceptor().config());
    let before = shown();
    certificates.follow();
    assert_eq!(shown(), before, "nothing was changed");

    write_at(&files.key, "half a file", 2);
    certificates.follow();
    assert_eq!(shown(), before, "what cannot be used is not taken");

    fs::remove_file(&files.key).unwrap();
    certificates.follow();
    assert_eq!(shown(), before);

    write_certificate(folder.path(), 3);
    certificates.follow();
    assert_ne!(shown(), before, "what can be used is");
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = write_certificate(folder.path(), 1);
    let load_with = |key: &Path| {
        let files = CertificateFiles {
            key: key.to_owned(),
            ..files.clone()
        };
        Certificates::load(files).err().expect("refused")
    };
    let missing = load_with(&folder.path().join("none.pem"));
    assert!(matches!(&missing, CertificateFault::Unreadable { .. }));
    assert!(missing.to_string().contains("none.pem"), "{missing}");
    assert!(matches!(
        load_with(&files.certificate),
        CertificateFault::NoPem {
            wanted: "private key",
            ..
        }
    ));

    let other = tempfile::tempdir().unwrap();
    let (others, _) = write_certificate(other.path(), 1);
    assert!(matches!(load_with(&others.key), CertificateFault::Unusable { .. }));
}
