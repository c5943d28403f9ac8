//! What happened to each event, as spans for an OpenTelemetry collector. Built with the feature
//! `otel`, and at work where `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.
//!
//! ```text
//!   observers of inbound and deliver ─▶ fact ─▶ queue (bounded) ─▶ span ─▶ batch ─▶ collector
//!        where it happens, no wait                └──────────── a task of its own ───────────┘
//! ```
//!
//! An event is one trace; its ids follow from the event's ([`crate::trace`]), so that nothing is
//! stored for it and an attempt of next week, behind three restarts, is in its event's trace. What
//! a caller says of its own trace is a link: senders are strangers, and nobody lets those choose
//! which trace a span is in.
//!
//! Nothing waits for a collector. What it cannot be told in time is dropped, counted, and told once.
//!
//! | file | what is in it |
//! |---|---|
//! | [`settings`] | what the `OTEL_…` variables say: pure |
//! | `fact` | what is told where it happens, and taken along: no bodies, no URLs |
//! | `export` | from there to the collector: the only part that knows OpenTelemetry's crates |
//! | `absent` | in the place of all this, where the feature is not built |

pub mod settings;

#[cfg(not(feature = "otel"))]
mod absent;
#[cfg(feature = "otel")]
mod export;
#[cfg(feature = "otel")]
mod fact;
#[cfg(feature = "otel")]
mod observing;

#[cfg(not(feature = "otel"))]
pub use absent::Traces;
#[cfg(feature = "otel")]
pub use observing::Traces;
pub use settings::{Settings, SettingsError};

/// Whether this binary can export traces.
pub const IS_BUILT: bool = cfg!(feature = "otel");
