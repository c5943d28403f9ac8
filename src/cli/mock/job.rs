//! What a run of the mock has to do, and the broker that it needs.

use super::content::Stock;
use super::running::Running;
use crate::api::document::Subject;
use crate::app::{Keep, Settings};
use crate::cli::Failure;
use crate::clock::ClockKind;
use crate::deliver::guard::AddressGuard;
use crate::endpoint::{EndpointDraft, FieldError};
use crate::mock::vendor;
use crate::vendor::Profile;

/// What is to be done.
pub(super) struct Job {
    /// Whose webhooks are sent.
    pub(super) vendor: Profile,
    /// What the options say of the receiver.
    pub(super) draft: EndpointDraft,
    /// What is sent.
    pub(super) stock: Stock,
    /// Whether the vendor's GET on save is sent first, if it sends one.
    pub(super) checks: bool,
    /// Where and how.
    pub(super) running: Running,
}

impl Job {
    /// What the broker is started with, once the receiver has passed the GET on save (ESP-07).
    pub(super) async fn settings(&self, seed: u64) -> Result<Settings, Failure> {
        let running = &self.running;
        let clock = running.clock();
        let receiver = vendor::receiver(self.vendor, self.draft.clone(), clock);
        let receiver = receiver.map_err(options)?;
        let mut config = vendor::config(receiver.clone());
        running.put(&mut config)?;
        if self.checks {
            let guard = AddressGuard {
                allow: config.server.allow_private.clone(),
                allow_loopback: config.server.listen.ip().to_canonical().is_loopback(),
            };
            vendor::check(&receiver, guard).await.map_err(|error| {
                let text = error.to_string().replace("server.allow_addresses", "--allow-address");
                Failure::Check(format!(
                    "{text}; eSputnik would not save this URL (ESP-08): mend the receiver, or go on with --no-check"
                ))
            })?;
        }
        Ok(Settings {
            config,
            clock,
            record: running.record.record,
            faults: running.faults.plan(seed, receiver.order)?,
            keep: match running.has_data() {
                true => Keep::OnDisk,
                false => Keep::InMemory,
            },
            json: running.json,
            document: Subject::Mock,
            ..Settings::default()
        })
    }

    /// The clock, for the first line.
    pub(super) fn clock(&self) -> ClockKind {
        self.running.clock()
    }
}

fn options(errors: Vec<FieldError>) -> Failure {
    let each = errors.into_iter().map(|error| {
        let option = match error.at.as_str() {
            "/url" => "--to",
            "/timeout" => "--timeout",
            "/basic_auth" | "/basic_auth/user" | "/basic_auth/password" => "--basic",
            _ => "--key-file or REDELIVER_KEY",
        };
        format!("{option}: {}", error.detail)
    });
    Failure::Usage(each.collect::<Vec<_>>().join("\n"))
}
