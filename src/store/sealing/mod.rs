//! Endpoints as they are kept, with their secrets sealed under a master key.
//!
//! | file | what is in it |
//! |---|---|
//! | `keyring.rs` | the master keys, sealing and opening |
//! | `kept.rs` | an endpoint in a record, in plain or sealed |
//! | `seals.rs` | which endpoints are sealed with which key, and those to be written again |

pub mod kept;
pub mod keyring;
pub mod seals;
