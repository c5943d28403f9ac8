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
//! | `undelivered.rs` | what has not arrived |
//! | `discard.rs` | giving up what has not arrived |

mod claims;
mod discard;
mod put_back;
mod registry;
mod replay;
mod routing;
mod undelivered;
