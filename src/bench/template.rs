//! The event that is posted: a text with places for its number and the moment it leaves.

use std::ops::Range;

/// Where the number goes; the places have the width of what is put there.
const NUMBER: &str = "{number............}";
/// Where the time goes.
const SENT_NS: &str = "{sent_ns...........}";
/// Filled up to the size that is wanted.
const PADDING: &str = "{padding}";

/// What a body is made of if nothing else is wanted: an event in the broker's own form.
pub const NATIVE: &str = concat!(
    r#"{"type":"bench.event","data":{"number":"{number............}","#,
    r#""sent_ns":"{sent_ns...........}","padding":"{padding}"}}"#
);

/// The text before the time, by which a receiver finds it in whatever a broker made of the body.
pub const SENT_NS_MARK: &[u8] = br#""sent_ns":""#;
/// The text before the number.
pub const NUMBER_MARK: &[u8] = br#""number":""#;
/// Digits of either.
pub const DIGITS: usize = NUMBER.len();

/// A whole request, ready but for its number and time.
#[derive(Clone, Debug)]
pub struct Template {
    request: Vec<u8>,
    numbers: Vec<Range<usize>>,
    times: Vec<Range<usize>>,
}

impl Template {
    /// A post of `body` to `path`, padded to `bytes` if it has room for padding.
    pub fn new(host: &str, path: &str, headers: &[String], body: &str, bytes: usize) -> Self {
        let bare = body.replacen(PADDING, "", 1);
        let padding = "x".repeat(bytes.saturating_sub(bare.len()));
        let body = body.replacen(PADDING, &padding, 1);
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n");
        if !headers
            .iter()
            .any(|header| header.to_ascii_lowercase().starts_with("content-type"))
        {
            head.push_str("content-type: application/json\r\n");
        }
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let places = |mark: &str| {
            let found = body.match_indices(mark);
            found
                .map(|(at, mark)| head.len() + at..head.len() + at + mark.len())
                .collect()
        };
        let (numbers, times) = (places(NUMBER), places(SENT_NS));
        Self {
            request: [head, body].concat().into_bytes(),
            numbers,
            times,
        }
    }

    /// The request of one event.
    pub fn fill(&mut self, number: u64, sent_ns: u64) -> &[u8] {
        for (places, value) in [(&self.numbers, number), (&self.times, sent_ns)] {
            let digits = digits(value);
            for place in places {
                self.request[place.clone()].copy_from_slice(&digits);
            }
        }
        &self.request
    }

    /// As it is.
    pub fn bytes(&self) -> &[u8] {
        &self.request
    }
}

fn digits(mut value: u64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
    digits
}

/// The digits behind `mark` in `body`, looked for from `hint` on first: a broker puts them where it
/// put the last ones.
pub fn find(body: &[u8], mark: &[u8], hint: &mut usize) -> Option<u64> {
    let is_here = |at: usize| body.get(at..at + mark.len()) == Some(mark);
    if !is_here(*hint) {
        *hint = (0..body.len()).find(|at| is_here(*at))?;
    }
    let digits = body.get(*hint + mark.len()..*hint + mark.len() + DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_size_that_is_wanted_and_its_number_is_found_again() {
        let mut template = Template::new("h", "/v1/events", &[], NATIVE, 500);
        let request = template.fill(17, 123_456_789).to_vec();
        let split = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        let (head, body) = request.split_at(split);
        assert_eq!(body.len(), 500);
        assert!(String::from_utf8_lossy(head).contains("content-length: 500\r\n"));
        assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok());
        let mut hint = 0;
        assert_eq!(find(body, NUMBER_MARK, &mut hint), Some(17));
        assert_eq!(find(body, SENT_NS_MARK, &mut hint), Some(123_456_789));
        assert_eq!(find(b"{}", SENT_NS_MARK, &mut hint), None);
    }

    #[test]
    fn a_body_of_anothers_form_keeps_its_own_media_type() {
        let own = ["Content-Type: application/cloudevents+json".to_owned()];
        let template = Template::new("h", "/", &own, "{}", 500);
        let text = String::from_utf8_lossy(template.bytes()).into_owned();
        assert_eq!(text.matches("ontent-").count(), 2, "{text}");
    }
}
