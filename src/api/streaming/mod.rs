//! Answers that are sent as they are made.
//!
//! | file | what is in it |
//! |---|---|
//! | [`sse`] | server-sent events, and how many streams there may be |
//! | `chunks` | a body of bytes |
//! | `over` | when an answer that lasts is broken off |

pub(super) mod chunks;
pub(super) mod over;
pub mod sse;
