//! What a collector is never told, and what its own secret is kept out of.

use serde_json::json;

use crate::collector::{Collector, named, text};
use crate::process::eventually;
use crate::process::receiver::Receiver;

/// In whatever has to stay secret.
const PLANTED: &str = "hunter2";

#[test]
fn no_url_header_key_body_or_answer_is_in_a_span_and_the_collectors_key_is_in_no_log() {
    let collector = Collector::start();
    let mut site = collector.site();
    let key = "authorization=Bearer%20collector-hunter2";
    site.set_env("OTEL_EXPORTER_OTLP_HEADERS", key);
    site.set_env("TOKEN", "source-hunter2");
    site.configure(
        "[[source]]\nname = \"hooks\"\nkind = \"raw\"\naccess_token = \"env:TOKEN\"\n\
         [[source]]\nname = \"shop\"\nkind = \"zebline\"\nlicense = \"license-hunter2\"\n\
         access_token = \"env:TOKEN\"\n",
    );
    let broker = site.start(&["--log", "redeliver=debug"]);
    let receiver = Receiver::always(200);
    let url = format!("{}/{PLANTED}?token={PLANTED}", receiver.url());
    broker.post(
        "/v1/endpoints",
        &json!({
            "name": "crm", "url": url, "policy": "standard",
            "headers": { "x-key": PLANTED },
            "basic_auth": { "user": "u", "password": PLANTED },
        }),
    );
    broker.event("t", &json!({ "card": PLANTED }));
    let token = [("authorization", "Bearer source-hunter2")];
    let relayed = broker.send("POST", "/in/hooks", &token, b"hunter2");
    assert_eq!(relayed.status, 200, "{}", relayed.text());
    let forged = [("authorization", "Bearer wrong-hunter2")];
    assert_eq!(broker.send("POST", "/in/hooks", &forged, b"x").status, 401);
    let path = "/v1/accounts/license-hunter2/events";
    assert!(broker.send("POST", path, &forged, b"{}").status >= 400);
    eventually("both are delivered", || {
        (receiver.posts().len() == 2).then_some(())
    });
    broker.stop();

    let requests = collector.requests();
    let authorization = requests[0].header("authorization");
    assert_eq!(authorization, "Bearer collector-hunter2");
    let spans = collector.spans();
    assert_eq!(named(&spans, "send crm").len(), 2);
    let zebline = &named(&spans, "POST /v1/accounts/{license}/events")[0];
    assert_eq!(text(&zebline.attributes, "messaging.message.id"), "");
    for request in &requests {
        let body = String::from_utf8_lossy(&request.body);
        assert!(!body.contains(PLANTED), "{body}");
    }
    assert!(!site.log().contains("collector-hunter2"), "{}", site.log());
}
