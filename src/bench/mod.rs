//! Measures this machine: the real broker against a baseline, in turns, as processes of their own.
//!
//! | file | what is in it |
//! |---|---|
//! | `plan.rs` | how much is measured, and with what |
//! | `scenario/` | one file a question: what is run, and which figures come of it |
//! | `part/` | the processes beside the broker: receiver, bare server, raw file, relay without a store |
//! | `load.rs`, `template.rs` | the sender: connections that post one event after another |
//! | `broker.rs`, `process.rs` | the processes: started, asked what they used, ended |
//! | `disk.rs` | what a disk was given to write |
//! | `past.rs` | a log that is long already |
//! | `receiver.rs` | what the receiver has seen |
//! | `target.rs` | the same load on somebody else's server |
//! | `findings.rs` | what a scenario found |
//! | `figure.rs` | a value, its baseline, the ratio, the goal |
//! | `detail.rs` | what stands behind a figure: latencies, processor time, memory, bytes written |
//! | `spread.rs` | latencies as a histogram |
//! | `machine.rs` | what all of it was measured on |
//! | `stopwatch.rs` | the machine's own time, the same in every process |

mod broker;
pub mod detail;
mod disk;
pub mod figure;
pub mod findings;
mod http;
mod load;
pub mod machine;
pub mod part;
mod past;
pub mod plan;
pub mod process;
mod receiver;
pub mod scenario;
pub mod spread;
mod stopwatch;
pub mod target;
mod template;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file, socket or process of the benchmark.
    #[error("{what}: {cause}")]
    System {
        /// What was being done.
        what: String,
        /// The operating system's words.
        cause: std::io::Error,
    },
    /// Something that was measured did not do its work, so that its figure would mean nothing.
    #[error("{0}")]
    Failed(String),
    /// Asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl BenchError {
    fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::System { what, cause }
    }
}
