//! Endpoints as they are kept: with their secrets sealed, if there is a master key. Pure.
//!
//! A record in which nothing is sealed and no key was replaced is one of version 1.

use serde::{Deserialize, Serialize};

use super::keyring::{Keyring, Sealed, Unopened};
use crate::endpoint::{Endpoint, Rotation};
use crate::id::Seq;
use crate::secret::Secret;
use crate::store::record::codec::{self, FIRST_VERSION, Frame, FrameError, Head, SEALED_VERSION};
use crate::store::record::{Transition, TransitionFrame};

/// An endpoint as a record of version 2 keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptEndpoint {
    /// As in version 1; where its secrets are sealed, empty texts in their places.
    endpoint: Endpoint,
    rotation: Option<Rotation>,
    sealed: Option<Sealed>,
}

/// The secrets of an endpoint: what is sealed, as JSON.
#[derive(Default, Serialize, Deserialize)]
struct Secrets {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signing_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Secret>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    header_values: Vec<String>,
}

/// How an endpoint's secrets were kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As they would be now.
    AsNow,
    /// In plain, or under a key before the present one.
    AsBefore,
    /// They cannot be read.
    Unread(Unopened),
}

/// A frame of transitions as it is kept.
pub type KeptFrame = TransitionFrame<Vec<Transition<KeptEndpoint>>>;

impl From<Endpoint> for KeptEndpoint {
    /// In plain.
    fn from(mut endpoint: Endpoint) -> Self {
        Self {
            rotation: endpoint.settings.rotation.take(),
            endpoint,
            sealed: None,
        }
    }
}

impl Secrets {
    /// Takes them out of an endpoint; empty texts stay in their places.
    fn take_out(kept: &mut KeptEndpoint) -> Self {
        let settings = &mut kept.endpoint.settings;
        let previous = kept.rotation.as_mut().and_then(|it| it.previous.as_mut());
        let empty = || Secret::new("");
        Self {
            signing_key: settings.signing_key.take(),
            previous_key: previous.map(|it| std::mem::replace(&mut it.key, empty())),
            password: settings
                .basic_auth
                .as_mut()
                .map(|auth| std::mem::replace(&mut auth.password, empty())),
            header_values: settings
                .headers
                .iter_mut()
                .map(|(_, value)| std::mem::take(value))
                .collect(),
        }
    }

    fn put_back(self, kept: &mut KeptEndpoint) {
        let settings = &mut kept.endpoint.settings;
        settings.signing_key = self.signing_key;
        let previous = kept.rotation.as_mut().and_then(|it| it.previous.as_mut());
        if let (Some(previous), Some(key)) = (previous, self.previous_key) {
            previous.key = key;
        }
        if let (Some(auth), Some(password)) = (&mut settings.basic_auth, self.password) {
            auth.password = password;
        }
        for ((_, place), value) in settings.headers.iter_mut().zip(self.header_values) {
            *place = value;
        }
    }
}

fn has_secrets(endpoint: &Endpoint, rotation: Option<&Rotation>) -> bool {
    let settings = &endpoint.settings;
    let previous = rotation.and_then(|it| it.previous.as_ref());
    settings.signing_key.is_some()
        || previous.is_some()
        || settings.basic_auth.is_some()
        || !settings.headers.is_empty()
}

/// Whether version 1 has no place for it.
fn needs_version_2(endpoint: &Endpoint, keys: &Keyring) -> bool {
    let rotation = endpoint.settings.rotation.as_ref();
    rotation.is_some() || (keys.present().is_some() && has_secrets(endpoint, rotation))
}

impl KeptEndpoint {
    /// As it is kept with these keys.
    pub fn of(endpoint: &Endpoint, keys: &Keyring) -> Self {
        let mut kept = Self::from(endpoint.clone());
        if keys.present().is_none() || !kept.has_secrets() {
            return kept;
        }
        let secrets = Secrets::take_out(&mut kept);
        // Texts alone: there is no value that JSON has no form for.
        let plain = serde_json::to_vec(&secrets).unwrap_or_default();
        kept.sealed = keys.seal(&owner(endpoint), &plain);
        kept
    }

    fn has_secrets(&self) -> bool {
        has_secrets(&self.endpoint, self.rotation.as_ref())
    }

