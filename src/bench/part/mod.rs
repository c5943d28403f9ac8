//! The processes beside the broker: one that receives, and those that stand for a broker without
//! its store.
//!
//! | part | what it does |
//! |---|---|
//! | `sink` | answers 200 and counts what came |
//! | `bare` | answers 202 at once |
//! | `raw` | answers 202 after a group commit to a plain file |
//! | `relay` | answers 202 and passes the event on, from memory |

pub mod bare;
pub mod raw;
pub mod relay;
mod server;
pub mod sink;

/// What each of them answers to an event: as long as the broker's own.
const ACCEPTED: &[u8] =
    br#"{"id":"evt_01KAN5Q3V8F2M6T4W9X1Z0B7CD","seq":1000000,"duplicate":false}"#;
