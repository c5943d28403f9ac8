//! New timestamps and signatures.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::recorded::Recorded;
use crate::cli::signing::{Scheme, bad_key};
use crate::cli::{Failure, output};
use crate::clock::Timestamp;
use crate::endpoint::TextEncoding;
use crate::secret::Secret;
use crate::vendor::{hotjar, signature, standard};

/// What requests are signed with anew.
pub(super) enum Renewal {
    /// The key's bytes, and how the signature is written.
    Hotjar(Vec<u8>, TextEncoding),
    /// The secret.
    Standard(Secret),
}

impl Renewal {
    /// With a key that can be used; the encodings are the key's and the signature's (A-08).
    pub(super) fn new(
        scheme: Scheme,
        key: Secret,
        encodings: (TextEncoding, TextEncoding),
    ) -> Result<Self, Failure> {
        match scheme {
            Scheme::Hotjar => {
                let bytes = signature::key_bytes(key.expose(), encodings.0).map_err(bad_key)?;
                Ok(Self::Hotjar(bytes, encodings.1))
            }
            Scheme::Standard => {
                standard::secret_keys(key.expose()).map_err(bad_key)?;
                Ok(Self::Standard(key))
            }
        }
    }

    /// The request as it would be sent at `now`; `n` tells it apart if it has no id.
    pub(super) fn renewed(
        &self,
        mut recorded: Recorded,
        n: usize,
        now: Timestamp,
    ) -> Result<Recorded, Failure> {
        match self {
            Self::Hotjar(key, encoding) => {
                match restamped(&recorded.body, now) {
                    Some(body) => recorded.body = body,
                    // A receiver that is right refuses what is old (HOT-35).
                    None => output::warning(&format!(
                        "request {}: its body has no one timestamp, so that it is sent as it was, with a new signature alone",
                        n + 1
                    )),
                }
                let text = hotjar::sign(key, &recorded.body, *encoding).map_err(bad_key)?;
                recorded.set_header(hotjar::SIGNATURE_HEADER, text);
            }
            Self::Standard(secret) => {
                let id = recorded.header(standard::ID_HEADER).map(str::to_owned);
                let id = id.unwrap_or_else(|| format!("resend_{}_{}", now.as_millis(), n + 1));
                let seconds = now.as_seconds();
                let text = standard::sign(secret.expose(), &id, seconds, &recorded.body);
                let text = text.map_err(bad_key)?;
                recorded.set_header(standard::ID_HEADER, id);
                recorded.set_header(standard::TIMESTAMP_HEADER, seconds.to_string());
                recorded.set_header(standard::SIGNATURE_HEADER, text);
            }
        }
        Ok(recorded)
    }
}

/// `body` with Hotjar's `timestamp` (HOT-09) of `now`, and no other byte changed; none where it has
/// none, or more than one.
fn restamped(body: &Bytes, now: Timestamp) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Stamped<'a> {
        #[serde(borrow)]
        timestamp: &'a RawValue,
    }
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let stamped = is_object.then(|| serde_json::from_slice::<Stamped<'_>>(body).ok());
    let Stamped { timestamp } = stamped.flatten()?;
    // The value is borrowed from the body, so its address tells where it stands.
    let begin = timestamp.get().as_ptr().addr() - body.as_ptr().addr();
    let end = begin + timestamp.get().len();
    let seconds = now.as_seconds().to_string();
    let restamped = [&body[..begin], seconds.as_bytes(), &body[end..]].concat();
    Some(restamped.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_999);

    #[test]
    fn the_time_is_replaced_in_the_bytes_and_nothing_else_is_touched() {
        for (before, after) in [
            (
                " { \"timestamp\" :473385600 , \"a\":1.50,\"b\":{\"timestamp\":1}} \n",
                " { \"timestamp\" :1700000000 , \"a\":1.50,\"b\":{\"timestamp\":1}} \n",
            ),
            (
                r#"{"data":{"timestamp":1},"time\u0073tamp":"x"}"#,
                r#"{"data":{"timestamp":1},"time\u0073tamp":1700000000}"#,
            ),
            (r#"{"timestamp":null}"#, r#"{"timestamp":1700000000}"#),
        ] {
            assert_eq!(restamped(&Bytes::from(before), NOW).unwrap(), after);
        }
        for body in [
            r#"{"data":{"timestamp":1}}"#,
            r#"{"timestamp":1,"timestamp":2}"#,
            "[473385600]",
            "no JSON",
        ] {
            assert_eq!(restamped(&Bytes::from(body), NOW), None);
        }
    }

    #[test]
    fn old_signatures_are_replaced_and_an_id_stays() {
        let old = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", "1"),
            ("webhook-signature", "v1,old"),
            ("com-hotjar-signature", "old"),
        ];
        let old = old.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let recorded = Recorded::new("POST", old, Bytes::from("{}"), None).unwrap();
        let encodings = (TextEncoding::Utf8, TextEncoding::Hex);
        let renewal = Renewal::new(Scheme::Standard, Secret::new("whsec_a2V5"), encodings).unwrap();
        let renewed = renewal.renewed(recorded.clone(), 0, NOW).unwrap();
        assert_eq!(renewed.header("webhook-id"), Some("msg_1"));
        assert_eq!(renewed.header("webhook-timestamp"), Some("1700000000"));
        let expected = standard::sign("whsec_a2V5", "msg_1", 1_700_000_000, b"{}").unwrap();
        assert_eq!(renewed.header("webhook-signature"), Some(expected.as_str()));
        let renewal = Renewal::new(Scheme::Hotjar, Secret::new("k"), encodings).unwrap();
        let renewed = renewal.renewed(recorded, 0, NOW).unwrap();
        let expected = hotjar::sign(b"k", b"{}", TextEncoding::Hex).unwrap();
        assert_eq!(
            renewed.header("com-hotjar-signature"),
            Some(expected.as_str())
        );
    }
}
