//! A copy of a log as it stood at one moment, made while the log goes on.
//!
//! Frames are never changed once they are written, so that moment is a pair of numbers: the next
//! event and the next frame of transitions, read under the writer's lock between two groups. What
//! lies below them is read like any event, without a lock; so nobody waits for a backup. The index
//! is not copied: it is made anew of the transitions.
//!
//! | file | what is in it |
//! |---|---|
//! | `piece.rs` | one piece of a copy on its way, and its bytes: pure |
//! | `cursor.rs` | reading a log piece by piece |
//! | `target.rs` | a directory in the making: `DIR.partial`, which becomes `DIR` when every record of it was read back |
//! | `local.rs` | both of them in one process |
//! | `files.rs` | its files: synced, and a disk that is full |
//! | `held.rs` | what a directory in the making holds already |
//! | `dead.rs` | dead letters, of which nothing may tell but their keys |
//! | `reseal.rs` | the same with every secret sealed |
//! | `error.rs` | why there is no backup |

mod cursor;
mod dead;
mod error;
mod files;
mod held;
mod local;
mod piece;
mod reseal;
mod target;

pub use cursor::Cursor;
pub use error::BackupError;
pub(super) use files::warn_of_the_other;
pub use piece::{Have, LENGTH_BYTES, PIECE_MAX_BYTES, Point, length};
pub use target::{Summary, Target};
