//! What a request's signature is made of, for whoever looks for the mistake in a receiver. Never
//! the key.

use bytes::Bytes;

use super::signature::KeyError;
use super::{Profile, standard};
use crate::clock::Timestamp;
use crate::endpoint::{EndpointSettings, TextEncoding, TimestampMode};
use crate::event::{Event, Form};

/// What a signature is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The header that carries it.
    pub header: &'static str,
    /// The header's text; none where the endpoint has no key.
    pub value: Option<String>,
    /// How it is computed.
    pub algorithm: &'static str,
    /// What it is computed over, in words.
    pub over: &'static str,
    /// What it is computed over.
    pub base: Bytes,
    /// How the key's text becomes bytes.
    pub key_encoding: TextEncoding,
    /// How the signature becomes text.
    pub signature_encoding: TextEncoding,
    /// Which moment the request carries, and where.
    pub timestamp: String,
}

impl Profile {
    /// What the signature of an attempt made at `at` is made of.
    pub fn signing(
        self,
        event: &Event,
        settings: &EndpointSettings,
        at: Timestamp,
    ) -> Result<Signing, KeyError> {
        let header = self.signature_header();
        let outbound = self.request(event, settings, at)?;
        let mut headers = outbound.headers.iter();
        let value = headers.find(|(name, _)| *name == header);
        let value = value.map(|(_, text)| text.clone());
        let (algorithm, over) = match self {
            Self::Hotjar => (
                "HMAC-SHA3-256",
                "the body, byte for byte as it is sent (HOT-31, HOT-33)",
            ),
            Self::Esputnik => (
                "HMAC-SHA3-256",
                "the body, byte for byte as it is sent; eSputnik itself signs nothing",
            ),
            Self::Standard => ("HMAC-SHA256", "webhook-id.webhook-timestamp.body"),
        };
        let (base, key_encoding, signature_encoding) = match self {
            Self::Hotjar | Self::Esputnik => (
                outbound.body,
                settings.key_encoding,
                settings.signature_encoding,
            ),
            // The standard fixes both.
            Self::Standard => (
                standard::base(event.id, at.as_seconds(), &outbound.body),
                TextEncoding::Base64,
                TextEncoding::Base64,
            ),
        };
        Ok(Signing {
            header,
            value,
            algorithm,
            over,
            base,
            key_encoding,
            signature_encoding,
            timestamp: self.timestamp(event, settings, at),
        })
    }

    fn timestamp(self, event: &Event, settings: &EndpointSettings, at: Timestamp) -> String {
        let relayed = event.content.form == Form::Relayed;
        match (self, settings.timestamp_mode) {
            (Self::Hotjar, _) if relayed => {
                "in the body, as it came: it was relayed, and nothing of it is renewed (A-03)"
                    .to_owned()
            }
            (Self::Hotjar, TimestampMode::PerAttempt) => format!(
                "{} in the body: renewed at each attempt, as a receiver drops what is older than \
                 5 minutes (HOT-35, HOT-36, A-03)",
                at.as_seconds()
            ),
            (Self::Hotjar, TimestampMode::Fixed) => format!(
                "{} in the body: the event's own at every attempt, as timestamp_mode says",
                event.received_at.as_seconds()
            ),
            (Self::Esputnik, _) => "none: this vendor says nowhere when it sends".to_owned(),
            (Self::Standard, _) => format!(
                "{} in webhook-timestamp: that of the attempt; the body's own is the event's",
                at.as_seconds()
            ),
        }
    }
}