    /// The endpoint, and how it was kept. What cannot be opened is left empty.
    pub fn open(mut self, keys: &Keyring) -> (Endpoint, How) {
        let how = match self.sealed.take() {
            None if keys.present().is_none() || !self.has_secrets() => How::AsNow,
            None => How::AsBefore,
            Some(sealed) => match keys.open(&owner(&self.endpoint), &sealed) {
                Ok(plain) => match serde_json::from_slice::<Secrets>(&plain) {
                    Ok(secrets) => {
                        secrets.put_back(&mut self);
                        match keys.present() == Some(sealed.key) {
                            true => How::AsNow,
                            false => How::AsBefore,
                        }
                    }
                    Err(_) => How::Unread(Unopened::Changed),
                },
                Err(unopened) => How::Unread(unopened),
            },
        };
        self.endpoint.settings.rotation = self.rotation;
        (self.endpoint, how)
    }

    /// The same, kept as it is with these keys. What they do not open stays as it is.
    pub fn again(self, keys: &Keyring) -> Self {
        let (endpoint, how) = self.clone().open(keys);
        match how {
            How::AsNow | How::Unread(_) => self,
            How::AsBefore => Self::of(&endpoint, keys),
        }
    }

    /// The endpoint, if version 1 has a place for it.
    fn into_version_1(self) -> Option<Endpoint> {
        (self.rotation.is_none() && self.sealed.is_none()).then_some(self.endpoint)
    }
}

/// To whom sealed secrets belong: those of one endpoint are of no use in another's place.
fn owner(endpoint: &Endpoint) -> String {
    format!("redeliver: secrets of {}", endpoint.id)
}

/// The body of a frame of transitions, of either version.
pub fn read(frame: &Frame<'_>) -> Result<KeptFrame, FrameError> {
    match frame.version {
        FIRST_VERSION => frame.decode().map(of_version_1),
        _ => frame.decode(),
    }
}

/// The body of the frame of transitions that begins where `bytes` do, and the frame's length.
pub fn begins_with(bytes: &[u8]) -> Option<(KeptFrame, usize)> {
    match *bytes.first()? {
        FIRST_VERSION => {
            let (body, len) = codec::begins_with(bytes)?;
            Some((of_version_1(body), len))
        }
        _ => codec::begins_with(bytes),
    }
}

fn of_version_1(body: TransitionFrame<Vec<Transition>>) -> KeptFrame {
    let kept = body.transitions.into_iter();
    TransitionFrame {
        as_of: body.as_of,
        transitions: kept.map(|it| it.map(KeptEndpoint::from)).collect(),
    }
}

/// The bytes of a frame of transitions, kept with these keys, and its CRC.
pub fn write(
    head: Head,
    as_of: Seq,
    transitions: &[Transition],
    keys: &Keyring,
) -> Result<(Vec<u8>, u32), FrameError> {
    let is_new = |transition: &Transition| matches!(transition, Transition::Endpoint(_, it) if needs_version_2(it, keys));
    if !transitions.iter().any(is_new) {
        return codec::encode(head, &TransitionFrame { as_of, transitions });
    }
    let kept = transitions.iter().cloned();
    let kept: Vec<_> = kept
        .map(|transition| transition.map(|it| KeptEndpoint::of(&it, keys)))
        .collect();
    let transitions = kept.as_slice();
    codec::encode_as(
        SEALED_VERSION,
        head,
        &TransitionFrame { as_of, transitions },
    )
}

/// The bytes of a frame that was read, under another head.
pub fn write_again(head: Head, body: &KeptFrame) -> Result<(Vec<u8>, u32), FrameError> {
    let plain = body.transitions.iter().cloned().map(|transition| {
        let mut fits = true;
        let transition = transition.map(|kept| {
            let endpoint = kept.endpoint.clone();
            kept.into_version_1().unwrap_or_else(|| {
                fits = false;
                endpoint
            })
        });
        fits.then_some(transition)
    });
    match plain.collect::<Option<Vec<_>>>() {
        Some(transitions) => {
            let as_of = body.as_of;
            codec::encode(head, &TransitionFrame { as_of, transitions })
        }
        None => codec::encode_as(SEALED_VERSION, head, body),
    }
}

/// Whether a snapshot of these endpoints is one of version 2.
pub fn is_new<'a>(mut endpoints: impl Iterator<Item = &'a Endpoint>, keys: &Keyring) -> bool {
    endpoints.any(|endpoint| needs_version_2(endpoint, keys))
}
