//! Claims what is due, sends it, settles what came back.
//!
//! | file | what is in it |
//! |---|---|
//! | [`dispatcher`] | the loop: claims, bounded concurrency, settlements, drain |
//! | [`outcomes`] | how attempts end, told to whoever watches |
//! | `verdict` | what follows from an attempt under its policy: pure |
//! | [`courier`] | one attempt: the vendor's request, the deadline, the verdict |
//! | [`observer`] | who is told of attempts |
//! | [`propagation`] | which receivers are told of traces |
//! | `outgoing` | the request that it sends |
//! | [`faults`] | faults on demand, for tests |
//! | [`recorder`] | what was sent, kept for tests |
//! | `confidence` | what an endpoint is told in confidence, taken out of what it says in return |
//! | [`check`] | the GET on save |
//! | [`advance`] | moving a manual clock, so that everything due by then has happened |
//! | [`agenda`], `patience` | what is under way and what is due, for whoever moves it; how long what hangs is waited for: pure |
//! | [`transport`] | one HTTP request over TCP or TLS |
//! | [`guard`] | which addresses may be sent to |
//! | `shortage` | what this machine lacks, which is no fault of a receiver's |

pub mod advance;
pub mod agenda;
pub mod check;
mod confidence;
pub mod courier;
pub mod dispatcher;
pub mod faults;
pub mod guard;
pub mod observer;
pub mod outcomes;
mod outgoing;
mod patience;
pub mod propagation;
pub mod recorder;
mod shortage;
pub mod transport;
mod verdict;

pub use observer::Observer;
