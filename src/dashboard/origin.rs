//! Whether a request comes from our own pages. A browser adds the session's cookie to what a page of
//! another port of the same host sends, too.

use hyper::header::{HOST, HeaderName, ORIGIN};
use hyper::{HeaderMap, Method, StatusCode};

use crate::inbound::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another origin's page may have made a browser send. Browsers say by
/// `Sec-Fetch-Site` where a request comes from, unless they speak plain http to a host that is not
/// loopback; then `Origin`, which they add to all that changes something, has to be our `Host`.
pub(super) fn check(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let reads = method.is_safe();
    let is_ours = match (text(&SEC_FETCH_SITE), text(&ORIGIN)) {
        (Some("same-origin"), _) => true,
        // Somebody has typed the address.
        (Some("none"), _) => reads,
        (Some(_), _) => false,
        (None, Some(origin)) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some() && authority == text(&HOST)
        }
        (None, None) => reads,
    };
    if is_ours {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "this request does not come from a page of this server; if it does, have the proxy before it pass the Host header on",
    ))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn only_our_own_pages_may_change_something() {
        for (all, may_read, may_write) in [
            (&[("sec-fetch-site", "same-origin")][..], true, true),
            (&[("sec-fetch-site", "same-site")], false, false),
            (&[("sec-fetch-site", "cross-site")], false, false),
            (&[("sec-fetch-site", "none")], true, false),
            (&[], true, false),
            (&[("origin", "http://a:1"), ("host", "a:1")], true, true),
            (&[("origin", "http://a:2"), ("host", "a:1")], false, false),
            (&[("origin", "null"), ("host", "a:1")], false, false),
            (&[("origin", "http://a:1")], false, false),
            // What the browser says of the site counts more than what a proxy made of the host.
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://hooks.example"),
                    ("host", "127.0.0.1:7070"),
                ],
                true,
                true,
            ),
        ] {
            let headers: HeaderMap = all
                .iter()
                .map(|(name, value)| {
                    (
                        HeaderName::from_static(name),
                        HeaderValue::from_static(value),
                    )
                })
                .collect();
            assert_eq!(check(&Method::GET, &headers).is_ok(), may_read, "{all:?}");
            for method in [Method::POST, Method::PATCH, Method::DELETE] {
                assert_eq!(check(&method, &headers).is_ok(), may_write, "{all:?}");
            }
        }
    }
}
