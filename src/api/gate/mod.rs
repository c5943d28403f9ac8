//! What every request passes before its route, and its answer behind it.
//!
//! | file | what is in it |
//! |---|---|
//! | `front` | the order of it; the one route that no router is asked for |
//! | [`auth`] | who may ask |
//! | [`request_id`] | what tells a request from every other one |
//! | `watched` | a request that brings events, for the one who wants to know |

pub mod auth;
pub(super) mod front;
pub mod request_id;
mod watched;
