//! Standard Webhooks.

use super::*;

const BY_PYTHON: &str = r#"
import base64, hashlib, hmac, json, sys
secret = base64.b64decode(sys.argv[2].removeprefix("whsec_"))
right = 0
for request in json.load(sys.stdin):
    body, headers = bytes.fromhex(request["body"]), dict(request["headers"])
    signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    expected = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    right += headers["webhook-signature"] == expected
print(right, "right")
"#;

#[test]
fn a_shops_events_are_signed_and_retried_as_the_standard_recommends() {
    let (site, receiver) = (site(), answering(&[500, 200]));
    let args = [
        "standard",
        "--key-file",
        "secret.txt",
        "--type",
        "order.paid",
        "--speed",
        "600x",
    ];
    let lines = delivered(&site, &receiver, &args);
    let posts = receiver.posts();
    assert_eq!(posts[0].json()["type"], "order.paid");
    assert_eq!(posts[0].json()["data"]["status"], "paid");
    assert_eq!(posts[0].body, posts[1].body);
    assert_eq!(posts[0].header("webhook-id"), posts[1].header("webhook-id"));
    verified_by_python(BY_PYTHON, &posts);
    // Five seconds, a tenth more or less.
    let after =
        time(&attempts(&lines)[0]["next_attempt_at"]).since(time(&attempts(&lines)[0]["at"]));
    assert!(after.as_millis() >= 4500);
}

#[test]
fn a_410_pauses_the_endpoint_and_the_mock_ends_with_1() {
    let (site, receiver) = (site(), Receiver::always(410));
    let (ran, lines) = mock(
        &site,
        &receiver,
        &["standard", "--key-file", "secret.txt", "--test"],
    );
    assert_eq!(ran.code, 1, "{}", ran.err);
    let told = "error: 1 of 1 events not delivered: a 410 paused the endpoint\n";
    assert!(ran.err.ends_with(told), "{}", ran.err);
    assert_eq!(attempts(&lines)[0]["endpoint_state"], "paused");
    assert_eq!(receiver.posts()[0].json()["type"], "test");
}
