//! Which URLs events may be sent to. What an address resolves to is the transport's guard.

use url::{Host, Url};

use crate::policy::Policy;
use crate::words::quoted;

/// The longest URL, in bytes: what every common proxy and server takes.
pub const URL_MAX_BYTES: usize = 2048;

/// Why a URL is refused. Shows the host at most: user names, paths and queries hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Over [`URL_MAX_BYTES`].
    #[error("url is longer than 2048 bytes; shorten it")]
    TooLong,
    /// Not an absolute URL.
    #[error("url is not an absolute URL ({0}); write https://HOST/PATH")]
    Malformed(&'static str),
    /// Neither `http` nor `https`.
    #[error("url has the scheme {0}; use https or http")]
    Scheme(String),
    /// With a user name or password.
    #[error("url {0} carries credentials; move them to basic_auth")]
    Credentials(String),
    /// With `#…`, which no request carries.
    #[error("url {0} has a fragment; take out the # and what follows")]
    Fragment(String),
    /// Port 0.
    #[error("url {0} has port 0; give the receiver's port")]
    PortZero(String),
    /// Not encrypted where the policy asks for it (HOT-14, A-07).
    #[error(
        "url {0} is not https, which policy {1} asks for; use https, or set allow_http = true if the network is trusted"
    )]
    PlainHttp(String, String),
}

/// Checks an endpoint's URL and gives it in normal form.
pub fn check_url(url: &str, policy: &Policy, allow_http: bool) -> Result<Url, UrlError> {
    let parsed = check_form(url)?;
    if parsed.scheme() == "http" && policy.requires_tls && !allow_http && !is_loopback(&parsed) {
        return Err(UrlError::PlainHttp(shown(&parsed), quoted(&policy.name)));
    }
    Ok(parsed)
}

/// The rules that hold under every policy.
pub(crate) fn check_form(url: &str) -> Result<Url, UrlError> {
    if url.len() > URL_MAX_BYTES {
        return Err(UrlError::TooLong);
    }
    // The parser forgives these as browsers do; a configuration should say what it means.
    if url
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '\\')
    {
        return Err(UrlError::Malformed("it has a space or a backslash"));
    }
    let parsed = Url::parse(url).map_err(|error| {
        UrlError::Malformed(match error {
            url::ParseError::EmptyHost => "it has no host",
            url::ParseError::InvalidPort => "its port is not a number up to 65535",
            url::ParseError::RelativeUrlWithoutBase => "it has no scheme",
            _ => "its host is malformed",
        })
    })?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(UrlError::Scheme(quoted(parsed.scheme())));
    }
    let after_scheme = url.get(parsed.scheme().len()..).unwrap_or_default();
    if !after_scheme.starts_with("://") || after_scheme[3..].starts_with('/') {
        return Err(UrlError::Malformed("it has no host"));
    }
    // The parser drops a user name that is empty, and with it what the writer may have meant.
    let authority = after_scheme[3..].split(['/', '?', '#']).next();
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err(UrlError::Credentials(shown(&parsed)));
    }
    if parsed.fragment().is_some() {
        return Err(UrlError::Fragment(shown(&parsed)));
    }
    if parsed.port() == Some(0) {
        return Err(UrlError::PortZero(shown(&parsed)));
    }
    Ok(parsed)
}

/// Whether the host is loopback by name or number.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// As much of a URL as is not secret.
pub fn shown_text(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "…".to_owned(), |url| shown(&url))
}

fn shown(url: &Url) -> String {
    let credentials = !url.username().is_empty() || url.password().is_some();
    let port = url.port().map(|port| format!(":{port}"));
    let more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    quoted(&format!(
        "{}://{}{}{}/{}",
        url.scheme(),
        if credentials { "…@" } else { "" },
        url.host_str().unwrap_or_default(),
        port.unwrap_or_default(),
        if more { "…" } else { "" },
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::policy;
    use super::*;

    #[test]
    fn a_url_that_no_event_should_go_to_is_refused_without_showing_what_is_secret_in_it() {
        let strict = Policy {
            requires_tls: true,
            ..policy("hotjar")
        };
        for (url, expected) in [
            (
                "http://u:hunter2@host/",
                r#"url "http://…@host/" carries credentials; move them to basic_auth"#,
            ),
            (
                "https://hunter2@host:8443/a?b",
                r#"url "https://…@host:8443/…" carries credentials; move them to basic_auth"#,
            ),
            (
                "https://@host/",
                r#"url "https://host/" carries credentials; move them to basic_auth"#,
            ),
            (
                "https://host/hunter2#x",
                r#"url "https://host/…" has a fragment; take out the # and what follows"#,
            ),
            (
                "ftp://host/",
                r#"url has the scheme "ftp"; use https or http"#,
            ),
            (
                "file:///etc/passwd",
                r#"url has the scheme "file"; use https or http"#,
            ),
            (
                "host/hook",
                "url is not an absolute URL (it has no scheme); write https://HOST/PATH",
            ),
            (
                "https:host",
                "url is not an absolute URL (it has no host); write https://HOST/PATH",
            ),
            (
                "https:///hook",
                "url is not an absolute URL (it has no host); write https://HOST/PATH",
            ),
            (
                "https://",
                "url is not an absolute URL (it has no host); write https://HOST/PATH",
            ),
            (
                "https://h:99999/",
                "url is not an absolute URL (its port is not a number up to 65535); write https://HOST/PATH",
            ),
            (
                "https://h:0/",
                r#"url "https://h:0/" has port 0; give the receiver's port"#,
            ),
            (
                " https://h/",
                "url is not an absolute URL (it has a space or a backslash); write https://HOST/PATH",
            ),
            (
                r"https://h\@evil/",
                "url is not an absolute URL (it has a space or a backslash); write https://HOST/PATH",
            ),
            (
                "http://example.com/hook",
                r#"url "http://example.com/…" is not https, which policy "hotjar" asks for; use https, or set allow_http = true if the network is trusted"#,
            ),
        ] {
            let error = check_url(url, &strict, false).unwrap_err().to_string();
            assert_eq!(error, expected, "{url}");
            assert!(!error.contains("hunter2"));
        }
        let long = format!("https://h/{}", "x".repeat(URL_MAX_BYTES));
        assert_eq!(check_url(&long, &strict, false), Err(UrlError::TooLong));
    }

    #[test]
    fn hot_14_plain_http_goes_to_loopback_or_where_it_is_allowed_only() {
        let strict = Policy {
            requires_tls: true,
            ..policy("hotjar")
        };
        for url in [
            "http://127.0.0.1:9000/",
            "http://127.1/",
            "http://localhost/",
            "http://a.localhost./",
            "http://[::1]:1/",
            "http://[::ffff:127.0.0.1]/",
            "https://example.com/",
        ] {
            assert!(check_url(url, &strict, false).is_ok(), "{url}");
        }
        for url in ["http://localhost.example.com/", "http://10.0.0.1/"] {
            assert!(check_url(url, &strict, false).is_err(), "{url}");
            assert!(check_url(url, &strict, true).is_ok(), "{url}");
            assert!(check_url(url, &policy("mine"), false).is_ok(), "{url}");
        }
    }
}
