//! A message as it goes out: made as `serve` makes it, then changed if it is to be a forgery.

use bytes::Bytes;

use super::change::{self, Change};
use super::drill::{Dispatch, Identity};
use crate::clock::Timestamp;
use crate::endpoint::{
    BasicAuth, Check, EndpointSettings, Filter, FilterOn, Order, Origin, TextEncoding,
    TimestampMode,
};
use crate::secret::Secret;
use crate::vendor::{KeyError, Profile};

/// The header of the login.
pub(super) const AUTHORIZATION: &str = "authorization";

/// What makes a message genuine.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Whose messages they are.
    pub profile: Profile,
    /// What they are signed with.
    pub signing_key: Option<Secret>,
    /// How the key's text becomes bytes.
    pub key_encoding: TextEncoding,
    /// How the signature becomes text.
    pub signature_encoding: TextEncoding,
    /// The login at the receiver.
    pub basic: Option<BasicAuth>,
}

impl Credentials {
    /// Messages of `profile` without key and login, in the vendor's usual encodings.
    pub fn none(profile: Profile) -> Self {
        Self {
            profile,
            signing_key: None,
            key_encoding: profile.default_key_encoding(),
            signature_encoding: profile.default_signature_encoding(),
            basic: None,
        }
    }

    /// Whether they can be used.
    pub fn check(&self) -> Result<(), KeyError> {
        self.profile.check_key(&self.settings())
    }

    pub(super) fn settings(&self) -> EndpointSettings {
        EndpointSettings {
            name: "check".to_owned(),
            url: String::new(),
            policy: String::new(),
            order: Order::Independent,
            filter: Filter::all(FilterOn::Kind),
            concurrency: 1,
            timeout: None,
            basic_auth: self.basic.clone(),
            headers: Vec::new(),
            signing_key: self.signing_key.clone(),
            key_encoding: self.key_encoding,
            signature_encoding: self.signature_encoding,
            timestamp_mode: TimestampMode::PerAttempt,
            allow_http: true,
            drop_while_inactive: false,
            ca_pem: None,
            check: Check::Off,
            origin: Origin::Api,
            rotation: None,
        }
    }
}

/// A request as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crafted {
    /// Whether it is a GET; else a POST.
    pub is_get: bool,
    /// The media type and the vendor's headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether the login in the headers is the receiver's own: never to be shown.
    pub has_login: bool,
}

impl Crafted {
    /// The GET by which a webhook is checked when it is saved (ESP-07, A-11).
    pub(super) fn get(credentials: &Credentials) -> Self {
        let login = credentials.basic.as_ref().map(|basic| {
            let text = crate::vendor::basic_authorization(&basic.user, basic.password.expose());
            (AUTHORIZATION, text)
        });
        Self {
            is_get: true,
            has_login: login.is_some(),
            headers: login.into_iter().collect(),
            body: Bytes::new(),
        }
    }

    /// The header's value.
    pub(super) fn header(&mut self, name: &str) -> Option<&mut String> {
        let found = self.headers.iter_mut().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    /// Puts the header in the place of the one of that name, or beside the others.
    pub(super) fn set(&mut self, name: &'static str, value: String) {
        match self.header(name) {
            Some(old) => *old = value,
            None => self.headers.push((name, value)),
        }
    }

    /// Takes the header away.
    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| *known != name);
    }
}

/// What a message is made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maker<'a> {
    pub credentials: &'a Credentials,
    /// What chooses the places of a forgery.
    pub seed: u64,
    /// The present.
    pub now: Timestamp,
}

impl Maker<'_> {
    /// The message that `dispatch` describes, of that identity. `other` is one that nobody has.
    pub(super) fn make(
        &self,
        dispatch: &Dispatch,
        identity: &Identity,
        other: &Identity,
    ) -> Result<Crafted, KeyError> {
        let at = self.now.moved(dispatch.moved_s.saturating_mul(1000));
        let mut crafted = self.genuine(dispatch, identity, at)?;
        if let Some(change) = dispatch.change {
            let forgery = change::Forgery {
                maker: self,
                dispatch,
                identity,
                other,
                at,
            };
            forgery.apply(change, &mut crafted)?;
        }
        Ok(crafted)
    }

    /// The same without the change.
    pub(super) fn genuine(
        &self,
        dispatch: &Dispatch,
        identity: &Identity,
        at: Timestamp,
    ) -> Result<Crafted, KeyError> {
        let event = identity.event((dispatch.shape)(identity, at));
        let settings = self.credentials.settings();
        let outbound = self.credentials.profile.request(&event, &settings, at)?;
        let mut headers = vec![("content-type", outbound.content_type.to_string())];
        headers.extend(outbound.headers);
        Ok(Crafted {
            is_get: false,
            headers,
            body: outbound.body,
            has_login: self.credentials.basic.is_some(),
        })
    }
}

/// Whether `change` is one of the login, not of the signature.
pub(super) fn changes_login(change: Option<Change>) -> bool {
    matches!(
        change,
        Some(
            Change::NoLogin
                | Change::WrongPassword
                | Change::WrongUser
                | Change::EmptyPassword
                | Change::OtherLoginScheme
        )
    )
}
