//! Requests that two readers could understand differently (RFC 9112, sections 3.2 and 6).
//!
//! In front of a broker there may be a proxy that sends the requests of many clients over one
//! connection. Where it and we disagree about where a request ends, one client's bytes become the
//! next client's request. The HTTP library refuses most of that; this is the rest.

use hyper::header::{HOST, TRANSFER_ENCODING};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Request, StatusCode, Version};

use super::problem::Problem;

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It takes further requests.
    Open,
    /// It is closed.
    Closed,
}

/// Refuses what is ambiguous; says what becomes of the connection if it is not.
pub(super) fn check<B>(request: &Request<B>) -> Result<After, Problem> {
    check_host(request).map_err(Problem::closing)?;
    check_coding(request.headers()).map_err(Problem::closing)
}

fn check_host<B>(request: &Request<B>) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.as_bytes(),
        (Some(_), Some(_)) => {
            return Err(Problem::malformed("there are two Host headers; send one"));
        }
        (None, _) if request.version() < Version::HTTP_11 => return Ok(()),
        (None, _) => return Err(Problem::malformed("there is no Host header; send one")),
    };
    let named = request.uri().authority();
    if host.is_empty() && named.is_none() {
        return Ok(());
    }
    let host = Authority::try_from(host).ok();
    // Whoever is told a login here would take what follows it for the host.
    match host.filter(|host| !host.as_str().contains('@')) {
        None => Err(Problem::malformed(
            "the Host header is not a host with or without a port",
        )),
        Some(host) if named.is_some_and(|named| *named != host) => Err(Problem::malformed(
            "the request's target and its Host header name different hosts",
        )),
        Some(_) => Ok(()),
    }
}

fn check_coding(headers: &HeaderMap) -> Result<After, Problem> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(After::Open),
        // The library has taken away a Content-Length beside it, by which a proxy may have read:
        // what follows on this connection could be the rest of this request.
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(After::Closed),
        _ => Err(Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            "the Transfer-Encoding is something else than chunked, or given twice; send \
             Content-Length or chunked alone",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(version: Version, target: &str, headers: &[(&str, &str)]) -> Result<After, u16> {
        let mut request = Request::builder().version(version).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap()).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn a_request_names_one_host_and_the_same_wherever_it_names_it() {
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        for (version, target, hosts, expected) in [
            (new, "/", &["localhost:7070"][..], Ok(After::Open)),
            (new, "/", &["[::1]:7070"], Ok(After::Open)),
            (new, "/", &[""], Ok(After::Open)),
            (new, "/", &[], Err(400)),
            (old, "/", &[], Ok(After::Open)),
            (new, "/", &["a", "a"], Err(400)),
            (old, "/", &["a", "b"], Err(400)),
            (new, "/", &["a b"], Err(400)),
            (new, "/", &["a/b"], Err(400)),
            (new, "/", &["a,b"], Ok(After::Open)),
            (new, "/", &["admin@evil"], Err(400)),
            (new, "http://A:1/x", &["a:1"], Ok(After::Open)),
            (new, "http://a/x", &["b"], Err(400)),
            (new, "http://a/x", &[""], Err(400)),
        ] {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert_eq!(checked(version, target, &headers), expected, "{hosts:?}");
        }
    }

    #[test]
    fn after_a_chunked_request_the_connection_is_closed_and_no_other_coding_is_taken() {
        for (codings, expected) in [
            (&[][..], Ok(After::Open)),
            (&["chunked"], Ok(After::Closed)),
            (&["Chunked"], Ok(After::Closed)),
            (&["gzip, chunked"], Err(501)),
            (&["chunked", "chunked"], Err(501)),
            (&["identity"], Err(501)),
            (&["xchunked"], Err(501)),
            (&[""], Err(501)),
        ] {
            let mut headers = vec![("host", "a")];
            headers.extend(codings.iter().map(|c| ("transfer-encoding", *c)));
            let found = checked(Version::HTTP_11, "/", &headers);
            assert_eq!(found, expected, "{codings:?}");
        }
    }
}
