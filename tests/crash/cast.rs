//! The policies that are played, and how the receiver answers under each.

use std::time::Duration;

use crate::chance::scatter;
use crate::process::receiver::{Receiver, Reply, Seen};

/// Delays that are long beside what a settlement lies in memory, and short beside a round. Where
/// the operator starts schedules anew, each delay is the same, so that none can be too short.
const POLICIES: &str = r#"
[policy.ordered]
order = "in-order"
success = "200"
backoff = { first = "40ms", factor = 2, max = "80ms" }
timeout = "1s"

[policy.failing]
backoff = { first = "30ms", factor = 3, max = "270ms" }
timeout = "1s"

[policy.free]
schedule = ["50ms", "50ms"]
timeout = "1s"

[policy.mortal]
schedule = ["50ms", "50ms"]
timeout = "1s"
on_410 = "remove"

[policy.brittle]
order = "in-order"
backoff = { first = "50ms", factor = 1, max = "50ms" }
timeout = "1s"
on_410 = "pause"
"#;

/// Those that are in the configuration, each named like its policy.
pub const CONFIGURED: [&str; 3] = ["ordered", "failing", "free"];

/// What the operator makes endpoints under.
pub const MADE: [&str; 3] = ["free", "mortal", "brittle"];

/// The policy's own delay, after the attempt of this number.
pub fn delay_after(policy: &str, attempt: u32) -> Duration {
    Duration::from_millis(match (policy, attempt) {
        ("ordered", 1) => 40,
        ("ordered", _) => 80,
        ("failing", 1) => 30,
        ("failing", 2) => 90,
        ("failing", _) => 270,
        _ => 50,
    })
}

/// Whether a receiver of an endpoint under this policy may see no event before it has taken all
/// those before it.
pub fn is_in_order(policy: &str) -> bool {
    matches!(policy, "ordered" | "brittle")
}

/// Where an endpoint sends: the path tells whose request it is.
pub fn url(receiver: &Receiver, policy: &str, name: &str) -> String {
    format!("{}/{policy}/{name}", receiver.url())
}

/// The name of the endpoint that a request is for.
pub fn endpoint_of(seen: &Seen) -> &str {
    seen.path.rsplit('/').next().unwrap_or_default()
}

/// Most of the time a short journal, so that the database takes it in again and again.
pub fn configuration(receiver: &Receiver, seed: u64) -> String {
    let journal_bytes = [65_536, 8 << 20, 65_536, 0][(seed % 4) as usize];
    let endpoint = |name| {
        let url = url(receiver, name, name);
        format!("\n[[endpoint]]\nname = \"{name}\"\nurl = \"{url}\"\npolicy = \"{name}\"\n")
    };
    let endpoints: String = CONFIGURED.into_iter().map(endpoint).collect();
    // A body of 1 MiB comes in an envelope.
    format!(
        "[limits]\nmax_body_bytes = 2097152\nstore_journal_bytes = {journal_bytes}\n{POLICIES}{endpoints}"
    )
}

/// The receiver of all. It answers by delivery and attempt, so that a repeated attempt is answered
/// as it was before: else a delivery whose success was forgotten in a crash could end as dead.
pub fn receiver() -> Receiver {
    Receiver::start(|seen, _| {
        let Some(policy) = seen
            .path
            .split('/')
            .nth(2)
            .filter(|_| seen.method == "POST")
        else {
            return Reply::Status(200);
        };
        let delivery = seen.header("redeliver-delivery-id");
        let attempt = seen.attempt();
        match (policy, scatter(delivery)) {
            ("free", chance) if chance % 8 == 0 => Reply::Status(500),
            ("mortal", chance) if chance % 60 == 0 => Reply::Status(410),
            ("brittle", chance) if chance % 40 == 0 && attempt == 1 => Reply::Status(410),
            _ => flapping(policy, scatter(&format!("{delivery} {attempt}"))),
        }
    })
}

fn flapping(policy: &str, chance: u64) -> Reply {
    match (policy, chance % 200) {
        ("failing", 0..120) => Reply::Status(503),
        (_, 0..1) => Reply::Hang,
        (_, 1..24) => Reply::Status(500),
        (_, 24..30) => Reply::Status(503),
        (_, 60..120) => Reply::After(Duration::from_millis(chance % 12), 200),
        _ => Reply::Status(200),
    }
}
