//! SIGHUP: the configuration read again.

use std::path::PathBuf;

use super::{Args, settings};
use crate::app::App;
use crate::cli::{Failure, output};

/// Reads the configuration again, which is in `file` if there was one. Where something is wrong with
/// it, the one in force stays. Says which file is in force.
pub(super) async fn reload(app: &App, args: &Args, file: Option<PathBuf>) -> Option<PathBuf> {
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
