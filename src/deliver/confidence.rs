//! What an endpoint is told in confidence, taken out of what it says in return.
//!
//! A receiver under repair likes to answer with the request that it got, credentials included, as
//! it came or parsed into names and values, and the start of every answer is kept and shown.

mod reading;

use std::ops::Range;

use url::Url;
use url::form_urlencoded;

use self::reading::{Reading, Unescape};
use crate::endpoint::EndpointSettings;
use crate::vendor::basic_authorization;

/// What is shown instead.
pub(super) const MASK: &str = "…";

/// Shorter ones are left: they would take ordinary words and numbers out of every answer, and who
/// has to guess them needs no answer to do so.
const SECRET_MIN_BYTES: usize = 6;

/// Words of a header that say what kind of secret follows, and are none.
const SCHEMES: [&str; 3] = ["ApiKey", "Bearer", "Digest"];

/// As what a text is read that has this in it: as it is, as JSON, as part of a URL.
const READINGS: [(&str, Unescape); 3] = [
    ("", reading::as_it_is),
    ("\\", reading::json),
    ("%", reading::percent),
];

/// `text` without the endpoint's key, password, header values and its URL's query, or parts of the
/// latter two. If `is_cut`, the text went on, perhaps in the middle of one of them.
pub(super) fn masked(text: String, is_cut: bool, settings: &EndpointSettings) -> String {
    if text.len() < SECRET_MIN_BYTES && !is_cut {
        return text;
    }
    let secrets = secrets(settings);
    // What is left of a character that was cut.
    let whole = match is_cut {
        true => text.trim_end_matches(char::REPLACEMENT_CHARACTER),
        false => &text,
    };
    let mut places: Vec<Range<usize>> = Vec::new();
    for (_, unescape) in READINGS.iter().filter(|(mark, _)| whole.contains(mark)) {
        let reading = Reading::new(whole, *unescape);
        for secret in &secrets {
            places.extend(reading.places(secret));
            let tail = is_cut.then(|| reading.unfinished(secret)).flatten();
            places.extend(tail.map(|from| from..text.len()));
        }
    }
    without(&text, places)
}

/// `text` with a mask for each of `places`, or for several of them that overlap or touch.
fn without(text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_by_key(|place| place.start);
    let (mut shown, mut end) = (String::new(), None);
    for place in places {
        if end.is_none_or(|end| place.start > end) {
            shown += &text[end.unwrap_or(0)..place.start];
            shown += MASK;
        }
        end = end.max(Some(place.end));
    }
    shown + &text[end.unwrap_or(0)..]
}

