//! The GET on save and the test message, against a receiver.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::Api;

/// Answers each request with the next status, and gives back the request lines.
async fn receiver(statuses: &'static [u16]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 16 * 1024];
            let count = stream.read(&mut bytes).await.unwrap();
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            seen.push(text.lines().next().unwrap_or_default().to_owned());
            let answer =
                format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        seen
    });
    (url, seen)
}

#[tokio::test]
#[ignore = "the courier is being built"]
async fn an_endpoint_whose_get_fails_is_not_saved_and_one_whose_get_passes_is() {
    let api = Api::new().await;
    let (url, seen) = receiver(&[404, 204, 500]).await;
    let json = format!(r#"{{"name":"a","url":"{url}","policy":"esputnik"}}"#);
    let refused = api.post("/v1/endpoints", &json).await;
    assert_eq!(refused.places(), ["/url"]);
    assert!(refused.problem(422).contains("404"));
    api.get("/v1/endpoints/a").await.problem(404);
    api.add(&json).await;
    // A new name alone is not checked; a new address is (A-12).
    let change = |json| api.json("PATCH", "/v1/endpoints/a", json);
    change(r#"{"timeout":"3s"}"#).await.expect(200);
    let auth = r#"{"basic_auth":{"user":"u","password":"p"}}"#;
    assert_eq!(change(auth).await.places(), ["/url"]);
    assert_eq!(seen.await.unwrap(), ["GET /hook HTTP/1.1"; 3]);
}

#[tokio::test]
#[ignore = "the courier is being built"]
async fn a_test_message_is_sent_once_and_stored_nowhere() {
    let api = Api::new().await;
    let (url, seen) = receiver(&[500]).await;
    let json = format!(r#"{{"name":"a","url":"{url}","policy":"hotjar"}}"#);
    api.add(&json).await;
    let tested = api.post("/v1/endpoints/a/test", "").await.expect(200);
    assert_eq!(tested["delivered"], false);
    assert_eq!(tested["attempt"]["status"], 500);
    assert_eq!(seen.await.unwrap(), ["POST /hook HTTP/1.1"]);
    let list = api.get("/v1/events").await.expect(200);
    assert_eq!(list["data"], serde_json::json!([]));
}
