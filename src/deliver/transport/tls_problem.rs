//! Why TLS could not be agreed on, in words for the operator.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter::successors;

use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

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
    /// The receiver speaks no version of TLS that is still safe.
    TooOld,
    /// The receiver wants to know who we are.
    WantsClientCertificate,
    /// The handshake does not end within what an attempt reads.
    TooLong,
    /// The receiver ended it.
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
            Self::TooOld => f.write_str("it does not speak TLS 1.2 or 1.3"),
            Self::WantsClientCertificate => {
                f.write_str("it asks for a client certificate, and there is none to show")
            }
            Self::TooLong => f.write_str("its handshake does not end within 64 KiB"),
            Self::Alert(what) => write!(f, "it broke off with the alert {what}"),
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
                C::BadSignature => Self::BadCertificate(
                    "its signature is wrong, or its signer's key too weak".to_owned(),
                ),
                C::UnsupportedSignatureAlgorithmContext { .. }
                | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                    Self::BadCertificate("it is signed in a way that is not safe".to_owned())
                }
                C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
                    Self::BadCertificate("it is not for servers".to_owned())
                }
                C::Other(rule) => Self::BadCertificate(broken_rule(&rule.to_string())),
                other => Self::BadCertificate(shortened(&other.to_string())),
            },
            rustls::Error::NoCertificatesPresented => {
                Self::BadCertificate("there is none".to_owned())
            }
            rustls::Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge) => {
                Self::TooLong
            }
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
            | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => Self::TooOld,
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
                Self::WantsClientCertificate
            }
            rustls::Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            other => Self::Other(shortened(&other.to_string())),
        }
    }
}

/// The verifier's own errors come wrapped, with their names for a text.
fn broken_rule(text: &str) -> String {
    for (name, words) in [
        ("CaUsedAsEndEntity", "it is an authority's"),
        (
            "EndEntityUsedAsCa",
            "one in its chain is not an authority's",
        ),
        (
            "NameConstraintViolation",
            "its authority may not sign for that name",
        ),
        (
            "PathLenConstraintViolated",
            "its chain is longer than its authority allows",
        ),
        (
            "UnsupportedCriticalExtension",
            "it demands an extension that is not known",
        ),
    ] {
        if text.contains(name) {
            return words.to_owned();
        }
    }
    shortened(text)
}

/// What somebody else worded, who may have quoted the receiver.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// What TLS says about `error`, if it comes from there.
pub fn tls_problem(error: &(dyn Error + 'static)) -> Option<TlsProblem> {
    let causes = successors(Some(error), |&error| error.source());
    // An I/O error passes its content over when it is asked for its source.
    let io = causes.filter_map(|error| error.downcast_ref::<io::Error>());
    io.filter_map(io::Error::get_ref)
        .find_map(|content| content.downcast_ref::<rustls::Error>())
        .map(TlsProblem::from)
}
