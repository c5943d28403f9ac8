//! The states of deliveries, by the names that they are asked for.

use crate::delivery::Status;

/// Every status by its name.
pub(in crate::api) const STATUSES: [(&str, Status); 7] = [
    ("pending", Status::Pending),
    ("waiting", Status::Waiting),
    ("in_flight", Status::InFlight),
    ("delivered", Status::Delivered),
    ("dead", Status::Dead),
    ("removed", Status::Removed),
    ("filtered", Status::Filtered),
];

/// The names alone.
pub(in crate::api) const STATUS_NAMES: [&str; 7] = {
    let mut names = [""; 7];
    let mut at = 0;
    while at < STATUSES.len() {
        names[at] = STATUSES[at].0;
        at += 1;
    }
    names
};
