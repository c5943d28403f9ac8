//! The kinds of sources, and the keys of each.

use super::super::{poller, zebline};

/// What speaks to a source, and so what is checked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Zebline's API, at `POST /v1/accounts/LICENSE/events`.
    Zebline,
    /// Hotjar's webhooks, with their signature.
    Hotjar,
    /// eSputnik's webhooks, with HTTP Basic authentication if set.
    Esputnik,
    /// Standard Webhooks, with their signature.
    Standard,
    /// CloudEvents 1.0.
    Cloudevents,
    /// Any body.
    Raw,
    /// Zenovay's API, polled.
    Zenovay,
}

pub(in crate::config) const KINDS: &[(&str, SourceKind)] = &[
    ("zebline", SourceKind::Zebline),
    ("hotjar", SourceKind::Hotjar),
    ("esputnik", SourceKind::Esputnik),
    ("standard", SourceKind::Standard),
    ("cloudevents", SourceKind::Cloudevents),
    ("raw", SourceKind::Raw),
    ("zenovay", SourceKind::Zenovay),
];

impl SourceKind {
    /// How it is written in the file.
    pub fn name(self) -> &'static str {
        KINDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// The keys that make a sender authenticate, for a hint.
    pub(in crate::config) fn authentication(self) -> &'static str {
        match self {
            Self::Esputnik => "basic_auth",
            _ => "access_token or basic_auth",
        }
    }

    /// Its keys, besides its name and kind.
    pub(in crate::config) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Zebline => zebline::KEYS,
            Self::Hotjar => &[
                "key",
                "previous_keys",
                "key_encoding",
                "signature_encoding",
                "max_age",
            ],
            Self::Esputnik => &["basic_auth", "split"],
            Self::Standard => &["key", "previous_keys", "max_age"],
            Self::Cloudevents | Self::Raw => {
                &["access_token", "previous_access_tokens", "basic_auth"]
            }
            Self::Zenovay => poller::KEYS,
        }
    }
}
