//! Being built.

mod settings;

pub use settings::Settings;
