//! Claims what is due, sends it, settles what came back.

pub mod guard;
pub mod transport;
