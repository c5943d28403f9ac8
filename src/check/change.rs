//! What is done to a genuine message to make a forgery of it, or an unusual one. Pure.

use crate::check::crafted::{AUTHORIZATION, Crafted, Maker, changes_login};
use crate::check::drill::{Dispatch, Identity};
use crate::clock::Timestamp;
use crate::endpoint::TextEncoding;
use crate::secret::Secret;
use crate::vendor::{
    KeyError, Profile, basic_authorization, esputnik, hotjar, signature, standard,
};

/// A key in the form of every encoding, and no receiver's.
const OTHER_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const OTHER_PASSWORD: &str = "not-the-password";

/// What is done to a message that has been signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One digit of the payload is another one.
    BodyDigit,
    /// One character of the signature is another one.
    SignatureDigit,
    /// There is no signature header.
    NoSignature,
    /// The signature header is empty.
    EmptySignature,
    /// The signature is its first half.
    HalfSignature,
    /// More follows the signature.
    LongSignature,
    /// Signed with another key.
    OtherKey,
    /// Signed with another hash function: SHA-256 for SHA3-256, and the other way round.
    OtherHash,
    /// The signature is right for another message.
    SignatureOfAnother,
    /// Standard Webhooks: the body alone is signed, without id and timestamp.
    BodyAloneSigned,
    /// Standard Webhooks: the id is another one than was signed.
    OtherId,
    /// Standard Webhooks: the timestamp is of now, and was not when it was signed.
    RenewedTimestamp,
    /// Standard Webhooks: there is no id header.
    NoId,
    /// Standard Webhooks: there is no timestamp header.
    NoTimestamp,
    /// Standard Webhooks: the timestamp is a word, and signed as such.
    TimestampWord,
    /// Standard Webhooks: the right signature, as one of a version that nobody knows.
    UnknownVersionAlone,
    /// Standard Webhooks: genuine, with signatures of unknown versions before and after.
    UnknownVersionsBeside,
    /// Standard Webhooks: genuine, behind a signature by another key.
    OtherSignatureFirst,
    /// Standard Webhooks: genuine, with a signature by another key behind it.
    OtherSignatureLast,
    /// There are no credentials.
    NoLogin,
    /// The credentials have another password.
    WrongPassword,
    /// The credentials have another user.
    WrongUser,
    /// The credentials have an empty password.
    EmptyPassword,
    /// The credentials come under another scheme.
    OtherLoginScheme,
}

/// A change, and all that it may need.
pub(super) struct Forgery<'a> {
    pub maker: &'a Maker<'a>,
    pub dispatch: &'a Dispatch,
    pub identity: &'a Identity,
    pub other: &'a Identity,
    pub at: Timestamp,
}

