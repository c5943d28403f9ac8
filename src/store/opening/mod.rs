//! Opening a store: quickly, and without trusting it.
//!
//! | file | what is in it |
//! |---|---|
//! | `open.rs` | making a store, opening one |
//! | `foreign.rs` | whether a directory may become a store |
//! | `look.rs` | the database's own log, looked at before the database is opened |
//! | `snapshot.rs` | the projections in a file, so that a start need not read everything |
//! | `recovery.rs` | the projections from the snapshot and what came behind it |
//! | `loss.rs` | what is missing, and going on without it |

mod foreign;
pub mod look;
pub mod loss;
mod open;
pub mod recovery;
pub mod snapshot;
