//! Hotjar and Standard Webhooks: believed by their signature and their time.

use serde_json::json;

use crate::site::*;

#[test]
fn hot_30_what_is_signed_is_taken_with_its_name_and_time() {
    let site = site();
    let broker = site.start(&["--clock", "manual"]);
    let now = seconds(&broker);
    assert_eq!(taken(&hotjar(&broker, &response(42, now))), (1, false));
    let event = event(&broker, 1);
    assert_eq!(event["source"], "surveys");
    assert_eq!(event["type"], "survey_response");
    assert_eq!(event["time"], "2023-06-07T11:13:05.000Z");
    assert_eq!(event["data"]["data"]["id"], 42);
    let test = format!(
        r#"{{"event":"test_message","version":1,"timestamp":{now},"data":{{"sample":"data"}}}}"#
    );
    // A test message has nothing to be recognised by.
    assert_eq!(taken(&hotjar(&broker, test.as_bytes())), (2, false));
    assert_eq!(taken(&hotjar(&broker, test.as_bytes())), (3, false));
    let shown = source(&broker, "surveys");
    assert_eq!(
        (&shown["kind"], &shown["path"], &shown["accepted"]),
        (&json!("hotjar"), &json!("/in/surveys"), &json!(3))
    );
    assert_eq!(shown["refused"], json!({}));
    assert_eq!(shown["last_refused_at"], json!(null));
}

