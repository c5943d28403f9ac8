//! The log's side of delivering: who is to be delivered to, what is due, how it ended, and putting
//! back what has ended, giving up.
//!
//! | file | what is in it |
//! |---|---|
//! | `registry.rs` | changing endpoints |
//! | `routing.rs` | events that were not put into queues while a backlog was long |
//! | `claims.rs` | handing out deliveries, taking back how they ended |
//! | `replay.rs` | putting deliveries back |
//! | `put_back.rs` | putting back what was found before |
//! | `retry.rs` | everything that waits, due now |
//! | `undelivered.rs` | what has not arrived |
//! | `discard.rs` | discarding it: it ends as removed |
//! | `giving_up.rs` | giving it up: a dead letter before its policy makes it one |

mod claims;
mod discard;
mod giving_up;
mod put_back;
mod registry;
mod replay;
mod retry;
mod routing;
mod undelivered;
