//! What the vendors' contracts say about the end of a first attempt, in words of their own: no
//! line of it is taken from the policies.

use std::ops::RangeInclusive;

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
