//! TLS with certificate and key from files, which may be replaced while we run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The files of a certificate, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The site's certificate and then those between it and the authority's.
    pub certificate: PathBuf,
    /// Its private key (PKCS #8, PKCS #1 or SEC 1).
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// The file is not there or may not be read.
    #[error("the file {} cannot be read: {fault}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        fault: std::io::Error,
    },
    /// The file holds something else.
    #[error("the file {} holds no {wanted} in PEM", path.display())]
    NoPem {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// They do not go together, or are of a kind that TLS here does not use.
    #[error("the certificate {} does not work with the key {}: {fault}", files.certificate.display(), files.key.display())]
    Unusable {
        /// Both.
        files: CertificateFiles,
        /// What rustls says.
        fault: rustls::Error,
    },
}

/// A certificate that follows its files.
pub(super) struct Certificates {
    files: CertificateFiles,
    current: ArcSwap<ServerConfig>,
    seen: Mutex<Option<Stamp>>,
}

/// When both files were changed last.
type Stamp = (SystemTime, SystemTime);

impl Certificates {
    pub(super) fn load(files: CertificateFiles) -> Result<Self, CertificateFault> {
        // The stamp first: files replaced while they are read look changed at the next look.
        let seen = Mutex::new(stamp(&files));
        let current = ArcSwap::new(read(&files)?);
        Ok(Self { files, current, seen })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Takes the files anew where they were changed. What cannot be used is told in the log and changes nothing: the
    /// certificate at hand is better than none. Renewal that writes one file after the other is met by the next look.
    pub(super) fn follow(&self) {
        let stamp = stamp(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_none() || *seen == stamp {
            return;
        }
        match read(&self.files) {
            Ok(config) => {
                self.current.store(config);
                *seen = stamp;
                tracing::info!("the TLS certificate was read anew");
            }
            Err(fault) => tracing::warn!(%fault, "the changed TLS certificate cannot be used; the one before is kept"),
        }
    }
}

fn stamp(files: &CertificateFiles) -> Option<Stamp> {
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    changed(&files.certificate).zip(changed(&files.key))
}

fn read(files: &CertificateFiles) -> Result<Arc<ServerConfig>, CertificateFault> {
    let chain = read_pem(&files.certificate, "certificate", |text| {
        CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>()
    })?;
    let key = read_pem(&files.key, "private key", PrivateKeyDer::from_pem_slice)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let unusable = |fault| CertificateFault::Unusable {
        files: files.clone(),
        fault,
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read_pem<T>(
    path: &Path,
    wanted: &'static str,
    parse: impl FnOnce(&[u8]) -> Result<T, pem::Error>,
) -> Result<T, CertificateFault> {
    let unreadable = |fault| CertificateFault::Unreadable {
        path: path.to_owned(),
        fault,
    };
    let text = fs::read(path).map_err(unreadable)?;
    parse(&text).map_err(|_| CertificateFault::NoPem {
        path: path.to_owned(),
        wanted,
    })
}
