//! A text as it reads once its escapes are taken off, with the way back to where each byte stood.

use std::ops::Range;

/// The bytes that an escape at the very start of a text stands for, and its length there. One that
/// the end of the text has cut off stands for nothing.
pub(super) type Unescape = fn(&str) -> Option<(Vec<u8>, usize)>;

/// A text without its escapes.
pub(super) struct Reading {
    bytes: Vec<u8>,
    /// Where each byte stood, and where the text ended.
    at: Vec<usize>,
}

impl Reading {
    pub fn new(text: &str, unescape: Unescape) -> Self {
        let (mut bytes, mut at) = (Vec::new(), Vec::new());
        let mut from = 0;
        while let Some(c) = text[from..].chars().next() {
            let length = match unescape(&text[from..]) {
                Some((meant, length)) => {
                    at.extend(meant.iter().map(|_| from));
                    bytes.extend(meant);
                    length
                }
                None => {
                    let plain = &text.as_bytes()[from..][..c.len_utf8()];
                    at.extend(plain.iter().map(|_| from));
                    bytes.extend(plain);
                    plain.len()
                }
            };
            from += length;
        }
        at.push(from);
        Self { bytes, at }
    }

    /// Every place where `word` stands in the text, as it is written there.
    pub fn places(&self, word: &str) -> impl Iterator<Item = Range<usize>> {
        let word = word.as_bytes();
        let windows = self.bytes.windows(word.len().max(1)).enumerate();
        windows
            .filter(move |(_, window)| window.first() == word.first() && *window == word)
            .map(move |(from, _)| self.at[from]..self.at[from + word.len()])
    }

    /// Where a `word` begins that goes on beyond the end of the text.
    pub fn unfinished(&self, word: &str) -> Option<usize> {
        let word = word.as_bytes();
        let first = (self.bytes.len() + 1).saturating_sub(word.len());
        let mut tails = first..self.bytes.len();
        tails
            .find(|&from| word.starts_with(&self.bytes[from..]))
            .map(|from| self.at[from])
    }
}

/// Nothing stands for anything else.
pub(super) fn as_it_is(_: &str) -> Option<(Vec<u8>, usize)> {
    None
}

/// `\/`, `\"` and `\u002f` of a JSON string.
pub(super) fn json(text: &str) -> Option<(Vec<u8>, usize)> {
    let rest = text.strip_prefix('\\')?;
    let meant = match rest.chars().next() {
        None => return Some((Vec::new(), text.len())),
        Some(c @ ('"' | '\\' | '/')) => c,
        Some('t') => '\t',
        Some('u') => {
            let Some(digits) = rest.get(1..5) else {
                let is_cut = rest[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
                return is_cut.then(|| (Vec::new(), text.len()));
            };
            let c = char::from_u32(number(digits)?)?;
            return Some((c.to_string().into_bytes(), 6));
        }
        Some(_) => return None,
    };
    Some((meant.to_string().into_bytes(), 2))
}

/// `%2F` of a URL.
pub(super) fn percent(text: &str) -> Option<(Vec<u8>, usize)> {
    let rest = text.strip_prefix('%')?;
    let Some(digits) = rest.get(..2) else {
        let is_cut = rest.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_cut.then(|| (Vec::new(), text.len()));
    };
    Some((vec![u8::try_from(number(digits)?).ok()?], 3))
}

fn number(digits: &str) -> Option<u32> {
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, unescape: Unescape, word: &str) -> Vec<String> {
        let places = Reading::new(text, unescape);
        let places = places.places(word);
        places.map(|place| text[place].to_owned()).collect()
    }

    #[test]
    fn a_word_is_found_in_every_form_and_where_it_stands() {
        assert_eq!(found("é a/b é", as_it_is, "a/b"), ["a/b"]);
        assert_eq!(found("aaa", as_it_is, "aa"), ["aa", "aa"]);
        assert_eq!(found(r#"{"é":"a\/b"}"#, json, "a/b"), [r"a\/b"]);
        assert_eq!(found(r"\u0061\u002Fb\n", json, "a/b"), [r"\u0061\u002Fb"]);
        assert_eq!(
            found(r#"\u00e9\"\t\\"#, json, "é\"\t\\"),
            [r#"\u00e9\"\t\\"#]
        );
        assert_eq!(found("x=%61%2fb&", percent, "a/b"), ["%61%2fb"]);
        assert_eq!(found("%c3%A9", percent, "é"), ["%c3%A9"]);
        // What is no escape stands for itself.
        for text in ["%+1", "%é", "100%x", r"\u+123", r"\x", r"\ué"] {
            assert_eq!(found(text, json, text), [text]);
            assert_eq!(found(text, percent, text), [text]);
        }
        assert!(found("any", as_it_is, "").is_empty());
        assert!(found("", as_it_is, "any").is_empty());
    }

    #[test]
    fn a_word_that_the_end_has_cut_off_is_found_even_within_an_escape() {
        let unfinished = |text, unescape| Reading::new(text, unescape).unfinished("ab/cd");
        for (text, unescape) in [
            ("x a", as_it_is as Unescape),
            ("x ab/c", as_it_is),
            (r"x ab\", json),
            (r"x ab\u00", json),
            (r"x ab\/c", json),
            ("x ab%", percent),
            ("x %61b%2", percent),
        ] {
            assert_eq!(unfinished(text, unescape), Some(2), "{text}");
        }
        for text in ["", "x", "abx", "ab/cd"] {
            assert_eq!(unfinished(text, as_it_is), None, "{text}");
        }
    }
}
