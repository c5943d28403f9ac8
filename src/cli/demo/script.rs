//! What happens in the demo: the events that go in, and how its endpoints are made.

use serde_json::{Value, json};

use super::{ESPUTNIK, HOTJAR, KEY};

/// The endpoints, as the API takes them.
pub fn endpoints(receiver: std::net::SocketAddr) -> [Value; 2] {
    let url = |name: &str| format!("http://{receiver}/{name}");
    [
        json!({
            "name": HOTJAR,
            "url": url(HOTJAR),
            "policy": "hotjar",
            "events": ["survey_response"],
            "signing_key": KEY,
        }),
        json!({
            "name": ESPUTNIK,
            "url": url(ESPUTNIK),
            "policy": "esputnik",
            "events": ["DELIVERED", "READ", "CLICKED"],
            "signing_key": KEY,
        }),
    ]
}

/// The events, as the API takes them: survey responses, and the three activities that one e-mail
/// leads to, in this order (ESP-11).
pub fn events() -> Vec<Value> {
    let survey = |id: u32, answer: &str| {
        json!({
            "type": "survey_response",
            "id": format!("response-{id}"),
            "data": {
                "id": id,
                "index": id,
                "survey_id": 42,
                "survey_name": "How do you like it?",
                "device": "desktop",
                "is_complete": true,
                "questions": [{
                    "question_id": 1,
                    "question_text": "Would you recommend us?",
                    "question_type": "nps",
                    "answers": [{ "answer": answer, "comment": null }],
                }],
            },
        })
    };
    let activity = |status: &str, at: &str| {
        json!({
            "type": "activity",
            "id": format!("activity-{status}"),
            "data": {
                "broadcastId": 3_459_207,
                "iid": "99d591ab-e7a5-49ed-8e16-b3023378fc18",
                "contactId": 1_967_597_908,
                "email": "contact1@example.com",
                "mediaType": "email",
                "activityStatus": status,
                "activityDateTime": at,
                "statusData": {},
            },
        })
    };
    vec![
        survey(1, "9"),
        activity("DELIVERED", "2026-01-14T08:30:03"),
        survey(2, "10"),
        activity("READ", "2026-01-14T08:31:10"),
        survey(3, "7"),
        activity("CLICKED", "2026-01-14T08:31:15"),
    ]
}
