//! What the log says, computed from it: the endpoints, their queues, the duplicate window. Pure.
//!
//! | file | what is in it |
//! |---|---|
//! | `state.rs` | all endpoints with their queues; how an event and a transition change them |
//! | `queue.rs` | one endpoint's queue |
//! | `routes.rs` | which endpoints an event goes to |
//! | `dedupe.rs` | which idempotency keys were used |
//! | `seqset.rs` | sets of positions, as runs |

pub mod dedupe;
pub mod queue;
pub mod routes;
pub mod seqset;
pub mod state;