impl Forgery<'_> {
    pub(super) fn apply(&self, change: Change, crafted: &mut Crafted) -> Result<(), KeyError> {
        if changes_login(Some(change)) {
            self.change_login(change, crafted);
            return Ok(());
        }
        let header = match self.maker.credentials.profile {
            Profile::Hotjar => hotjar::SIGNATURE_HEADER,
            Profile::Esputnik => esputnik::SIGNATURE_HEADER,
            Profile::Standard => standard::SIGNATURE_HEADER,
        };
        match change {
            Change::BodyDigit => self.change_body(crafted),
            Change::NoSignature => crafted.remove(header),
            Change::EmptySignature => crafted.set(header, String::new()),
            Change::OtherKey => crafted.set(header, self.by_another_key(header)?),
            Change::OtherHash | Change::BodyAloneSigned => {
                let text = self.otherwise(change, &crafted.body)?;
                crafted.set(header, text);
            }
            Change::SignatureOfAnother => {
                let mut other = self.maker.genuine(self.dispatch, self.other, self.at)?;
                crafted.set(header, take(&mut other, header));
            }
            Change::OtherId => {
                let mut other = self.maker.genuine(self.dispatch, self.other, self.at)?;
                crafted.set(standard::ID_HEADER, take(&mut other, standard::ID_HEADER));
            }
            Change::RenewedTimestamp => {
                let now = self.maker.now.as_seconds().to_string();
                crafted.set(standard::TIMESTAMP_HEADER, now);
            }
            Change::NoId => crafted.remove(standard::ID_HEADER),
            Change::NoTimestamp => crafted.remove(standard::TIMESTAMP_HEADER),
            Change::TimestampWord => {
                crafted.set(standard::TIMESTAMP_HEADER, "now".to_owned());
                let text = self.signed_standard("now", &crafted.body)?;
                crafted.set(header, text);
            }
            Change::OtherSignatureFirst | Change::OtherSignatureLast => {
                let other = self.by_another_key(header)?;
                let right = take(crafted, header);
                crafted.set(
                    header,
                    match change {
                        Change::OtherSignatureFirst => format!("{other} {right}"),
                        _ => format!("{right} {other}"),
                    },
                );
            }
            _ => {
                let right = take(crafted, header);
                crafted.set(header, self.respell(change, &right));
            }
        }
        Ok(())
    }

    /// The signature with its text changed.
    fn respell(&self, change: Change, right: &str) -> String {
        // The version in front is not a part of the signature.
        let (version, text) = match right.split_once(',') {
            Some((_, text)) => ("v1,", text),
            None => ("", right),
        };
        match change {
            Change::SignatureDigit => format!("{version}{}", self.change_digit(text)),
            Change::HalfSignature => format!("{version}{}", &text[..text.len() / 2]),
            Change::LongSignature => format!("{version}{text}{}", &text[..4]),
            Change::UnknownVersionAlone => format!("v0,{text}"),
            Change::UnknownVersionsBeside => format!("v1a,AAAA v0,{text} {right} v2,AAAA"),
            _ => right.to_owned(),
        }
    }

    fn change_digit(&self, text: &str) -> String {
        // The last characters of base64 hold bits that nobody reads.
        let place = self.maker.seed as usize % (text.len() - 2).max(1);
        let with = |old: char| match old {
            '0' => '1',
            'a'..='f' => '0',
            'A' => 'B',
            'A'..='Z' => 'A',
            'g'..='z' => 'a',
            _ => '0',
        };
        let all = text.char_indices();
        all.map(|(at, c)| if at == place { with(c) } else { c })
            .collect()
    }

    /// One digit of the payload's `data`, so that neither its form nor its age changes.
    fn change_body(&self, crafted: &mut Crafted) {
        let mut body = crafted.body.to_vec();
        let mark = b"\"data\":";
        let start = body.windows(mark.len()).position(|part| part == mark);
        let start = start.unwrap_or_default();
        let digits: Vec<usize> = (start..body.len())
            .filter(|&at| body[at].is_ascii_digit())
            .collect();
        if let Some(&at) = digits.get(self.maker.seed as usize % digits.len().max(1)) {
            // Never a zero, which may not lead a number.
            body[at] = b'1' + (body[at] - b'0') % 9;
        }
        crafted.body = body.into();
    }

    fn by_another_key(&self, header: &'static str) -> Result<String, KeyError> {
        let mut credentials = self.maker.credentials.clone();
        credentials.signing_key = Some(Secret::new(OTHER_KEY));
        let maker = Maker {
            credentials: &credentials,
            ..*self.maker
        };
        let mut other = maker.genuine(self.dispatch, self.identity, self.at)?;
        Ok(take(&mut other, header))
    }

    /// Signed with the right key, in a way that is not the vendor's.
    fn otherwise(&self, change: Change, body: &[u8]) -> Result<String, KeyError> {
        let credentials = self.maker.credentials;
        let key = credentials.signing_key.as_ref().map_or("", Secret::expose);
        if credentials.profile != Profile::Standard {
            let key = signature::key_bytes(key, credentials.key_encoding)?;
            let mac = signature::hmac_sha256(&key, &[body]);
            return signature::encode(&mac, credentials.signature_encoding);
        }
        let key = first_key(key)?;
        let mac = match change {
            Change::BodyAloneSigned => signature::hmac_sha256(&key, &[body]),
            _ => {
                let seconds = self.at.as_seconds().to_string();
                signature::hmac_sha3_256(&key, &self.signed_bytes(&seconds, body))
            }
        };
        version_1(&mac)
    }

    fn signed_standard(&self, timestamp: &str, body: &[u8]) -> Result<String, KeyError> {
        let key = self.maker.credentials.signing_key.as_ref();
        let key = first_key(key.map_or("", Secret::expose))?;
        let bytes = self.signed_bytes(timestamp, body);
        version_1(&signature::hmac_sha256(&key, &[&bytes]))
    }

    /// What Standard Webhooks signs.
    fn signed_bytes(&self, timestamp: &str, body: &[u8]) -> Vec<u8> {
        let content = (self.dispatch.shape)(self.identity, self.at);
        let id = self.identity.event(content).id;
        [format!("{id}.{timestamp}.").as_bytes(), body].concat()
    }

    fn change_login(&self, change: Change, crafted: &mut Crafted) {
        crafted.has_login = false;
        let basic = self.maker.credentials.basic.as_ref();
        let user = basic.map_or("", |basic| &basic.user);
        let text = match change {
            Change::WrongPassword => basic_authorization(user, OTHER_PASSWORD),
            Change::WrongUser => basic_authorization("nobody", OTHER_PASSWORD),
            Change::EmptyPassword => basic_authorization(user, ""),
            Change::OtherLoginScheme => format!("Bearer {OTHER_PASSWORD}"),
            _ => return crafted.remove(AUTHORIZATION),
        };
        crafted.set(AUTHORIZATION, text);
    }
}

fn take(crafted: &mut Crafted, header: &str) -> String {
    crafted
        .header(header)
        .map(std::mem::take)
        .unwrap_or_default()
}

fn first_key(secret: &str) -> Result<Vec<u8>, KeyError> {
    let first = standard::secret_keys(secret)?.into_iter().next();
    first.ok_or(KeyError::Empty)
}

fn version_1(mac: &[u8]) -> Result<String, KeyError> {
    let text = signature::encode(mac, TextEncoding::Base64)?;
    Ok(format!("v1,{text}"))
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
