//! The cookie of a session.

use hyper::HeaderMap;
use hyper::header::{COOKIE, HOST, HeaderName};

use super::session::LASTS;

const NAME: &str = "redeliver";

/// Browsers take a cookie of such a name only over https, and from nobody but this very host.
const HOST_ONLY: &str = "__Host-";

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The ids of sessions that a request brings.
pub(super) fn ids(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(COOKIE).iter();
    let cookies = lines.flat_map(|line| line.to_str().unwrap_or_default().split(';'));
    cookies.filter_map(|cookie| {
        let (name, id) = cookie.trim().split_once('=')?;
        let name = name.strip_prefix(HOST_ONLY).unwrap_or(name);
        let rest = name.strip_prefix(NAME)?;
        (rest.is_empty() || rest.starts_with('_')).then_some(id)
    })
}

/// `Set-Cookie` for the session `id`.
pub(super) fn given(id: &str, headers: &HeaderMap) -> String {
    written(id, LASTS.as_secs(), headers)
}

/// `Set-Cookie` for the end of whatever session there is.
pub(super) fn taken(headers: &HeaderMap) -> String {
    written("", 0, headers)
}

fn written(value: &str, seconds: u64, headers: &HeaderMap) -> String {
    let (prefix, secure) = match came_by_https(headers) {
        true => (HOST_ONLY, "; Secure"),
        false => ("", ""),
    };
    // Browsers give a host's cookies to all of its ports: two brokers on one machine would take
    // each other's sessions away.
    let port = headers.get(HOST).and_then(|host| host.to_str().ok());
    let port = port.and_then(|host| host.rsplit_once(':'));
    let port = port.and_then(|(_, port)| port.parse::<u16>().ok());
    let port = port.map_or_else(String::new, |port| format!("_{port}"));
    format!(
        "{prefix}{NAME}{port}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    )
}

/// Whether the browser spoke https, to a proxy that says so. Whoever says so wrongly makes nothing
/// but his own cookie stricter.
fn came_by_https(headers: &HeaderMap) -> bool {
    let proto = headers.get(X_FORWARDED_PROTO);
    let proto = proto.and_then(|proto| proto.to_str().ok());
    // Of several proxies, the first is the one that the browser spoke to.
    let first = proto.and_then(|proto| proto.split(',').next());
    first.is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let each = all.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        each.collect()
    }

    #[test]
    fn behind_https_the_cookie_is_for_https_alone() {
        let plain = given("abc", &headers(&[("host", "127.0.0.1:7070")]));
        assert_eq!(
            plain,
            "redeliver_7070=abc; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"
        );
        let behind = headers(&[
            ("host", "hooks.example"),
            ("x-forwarded-proto", "https, http"),
        ]);
        assert_eq!(
            given("abc", &behind),
            "__Host-redeliver=abc; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"
        );
        assert!(taken(&behind).contains("__Host-redeliver=; Path=/; Max-Age=0;"));
    }

    #[test]
    fn a_session_is_found_among_other_cookies_and_in_several_lines() {
        let mut headers = headers(&[("cookie", "a=b; redeliver_7070=one; redelivery=no")]);
        headers.append(COOKIE, HeaderValue::from_static("__Host-redeliver=two"));
        assert_eq!(ids(&headers).collect::<Vec<_>>(), ["one", "two"]);
    }
}
