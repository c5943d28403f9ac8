//! Who may ask, and what is not there.

use crate::harness::{Api, Setup, answer};

#[tokio::test]
async fn with_a_token_everything_under_v1_asks_for_it() {
    let api = Api::with(Setup {
        token: Some("hunter2"),
        ..Setup::default()
    })
    .await;
    api.get("/v1/events").await.expect(200);
    for path in ["/v1/events", "/v1/endpoints", "/v1/nothing"] {
        for header in [
            "",
            "Authorization: Bearer wrong\r\n",
            "Authorization: Basic aHVudGVyMg==\r\n",
        ] {
            let text =
                format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{header}\r\n");
            let refused = answer(&api.raw(text.as_bytes()).await);
            refused.problem(401);
            assert_eq!(
                refused.header("www-authenticate"),
                Some("Bearer realm=\"redeliver\"")
            );
            assert!(!refused.text.contains("hunter2"));
        }
    }
    for path in ["/healthz", "/readyz"] {
        let text = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(answer(&api.raw(text.as_bytes()).await).status, 200);
    }
}

#[tokio::test]
async fn without_a_token_foreign_web_pages_are_refused() {
    let api = Api::new().await;
    for header in [
        ("Host", "rebound.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "https://evil.example"),
    ] {
        let refused = api.send("GET", "/v1/endpoints", &[header], b"").await;
        refused.problem(403);
    }
    api.send("GET", "/v1/endpoints", &[("Host", "localhost")], b"")
        .await
        .expect(200);
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_not_done_is_405_with_allow() {
    let api = Api::new().await;
    for path in [
        "/",
        "/v1/nothing",
        "/v1/endpoints/none",
        "/v1/events/9",
        "/v1/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "/v1/events/x/deliveries",
        "/v1/deliveries/dlv_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    ] {
        api.get(path).await.problem(404);
    }
    let answer = api.send("PUT", "/v1/events", &[], b"").await;
    answer.problem(405);
    let allow = answer.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    api.send("DELETE", "/v1/clock", &[], b"").await.problem(405);
    api.get("/v1/endpoints/%ff").await.problem(400);
}

#[tokio::test]
async fn a_clock_that_is_not_manual_cannot_be_advanced() {
    let api = Api::new().await;
    let clock = api.get("/v1/clock").await.expect(200);
    assert_eq!(clock["now"], "2023-11-14T22:13:20.000Z");
    assert_eq!(clock["kind"], "manual");
    let refused = api.post("/v1/clock/advance", r#"{"by":"1s"}"#).await;
    assert!(refused.problem(409).contains("--clock manual"));
}

#[tokio::test]
async fn unknown_parameters_are_refused_and_named() {
    let api = Api::new().await;
    let places = api
        .get("/v1/deliveries?endpont=a&status=waiting,ded&limit=0&cursor=x")
        .await
        .places();
    assert_eq!(places, ["?endpont", "?limit", "?cursor", "?status"]);
}
