//! Who is told of attempts.

use std::time::Duration;

use crate::store::{Claim, Settlement};

/// Is told of attempts where they happen: it must neither wait nor panic.
pub trait Observer: Send + Sync + 'static {
    /// An attempt begins. `waited` is how long it could have begun by the broker's clock: since the
    /// event was received, or since its retry was due.
    fn began(&self, claim: &Claim, waited: Duration);

    /// An attempt has ended, and is about to be settled. `took` is in the machine's own time, whatever clock the
    /// broker runs on.
    fn ended(&self, claim: &Claim, settlement: &Settlement, took: Duration);

    /// The store shows what the attempt came to, from now on; or nothing comes of it, because
    /// somebody else has ended the delivery.
    fn settled(&self, _: &Claim) {}
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Observer for Nobody {
    fn began(&self, _: &Claim, _: Duration) {}

    fn ended(&self, _: &Claim, _: &Settlement, _: Duration) {}
}
