//! What a transport stands on: names, connections and whom to trust.

use std::sync::Arc;

use rustls::RootCertStore;

use super::dial::{Dial, Tcp};
use super::tls;
use crate::deliver::guard::{Resolve, SystemResolver};

/// Names, connections and trusted authorities.
pub struct Network {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) dial: Arc<dyn Dial>,
    pub(super) roots: RootCertStore,
}

impl Network {
    /// The machine's own: its resolver, TCP, and the system's certificate authorities, or bundled
    /// ones where the system has none.
    pub fn system() -> Self {
        Self {
            resolver: Arc::new(SystemResolver),
            dial: Arc::new(Tcp),
            roots: tls::system_roots(),
        }
    }

    /// A network of its own, in which no authority is trusted.
    pub fn simulated(resolver: Arc<dyn Resolve>, dial: Arc<dyn Dial>) -> Self {
        Self {
            resolver,
            dial,
            roots: RootCertStore::empty(),
        }
    }

    /// This network with names resolved by `resolver`.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, ..self }
    }
}
