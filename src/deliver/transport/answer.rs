//! What is kept of an answer.

use std::time::Duration;

use hyper::header::{CONTENT_ENCODING, HeaderMap, RETRY_AFTER};

use crate::words::steers;

/// Bytes that an attempt reads from the receiver: what TLS takes, interim answers, headers, body.
pub const ANSWER_LIMIT: usize = 64 * 1024;

/// Bytes of an answer's body that are kept, as text.
pub const EXCERPT_LIMIT: usize = 4 * 1024;

/// The longest delay that a receiver may ask for; policies allow less.
const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// What the receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The delay in `Retry-After`, if it is given in seconds; at most a week.
    pub retry_after: Option<Duration>,
    /// The start of the body as text without control characters, at most 4 KiB; absent if the
    /// body is empty or encoded.
    pub excerpt: Option<String>,
    /// Whether the body went on behind the excerpt, as far as anybody knows.
    pub excerpt_is_cut: bool,
    /// Bytes of the body that were read.
    pub body_bytes: usize,
    /// Whether the body was not read to its end: it was too long, too slow or broken.
    pub truncated: bool,
    /// The headers.
    pub headers: HeaderMap,
}

/// What a body is given to, piece by piece.
pub(super) trait Take {
    /// Takes the next bytes.
    fn take(&mut self, data: &[u8]);
}

impl Take for Vec<u8> {
    fn take(&mut self, data: &[u8]) {
        self.extend_from_slice(data);
    }
}

/// Collects the start of a body, and counts the rest.
pub(super) struct Excerpt {
    kept: Vec<u8>,
    keep: bool,
    bytes: usize,
    pub(super) truncated: bool,
}

impl Excerpt {
    pub(super) fn new(headers: &HeaderMap) -> Self {
        Self {
            kept: Vec::new(),
            // Nothing is decompressed, so that no answer is larger than it looks.
            keep: !headers.contains_key(CONTENT_ENCODING),
            bytes: 0,
            truncated: false,
        }
    }

    pub(super) fn into_answer(self, status: u16, headers: HeaderMap) -> Answer {
        let (text, whole) = printable(&self.kept);
        Answer {
            status,
            retry_after: retry_after(&headers),
            excerpt: (!self.kept.is_empty()).then_some(text),
            excerpt_is_cut: self.truncated || self.bytes > self.kept.len() || !whole,
            body_bytes: self.bytes,
            truncated: self.truncated,
            headers,
        }
    }
}

impl Take for Excerpt {
    fn take(&mut self, data: &[u8]) {
        if self.keep {
            let room = EXCERPT_LIMIT - self.kept.len();
            self.kept.extend_from_slice(&data[..room.min(data.len())]);
        }
        self.bytes += data.len();
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Digits that do not fit are a very long time.
    let seconds = text.parse().unwrap_or(u64::MAX);
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_LIMIT))
}

/// Text that can be shown on a terminal and in a page without doing anything there, and whether it
/// is all of it.
fn printable(bytes: &[u8]) -> (String, bool) {
    let mut text = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        // Bytes that are no UTF-8 take three bytes each once they are replaced.
        if text.len() + c.len_utf8() > EXCERPT_LIMIT {
            return (text, false);
        }
        if matches!(c, '\n' | '\t') || !(c.is_control() || steers(c)) {
            text.push(c);
        }
    }
    (text, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())])
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_capped_at_a_week() {
        for (text, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(604_800)),
            ("-1", None),
            ("+5", None),
            ("1.5", None),
            ("", None),
            ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ] {
            assert_eq!(
                retry_after(&headers(text)),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }

    #[test]
    fn an_excerpt_is_short_text_without_control_characters() {
        assert_eq!(
            printable(b"a\x1b[31mb\r\n\x00\xffc\xe2\x80\xaed"),
            ("a[31mb\n\u{fffd}cd".to_owned(), true)
        );
        let (text, whole) = printable(&[0xff; EXCERPT_LIMIT]);
        assert!(text.len() <= EXCERPT_LIMIT && !whole);
        let mut excerpt = Excerpt::new(&HeaderMap::new());
        for _ in 0..3 {
            excerpt.take(&[b'a'; 3000]);
        }
        let answer = excerpt.into_answer(200, &HeaderMap::new());
        assert_eq!(answer.body_bytes, 9000);
        assert_eq!(answer.excerpt.map(|e| e.len()), Some(EXCERPT_LIMIT));
        assert!(answer.excerpt_is_cut);
    }

    #[test]
    fn an_excerpt_is_cut_where_the_body_was_longer_or_may_have_been() {
        let is_cut = |length: usize, truncated: bool| {
            let mut excerpt = Excerpt::new(&HeaderMap::new());
            excerpt.take(&vec![b'a'; length]);
            excerpt.truncated = truncated;
            excerpt.into_answer(200, &HeaderMap::new()).excerpt_is_cut
        };
        assert!(!is_cut(EXCERPT_LIMIT, false));
        assert!(is_cut(EXCERPT_LIMIT + 1, false) && is_cut(1, true));
    }
}
