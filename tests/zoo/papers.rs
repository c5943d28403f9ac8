//! Certificates, and animals that show them.

use std::io;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use crate::animal::{Animal, Ends, Guest, read_request};

macro_rules! refused {
    ($why:literal) => {
        Ends::Failed(concat!("TLS with 127.0.0.1 failed: ", $why))
    };
}
pub(crate) use refused;

pub type Authority = CertifiedIssuer<'static, KeyPair>;

/// Certificates, from the receiver's own on, and the key that is used with them.
pub struct Papers {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// Shows the same papers to everybody, whether they fit one another or not.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

impl Papers {
    pub fn new(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Self {
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Self { chain, key }
    }

    pub fn server(self) -> ServerConfig {
        let provider = rustls::crypto::ring::default_provider();
        let key = provider.key_provider.load_private_key(self.key).unwrap();
        let shown = Shows(Arc::new(CertifiedKey::new(self.chain, key)));
        ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown))
    }
}

pub fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

pub fn no_changes(_: &mut CertificateParams) {}

/// An authority that signs itself.
pub fn authority(shape: impl FnOnce(&mut CertificateParams)) -> Authority {
    Authority::self_signed(authority_params(shape), key()).unwrap()
}

/// An authority that another one has signed.
pub fn intermediate(root: &Authority, shape: impl FnOnce(&mut CertificateParams)) -> Authority {
    let params = authority_params(|params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "the one between");
        shape(params);
    });
    Authority::signed_by(params, key(), root).unwrap()
}

pub fn authority_params(shape: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "the zoo");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    shape(&mut params);
    params
}

/// A receiver's certificate, for loopback by name and number unless `shape` says otherwise.
pub fn leaf(
    issuer: &Authority,
    shape: impl FnOnce(&mut CertificateParams),
) -> (CertificateDer<'static>, KeyPair) {
    let key = key();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    shape(&mut params);
    let certificate = params.signed_by(&key, issuer).unwrap();
    (certificate.into(), key)
}

pub fn https(
    name: &'static str,
    ends: Ends,
    host: &str,
    ca: Option<String>,
    server: ServerConfig,
) -> Animal {
    https_judging(name, ends, host, ca, server, |_| 200)
}

/// As [`https`], with an answer that depends on the request.
pub fn https_judging(
    name: &'static str,
    ends: Ends,
    host: &str,
    ca: Option<String>,
    server: ServerConfig,
    judge: fn(&str) -> u16,
) -> Animal {
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let animal = Animal::new(name, ends, move |guest| {
        greet(guest, acceptor.clone(), judge)
    });
    secured(animal, host, ca)
}

/// The same animal, under an `https` URL.
pub fn secured(animal: Animal, host: &str, ca_pem: Option<String>) -> Animal {
    let url = format!("https://{host}:{}/hook?key=s3cret-query", animal.at.port());
    animal.under(url, ca_pem)
}

/// Answers every request as it is judged, over TLS.
async fn greet(guest: Guest, acceptor: TlsAcceptor, judge: fn(&str) -> u16) -> io::Result<()> {
    let mut tls = acceptor.accept(guest.socket).await?;
    loop {
        let status = judge(&read_request(&mut tls).await?);
        let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\nok");
        tls.write_all(answer.as_bytes()).await?;
        tls.flush().await?;
    }
}

/// One whose certificate comes straight from a trusted authority.
pub fn signed(
    name: &'static str,
    ends: Ends,
    shape: impl FnOnce(&mut CertificateParams),
) -> Animal {
    let ca = authority(no_changes);
    let (certificate, key) = leaf(&ca, shape);
    let server = Papers::new(vec![certificate], &key).server();
    https(name, ends, "127.0.0.1", Some(ca.pem()), server)
}

/// One whose certificate is signed by an authority between it and the trusted one.
pub fn signed_through(
    name: &'static str,
    ends: Ends,
    root: &Authority,
    between: &[&Authority],
) -> Animal {
    let (certificate, key) = leaf(between[0], no_changes);
    let between = between.iter().map(|authority| authority.der().clone());
    let chain = std::iter::once(certificate).chain(between).collect();
    let server = Papers::new(chain, &key).server();
    https(name, ends, "127.0.0.1", Some(root.pem()), server)
}
