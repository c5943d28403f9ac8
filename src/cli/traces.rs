//! Whether traces are asked for, and whether this binary can export any.

use super::output;
use crate::config::{Config, Otel};
use crate::traces;

/// Where traces go, if somebody asked for them and it can be done.
pub(super) fn wanted(config: &Config) -> Option<traces::Settings> {
    let env = |name: &str| std::env::var(name).ok();
    let read = traces::Settings::read(&env);
    if !traces::IS_BUILT && (!matches!(read, Ok(None)) || config.otel != Otel::default()) {
        output::warning(
            "traces are asked for, but this redeliver is built without them: nothing is exported; \
             build it with --features otel, or unset OTEL_EXPORTER_OTLP_ENDPOINT and take out [otel]",
        );
        return None;
    }
    read.unwrap_or_else(|error| {
        output::warning(&error.to_string());
        None
    })
}
