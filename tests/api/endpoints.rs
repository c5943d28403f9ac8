//! `/v1/endpoints`.

use redeliver::deliver::guard::AddressGuard;

use crate::harness::{Api, Setup};

const CRM: &str = r#"{"name":"crm","url":"http://127.0.0.1:9/hook","policy":"hotjar",
    "signing_key":"hunter2-key","headers":{"X-Key":"hunter2-header"},
    "basic_auth":{"user":"u","password":"hunter2-password"}}"#;

#[tokio::test]
async fn an_endpoint_is_made_shown_changed_and_removed_by_name_and_id() {
    let api = Api::new().await;
    let created = api.post("/v1/endpoints", CRM).await;
    let crm = created.expect(201);
    let id = crm["id"].as_str().unwrap();
    let path = format!("/v1/endpoints/{id}");
    assert_eq!(created.header("location"), Some(path.as_str()));
    assert_eq!(crm["state"], "active");
    assert_eq!(crm["timeout"], "10s");
    assert_eq!(crm["has_key"], true);
    assert_eq!(crm["basic_auth"], serde_json::json!({"user": "u"}));
    assert_eq!(crm["backlog"], 0);
    assert_eq!(api.get(&path).await.expect(200), crm);
    assert_eq!(api.get("/v1/endpoints/crm").await.expect(200), crm);

    let changed = api.json("PATCH", &path, r#"{"timeout":"3s","basic_auth":null}"#);
    let changed = changed.await.expect(200);
    assert_eq!(changed["timeout"], "3s");
    assert_eq!(changed.get("basic_auth"), None);
    assert_eq!(changed["has_key"], true);

    let paused = api.post("/v1/endpoints/crm/pause", "").await.expect(200);
    assert_eq!(paused["state"], "paused");
    let resumed = api.post("/v1/endpoints/crm/resume", "{}").await.expect(200);
    assert_eq!(resumed["state"], "active");

    for _ in 0..2 {
        assert_eq!(api.send("DELETE", &path, &[], b"").await.status, 204);
    }
    assert_eq!(api.get(&path).await.expect(200)["state"], "removed");
    api.get("/v1/endpoints/crm").await.problem(404);
    api.json("PATCH", &path, "{}").await.problem(409);
    api.post(&format!("{path}/pause"), "").await.problem(409);
}

#[tokio::test]
async fn an_endpoint_that_sends_unsigned_where_its_policy_signs_warns_of_it() {
    let api = Api::new().await;
    for (policy, warns) in [("hotjar", true), ("standard", true), ("esputnik", false)] {
        let json = format!(
            r#"{{"name":"{policy}","url":"http://127.0.0.1:9/","policy":"{policy}","check":"off"}}"#
        );
        let made = api.add(&json).await;
        let told = made["warnings"][0].as_str().unwrap_or_default();
        assert_eq!(told.contains("go out unsigned"), warns, "{made}");
        let path = format!("/v1/endpoints/{policy}");
        assert_eq!(
            api.get(&path).await.expect(200)["warnings"],
            made["warnings"]
        );
    }
    let key = r#"{"signing_key":"hunter2-key"}"#;
    let signed = api.json("PATCH", "/v1/endpoints/hotjar", key).await;
    assert_eq!(signed.expect(200).get("warnings"), None);
}

#[tokio::test]
async fn no_answer_holds_a_secret() {
    let api = Api::new().await;
    let created = api.post("/v1/endpoints", CRM).await;
    created.expect(201);
    for answer in [
        created,
        api.get("/v1/endpoints").await,
        api.get("/v1/endpoints/crm").await,
        api.json(
            "PATCH",
            "/v1/endpoints/crm",
            r#"{"signing_key":["hunter2"]}"#,
        )
        .await,
        api.post(
            "/v1/endpoints/crm/rotate-key",
            r#"{"signing_key":{"hunter2":1}}"#,
        )
        .await,
        api.post(
            "/v1/endpoints/crm/rotate-key",
            r#"{"signing_key":"hunter2-new"}"#,
        )
        .await,
        api.post("/v1/endpoints", r#""hunter2""#).await,
        api.post("/v1/endpoints", CRM).await,
    ] {
        assert!(!answer.text.contains("hunter2"), "{answer:?}");
    }
}

#[tokio::test]
async fn five_wrong_fields_are_told_at_once() {
    let api = Api::new().await;
    let json = r#"{"name":"a b","url":"http://u:p@127.0.0.1/","policy":"hotjr","timeout":"5",
        "events":[]}"#;
    let mut places = api.post("/v1/endpoints", json).await.places();
    places.sort();
    assert_eq!(places, ["/events", "/name", "/policy", "/timeout", "/url"]);
    let unknown = api.post("/v1/endpoints", r#"{"nam":1}"#).await;
    assert_eq!(unknown.places(), ["/nam", "/name", "/policy", "/url"]);
    // In form and by the rules at once, and nothing of what has another form twice.
    let json = r#"{"name":"bad name!","url":"ftp://x","policy":"nope","events":[],"timeout":5,
        "concurrency":0,"foo":1}"#;
    let answer = api.post("/v1/endpoints", json).await;
    let mut places = answer.places();
    places.sort();
    assert_eq!(
        places,
        [
            "/concurrency",
            "/events",
            "/foo",
            "/name",
            "/policy",
            "/timeout",
            "/url"
        ]
    );
    api.add(CRM).await;
    let state = r#"{"state":"paused","timeout":"5"}"#;
    let answer = api.json("PATCH", "/v1/endpoints/crm", state).await;
    assert_eq!(answer.places(), ["/state", "/timeout"]);
    let told = &answer.json()["errors"][0]["detail"];
    assert_eq!(
        told,
        "unknown field \"state\"; POST to its /pause or /resume"
    );
    let twice = api
        .post("/v1/endpoints", r#"{"name":"a","name":"b"}"#)
        .await;
    assert_eq!(twice.places(), ["/name"]);
    let form = [("Content-Type", "text/plain")];
    let answer = api.send("POST", "/v1/endpoints", &form, b"{}").await;
    answer.problem(415);
}

#[tokio::test]
async fn addresses_that_may_not_be_sent_to_are_refused_and_nothing_is_saved() {
    let api = Api::with(Setup {
        guard: AddressGuard::default(),
        ..Setup::default()
    })
    .await;
    for url in [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::ffff:192.168.0.1]/",
        "http://127.0.0.1:9/",
        "http://2130706433/",
        "https://localhost/",
        "https://u:hunter2@a.example/",
        "ftp://a.example/",
    ] {
        let json = format!(r#"{{"name":"x","url":"{url}","policy":"standard"}}"#);
        let answer = api.post("/v1/endpoints", &json).await;
        assert_eq!(answer.places(), ["/url"], "{url}");
        assert!(!answer.text.contains("hunter2"));
    }
    let list = api.get("/v1/endpoints?state=all").await.expect(200);
    assert_eq!(list["data"], serde_json::json!([]));
}

#[tokio::test]
async fn a_change_to_a_refused_address_or_an_unusable_key_changes_nothing() {
    let api = Api::new().await;
    let before = api.add(CRM).await;
    let to = async |json: &str| api.json("PATCH", "/v1/endpoints/crm", json).await.places();
    assert_eq!(to(r#"{"url":"https://10.0.0.1/"}"#).await, ["/url"]);
    assert_eq!(to(r#"{"url":"http://a.example/"}"#).await, ["/url"]);
    assert_eq!(to(r#"{"policy":"standard"}"#).await, ["/signing_key"]);
    assert_eq!(
        to(r#"{"ca_pem":"-----BEGIN CERTIFICATE-----\nx"}"#).await,
        ["/ca_pem"]
    );
    assert_eq!(api.get("/v1/endpoints/crm").await.expect(200), before);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let api = Api::new().await;
    let first = api.add(CRM).await;
    let again = api.post("/v1/endpoints", CRM).await;
    assert!(again.problem(409).contains("crm"));
    // Whoever repeats a request whose answer was lost finds what it made.
    let path = again.header("location").unwrap();
    assert_eq!(api.get(path).await.expect(200)["id"], first["id"]);
    api.add(r#"{"name":"b","url":"http://127.0.0.1:9/","policy":"standard"}"#)
        .await;
    let renamed = api
        .json("PATCH", "/v1/endpoints/b", r#"{"name":"crm"}"#)
        .await;
    renamed.problem(409);
}

#[tokio::test]
async fn a_key_is_rotated_only_to_one_that_can_be_used() {
    let api = Api::new().await;
    api.add(r#"{"name":"b","url":"http://127.0.0.1:9/","policy":"standard"}"#)
        .await;
    let rotate = async |json: &str| api.post("/v1/endpoints/b/rotate-key", json).await;
    assert_eq!(rotate("{}").await.places(), ["/signing_key"]);
    assert_eq!(rotate(r#"{"signing_key":"","x":1}"#).await.places(), ["/x"]);
    assert_eq!(
        rotate(r#"{"signing_key":"whsec_!"}"#).await.places(),
        ["/signing_key"]
    );
    let json = r#"{"signing_key":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#;
    assert_eq!(rotate(json).await.expect(200)["has_key"], true);
}

#[tokio::test]
async fn lists_come_in_parts_and_hide_removed_endpoints() {
    let api = Api::new().await;
    for n in 0..5 {
        let json = format!(r#"{{"name":"e{n}","url":"http://127.0.0.1:9/","policy":"standard"}}"#);
        api.add(&json).await;
    }
    api.send("DELETE", "/v1/endpoints/e1", &[], b"").await;
    api.post("/v1/endpoints/e2/pause", "").await.expect(200);
    let names = async |path: String| {
        let list = api.get(&path).await.expect(200);
        let data = list["data"].as_array().unwrap().iter();
        let names: Vec<_> = data
            .map(|e| e["name"].as_str().unwrap().to_owned())
            .collect();
        (names.join(" "), list["next"].as_str().map(str::to_owned))
    };
    let (first, next) = names("/v1/endpoints?limit=3".into()).await;
    assert_eq!(first, "e0 e2 e3");
    let rest = names(format!("/v1/endpoints?limit=3&cursor={}", next.unwrap())).await;
    assert_eq!(rest, ("e4".into(), None));
    assert_eq!(names("/v1/endpoints?state=removed".into()).await.0, "e1");
    assert_eq!(names("/v1/endpoints?state=paused".into()).await.0, "e2");
    assert_eq!(
        names("/v1/endpoints?state=all".into()).await.0,
        "e0 e1 e2 e3 e4"
    );
}
