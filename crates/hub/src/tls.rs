//! TLS of the hub's own: certificate and key from files, which are read anew when they change, and certificates of clients.
//! TLS 1.3 alone: everything that speaks to a hub has known it for years, and nothing of what came before needs to be
//! switched off.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ieum_trust::authorization::certificate::{Authorities, CertificateError, Chain};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::ServerConfig;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, InconsistentKeys, SignatureScheme, version};
use tokio::sync::watch;

use crate::hub::Hub;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Bytes of a file.
const FILE_BYTES: u64 = 1 << 20;

/// Where certificate and key lie, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The hub's certificate, and those that lead from it to an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities for certificates of clients; without them clients are asked for none.
    pub clients: Option<PathBuf>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The operating system refuses.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may read the key.
    #[error(
        "{0} can be read by everybody on this machine: `chmod 600` it, and if somebody may have, get a new key and certificate"
    )]
    Open(PathBuf),
    /// A file of certificates.
    #[error("{path}: {error}")]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: CertificateError,
    },
    /// A file of a key.
    #[error(
        "{0} holds no private key that is taken: PEM, EC on P-256 or P-384, RSA or Ed25519, without password"
    )]
    Key(PathBuf),
    /// They do not go together.
    #[error("the key in {key} is not that of the certificate in {certificate}")]
    Mismatch {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        certificate: PathBuf,
    },
    /// The library.
    #[error(transparent)]
    Tls(#[from] Error),
}

/// What the files hold.
pub struct Loaded {
    contents: Vec<Vec<u8>>,
    config: Arc<ServerConfig>,
    clients: Option<Authorities>,
    /// The hub's certificate.
    pub certificate: Chain,
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(&self) -> Result<Loaded, TlsError> {
        let contents = self.contents()?;
        let certificates = CertificateDer::pem_slice_iter(&contents[0]).collect::<Result<Vec<_>, _>>();
        let wrong = |path: &Path, error| TlsError::Certificate { path: path.to_owned(), error };
        let certificates = certificates.map_err(|_| wrong(&self.certificate, CertificateError::Form))?;
        let chain = Chain::of(certificates.iter().map(|der| der.to_vec()).collect());
        let certificate = chain.map_err(|error| wrong(&self.certificate, error))?;
        let key = PrivateKeyDer::from_pem_slice(&contents[1]).map_err(|_| TlsError::Key(self.key.clone()))?;
        let provider = Arc::new(ring::default_provider());
        let certified =
            CertifiedKey::from_der(certificates, key, &provider).map_err(|error| match error {
                Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsError::Mismatch { key: self.key.clone(), certificate: self.certificate.clone() }
                }
                _ => TlsError::Key(self.key.clone()),
            })?;
        let clients = match (&self.clients, contents.get(2)) {
            (Some(path), Some(pem)) => Some(Authorities::read(pem).map_err(|error| wrong(path, error))?),
            _ => None,
        };
        let config = config(provider, certified, clients.as_ref())?;
        Ok(Loaded { contents, config: Arc::new(config), clients, certificate })
    }

    fn contents(&self) -> Result<Vec<Vec<u8>>, TlsError> {
        let failed = |path: &Path, error| TlsError::Io { path: path.to_owned(), error };
        let rights = fs::metadata(&self.key).map_err(|error| failed(&self.key, error))?.permissions().mode();
        if rights & 0o007 != 0 {
            return Err(TlsError::Open(self.key.clone()));
        }
        let read = |path: &PathBuf| {
            if fs::metadata(path).map_err(|error| failed(path, error))?.len() > FILE_BYTES {
                return Err(failed(path, io::ErrorKind::FileTooLarge.into()));
            }
            fs::read(path).map_err(|error| failed(path, error))
        };
        [&self.certificate, &self.key].into_iter().chain(&self.clients).map(read).collect()
    }
}

fn config(
    provider: Arc<CryptoProvider>,
    certified: CertifiedKey,
    clients: Option<&Authorities>,
) -> Result<ServerConfig, Error> {
    let algorithms = provider.signature_verification_algorithms;
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&version::TLS13])?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let hints = authorities.subjects().map(DistinguishedName::in_sequence).collect();
            builder.with_client_cert_verifier(Arc::new(Asks { hints, algorithms }))
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Asks clients for a certificate and takes any, or none: that they hold its key is proven here, and what it is worth is
/// asked where somebody says to be an app (`Server::authenticate`), because some are known by themselves.
#[derive(Debug)]
struct Asks {
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Asks {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// Browsers show people only certificates that could be meant.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = Chain::of([own].into_iter().chain(others).map(|der| der.to_vec()).collect());
        chain
            .map(|_| ClientCertVerified::assertion())
            .map_err(|_| rustls::CertificateError::BadEncoding.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, own, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, own, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// TLS as it is at the moment.
pub struct Tls {
    current: watch::Receiver<Arc<ServerConfig>>,
    task: tokio::task::JoinHandle<()>,
}

impl Tls {
    /// Reads the files, and from then on whenever they change, until this is dropped. What cannot be read then is logged,
    /// and what was read before stays.
    ///
    /// # Errors
    /// [`TlsError`] when they cannot be read at the start.
    pub fn start(hub: &Hub, files: Files) -> Result<Self, TlsError> {
        let loaded = files.load()?;
        trust(hub, &loaded);
        let (sender, current) = watch::channel(Arc::clone(&loaded.config));
        let task = tokio::spawn(follow(hub.clone(), files, loaded.contents, sender));
        Ok(Self { current, task })
    }

    /// For the next connection.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.borrow())
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn trust(hub: &Hub, loaded: &Loaded) {
    if let (Some(authorization), Some(clients)) = (hub.authorization(), &loaded.clients) {
        authorization.server.trust_clients_of(clients.clone());
    }
    let now = crate::authorization::seconds(hub);
    if loaded.certificate.ends() <= now {
        tracing::error!("the certificate of this hub is over: nobody will connect");
    }
}

async fn follow(hub: Hub, files: Files, mut known: Vec<Vec<u8>>, sender: watch::Sender<Arc<ServerConfig>>) {
    let mut told = None;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let own = files.clone();
        let Ok(loaded) = tokio::task::spawn_blocking(move || own.load()).await else { continue };
        match loaded {
            Ok(loaded) if loaded.contents != known => {
                trust(&hub, &loaded);
                known = loaded.contents;
                sender.send_replace(loaded.config);
                told = None;
                tracing::info!("certificate and key were read anew");
            }
            Ok(_) => told = None,
            Err(error) => {
                let error = error.to_string();
                // Once for each fault: between the certificate and its key there is a moment when they do not go together.
                if told.as_ref() != Some(&error) {
                    tracing::warn!(error = %error, "certificate and key cannot be read anew; those from before stay");
                }
                told = Some(error);
            }
        }
    }
}
