//! TLS on the service's own address, with a certificate in a file that is read again when it changes.

use crate::config::TlsFiles;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// Interval between two looks whether the files changed.
const LOOK: Duration = Duration::from_secs(10);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadCertificate {
    #[error("{path}: no certificate or no key can be read in it: {error}")]
    File { path: String, error: tokio_rustls::rustls::pki_types::pem::Error },
    #[error("{path}: there is no certificate in it")]
    Empty { path: String },
    #[error("the certificate and its key cannot be used: {0}")]
    Pair(#[from] tokio_rustls::rustls::Error),
}

/// The certificate as it is now.
#[derive(Clone)]
pub(super) struct Tls(Arc<Inner>);

struct Inner {
    files: TlsFiles,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    acceptor: Option<TlsAcceptor>,
    looked: Option<Instant>,
    /// When the files had been written that were read last.
    written: [Option<SystemTime>; 2],
}

impl Tls {
    pub fn new(files: TlsFiles) -> Self {
        Self(Arc::new(Inner { files, state: Mutex::default() }))
    }

    /// There is a certificate that can be used.
    pub fn is_usable(&self) -> bool {
        self.current().is_some()
    }

    /// The connection, encrypted; none when there is no certificate, or the other end wants none of it.
    pub async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let acceptor = self.current()?;
        acceptor.accept(stream).await.inspect_err(|error| tracing::debug!(%error, "no TLS")).ok()
    }

    /// With files that cannot be used, those from before stay.
    fn current(&self) -> Option<TlsAcceptor> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.is_some_and(|last| last.elapsed() < LOOK) {
            return state.acceptor.clone();
        }
        state.looked = Some(Instant::now());
        let files @ TlsFiles { certificates, key } = &self.0.files;
        let written =
            [certificates, key].map(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok());
        if state.acceptor.is_some() && state.written == written {
            return state.acceptor.clone();
        }
        match read(files) {
            Ok(acceptor) => {
                if state.acceptor.is_some() {
                    tracing::info!(file = %certificates.display(), "the certificate was read again");
                }
                (state.acceptor, state.written) = (Some(acceptor), written);
            }
            Err(error) => tracing::error!("TLS: {error}; what was read before stays in effect"),
        }
        state.acceptor.clone()
    }
}

/// What encrypts connections with the certificate and the key of these files.
pub(super) fn read(files: &TlsFiles) -> Result<TlsAcceptor, BadCertificate> {
    let TlsFiles { certificates, key } = files;
    let file = |path: &Path| {
        let path = path.display().to_string();
        move |error| BadCertificate::File { path, error }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect)
        .map_err(file(certificates))?;
    if chain.is_empty() {
        return Err(BadCertificate::Empty { path: certificates.display().to_string() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(file(key))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
