//! SIGHUP: the configuration read again.

use std::path::PathBuf;

use super::{Args, settings};
use crate::app::App;
use crate::cli::signals::Hangup;
use crate::cli::{Failure, output};
use crate::words;

/// So many of the endpoints that a file does not have any more are named.
const NAMED_MAX: usize = 20;

/// Reads the configuration again at each SIGHUP, for ever.
pub(super) async fn at_each(
    hangup: &mut Hangup,
    app: &App,
    args: &Args,
    mut file: Option<PathBuf>,
) {
    loop {
        hangup.heard().await;
        file = reload(app, args, file).await;
    }
}

/// Reads the configuration again, which is in `file` if there was one. Where something is wrong with
/// it, the one in force stays. Says which file is in force.
async fn reload(app: &App, args: &Args, file: Option<PathBuf>) -> Option<PathBuf> {
    let read = match settings(args, file.as_deref()) {
        Ok((file, settings)) => {
            let reloaded = app.reload(settings.config).await;
            reloaded.map(|done| (file, done)).map_err(Failure::from)
        }
        Err(failure) => Err(failure),
    };
    match read {
        Ok((file, reloaded)) => {
            tracing::info!(
                endpoints_changed = reloaded.endpoints_changed,
                tokens_changed = reloaded.tokens_changed,
                "the configuration was read again"
            );
            let paused = &reloaded.endpoints_paused;
            if !paused.is_empty() {
                let named = paused.iter().take(NAMED_MAX);
                tracing::warn!(
                    count = paused.len(),
                    endpoints = words::listed(named.map(String::as_str)),
                    "these endpoints are paused with their queues, as the file does not have them, or their policies, any more; if it was cut off, send SIGHUP when it is whole, and they go on"
                );
            }
            if !reloaded.wait_for_a_start.is_empty() {
                let tables = reloaded.wait_for_a_start.join(", ");
                tracing::warn!(tables, "changed in the file: in force after the next start");
            }
            file
        }
        Err(failure) => {
            tracing::error!("the configuration was not taken; the one before it stays in force");
            output::errors(&failure.to_string());
            file
        }
    }
}
