//! `redeliver verify`: checks one signature, and says what is wrong with it.

use std::path::PathBuf;

use serde_json::json;

use crate::clock::{Clock, RealClock, Timestamp};
use crate::secret::Secret;
use crate::vendor::mistakes::Material;
use crate::vendor::{Profile, VerifyError, hotjar, standard};

use super::Failure;
use super::secrets::secret_file;
use super::signing::{Input, Scheme, bad_key, print};

/// Check the signature of one body
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exits with 0 if the signature is right and 1 if it is not.\n\n\
    Example:\n  \
    redeliver verify --scheme hotjar --key-file key.txt --signature 1f0eeb… body.json"
)]
pub struct Args {
    /// The signature, as it stands in the header
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub signature: String,

    /// Refuse a timestamp that is more than 5 minutes away from this machine's clock, too
    #[arg(long)]
    pub check_age: bool,

    /// File with a key that is being replaced, by which the signature is right as well; may be
    /// repeated
    #[arg(long, value_name = "FILE")]
    pub previous_key_file: Vec<PathBuf>,

    /// What was signed.
    #[command(flatten)]
    pub input: Input,
}

/// Says whether the signature is right.
pub fn run(args: Args) -> Result<(), Failure> {
    args.input.check()?;
    let key = args.input.key()?;
    let body = args.input.read_body()?;
    let now = RealClock.now();
    let verdict = verify(&args, &key, &body, now);
    if !matches!(verdict, Ok(()) | Err(VerifyError::Key(_))) {
        for path in &args.previous_key_file {
            let previous = secret_file(path)?;
            match verify(&args, &previous, &body, now) {
                Ok(()) if args.input.json => {
                    return print(&json!({ "valid": true, "previous_key": true }).to_string());
                }
                Ok(()) => return print("the signature is right by a previous key"),
                Err(VerifyError::Key(error)) => return Err(bad_key(error)),
                Err(_) => {}
            }
        }
    }
    let reason = match verdict {
        Ok(()) if args.input.json => return print(&json!({ "valid": true }).to_string()),
        Ok(()) => return print("the signature is right"),
        Err(VerifyError::Key(error)) => return Err(bad_key(error)),
        Err(error) => explain(&args, &key, &body, &error)?,
    };
    if args.input.json {
        print(&json!({ "valid": false, "reason": reason }).to_string())?;
    }
    Err(Failure::Check(reason))
}

fn verify(args: &Args, key: &Secret, body: &[u8], now: Timestamp) -> Result<(), VerifyError> {
    let made = check_signature(args, key, body)?;
    match made {
        _ if !args.check_age => Ok(()),
        Some(made) => standard::check_age(made, now),
        None => hotjar::check_age(body, now),
    }
}

/// When it was made, if that is not part of the body.
fn check_signature(
    args: &Args,
    key: &Secret,
    body: &[u8],
) -> Result<Option<Timestamp>, VerifyError> {
    let (input, given) = (&args.input, args.signature.trim());
    match input.scheme {
        Scheme::Hotjar => {
            let key = input.hotjar_key(key)?;
            hotjar::verify(&key, body, given, input.signature_encoding.into())?;
            Ok(None)
        }
        Scheme::Standard => {
            let seconds = input.seconds().to_string();
            standard::verify_signature(key.expose(), input.id(), &seconds, given, body).map(Some)
        }
    }
}

/// The error, for a mismatch with what was computed; and the usual mistake that would explain it.
fn explain(args: &Args, key: &Secret, body: &[u8], error: &VerifyError) -> Result<String, Failure> {
    let seconds = args.input.seconds().to_string();
    let mistake = material(args, key, &seconds, body).explain(args.signature.trim());
    let hint = mistake.map(|mistake| mistake.to_string());
    match (error, hint) {
        (VerifyError::Malformed { .. }, Some(hint)) => Ok(format!("{error}; {hint}")),
        (VerifyError::Mismatch, hint) => {
            let computed = args.input.sign(key, body)?;
            let hint = hint.unwrap_or_else(|| unexplained(args.input.scheme).to_owned());
            Ok(format!(
                "the signature does not match: computed {computed} over {} bytes of body; {hint}",
                body.len()
            ))
        }
        _ => Ok(error.to_string()),
    }
}

