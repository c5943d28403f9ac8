//! Requests that a web page has made a browser send.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HOST, HeaderName, ORIGIN};
use hyper::{HeaderMap, StatusCode};
use url::Url;

use super::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what a foreign web page can have made a browser send. A server that lets people in
/// without a credential listens on loopback, which every page in a browser on the machine can
/// send requests to. Such a page gives itself away by its site, its origin, or, where it has had
/// its own name resolve to loopback, by the `Host` header.
pub fn check(headers: &HeaderMap, credential: &str) -> Result<(), Problem> {
    let refuse = |detail: &str| Err(Problem::new(StatusCode::FORBIDDEN, detail));
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if text(&SEC_FETCH_SITE).is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) {
        return refuse("this request was sent by a web page of another site");
    }
    let host = text(&HOST);
    if !host.is_none_or(is_local) {
        return refuse(&format!(
            "the Host header is neither localhost nor an IP address; to serve other names, set {credential}"
        ));
    }
    // Older browsers send no Sec-Fetch-Site, but an origin with everything that changes something.
    let foreign = text(&ORIGIN).is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_none() || authority != host
    });
    if foreign {
        return refuse("this request was sent by a web page of another origin");
    }
    Ok(())
}

/// Whether `host` cannot be a foreign name: an address is nobody's name.
fn is_local(host: &str) -> bool {
    // As nearly everybody writes it.
    if host.parse::<SocketAddr>().is_ok() {
        return true;
    }
    let Ok(url) = Url::parse(&format!("http://{host}/")) else {
        return false;
    };
    match url.host_str() {
        Some(name) => {
            let bare = name.trim_matches(['[', ']']);
            bare.parse::<IpAddr>().is_ok() || crate::endpoint::url::is_loopback(&url)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn no_foreign_page_gets_in() {
        for (all, allowed) in [
            (&[("host", "127.0.0.1:7070")][..], true),
            (&[("host", "localhost:7070")], true),
            (&[("host", "[::1]:7070")], true),
            (&[], true),
            (&[("host", "evil.example:7070")], false),
            (&[("host", "localhost.evil.example")], false),
            (
                &[("host", "localhost"), ("sec-fetch-site", "cross-site")],
                false,
            ),
            (
                &[("host", "localhost"), ("sec-fetch-site", "same-origin")],
                true,
            ),
            (
                &[("host", "localhost:1"), ("origin", "http://localhost:1")],
                true,
            ),
            (
                &[("host", "localhost:1"), ("origin", "https://evil.example")],
                false,
            ),
            (&[("host", "localhost:1"), ("origin", "null")], false),
        ] {
            assert_eq!(check(&headers(all), "token").is_ok(), allowed, "{all:?}");
        }
    }
}
