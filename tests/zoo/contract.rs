//! What the vendors' contracts say about the end of a first attempt, in words of their own: no
//! line of it is taken from the policies.

use std::ops::RangeInclusive;

use redeliver::clock::Timestamp;
use serde_json::Value;

use crate::animal::Ends;

pub const POLICIES: [&str; 3] = ["hotjar", "esputnik", "standard"];

/// What follows for a delivery.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// Tried again after so many milliseconds.
    Again(RangeInclusive<u64>),
    /// The endpoint is gone, and its deliveries with it.
    Removed,
    /// The endpoint rests until somebody looks at it.
    Paused,
}

pub fn verdict(policy: &str, ends: Ends) -> Verdict {
    let status = match ends {
        Ends::Answered(status) => status,
        Ends::Failed(_) | Ends::FailedLike(_) => 0,
    };
    match (policy, status) {
        // HOT-16, HOT-28 and the first step of HOT-20.
        ("hotjar", 200..=299) => Verdict::Delivered,
        ("hotjar", 410) => Verdict::Removed,
        ("hotjar", _) => Verdict::Again(30_000..=30_000),
        // ESP-12, A-01, A-02.
        ("esputnik", 200) => Verdict::Delivered,
        ("esputnik", _) => Verdict::Again(60_000..=60_000),
        // five seconds, a tenth more or less.
        ("standard", 200..=299) => Verdict::Delivered,
        ("standard", 410) => Verdict::Paused,
        ("standard", _) => Verdict::Again(4500..=5500),
        _ => unreachable!("{policy}"),
    }
}

/// Whether the second attempt of `delivery` leaves so many milliseconds after the first one ended.
pub fn is_tried_again(delivery: &Value, wait_ms: &RangeInclusive<u64>) -> bool {
    let moment = |value: &Value| serde_json::from_value::<Timestamp>(value.clone()).ok();
    let ended = moment(&delivery["attempts"][0]["ended_at"]).unwrap();
    // Where looking took so long that it has left, it was not early.
    let (next, late_ms) = match moment(&delivery["attempts"][1]["started_at"]) {
        Some(left) => (Some(left), 10_000),
        None => (moment(&delivery["next_attempt_at"]), 0),
    };
    let Some(next) = next else {
        return delivery["status"] == "in_flight" && delivery["attempt_count"] == 1;
    };
    let wait = u64::try_from(next.since(ended).as_millis()).unwrap();
    (*wait_ms.start()..=wait_ms.end() + late_ms).contains(&wait)
}