#[test]
fn hot_34_what_is_forged_is_401_told_on_the_admin_side_and_never_in_the_log() {
    let site = site();
    let broker = site.start(&["--clock", "manual"]);
    let body = response(42, seconds(&broker));
    let unsigned = broker.send("POST", "/in/surveys", &[JSON], &body);
    assert!(unsigned.problem(401).contains("no signature"));
    assert!(header(&unsigned, "www-authenticate").contains("com-hotjar-signature"));
    hotjar_with(&broker, "another key", &body).problem(401);
    let headers = [JSON, ("com-hotjar-signature", "abc")];
    broker
        .send("POST", "/in/surveys", &headers, &body)
        .problem(401);
    let signature = "0".repeat(64);
    let headers = [JSON, ("com-hotjar-signature", &*signature)];
    broker
        .send("POST", "/in/surveys", &headers, &body)
        .problem(401);
    let shown = source(&broker, "surveys");
    assert_eq!(shown["refused"], json!({"unauthenticated": 1, "forged": 3}));
    assert_eq!(shown["accepted"], 0);
    assert!(shown["last_refused_at"].is_string());
    let last = shown["last_refusal"].as_str().unwrap();
    assert!(last.contains("does not match"), "{last}");
    assert_eq!(count(&broker), 0);
    let all = broker.get("/v1/sources").to_string() + &site.log();
    for secret in [HOTJAR_KEY, SECRET, "hook-password", "source-token"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[test]
fn hot_35_a_timestamp_is_believed_for_five_minutes_of_the_brokers_clock() {
    let site = site();
    let broker = site.start(&["--clock", "manual"]);
    let made = seconds(&broker);
    let (fresh, late) = (response(1, made), response(2, made));
    broker.advance("4m59s");
    assert_eq!(taken(&hotjar(&broker, &fresh)), (1, false));
    assert_eq!(taken(&order(&broker, "msg_1", made, b"{}")), (2, false));
    broker.advance("2s");
    let detail = hotjar(&broker, &late).problem(403);
    assert!(detail.contains("300 s allowed"), "{detail}");
    order(&broker, "msg_2", made, b"{}").problem(403);
    // What was taken is refused as well now: it may be a replay.
    hotjar(&broker, &fresh).problem(403);
    let now = made + 301;
    assert_eq!(taken(&hotjar(&broker, &response(3, now + 299))), (3, false));
    hotjar(&broker, &response(4, now + 301)).problem(403);
    assert_eq!(source(&broker, "surveys")["refused"], json!({"stale": 3}));
    assert_eq!(source(&broker, "orders")["refused"], json!({"stale": 1}));
    // The payloads of the documentation are of 1985.
    let old = include_bytes!("../fixtures/payloads/hotjar_survey_response.json");
    let signature = redeliver::vendor::hotjar::sign(
        HOTJAR_KEY.as_bytes(),
        old,
        redeliver::endpoint::TextEncoding::Base64,
    );
    let headers = [JSON, ("com-hotjar-signature", &*signature.unwrap())];
    let answer = broker.send("POST", "/in/old-surveys", &headers, old);
    assert_eq!(taken(&answer), (4, false));
    hotjar(&broker, old).problem(403);
}

#[test]
fn what_is_signed_and_yet_no_payload_is_malformed_or_of_another_type() {
    let site = configured("[limits]\nmax_body_bytes = 2048\n\n");
    let broker = site.start(&["--clock", "manual"]);
    let whole = response(42, seconds(&broker));
    let truncated = &whole[..whole.len() - 9];
    assert!(hotjar(&broker, truncated).problem(400).contains("not JSON"));
    hotjar(&broker, b"").problem(400);
    hotjar(&broker, b"[]").problem(400);
    hotjar(&broker, br#"{"event":"e","data":{}}"#).problem(400);
    let signature = "0".repeat(64);
    let text = [
        ("content-type", "text/plain"),
        ("com-hotjar-signature", &*signature),
    ];
    let answer = broker.send("POST", "/in/surveys", &text, &whole);
    assert!(answer.problem(415).contains("application/json"));
    hotjar(&broker, &[b' '; 2049]).problem(413);
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let answer = broker.send(method, "/in/surveys", &[], b"");
        assert!(answer.problem(405).contains(method));
        assert_eq!(header(&answer, "allow"), "POST");
    }
    let refused = source(&broker, "surveys")["refused"].clone();
    let expected = json!({"malformed": 4, "unsupported": 1, "too_large": 1, "method": 4});
    assert_eq!(refused, expected);
    assert_eq!(count(&broker), 0);
}

#[test]
fn standard_webhooks_are_recognised_by_their_id_and_kept_as_they_came() {
    let site = site();
    let broker = site.start(&["--clock", "manual"]);
    let now = seconds(&broker);
    let body = br#"{"type":"order.paid","timestamp":"2026-01-31T09:30:00Z","data":{"n": 1.0}}"#;
    assert_eq!(taken(&order(&broker, "msg_1", now, body)), (1, false));
    assert_eq!(taken(&order(&broker, "msg_1", now + 9, body)), (1, true));
    assert_eq!(taken(&order(&broker, "msg_2", now, b"no JSON")), (2, false));
    let first = event(&broker, 1);
    assert_eq!(
        (&first["type"], &first["time"]),
        (&json!("order.paid"), &json!("2026-01-31T09:30:00.000Z"))
    );
    assert_eq!(event(&broker, 2)["type"], "unknown");
    let missing = broker.send("POST", "/in/orders", &[JSON], body);
    missing.problem(401);
    let mut signed = redeliver::vendor::standard::sign(SECRET, "msg_3", now, body).unwrap();
    let timestamp = now.to_string();
    let send = |id: &str, signature: &str| {
        let headers = [
            JSON,
            ("webhook-id", id),
            ("webhook-timestamp", &*timestamp),
            ("webhook-signature", signature),
        ];
        broker.send("POST", "/in/orders", &headers, body)
    };
    send("msg_4", &signed).problem(401);
    signed.insert_str(3, "AAAA");
    send("msg_3", &signed).problem(401);
    let shown = source(&broker, "orders");
    assert_eq!(shown["refused"], json!({"unauthenticated": 1, "forged": 2}));
    assert_eq!(
        (&shown["accepted"], &shown["duplicates"]),
        (&json!(2), &json!(1))
    );
}
