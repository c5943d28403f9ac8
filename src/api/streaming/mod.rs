//! Answers that are sent as they are made.
//!
//! | file | what is in it |
//! |---|---|
//! | [`sse`] | server-sent events, and how many streams there may be |
//! | `chunks` | a body of bytes |

pub(super) mod chunks;
pub mod sse;
