//! What a receiver computes that refuses a genuine message: its mistake, found by signing as it would.

use std::collections::BTreeSet;

use super::crafted::Crafted;
use super::examiner::Examiner;
use super::judge::Reply;
use crate::secret::Secret;
use crate::vendor::mistakes::{Material, Mistake};
use crate::vendor::standard;

impl Examiner {
    /// `reason`, and the mistake that explains it, where one does.
    pub(super) async fn explained(&mut self, reason: String) -> String {
        match self.mistaken().await {
            Some(Mistake { what, mend }) => format!(
                "{reason}; it accepts the signature that is right for {what}, so that is what it computes: {mend}"
            ),
            None => format!(
                "{reason}; it accepts none of the usual mistakes either: see that it has the same key"
            ),
        }
    }

    /// The first usual mistake whose signature is accepted, where the right one still is not. Each
    /// is sent once, with a fresh message.
    async fn mistaken(&mut self) -> Option<Mistake> {
        let mut tried = BTreeSet::new();
        loop {
            let (request, mistake) = self.mistake(&tried)?;
            tried.insert(mistake.what.clone());
            let reply = self.link.send(&request).await;
            if self.terms.accepted(&reply).is_ok() {
                // One that has changed its mind makes no mistake that could be named.
                let genuine = self.genuine()?;
                let reply = self.link.send(&genuine).await;
                return self.terms.accepted(&reply).is_err().then_some(mistake);
            }
            // Its lock against forgeries, or its end.
            if matches!(reply, Reply::Status(429) | Reply::Silence(_)) {
                return None;
            }
        }
    }

    /// A fresh message that is signed with a mistake that was not tried; none when all were. Which
    /// of them change anything is another matter with each message.
    fn mistake(&mut self, tried: &BTreeSet<String>) -> Option<(Crafted, Mistake)> {
        let mut crafted = self.genuine()?;
        let credentials = &self.plan.credentials;
        let mut header = |name| crafted.header(name).cloned().unwrap_or_default();
        let (id, timestamp) = (
            header(standard::ID_HEADER),
            header(standard::TIMESTAMP_HEADER),
        );
        let material = Material {
            profile: credentials.profile,
            key: credentials.signing_key.as_ref().map_or("", Secret::expose),
            key_encoding: credentials.key_encoding,
            signature_encoding: credentials.signature_encoding,
            id: &id,
            timestamp: &timestamp,
            body: &crafted.body,
        };
        let mut all = material.mistaken().into_iter();
        let (mistake, text) = all.find(|(mistake, _)| !tried.contains(&mistake.what))?;
        crafted.set(credentials.profile.signature_header(), text);
        Some((crafted, mistake))
    }

    fn genuine(&mut self) -> Option<Crafted> {
        let identity = self.identity();
        self.craft(&self.base.clone(), &identity).ok()
    }
}
