//! A vendor on localhost: its payloads, its signature, its schedule, sent to one receiver by a
//! broker like any other.
//!
//! | file | what is in it |
//! |---|---|
//! | [`vendor`] | what a mock of a vendor is: options in, a configuration out; the GET on save |
//! | [`wish`] | what is to be sent: samples, how many, what is overridden. Pure |
//! | [`sampler`] | from a wish to events. Pure |
//! | `wrap` | from a payload to an event: by the profile, or byte for byte. Pure |
//! | [`trigger`], [`asked`] | `POST /v1/trigger`; reading its body |

pub mod asked;
pub mod sampler;
pub mod trigger;
pub mod vendor;
pub mod wish;
mod wrap;

pub use wrap::raw;
