//! Endpoints of the configuration file. What it says wins at each start and each reload, so that a
//! change by another way would come undone: it is refused, with where to make it instead.

use crate::api::Admin;
use crate::endpoint::{Endpoint, EndpointSettings};
use crate::inbound::problem::Problem;
use crate::words::quoted;

impl Admin {
    /// Refuses to replace the settings of an endpoint that the file states.
    pub(in crate::api) fn check_may_change(
        &self,
        before: &Endpoint,
        after: &EndpointSettings,
    ) -> Result<(), Problem> {
        match before.settings.differences(after) {
            names if names.is_empty() => Ok(()),
            names => self.refuse_in_file(before, &format!("change {}", names.join(", "))),
        }
    }

    /// Refuses to replace the key of an endpoint that the file states.
    pub(in crate::api) fn check_may_rotate(&self, endpoint: &Endpoint) -> Result<(), Problem> {
        self.refuse_in_file(endpoint, "change signing_key")
    }

    /// Refuses to remove an endpoint that the file states: its next reading would make another.
    pub(in crate::api) fn check_may_remove(&self, endpoint: &Endpoint) -> Result<(), Problem> {
        let name = &endpoint.settings.name;
        if !self.in_file.get().contains(name) {
            return Ok(());
        }
        Err(Problem::conflict(format!(
            "endpoint {} is in the configuration file; take it out there, send SIGHUP, then remove it",
            quoted(name)
        )))
    }

    fn refuse_in_file(&self, endpoint: &Endpoint, mend: &str) -> Result<(), Problem> {
        let name = &endpoint.settings.name;
        if !self.in_file.get().contains(name) {
            return Ok(());
        }
        Err(Problem::conflict(format!(
            "endpoint {} is in the configuration file, which wins when it is next read; {mend} there and send SIGHUP",
            quoted(name)
        )))
    }
}
