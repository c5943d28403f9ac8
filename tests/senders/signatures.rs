//! Forgeries: of a thousand signed messages every single bit is changed, and each is refused.

use std::thread;

use hyper::header::{HeaderMap, HeaderName};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redeliver::cli::listen::check::Checks;
use redeliver::clock::Timestamp;
use redeliver::endpoint::TextEncoding;
use redeliver::secret::Secret;
use redeliver::vendor::{VerifyError, hotjar, standard};

const SEED: u64 = 7;
const MESSAGES: usize = 1_000;
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A message with everything that is signed, and both signatures.
struct Message {
    secret: String,
    id: String,
    timestamp: String,
    body: Vec<u8>,
    hotjar: String,
    standard: String,
}

impl Message {
    fn new(rng: &mut StdRng) -> Self {
        let key: [u8; 24] = rng.random();
        let seconds = rng.random_range(1_600_000_000_i64..1_800_000_000);
        let body = format!(r#"{{"timestamp":{seconds}}}"#);
        let mut message = Self {
            secret: format!("whsec_{}", base64(&key)),
            id: format!("evt_{:016X}", rng.random::<u64>()),
            timestamp: seconds.to_string(),
            body: body.into_bytes(),
            hotjar: String::new(),
            standard: String::new(),
        };
        let key = message.secret.as_bytes();
        message.hotjar = hotjar::sign(key, &message.body, TextEncoding::Hex).unwrap();
        let (secret, id) = (&message.secret, &message.id);
        message.standard = standard::sign(secret, id, seconds, &message.body).unwrap();
        assert!(message.is_hotjars(&message.hotjar, &message.body));
        assert!(message.is_standard(&message.clone_parts()));
        message
    }

    fn is_hotjars(&self, signature: &str, body: &[u8]) -> bool {
        hotjar::verify(self.secret.as_bytes(), body, signature, TextEncoding::Hex).is_ok()
    }

    /// Id, timestamp, signature and body, as they go over the network.
    fn clone_parts(&self) -> [Vec<u8>; 4] {
        [&self.id, &self.timestamp, &self.standard]
            .map(|text| text.clone().into_bytes())
            .into_iter()
            .chain([self.body.clone()])
            .collect::<Vec<_>>()
            .try_into()
            .unwrap()
    }

    fn is_standard(&self, [id, timestamp, signature, body]: &[Vec<u8>; 4]) -> bool {
        // What is no text never comes out of a header.
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let (id, timestamp, signature) = (text(id), text(timestamp), text(signature));
        standard::verify_signature(&self.secret, id, timestamp, signature, body).is_ok()
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Calls `see` with every variant of `bytes` that differs in one bit.
fn each_flip(bytes: &[u8], mut see: impl FnMut(&[u8], usize)) {
    let mut changed = bytes.to_vec();
    for bit in 0..8 * bytes.len() {
        changed[bit / 8] ^= 1 << (bit % 8);
        see(&changed, bit);
        changed[bit / 8] ^= 1 << (bit % 8);
    }
}

fn messages(seed: u64, count: usize) -> Vec<Message> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..count).map(|_| Message::new(&mut rng)).collect()
}

#[test]
fn hot_33_every_single_bit_of_a_thousand_messages_counts() {
    let changes = |seed| {
        let mut changes = 0;
        for message in messages(seed, MESSAGES / 2) {
            each_flip(&message.body, |body, bit| {
                changes += 1;
                let accepted = message.is_hotjars(&message.hotjar, body);
                assert!(!accepted, "seed {seed}: bit {bit} of {message:?}");
            });
            each_flip(message.hotjar.as_bytes(), |signature, bit| {
                changes += 1;
                let text = std::str::from_utf8(signature).unwrap_or_default();
                // Digits in the other case are the same digits (A-08), and no forgery.
                let same = text.eq_ignore_ascii_case(&message.hotjar);
                let accepted = message.is_hotjars(text, &message.body);
                assert_eq!(accepted, same, "seed {seed}: bit {bit} of {message:?}");
            });
        }
        changes
    };
    in_two_threads(changes, 700_000);
}

#[test]
fn every_single_bit_of_a_thousand_standard_messages_counts() {
    let changes = |seed| {
        let mut changes = 0;
        for message in messages(seed, MESSAGES / 2) {
            let parts = message.clone_parts();
            for part in 0..parts.len() {
                each_flip(&parts[part], |changed, bit| {
                    changes += 1;
                    let mut forged = parts.clone();
                    forged[part] = changed.to_vec();
                    let accepted = message.is_standard(&forged);
                    assert!(!accepted, "seed {seed}: bit {bit} of {part} of {message:?}");
                });
            }
        }
        changes
    };
    in_two_threads(changes, 700_000);
}

/// Half of the messages each; together they must have tried more than `least` changes.
fn in_two_threads(changes: impl Fn(u64) -> usize + Sync, least: usize) {
    let tried: usize = thread::scope(|scope| {
        let changes = &changes;
        let halves = [SEED, SEED + 1].map(|seed| scope.spawn(move || changes(seed)));
        halves.into_iter().map(|half| half.join().unwrap()).sum()
    });
    assert!(tried >= least, "{tried} changes were tried");
    println!("{tried} changes were refused");
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.id, String::from_utf8_lossy(&self.body))
    }
}

