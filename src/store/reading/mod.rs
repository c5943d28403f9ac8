//! The log's side of looking.
//!
//! | file | what is in it |
//! |---|---|
//! | `read.rs` | events, and frames of transitions |
//! | `history.rs` | a delivery with its attempts |
//! | `list.rs` | deliveries and endpoints, page by page |
//! | `walk.rs` | the log read from one position on, past what is damaged |

mod history;
mod list;
mod read;
mod walk;

pub use walk::{Step, Walk};
