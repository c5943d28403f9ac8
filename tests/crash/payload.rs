//! What is sent: a key says all of it, so that nobody needs to keep the bytes to compare them.

use crate::chance::{Chance, scatter};
use crate::process::receiver::Seen;

/// How large the data of an event is.
#[derive(Clone, Copy, Debug)]
pub enum Sizes {
    /// Mostly small; some in parts of their own in the store.
    Small,
    /// From 100 B to 1 MiB, each order of magnitude as often as the next.
    Mixed,
}

const LEAST: usize = 100;

/// After so many bytes they come again: a prime, so that no two parts of a body that the store
/// cuts are alike.
const BLOCK: usize = 4093;

impl Sizes {
    fn draw(self, chance: &mut Chance) -> usize {
        let doublings = match self {
            Self::Small if !chance.one_in(10) => 0.0,
            Self::Small => chance.within(0..1000) as f64 * 0.008,
            // To 1 MiB, and sometimes to the byte.
            Self::Mixed => (chance.within(0..1030) as f64 / 1000.0).min(1.0) * 13.356,
        };
        let bytes = LEAST as f64 * doublings.exp2();
        (bytes as usize).min(1 << 20)
    }

    /// The key of the next event of `sender`.
    pub fn key(self, sender: &str, number: u64, chance: &mut Chance) -> String {
        format!("{sender}-{number}-{}", self.draw(chance))
    }
}

/// The data of the event with this key.
pub fn data(key: &str) -> String {
    let size = key.rsplit('-').next().and_then(|size| size.parse().ok());
    let size: usize = size.unwrap_or_else(|| panic!("no size in {key:?}"));
    let head = format!(r#"{{"key":"{key}","filler":""#);
    let filler = size.saturating_sub(head.len() + 2);
    let block = hex::encode(Chance::new(scatter(key), "filler").bytes(BLOCK.div_ceil(2)));
    let mut text = block[..BLOCK].repeat(filler.div_ceil(BLOCK));
    text.truncate(filler);
    format!(r#"{head}{text}"}}"#)
}

/// The body that puts it in.
pub fn body(key: &str) -> String {
    format!(r#"{{"type":"t","id":"{key}","data":{}}}"#, data(key))
}

/// Whether a receiver got the event with this key, byte for byte.
#[track_caller]
pub fn check(seen: &Seen, key: &str) {
    let data = data(key);
    let body = seen.body.strip_suffix(b"}").unwrap_or_default();
    let (head, given) = body.split_at(body.len().saturating_sub(data.len()));
    assert!(
        head.ends_with(br#","data":"#) && given == data.as_bytes(),
        "{key} came as {}",
        String::from_utf8_lossy(&seen.body[..seen.body.len().min(500)])
    );
}
