//! TLS: which authorities are trusted, and the handshake.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::dial::Socket;
use super::error::{Broken, Phase, SendError, io_kind};
use super::metered::Metered;
use super::tls_problem::{TlsProblem, tls_problem};
use super::wire::{Meter, Wire};

/// TLS could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TransportError(String);

/// A text that holds no certificate authority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint's certificate authority cannot be used: {0}")]
pub struct InvalidCa(&'static str);

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

/// How a command of this program checks the server that it asks: by the system's authorities and,
/// if there are some, those in `ca_pem`.
///
/// # Errors
/// What is wrong with `ca_pem`, or that TLS cannot be set up.
pub fn client_config(ca_pem: Option<&str>) -> Result<Arc<ClientConfig>, SendError> {
    match ca_pem {
        Some(pem) => config_with_ca(&system_roots(), pem),
        None => Ok(config(system_roots())?),
    }
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
    socket: Metered<Socket>,
    peer: SocketAddr,
    meter: &Meter,
) -> Result<Wire, SendError> {
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
        Ok(tls) => Ok(Wire::Tls(Box::new(tls))),
        Err(error) => Err(explain(&error, url, meter)),
    }
}

fn explain(error: &io::Error, url: &Url, meter: &Meter) -> SendError {
    let problem = match tls_problem(error) {
        None if meter.overrun.load(Ordering::Relaxed) => Some(TlsProblem::TooLong),
        problem => problem,
    };
    match problem {
        Some(problem) => SendError::Tls {
            host: url.host_str().unwrap_or_default().to_owned(),
            problem,
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
