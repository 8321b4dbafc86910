//! Certificates (X.509, RFC 5280): whether they lead back to an authority, whom they name, and the key in them. Paths are
//! validated by `rustls-webpki`, as in TLS; the rest is read by `x509-cert`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use sha2::{Digest, Sha256};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};

use super::jwk::{KeyError, PublicKey};

/// Certificates that somebody may send at once: their own, and those that lead to an authority.
pub const MOST_CERTIFICATES: usize = 5;
/// Bytes of one certificate.
pub const MOST_BYTES: usize = 16 << 10;
/// `organizationName` (RFC 5280, appendix A.1).
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// Why certificates are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not certificates.
    #[error("it is no certificate (X.509 version 3, in DER or PEM), or has over 16 kB")]
    Form,
    /// None, or too many.
    #[error("send 1 to 5 certificates, the own one first")]
    Number,
    /// They do not lead to an authority, are over or not yet valid, or are for something else.
    #[error("it does not lead to an authority that is trusted here, is over, or is for another use")]
    Untrusted,
}

/// Authorities that somebody trusts.
#[derive(Debug, Clone)]
pub struct Authorities(Vec<TrustAnchor<'static>>);

impl Authorities {
    /// Reads certificates of authorities in PEM.
    ///
    /// # Errors
    /// [`CertificateError`] when one cannot be read, or there is none.
    pub fn read(pem: &[u8]) -> Result<Self, CertificateError> {
        let mut anchors = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| CertificateError::Form)?;
            let anchor = anchor_from_trusted_cert(&certificate).map_err(|_| CertificateError::Form)?;
            anchors.push(anchor.to_owned());
        }
        if anchors.is_empty() { Err(CertificateError::Number) } else { Ok(Self(anchors)) }
    }

    /// Their names (DER of the subject), for TLS to tell.
    pub fn subjects(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|anchor| &*anchor.subject)
    }
}

/// A certificate, and those that somebody sent with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    own: CertificateDer<'static>,
    others: Vec<CertificateDer<'static>>,
}

impl Chain {
    /// Certificates in DER, the own one first.
    ///
    /// # Errors
    /// [`CertificateError`] when they are none.
    pub fn of(certificates: Vec<Vec<u8>>) -> Result<Self, CertificateError> {
        if certificates.len() > MOST_CERTIFICATES {
            return Err(CertificateError::Number);
        }
        if certificates.iter().any(|der| der.len() > MOST_BYTES) {
            return Err(CertificateError::Form);
        }
        let mut certificates = certificates.into_iter().map(CertificateDer::from);
        let own = certificates.next().ok_or(CertificateError::Number)?;
        let chain = Self { own, others: certificates.collect() };
        // What can be read now need not be asked about later.
        EndEntityCert::try_from(&chain.own).map_err(|_| CertificateError::Form)?;
        chain.parsed()?;
        Ok(chain)
    }

    fn parsed(&self) -> Result<x509_cert::Certificate, CertificateError> {
        x509_cert::Certificate::from_der(&self.own).map_err(|_| CertificateError::Form)
    }

    /// Whether it leads to one of these authorities at this time (signed with nothing older than SHA-256), in seconds since 1970, and may be used to say who a
    /// client is.
    ///
    /// # Errors
    /// [`CertificateError::Untrusted`].
    pub fn check(&self, authorities: &Authorities, now: i64) -> Result<(), CertificateError> {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).unwrap_or(0)));
        let own = EndEntityCert::try_from(&self.own).map_err(|_| CertificateError::Form)?;
        let usage = KeyUsage::client_auth();
        let path = own.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &authorities.0,
            &self.others,
            time,
            usage,
            None,
            None,
        );
        path.map(drop).map_err(|_| CertificateError::Untrusted)
    }

    /// SHA-256 of the own certificate, base64url: `x5t#S256` (RFC 8705, section 3.1).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.own)
    }

    /// The subject as text (RFC 4514).
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed().map(|parsed| parsed.tbs_certificate().subject().to_string()).unwrap_or_default()
    }

    /// The organization in the subject, if there is one.
    #[must_use]
    pub fn organization(&self) -> Option<String> {
        let parsed = self.parsed().ok()?;
        let mut attributes = parsed.tbs_certificate().subject().iter();
        let value = &attributes.find(|attribute| attribute.oid == ORGANIZATION)?.value;
        std::str::from_utf8(value.value()).ok().map(ToOwned::to_owned)
    }

    /// Whether one of the alternative names is this host.
    #[must_use]
    pub fn names_host(&self, host: &str) -> bool {
        EndEntityCert::try_from(&self.own).is_ok_and(|own| own.valid_dns_names().any(|name| name == host))
    }

    /// Whether one of the alternative names is this URI.
    #[must_use]
    pub fn names_uri(&self, uri: &str) -> bool {
        EndEntityCert::try_from(&self.own).is_ok_and(|own| own.valid_uri_names().any(|name| name == uri))
    }

    /// When it is over, in seconds since 1970.
    #[must_use]
    pub fn ends(&self) -> i64 {
        let ends =
            |parsed: x509_cert::Certificate| parsed.tbs_certificate().validity().not_after.to_unix_duration();
        self.parsed().map_or(0, |parsed| i64::try_from(ends(parsed).as_secs()).unwrap_or(i64::MAX))
    }

    /// When it begins to be valid, in seconds since 1970.
    #[must_use]
    pub fn begins(&self) -> i64 {
        let begins = |parsed: x509_cert::Certificate| {
            parsed.tbs_certificate().validity().not_before.to_unix_duration()
        };
        self.parsed().map_or(i64::MAX, |parsed| i64::try_from(begins(parsed).as_secs()).unwrap_or(i64::MAX))
    }

    /// The key in it.
    ///
    /// # Errors
    /// [`KeyError::Kind`] when it is of a kind that is not taken.
    pub fn key(&self) -> Result<PublicKey, KeyError> {
        let parsed = self.parsed().map_err(|_| KeyError::Form)?;
        let info = parsed.tbs_certificate().subject_public_key_info();
        let parameters = info.algorithm.parameters.as_ref().and_then(|any| any.to_der().ok());
        let curve = parameters.and_then(|der| ObjectIdentifier::from_der(&der).ok());
        let key = info.subject_public_key.as_bytes().ok_or(KeyError::Form)?;
        PublicKey::of_certificate(info.algorithm.oid, curve, key)
    }
}

/// SHA-256 of a certificate in DER, base64url.
#[must_use]
pub fn thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(der))
}