/// Everything that is not to be shown.
fn secrets(settings: &EndpointSettings) -> Vec<String> {
    let mut secrets: Vec<String> = Vec::new();
    if let Some(key) = &settings.signing_key {
        secrets.extend(key.expose().split_ascii_whitespace().map(str::to_owned));
    }
    if let Some(auth) = &settings.basic_auth {
        let sent = basic_authorization(&auth.user, auth.password.expose());
        let credentials = sent.rsplit(' ').next().map(header_parts);
        secrets.extend(credentials.unwrap_or_default());
        secrets.push(auth.password.expose().to_owned());
    }
    for (_, value) in &settings.headers {
        secrets.extend(header_parts(value));
    }
    // Tokens stand there, too.
    if let Some(query) = Url::parse(&settings.url).ok().as_ref().and_then(Url::query) {
        secrets.extend(query_parts(query));
    }
    secrets.retain(|secret| secret.len() >= SECRET_MIN_BYTES);
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

/// A header's value, and what a receiver may take out of it: the token behind `Bearer`, one cookie
/// of several, its value.
fn header_parts(value: &str) -> Vec<String> {
    let mut parts = vec![value];
    let words = value.split([';', ',', ' ', '\t']);
    for word in words.filter(|word| !SCHEMES.iter().any(|s| word.eq_ignore_ascii_case(s))) {
        parts.push(word);
        // Padding of base64 is behind no name, and may be missing.
        let unpadded = word.trim_end_matches('=');
        parts.push(unpadded);
        for (at, _) in unpadded.match_indices('=') {
            parts.extend([&word[at + 1..], &unpadded[at + 1..]]);
        }
    }
    let unquoted = |part: &str| part.trim_matches('"').to_owned();
    parts.into_iter().map(unquoted).collect()
}

/// A query, and the values in it, as they are written and as they are meant. What has no value is
/// one itself.
fn query_parts(query: &str) -> Vec<String> {
    let mut parts = vec![query.to_owned()];
    for pair in query.split('&') {
        let value = pair.split_once('=').map_or(pair, |(_, value)| value);
        parts.push(value.to_owned());
    }
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parts.push(if value.is_empty() { name } else { value }.into_owned());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::draft::build;
    use crate::endpoint::tests::policies;

    fn settings(draft: &str) -> EndpointSettings {
        build(serde_json::from_str(draft).unwrap(), &policies()).unwrap()
    }

    #[test]
    fn a_request_that_is_sent_back_shows_neither_key_nor_password_nor_header() {
        let settings = settings(
            r#"{"name": "e", "url": "https://h/?token=1", "policy": "standard",
            "signing_key": "whsec_aHVudGVyMg==", "headers": {"X-Key": "Bearer hunter22", "X": "a"},
            "basic_auth": {"user": "user", "password": "hunter2"}}"#,
        );
        let said = "POST /?token=1, Authorization: Basic dXNlcjpodW50ZXIy, X-Key: Bearer hunter22, token hunter22, \
            password hunter2, key whsec_aHVudGVyMg==, no Bearer, a cat";
        assert_eq!(
            masked(said.to_owned(), false, &settings),
            "POST /?…, Authorization: Basic …, X-Key: …, token …, password …, key …, no Bearer, a cat"
        );
        for said in ["all is well", "ok", ""] {
            assert_eq!(masked(said.to_owned(), false, &settings), said);
        }
    }

    /// Each value in a place of its own; what is shorter than a secret is no more than a word.
    const PARTED: &str = r#"{"name": "e", "policy": "standard",
        "url": "https://h/?tenant=7&token=abcdef%2F123&barequery&state=a",
        "headers": {"Cookie": "lang=en; session=c00kie+1==; theme=dark",
            "X-Auth": "Token key=\"quoted\",other"},
        "basic_auth": {"user": "user", "password": "???>>>"}}"#;

    #[test]
    fn a_request_that_is_said_back_in_parts_shows_none_of_its_values() {
        let settings = settings(PARTED);
        for (said, shown) in [
            (
                r#"{"tenant":"7","token":"abcdef/123"}"#,
                r#"{"tenant":"7","token":"…"}"#,
            ),
            (r#"{"token":"abcdef\/123"}"#, r#"{"token":"…"}"#),
            (r#"{"token":"abcdef\u002f123"}"#, r#"{"token":"…"}"#),
            ("token=abcdef%2f123&", "token=…&"),
            ("token=abcdef%2F123;", "token=…;"),
            (r#"{"barequery":""}"#, r#"{"…":""}"#),
            (
                r#"{"lang":"en","session":"c00kie+1==","theme":"dark"}"#,
                r#"{"lang":"en","session":"…","theme":"dark"}"#,
            ),
            ("session c00kie+1 or c00kie%2B1%3D%3D", "session … or …"),
            (r#"{"key":"quoted"}"#, r#"{"key":"…"}"#),
            // Base64 of user:???>>> has both a slash and a plus sign.
            (r#"["dXNlcjo\/Pz8+Pj4="]"#, r#"["…"]"#),
            ("dXNlcjo%2FPz8%2BPj4%3D", "…"),
            ("???>>>", "…"),
            (r#"["???\u003e\u003e\u003e"]"#, r#"["…"]"#),
        ] {
            assert_eq!(masked(said.to_owned(), false, &settings), shown, "{said}");
        }
    }

    #[test]
    fn what_the_end_of_an_excerpt_has_left_of_a_secret_is_not_shown() {
        let settings = settings(PARTED);
        for (said, shown) in [
            ("token abcdef/12", "token …"),
            ("token a", "token …"),
            (r"token abcdef\", "token …"),
            ("token abcdef%2", "token …"),
            ("token abcdef/123", "token …"),
            ("session c00k\u{fffd}", "session …"),
            ("abc\u{fffd}", "…"),
            ("all is good.", "all is good."),
        ] {
            assert_eq!(masked(said.to_owned(), true, &settings), shown, "{said}");
        }
        // Where nothing was cut off, nothing is missing.
        let said = "token abcdef/12";
        assert_eq!(masked(said.to_owned(), false, &settings), said);
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_of_either() {
        let settings = settings(
            r#"{"name": "e", "policy": "standard", "url": "https://h/?a=hunter&b=termination"}"#,
        );
        let shown = |said: &str, is_cut| masked(said.to_owned(), is_cut, &settings);
        assert_eq!(shown("huntermination", false), "…");
        assert_eq!(shown("a hunter", true), "a …");
        assert_eq!(shown("hunterhunter x", false), "… x");
    }
}
