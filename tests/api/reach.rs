//! The GET on save and the test message, against a receiver.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::{Api, Setup};

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
async fn a_receiver_that_hangs_is_given_up_although_the_clock_stands_still() {
    let api = Api::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let json = format!(r#"{{"name":"a","url":"{url}","policy":"esputnik","timeout":"100ms"}}"#);
    let refused = api.post("/v1/endpoints", &json).await;
    assert_eq!(refused.places(), ["/url"]);
    assert!(refused.problem(422).contains("did not answer"));
    api.add(&json.replace("esputnik", "standard")).await;
    let tested = api.post("/v1/endpoints/a/test", "").await.expect(200);
    assert_eq!(tested["delivered"], false);
    assert!(tested["attempt"]["error"].is_string());
}

#[tokio::test]
async fn advancing_the_clock_makes_every_attempt_that_is_due_by_then() {
    let api = Api::with(Setup {
        delivering: true,
        ..Setup::default()
    })
    .await;
    // Nobody listens on a port that is too low for the kernel to hand out.
    let url = "http://127.0.0.1:1/";
    api.add(&format!(
        r#"{{"name":"a","url":"{url}","policy":"hotjar"}}"#
    ))
    .await;
    api.event("t").await;
    let advanced = api
        .post("/v1/clock/advance", r#"{"by":"38m30s","patience":"5s"}"#)
        .await;
    let advanced = advanced.expect(200);
    assert_eq!(advanced["now"], "2023-11-14T22:51:50.000Z");
    assert_eq!(advanced["in_flight"], 0);
    let list = api.get("/v1/deliveries?status=dead").await.expect(200);
    let delivery = &list["data"][0];
    assert_eq!(delivery["attempt_count"], 7);
    assert!(
        delivery["explanation"]
            .as_str()
            .unwrap()
            .contains("gives up after 7")
    );
    let wrong = r#"{"by":"5","patience":"2h","too":1}"#;
    let mut places = api.post("/v1/clock/advance", wrong).await.places();
    places.sort();
    assert_eq!(places, ["/by", "/patience", "/too"]);
    assert_eq!(api.post("/v1/clock/advance", "").await.places(), ["/by"]);
}

#[tokio::test]
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
