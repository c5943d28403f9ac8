//! redeliver: an event broker with an embedded store and durable outbound webhook delivery.
//!
//! Data flows one way, and the modules are the rooms it flows through:
//!
//! ```text
//!   inbound  ──▶  store (the log)  ──▶  deliver  ──▶  your receiver
//!   poll          append, fsync,        claim, send,
//!   parse,        then answer           settle
//!   check              │
//!     ▲                ├──▶  api: endpoints, deliveries, stream, clock
//!     │                └──▶  analytics ──▶  api: Zenovay's read side; exports
//!     └───────────────────────── alerts ◀──┘
//! ```
//!
//! | room | what is in it |
//! |---|---|
//! | [`event`], [`endpoint`], [`delivery`], [`fault`], [`id`], [`clock`], [`current`], [`duration`], [`secret`], [`trace`], [`words`] | the nouns, and the one gate to time |
//! | [`policy`] | the retry state machine and its schedules: pure. Endpoints are checked against their policy, so it stands beside the nouns |
//! | [`config`] | `redeliver.toml`, every mistake reported at once |
//! | [`store`] | the durable log in sled, and the queues that are computed from it |
//! | [`vendor`] | Hotjar, eSputnik, Standard Webhooks, Zebline, Zenovay: payload, signature, schedule, each in one place: pure |
//! | [`sample`] | payloads as the vendors send them, from a seed: pure |
//! | [`analytics`] | what the log says of websites: a projection, and what it is asked |
//! | [`deliver`] | claims what is due, sends it, settles what came back |
//! | [`inbound`] | HTTP in: limits, native events, CloudEvents, Zebline's API, relay of vendors' requests |
//! | [`alerts`] | conditions over a website's figures become events of the log |
//! | [`operations`] | what happens to endpoints and deliveries becomes events of the log |
//! | [`exports`] | once a day a website's figures as a file |
//! | [`poll`] | Zenovay's API, polled: through the transport of `deliver`, kept by the way of `inbound` |
//! | [`tasks`] | bulk operations over the store that go on over restarts |
//! | [`telemetry`] | what is known of a running broker: counts over time, metrics |
//! | [`traces`] | what happened to an event, as spans for an OpenTelemetry collector |
//! | [`api`] | endpoints, events, deliveries, the clock; Zenovay's read side |
//! | [`dashboard`] | the pages at `/`, and the login to them |
//! | [`app`] | the composition root: the only place that names a concrete store, clock and transport |
//! | [`mock`] | a vendor that sends webhooks, on localhost: samples, overrides, the trigger |
//! | [`check`] | a verdict on a receiver: the vendor's duties, drilled one by one |
//! | [`mod@bench`] | the broker measured against baselines, as processes of their own |
//! | [`cli`] | one file a verb |
//!
//! Dependencies point up this table, never down; `tests/tidy.rs` holds the walls.

pub mod alerts;
pub mod analytics;
pub mod api;
pub mod app;
pub mod bench;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod current;
pub mod dashboard;
pub mod deliver;
pub mod delivery;
pub mod duration;
pub mod endpoint;
pub mod event;
pub mod exports;
pub mod fault;
pub mod id;
pub mod inbound;
pub mod mock;
pub mod operations;
pub mod policy;
pub mod poll;
pub mod sample;
pub mod secret;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod trace;
pub mod traces;
pub mod vendor;
pub mod words;
