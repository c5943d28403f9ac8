//! What is read of recordings, and what is refused.

use super::*;

#[test]
fn json_lines_are_read_with_headers_in_any_form_and_the_connections_own_left_out() {
    let text = concat!(
        r#"{"method":"PUT","headers":{"X-A":"1","Host":"h","Content-Type":"text/plain"},"body":"é","at":"2026-01-31T09:30:00Z","path":"/x"}"#,
        "\n\n",
        r#"{"headers":[["X-A","1"],["x-a","2"],["content-length","3"]],"body_base64":"/wA="}"#,
        "\n",
        r#"{"headers":[{"name":":method","value":"POST"}],"body":""}"#,
        "\n",
        r#"{"listening":"http://127.0.0.1:1"}"#,
    );
    let (found, left_out) = parse(text).unwrap();
    assert_eq!((found.len(), left_out), (3, 1));
    assert_eq!(
        (&*found[0].method, &*found[0].body),
        ("PUT", "é".as_bytes())
    );
    let header = |n: usize, name| found[n].header(name);
    assert_eq!((header(0, "host"), header(0, "x-a")), (None, Some("1")));
    assert_eq!(header(0, "content-type"), Some("text/plain"));
    assert_eq!(found[0].at.unwrap().to_string(), "2026-01-31T09:30:00.000Z");
    assert_eq!(found[1].headers.len(), 3);
    assert_eq!(&found[1].body[..], b"\xff\0");
    assert_eq!(header(2, "content-type"), Some("application/json"));
}

#[test]
fn a_list_of_events_is_read_with_their_bodies_as_they_were_written() {
    let text = r#"{"data":[{"content_type":"application/json","received_at":"2026-01-31T09:30:00Z",
        "data":{"b":1.50, "a":"\u00e9"}},{"content_type":"text/plain","body_base64":"eA=="}],"next":null}"#;
    let (found, _) = parse(text).unwrap();
    assert_eq!(found[0].body, r#"{"b":1.50, "a":"\u00e9"}"#);
    assert_eq!(
        (&found[1].body[..], found[1].header("content-type")),
        (&b"x"[..], Some("text/plain"))
    );
}

#[test]
fn what_cannot_be_sent_is_told_with_its_place() {
    for (text, told) in [
        (
            "{\"body\":\"x\"}\nnonsense",
            "line 2: is no recorded request: expected ident",
        ),
        (
            r#"{"body":"x","body_base64":"eA=="}"#,
            "line 1: has both body and body_base64",
        ),
        (
            r#"{"body_base64":"?"}"#,
            "line 1: its body_base64 is not base64",
        ),
        (
            r#"{"body":"x","at":"now"}"#,
            "line 1: `now` is not an RFC 3339 time",
        ),
        (
            r#"{"body":"x","method":"A B"}"#,
            "line 1: its method is none of HTTP",
        ),
        (
            "{\"body\":\"x\",\"headers\":{\"k\":\"a\\nb\"}}",
            "line 1: its header \"k\" cannot be sent",
        ),
        (
            r#"{"body":"x","headers":7}"#,
            "line 1: is no recorded request",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(told), "{error}");
    }
}
