//! What is answered of endpoints, events, deliveries and attempts. Never a secret.
//!
//! | file | what is in it |
//! |---|---|
//! | [`objects`] | the nouns, as they are answered |
//! | [`attempt`] | a try of a delivery, and what ended one without a try |
//! | [`evidence`] | what a test sees of an attempt beside its end |
//! | [`explain`] | why a delivery is where it is: pure |
//! | `explained` | what a delivery says by itself and not in a list |

pub mod attempt;
pub mod evidence;
pub mod explain;
pub(super) mod explained;
pub mod objects;
