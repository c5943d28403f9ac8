//! What `redeliver serve --check` says.

use std::path::Path;

use serde_json::json;

use super::super::{Failure, output};
use super::DEFAULT_CONFIG;
use crate::app::App;
use crate::config::{Config, ConfigError, ConfigErrors, Place};

/// Refuses a configuration, and says what is wrong with it as JSON first if that is asked for.
pub(super) fn refuse<T>(as_json: bool, errors: &ConfigErrors) -> Result<T, Failure> {
    if as_json {
        output::line(&bad(errors))?;
    }
    Err(Failure::Usage(errors.to_string()))
}

/// What is wrong with a configuration, as JSON.
fn bad(errors: &ConfigErrors) -> String {
    let errors: Vec<_> = errors
        .0
        .iter()
        .map(|error| {
            json!({
                "file": error.place.file,
                "line": error.place.line,
                "column": error.place.column,
                "detail": error.detail,
            })
        })
        .collect();
    json!({ "valid": false, "errors": errors }).to_string()
}

/// What is still to be looked at in a configuration that was read, and what is said of it.
pub(super) fn run(as_json: bool, file: Option<&Path>, config: &Config) -> Result<(), Failure> {
    let refused = App::refused(config).into_iter();
    let errors = refused.map(|(line, detail)| ConfigError {
        place: Place {
            file: file
                .unwrap_or(Path::new(DEFAULT_CONFIG))
                .display()
                .to_string(),
            line: Some(line),
            column: None,
        },
        detail,
    });
    let errors = ConfigErrors(errors.collect());
    match errors.0.is_empty() {
        true => good(as_json, file, config),
        false => refuse(as_json, &errors),
    }
}

/// Says that a configuration is good, and what is in it.
fn good(as_json: bool, file: Option<&Path>, config: &Config) -> Result<(), Failure> {
    let counts = [
        ("endpoint", config.endpoints.len()),
        ("source", config.sources.len()),
        ("website", config.websites.len()),
        ("alert", config.alerts.len()),
        ("export", config.exports.len()),
    ];
    if as_json {
        let mut told = json!({ "valid": true });
        for (what, count) in counts {
            told[format!("{what}s")] = count.into();
        }
        return output::line(&told.to_string());
    }
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    // What nobody configures need not be said to be none, apart from the two that most have.
    let counts = counts.iter().enumerate();
    let counts: Vec<String> = counts
        .filter(|(at, (_, count))| *at < 2 || *count > 0)
        .map(|(_, (what, count))| format!("{count} {what}{}", plural(*count)))
        .collect();
    let counts = counts.join(", ");
    output::line(&match file {
        Some(file) => format!("{}: configuration is good ({counts})", file.display()),
        None => format!("there is no {DEFAULT_CONFIG}: the defaults are good ({counts})"),
    })
}
