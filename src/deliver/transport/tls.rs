//! TLS: which authorities are trusted, and what is wrong with a certificate, in words.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::dial::Socket;
use super::error::{Broken, Phase, SendError, io_kind};
use super::wire::Stream;

/// TLS could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TransportError(String);

/// A text that holds no certificate authority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint's certificate authority cannot be used: {0}")]
pub struct InvalidCa(&'static str);

/// Why TLS could not be agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsProblem {
    /// The certificate is no longer valid.
    Expired,
    /// The certificate is not valid yet.
    NotValidYet,
    /// The certificate is for other names.
    WrongName,
    /// Nobody who is trusted has signed the certificate.
    UnknownIssuer,
    /// The certificate was revoked.
    Revoked,
    /// The certificate cannot be used for this.
    BadCertificate(String),
    /// What came back is not TLS.
    NotTls,
    /// The receiver ended the handshake.
    Alert(String),
    /// Something else.
    Other(String),
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("its certificate has expired"),
            Self::NotValidYet => f.write_str("its certificate is not valid yet"),
            Self::WrongName => f.write_str("its certificate is for another name"),
            Self::UnknownIssuer => f.write_str("its certificate's issuer is not trusted"),
            Self::Revoked => f.write_str("its certificate was revoked"),
            Self::BadCertificate(what) => write!(f, "its certificate is not acceptable: {what}"),
            Self::NotTls => f.write_str("it does not answer with TLS"),
            Self::Alert(what) => write!(f, "it ended the handshake: {what}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl From<&rustls::Error> for TlsProblem {
    fn from(error: &rustls::Error) -> Self {
        use CertificateError as C;
        match error {
            rustls::Error::InvalidCertificate(certificate) => match certificate {
                C::Expired | C::ExpiredContext { .. } => Self::Expired,
                C::NotValidYet | C::NotValidYetContext { .. } => Self::NotValidYet,
                C::NotValidForName | C::NotValidForNameContext { .. } => Self::WrongName,
                C::UnknownIssuer => Self::UnknownIssuer,
                C::Revoked => Self::Revoked,
                C::BadEncoding => Self::BadCertificate("it cannot be read".to_owned()),
                C::BadSignature => Self::BadCertificate("its signature is wrong".to_owned()),
                C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
                    Self::BadCertificate("it is not for servers".to_owned())
                }
                other => Self::BadCertificate(other.to_string()),
            },
            rustls::Error::NoCertificatesPresented => {
                Self::BadCertificate("there is none".to_owned())
            }
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            other => Self::Other(other.to_string()),
        }
    }
}

/// The system's authorities, or the bundled ones where it has none.
pub(super) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (trusted, ignored) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        tracing::warn!(
            bundled = roots.len(),
            problem = found.errors.first().map(tracing::field::display),
            "the system has no certificate authorities; the bundled ones are trusted instead"
        );
    } else {
        tracing::debug!(
            trusted,
            ignored,
            "certificate authorities of the system loaded"
        );
    }
    roots
}

pub(super) fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(256);
    Ok(Arc::new(config))
}

pub(super) fn config_with_ca(
    system: &RootCertStore,
    pem: &str,
) -> Result<Arc<ClientConfig>, SendError> {
    let mut roots = system.clone();
    add_ca(&mut roots, pem)?;
    Ok(config(roots)?)
}

/// Whether `pem` holds certificates, every one of which can be trusted as an authority.
pub fn check_ca(pem: &str) -> Result<(), InvalidCa> {
    add_ca(&mut RootCertStore::empty(), pem)
}

fn add_ca(roots: &mut RootCertStore, pem: &str) -> Result<(), InvalidCa> {
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| InvalidCa("it is not PEM"))?;
        roots
            .add(certificate)
            .map_err(|_| InvalidCa("a certificate in it cannot be read"))?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err(InvalidCa("there is no certificate in it"))
    }
}

pub(super) async fn handshake(
    config: &Arc<ClientConfig>,
    url: &Url,
    socket: Socket,
    peer: SocketAddr,
) -> Result<Stream, SendError> {
    let name = match url.host() {
        // The root's dot is no part of a name in TLS.
        Some(Host::Domain(host)) => {
            ServerName::try_from(host.strip_suffix('.').unwrap_or(host).to_owned())
                .map_err(|_| SendError::Unusable("its host is no name that TLS can ask for"))?
        }
        _ => ServerName::from(peer.ip()),
    };
    let connector = TlsConnector::from(config.clone());
    match connector.connect(name, socket).await {
        Ok(tls) => Ok(tls.into()),
        Err(error) => Err(explain(&error, url)),
    }
}

fn explain(error: &io::Error, url: &Url) -> SendError {
    match error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>())
    {
        Some(tls) => SendError::Tls {
            host: url.host_str().unwrap_or_default().to_owned(),
            problem: tls.into(),
        },
        None => SendError::Broken {
            during: Phase::Tls,
            how: match io_kind(error) {
                Some(io::ErrorKind::UnexpectedEof) | None => Broken::Closed,
                Some(kind) => Broken::Io(kind),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_is_no_authority() {
        for text in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        ] {
            assert!(check_ca(text).is_err(), "{text}");
        }
    }
}
