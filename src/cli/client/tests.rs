//! The client against answers of every kind.

use super::*;

fn client(url: &str) -> Result<Client, Failure> {
    Client::new(url, None, None)
}

fn target(url: &str, call: Call) -> String {
    let request = client(url).unwrap().request(call).unwrap();
    request.uri().to_string()
}

#[test]
fn a_request_goes_below_the_servers_url_with_every_name_escaped() {
    let call = || {
        Call::get(["v1", "endpoints", "a/b?c d"])
            .query("type", Some("x&y"))
            .query("limit", None::<u32>)
    };
    let path = "/v1/endpoints/a%2Fb%3Fc%20d?type=x%26y";
    assert_eq!(target("http://h:1", call()), path);
    assert_eq!(target("http://h:1/", call()), path);
    assert_eq!(
        target("http://h:1/below/?q#f", call()),
        format!("/below{path}")
    );
    for name in ["", ".", ".."] {
        let request = client("http://h")
            .unwrap()
            .request(Call::delete(["v1", "endpoints", name]));
        assert_eq!(request.unwrap_err().code(), 2, "{name}");
    }
}

#[test]
fn a_server_that_cannot_be_asked_is_bad_usage_and_its_credentials_are_not_echoed() {
    for (url, expected) in [
        ("127.0.0.1:7070", "not a URL"),
        ("ftp://h", "not an http or https URL"),
        ("http://user:hunter2@h", "must hold no credentials"),
    ] {
        let error = client(url).err().unwrap();
        assert_eq!(error.code(), 2);
        let error = error.to_string();
        assert!(
            error.contains(expected) && !error.contains("hunter2"),
            "{error}"
        );
    }
    let token = Secret::new("hunter2\n");
    let error = Client::new("http://h", None, Some(token)).err().unwrap();
    assert_eq!(error.code(), 2);
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn a_problem_becomes_lines_without_control_characters() {
    let text = r#"{"title": "Invalid\u001b[2J endpoint", "detail": "2 mistakes", "status": 422,
        "errors": [{"at": "/url", "detail": "no URL"}, {"at": "/name", "detail": "taken"}]}"#;
    assert_eq!(
        problem(text).unwrap(),
        "Invalid[2J endpoint: 2 mistakes\n/url: no URL\n/name: taken"
    );
    assert_eq!(problem(r#"{"title": "Gone"}"#).unwrap(), "Gone");
    assert_eq!(problem("<html>"), None);
    assert_eq!(problem("[]"), None);
}

#[test]
fn a_refusal_says_whose_mistake_it_is() {
    let client = client("http://h").unwrap();
    let problem = r#"{"title": "t", "detail": "d"}"#;
    for (status, code) in [
        (400, 2),
        (401, 2),
        (404, 2),
        (409, 2),
        (422, 2),
        (429, 3),
        (500, 3),
        (503, 3),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(client.refusal(status, problem).code(), code, "{status}");
    }
    let stranger = client.refusal(StatusCode::NOT_FOUND, "<html>");
    assert_eq!(stranger.code(), 3);
    let unauthorized = client.refusal(StatusCode::UNAUTHORIZED, "").to_string();
    assert!(
        unauthorized.ends_with("set REDELIVER_TOKEN"),
        "{unauthorized}"
    );
}
