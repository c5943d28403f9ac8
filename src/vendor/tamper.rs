//! Requests that no vendor would send: what a receiver must refuse, or live through.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::signature::{KeyError, encode_base64, hmac_sha3_256};
use super::{Outbound, Profile, esputnik, hotjar, standard};
use crate::clock::Timestamp;
use crate::endpoint::{BasicAuth, EndpointSettings, TextEncoding, TimestampMode};
use crate::event::{Event, Form};
use crate::secret::Secret;

/// What an event of an unknown type is called (HOT-17).
pub const UNKNOWN_TYPE: &str = "redeliver_unknown_type";

/// What is changed of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tamper {
    /// Its type, for one that nobody has heard of.
    UnknownType,
    /// Its timestamp, later by so much if it is positive; then it is signed anew.
    Moved {
        /// By how much.
        by_ms: i64,
    },
    /// The key that it is signed with; where there is none, the password.
    OtherKey,
    /// A digit of its signature.
    WrongSignature,
}

/// Whether a change was made: in words what is different, or why nothing is.
pub type Told = Result<String, &'static str>;

const RELAYED: &str = "the body was relayed, and its bytes are not ours to change (A-03)";
const NO_KEY: &str = "the endpoint has no signing key";

impl Profile {
    /// The body and headers of one attempt made at `at`, with these changes; and for each change
    /// whether it was made.
    pub fn tampered(
        self,
        event: &Event,
        settings: &EndpointSettings,
        at: Timestamp,
        tampers: &[Tamper],
    ) -> Result<(Outbound, Vec<Told>), KeyError> {
        let mut told = Vec::new();
        let (mut event, mut settings, mut at) = (event.clone(), settings.clone(), at);
        for tamper in tampers {
            told.push(match tamper {
                Tamper::UnknownType => self.rename(&mut event),
                Tamper::Moved { by_ms } => self.shift(&mut event, &settings, &mut at, *by_ms),
                Tamper::OtherKey => self.change_key(&mut settings),
                // It has to be made first.
                Tamper::WrongSignature => Err(NO_KEY),
            });
        }
        let mut outbound = self.request(&event, &settings, at)?;
        for (tamper, told) in tampers.iter().zip(&mut told) {
            if *tamper == Tamper::WrongSignature {
                *told = spoil(&mut outbound, self.signature_header());
            }
        }
        Ok((outbound, told))
    }

    /// The header that carries the signature.
    pub fn signature_header(self) -> &'static str {
        match self {
            Self::Hotjar => hotjar::SIGNATURE_HEADER,
            Self::Esputnik => esputnik::SIGNATURE_HEADER,
            Self::Standard => standard::SIGNATURE_HEADER,
        }
    }

    fn rename(self, event: &mut Event) -> Told {
        if event.content.form == Form::Relayed {
            return Err(RELAYED);
        }
        match self {
            Self::Hotjar | Self::Standard => event.content.kind = UNKNOWN_TYPE.into(),
            // ESP-22: the activity's status is what tells one kind from another.
            Self::Esputnik => {
                let renamed = with_status(&event.content.body, UNKNOWN_TYPE);
                event.content.body = renamed.ok_or("the body has no activityStatus")?;
            }
        }
        Ok(format!("its type is {UNKNOWN_TYPE}"))
    }

    fn shift(
        self,
        event: &mut Event,
        settings: &EndpointSettings,
        at: &mut Timestamp,
        by_ms: i64,
    ) -> Told {
        match (self, event.content.form) {
            (Self::Esputnik, _) => return Err("this vendor's requests carry no time of sending"),
            (Self::Hotjar, Form::Relayed) => {
                return Err("the body was relayed, and its timestamp cannot be renewed (A-03)");
            }
            (Self::Hotjar, Form::Data) if settings.timestamp_mode == TimestampMode::Fixed => {
                event.received_at = event.received_at.moved(by_ms);
            }
            _ => *at = at.moved(by_ms),
        }
        let seconds = by_ms.unsigned_abs() / 1000;
        let way = if by_ms < 0 { "in the past" } else { "ahead" };
        Ok(format!("its timestamp is {seconds} s {way}"))
    }

    fn change_key(self, settings: &mut EndpointSettings) -> Told {
        if let Some(key) = &settings.signing_key {
            let bytes = hmac_sha3_256(b"a key that is not the endpoint's", key.expose().as_bytes());
            let text = match (self, settings.key_encoding) {
                (Self::Standard, _) => {
                    format!("{}{}", standard::SECRET_PREFIX, encode_base64(&bytes))
                }
                (_, TextEncoding::Base64) => encode_base64(&bytes),
                (_, TextEncoding::Hex | TextEncoding::Utf8) => hex::encode(bytes),
            };
            settings.signing_key = Some(Secret::new(text));
            return Ok("it is signed with another key".to_owned());
        }
        let Some(auth) = &settings.basic_auth else {
            return Err(NO_KEY);
        };
        settings.basic_auth = Some(BasicAuth {
            user: auth.user.clone(),
            password: Secret::new(format!("not-{}", auth.password.expose())),
        });
        Ok("its password is another one (ESP-04)".to_owned())
    }
}

/// Changes the first digit of each signature, to another that could stand there.
fn spoil(outbound: &mut Outbound, header: &'static str) -> Told {
    let found = outbound
        .headers
        .iter_mut()
        .find(|(name, _)| *name == header);
    let (_, text) = found.ok_or(NO_KEY)?;
    let each = text.split(' ').map(|signature| {
        // `v1,` says which kind it is.
        let (version, digits) = match signature.split_once(',') {
            Some((version, digits)) => (format!("{version},"), digits),
            None => (String::new(), signature),
        };
        let first = if digits.starts_with('0') { '1' } else { '0' };
        let rest: String = digits.chars().skip(1).collect();
        format!("{version}{first}{rest}")
    });
    *text = each.collect::<Vec<_>>().join(" ");
    Ok(format!("the first digit of {header} is wrong"))
}

/// The activities with another status, each other byte as it was.
fn with_status(data: &Bytes, status: &str) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Activity<'a> {
        #[serde(borrow, rename = "activityStatus")]
        status: Option<&'a RawValue>,
    }
    let activities: Vec<Activity<'_>> = match data.trim_ascii_start().starts_with(b"[") {
        true => serde_json::from_slice(data).ok()?,
        false => vec![super::members(data)?],
    };
    let statuses = activities.iter().filter_map(|activity| activity.status);
    let (mut changed, mut copied) = (Vec::new(), 0);
    for raw in statuses {
        // A raw value is a part of the text that it was read from.
        let at = (raw.get().as_ptr() as usize).checked_sub(data.as_ptr() as usize)?;
        changed.extend_from_slice(data.get(copied..at)?);
        changed.extend_from_slice(super::json_string(status).as_bytes());
        copied = at + raw.get().len();
    }
    changed.extend_from_slice(data.get(copied..)?);
    (copied > 0).then(|| changed.into())
}
