//! The files of a data directory, each by itself.
//!
//! | file | what is in it |
//! |---|---|
//! | `private.rs` | files and directories that nobody else may read |
//! | `lock.rs` | one process owns the directory |
//! | `high_water.rs` | how far the log reached: what a database that lost its end cannot say |
//! | `segments.rs` | the database's own log, read without the database |
//! | `blocks.rs` | a file of which the disk gives back only parts |

pub mod blocks;
pub mod high_water;
pub mod lock;
pub mod private;
pub mod segments;
