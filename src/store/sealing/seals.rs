//! How endpoints' secrets were found at a start, and sealing them as they are to be.

use std::collections::{BTreeMap, BTreeSet};

use super::kept::{How, KeptEndpoint};
use super::keyring::{Keyring, Unopened};
use crate::endpoint::Endpoint;
use crate::store::StoreError;
use crate::store::backend::Backend;
use crate::store::commit::Saving;
use crate::store::log::Log;
use crate::store::record::Transition;

/// What of the endpoints' last records is to be written again, and what stands against it. What
/// an earlier record of an endpoint held does not matter.
#[derive(Debug, Default)]
pub(in crate::store) struct Seals {
    as_before: BTreeSet<u32>,
    unread: BTreeMap<u32, (String, Unopened)>,
}

impl Seals {
    /// Opens an endpoint that was kept, and takes note of how.
    pub(in crate::store) fn open(&mut self, kept: KeptEndpoint, keys: &Keyring) -> Endpoint {
        let (endpoint, how) = kept.open(keys);
        let number = endpoint.number;
        self.as_before.remove(&number);
        self.unread.remove(&number);
        match how {
            How::AsNow => {}
            How::AsBefore => {
                self.as_before.insert(number);
            }
            How::Unread(unopened) => {
                let name = endpoint.settings.name.clone();
                self.unread.insert(number, (name, unopened));
            }
        }
        endpoint
    }

    /// Refuses to go on without secrets that will be needed.
    pub(in crate::store) fn check(&self, keys: &Keyring) -> Result<(), StoreError> {
        let Some((endpoint, unopened)) = self.unread.values().next().filter(|_| !keys.is_blind())
        else {
            return Ok(());
        };
        Err(match unopened {
            Unopened::NoKey(key) => StoreError::Sealed {
                key: super::keyring::shown(*key),
                given: match keys.present() {
                    None => "there is no master key",
                    Some(_) => "none of the master keys given is that one",
                },
            },
            Unopened::Changed => StoreError::Corrupt(format!(
                "the sealed secrets of endpoint {endpoint} were changed"
            )),
        })
    }
}

impl<B: Backend> Log<B> {
    /// Writes every endpoint again whose secrets lie in plain or under an earlier key, and the
    /// snapshot. What earlier records held stays in them.
    pub(in crate::store) fn seal_again(&self) -> Result<(), StoreError> {
        let keys = &self.options.keys;
        if keys.present().is_none() || !self.options.mend {
            return Ok(());
        }
        let numbers = std::mem::take(&mut self.shared().seals.as_before);
        if numbers.is_empty() {
            return Ok(());
        }
        {
            let mut shared = self.shared();
            let now = self.now(&mut shared);
            for number in &numbers {
                let Some(endpoint) = shared.state.entry(*number).map(|it| it.endpoint.clone())
                else {
                    continue;
                };
                let transition = Transition::Endpoint(now, Box::new((*endpoint).clone()));
                self.record_quietly(&mut shared, now, transition, true);
            }
        }
        self.commit_next(Saving::Everything)?;
        self.write_snapshot(&mut self.writer())?;
        let endpoints = numbers.len();
        tracing::info!(
            endpoints,
            "sealed the secrets of endpoints with the master key; earlier records still hold them as they were, until `redeliver store seal`"
        );
        Ok(())
    }
}
