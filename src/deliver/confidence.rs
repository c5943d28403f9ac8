//! What an endpoint is told in confidence, taken out of what it says in return.
//!
//! A receiver under repair likes to answer with the request that it got, credentials included, and
//! the start of every answer is kept and shown.

use url::Url;

use crate::endpoint::EndpointSettings;
use crate::vendor::basic_authorization;

/// What is shown instead.
const MASK: &str = "…";

/// Shorter ones would take ordinary words out of every answer, and are no secrets.
const SECRET_MIN_BYTES: usize = 6;

/// `text` without the endpoint's key, password and header values, and its URL's query.
pub(super) fn masked(text: String, settings: &EndpointSettings) -> String {
    let mut secrets: Vec<String> = Vec::new();
    if let Some(key) = &settings.signing_key {
        secrets.extend(key.expose().split_ascii_whitespace().map(str::to_owned));
    }
    if let Some(auth) = &settings.basic_auth {
        let sent = basic_authorization(&auth.user, auth.password.expose());
        secrets.extend(sent.split(' ').next_back().map(str::to_owned));
        secrets.push(auth.password.expose().to_owned());
    }
    for (_, value) in &settings.headers {
        // `Bearer TOKEN` may come back without its first word.
        secrets.extend(value.split(' ').next_back().map(str::to_owned));
        secrets.push(value.clone());
    }
    // Tokens stand there, too.
    let url = Url::parse(&settings.url).ok();
    secrets.extend(url.as_ref().and_then(Url::query).map(str::to_owned));
    secrets.retain(|secret| secret.len() >= SECRET_MIN_BYTES && text.contains(secret));
    // One may be a part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mask = |text: String, secret: &String| text.replace(secret.as_str(), MASK);
    secrets.iter().fold(text, mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::draft::build;
    use crate::endpoint::tests::policies;

    #[test]
    fn a_request_that_is_sent_back_shows_neither_key_nor_password_nor_header() {
        let draft = r#"{"name": "e", "url": "https://h/?token=1", "policy": "standard",
            "signing_key": "whsec_aHVudGVyMg==", "headers": {"X-Key": "Bearer hunter22", "X": "a"},
            "basic_auth": {"user": "user", "password": "hunter2"}}"#;
        let settings = build(serde_json::from_str(draft).unwrap(), &policies()).unwrap();
        let said = "POST /?token=1, Authorization: Basic dXNlcjpodW50ZXIy, X-Key: Bearer hunter22, token hunter22, \
            password hunter2, key whsec_aHVudGVyMg==, a cat";
        assert_eq!(
            masked(said.to_owned(), &settings),
            "POST /?…, Authorization: Basic …, X-Key: …, token …, password …, key …, a cat"
        );
        assert_eq!(masked("all is well".to_owned(), &settings), "all is well");
    }
}