/// What is left where none of the usual mistakes explains it.
fn unexplained(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Hotjar => {
            "no usual mistake explains it: see that this is the key of the site, and the body the one that came with this signature"
        }
        Scheme::Standard => {
            "no usual mistake explains it: see that this is the endpoint's secret, and that --id, --timestamp and body came with this signature"
        }
    }
}

fn material<'a>(args: &'a Args, key: &'a Secret, seconds: &'a str, body: &'a [u8]) -> Material<'a> {
    let input = &args.input;
    Material {
        profile: match input.scheme {
            Scheme::Hotjar => Profile::Hotjar,
            Scheme::Standard => Profile::Standard,
        },
        key: key.expose(),
        key_encoding: input.key_encoding.into(),
        signature_encoding: input.signature_encoding.into(),
        id: input.id(),
        timestamp: seconds,
        body,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::endpoint::TextEncoding;
    use crate::vendor::signature;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    const BODY: &[u8] = br#"{"timestamp":1700000000}"#;

    fn args(scheme: &[&str], signature: &str) -> Args {
        let all = [&["verify", "--signature", signature, "--scheme"], scheme].concat();
        Program::try_parse_from(all).unwrap().args
    }

    fn hotjar_explained(signature: &str, key: &str, body: &[u8]) -> String {
        let (args, key) = (args(&["hotjar"], signature), Secret::new(key));
        let error = verify(&args, &key, body, Timestamp::default()).unwrap_err();
        explain(&args, &key, body, &error).unwrap()
    }

    #[test]
    fn hot_34_a_mismatch_names_the_usual_mistake_and_never_the_key() {
        let right = hotjar::sign(b"site-key", BODY, TextEncoding::Hex).unwrap();
        let with_newline = [BODY, b"\n"].concat();
        let sha2 = hex::encode(signature::hmac_sha256(b"site-key", &[BODY]));
        let of_newline = hotjar::sign(b"site-key", &with_newline, TextEncoding::Hex).unwrap();
        for (signature, key, body, hint) in [
            (
                &right,
                "site-key",
                &with_newline[..],
                "without its last newline",
            ),
            (&of_newline, "site-key", BODY, "with a newline at its end"),
            (&right, "site-key ", BODY, "without the white space"),
            (&sha2, "site-key", BODY, "SHA-256 instead of SHA3-256"),
            (&right, "another", BODY, "no usual mistake explains it"),
        ] {
            let text = hotjar_explained(signature, key, body);
            assert!(text.contains(hint), "{text}");
            assert!(
                !text.contains("site-key") && !text.contains("another"),
                "{text}"
            );
        }
        assert_eq!(hotjar_explained("", "k", BODY), "there is no signature");
        assert_eq!(
            hotjar_explained("abc", "k", BODY),
            "the signature is not 64 hexadecimal digits"
        );
        let base64 = hotjar::sign(b"site-key", BODY, TextEncoding::Base64).unwrap();
        assert_eq!(
            hotjar_explained(&base64, "site-key", BODY),
            "the signature is not 64 hexadecimal digits; it is right for a signature in base64 \
             instead of hexadecimal; write the signature's bytes in lower-case hexadecimal"
        );
    }

    #[test]
    fn hot_35_the_age_is_looked_at_only_when_asked_for() {
        let right = hotjar::sign(b"k", BODY, TextEncoding::Hex).unwrap();
        let late = Timestamp::from_millis(1_700_000_301_000);
        let key = Secret::new("k");
        assert_eq!(verify(&args(&["hotjar"], &right), &key, BODY, late), Ok(()));
        let strict = args(&["hotjar", "--check-age"], &right);
        assert!(matches!(
            verify(&strict, &key, BODY, late),
            Err(VerifyError::Stale { .. })
        ));
    }

    #[test]
    fn a_standard_signature_is_checked_with_its_id_and_time() {
        let secret = Secret::new("whsec_a2V5");
        let right = standard::sign(secret.expose(), "msg_1", 17, b"{}").unwrap();
        let check = |id, time| {
            let args = args(&["standard", "--id", id, "--timestamp", time], &right);
            verify(&args, &secret, b"{}", Timestamp::default())
        };
        assert_eq!(check("msg_1", "17"), Ok(()));
        assert_eq!(check("msg_1", "18"), Err(VerifyError::Mismatch));
        assert_eq!(check("msg_2", "17"), Err(VerifyError::Mismatch));
    }
}