#[test]
fn a_part_of_a_signature_another_key_and_another_scheme_are_refused() {
    let all = messages(SEED, 20);
    for (message, other) in all.iter().zip(all.iter().skip(1)) {
        for length in 0..message.hotjar.len() {
            assert!(!message.is_hotjars(&message.hotjar[..length], &message.body));
        }
        let parts = message.clone_parts();
        for part in 0..parts.len() {
            for length in 0..parts[part].len() {
                let mut cut = parts.clone();
                cut[part].truncate(length);
                assert!(!message.is_standard(&cut), "{length} of part {part}");
            }
        }
        assert!(!other.is_hotjars(&message.hotjar, &message.body));
        assert!(!other.is_standard(&parts));
        // The right bytes in the other scheme's clothes.
        let hex = hex::decode(&message.hotjar).unwrap();
        for forged in [format!("v1,{}", base64(&hex)), message.hotjar.clone()] {
            let mut swapped = parts.clone();
            swapped[2] = forged.into_bytes();
            assert!(!message.is_standard(&swapped));
        }
        assert!(!message.is_hotjars(&message.standard, &message.body));
    }
}

#[test]
fn one_right_signature_among_others_is_enough_and_one_of_another_version_is_none() {
    let [message, other] = &messages(SEED, 2)[..] else {
        unreachable!()
    };
    let right = &message.standard;
    let bare = right.strip_prefix("v1,").unwrap();
    for (signatures, accepted) in [
        (format!("{} {right}", other.standard), true),
        (format!("{right} {}", other.standard), true),
        (format!("v1a,AAAA {right} garbage"), true),
        (format!("v2,{bare}"), false),
        (format!("v1a,{bare}"), false),
        (format!("V1,{bare}"), false),
        (format!("v1,{bare},"), false),
        (format!("v1,{right}"), false),
        (bare.to_owned(), false),
        (right.replace('=', ""), false),
        (format!("{right},{}", other.standard), false),
    ] {
        let mut parts = message.clone_parts();
        parts[2] = signatures.clone().into_bytes();
        assert_eq!(message.is_standard(&parts), accepted, "{signatures}");
    }
}

#[test]
fn nothing_can_be_moved_between_the_parts_that_are_signed() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let signature = standard::sign(secret, "evt_1", 1_700_000_000, b"1700000001.5").unwrap();
    let verify = |id: &str, timestamp: &str, body: &[u8]| {
        standard::verify_signature(secret, id, timestamp, &signature, body)
    };
    assert!(verify("evt_1", "1700000000", b"1700000001.5").is_ok());
    let moved = verify("evt_1.1700000000", "1700000001", b"5");
    assert_eq!(moved, Err(VerifyError::DottedId));
    for timestamp in ["+1700000000", "01700000000", "1700000000 ", "1700000000.0"] {
        let otherwise = verify("evt_1", timestamp, b"1700000001.5");
        assert!(otherwise.is_err(), "{timestamp}");
    }
}

#[test]
fn the_time_may_be_off_by_five_minutes_to_the_second() {
    let at = |seconds: i64| Timestamp::from_millis(NOW.as_millis() + 1000 * seconds);
    for (off, hotjars, standards) in [
        (-301, false, false),
        (-300, true, true),
        (0, true, true),
        (300, true, true),
        // Hotjar's rule is about age alone (HOT-35).
        (301, true, false),
    ] {
        let body = format!(r#"{{"timestamp":{}}}"#, at(off).as_seconds());
        let young = hotjar::check_age(body.as_bytes(), NOW).is_ok();
        assert_eq!(young, hotjars, "{off}");
        assert_eq!(
            standard::check_age(at(off), NOW).is_ok(),
            standards,
            "{off}"
        );
    }
}

#[test]
fn a_replay_is_right_as_long_as_it_is_young_and_wrong_after_that() {
    // A sender's own second attempt looks the same: a receiver tells them apart by the id.
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = br#"{"timestamp":1700000000}"#;
    let signature = standard::sign(secret, "evt_1", 1_700_000_000, body).unwrap();
    let hotjars = hotjar::sign(b"k", body, TextEncoding::Hex).unwrap();
    let headers: HeaderMap = [
        (standard::ID_HEADER, "evt_1"),
        (standard::TIMESTAMP_HEADER, "1700000000"),
        (standard::SIGNATURE_HEADER, &signature),
        (hotjar::SIGNATURE_HEADER, &hotjars),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
    .into_iter()
    .collect();
    for (hotjar_key, standard_secret) in [(Some("k"), None), (None, Some(secret))] {
        let checks = Checks {
            hotjar_keys: hotjar_key.map(Secret::new).into_iter().collect(),
            standard_secrets: standard_secret.map(Secret::new).into_iter().collect(),
            ..Checks::default()
        };
        for (seconds, word) in [(0, "right"), (0, "right"), (300, "right"), (301, "wrong")] {
            let later = Timestamp::from_millis(NOW.as_millis() + 1000 * seconds);
            assert_eq!(checks.verdict(&headers, body, later).word(), word);
        }
    }
}
