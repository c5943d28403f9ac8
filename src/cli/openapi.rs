//! `redeliver openapi`: the description of the API, without a server.

use super::{Failure, output};
use crate::api::document;

/// Print the OpenAPI document of the HTTP API
#[derive(Debug, clap::Args)]
#[command(after_help = "A server gives the same at /openapi.json.\n\n\
    Example:\n  redeliver openapi > openapi.json")]
pub struct Args {}

/// Prints it.
pub fn run(_: Args) -> Result<(), Failure> {
    output::line(&document::json())
}
