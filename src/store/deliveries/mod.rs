//! The log's side of delivering: who is to be delivered to, what is due, how it ended, and putting
//! back what has ended.
//!
//! | file | what is in it |
//! |---|---|
//! | `registry.rs` | changing endpoints |
//! | `routing.rs` | events that were not put into queues while a backlog was long |
//! | `claims.rs` | handing out deliveries, taking back how they ended |
//! | `replay.rs` | putting deliveries back |
//! | `retry.rs` | everything that waits, due now |
//! | `giving_up.rs` | giving deliveries up before their policy does |

mod claims;
mod giving_up;
mod registry;
mod replay;
mod retry;
mod routing;
