//! What the HTTP library refuses by itself, in our words.
//!
//! A head that is no HTTP never becomes a request, so no handler can answer it: the library writes
//! a status without a body and closes. A client that reads problems should be able to read these.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;

use super::head::{HEAD_MAX_BYTES, HEADERS_MAX};
use super::problem::{PROBLEM_JSON, Problem};

/// The answer in the place of `head`, which the library has made; none if it is no refusal.
pub(super) fn instead_of(head: &[u8]) -> Option<Bytes> {
    let status = head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let status = StatusCode::from_bytes(status).ok()?;
    let detail = match status {
        StatusCode::BAD_REQUEST => {
            "the request's head is not HTTP/1.1, or says in two ways how long the body is"
                .to_owned()
        }
        StatusCode::URI_TOO_LONG => "the request's target is too long; shorten it".to_owned(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => format!(
            "the request's head has more than {HEAD_MAX_BYTES} bytes or {HEADERS_MAX} headers, or \
             announces a body without bounds; send less"
        ),
        _ => return None,
    };
    let problem = Problem::new(status, detail).to_json();
    let head = format!(
        "HTTP/1.1 {status}\r\n{CONTENT_TYPE}: {PROBLEM_JSON}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        problem.len()
    );
    Some([head.into_bytes(), problem].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_without_a_body_becomes_a_problem_and_nothing_else_does() {
        let own = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        let text = String::from_utf8(instead_of(own).unwrap().into()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 431);
        for other in [
            &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n",
            b"",
        ] {
            assert_eq!(instead_of(other), None);
        }
    }
}
