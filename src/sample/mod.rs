//! Payloads as vendors send them, of people who do not exist: every documented field, in the
//! document's order, with values that a receiver meets in life. The same seed and times make the
//! same payloads, byte for byte. Pure.
//!
//! | file | what is in it |
//! |---|---|
//! | [`hotjar`] | survey responses and the test message |
//! | [`esputnik`] | activities: broadcast and triggered, every status and media type |
//! | [`shop`] | events of a shop, as Standard Webhooks carry them |
//! | `people`, `chance` | names, places and machines; chance from a seed |
//! | `document`, `path`, `place` | JSON that keeps its order; places in it that can be overridden |

mod chance;
mod document;
pub mod esputnik;
pub mod hotjar;
mod path;
mod people;
mod place;
pub mod shop;

pub use chance::Chance;
pub use document::{Document, NotJson};
pub use path::{InvalidPath, Path};
pub use place::NoPlace;

#[cfg(test)]
mod tests;
