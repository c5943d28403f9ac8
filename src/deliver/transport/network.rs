//! What a transport stands on: names, connections and whom to trust.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::RootCertStore;
use url::Url;

use super::SendError;
use super::dial::{Dial, Tcp};
use super::lookups::Lookups;
use super::tls;
use crate::deliver::guard::{AddressGuard, GuardError, Resolve, SystemResolver};

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
            resolver: Arc::new(Lookups::of(Arc::new(SystemResolver))),
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
        Self {
            resolver: Arc::new(Lookups::of(resolver)),
            ..self
        }
    }

    /// The addresses behind `url` that `guard` lets through.
    pub(super) async fn addresses(
        &self,
        guard: &AddressGuard,
        url: &Url,
    ) -> Result<Vec<SocketAddr>, SendError> {
        let found = guard.addresses(url, &*self.resolver).await;
        found.map_err(|error| match error {
            GuardError::Unresolvable {
                reason,
                our_shortage: true,
                ..
            } => SendError::Starved(reason),
            // Without a descriptor nobody can be asked, and the resolver may say that nobody knows
            // the name.
            GuardError::Unresolvable { host, reason, .. } => match self.dial.shortage() {
                Some(shortage) => SendError::Starved(shortage.to_string()),
                None => SendError::Resolve { host, reason },
            },
            refused => SendError::Refused(refused),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::*;
    use crate::deliver::guard::Resolving;
    use crate::deliver::transport::Dialing;

    /// Knows no name, and fails in this way.
    struct Nobody(Errno);

    impl Resolve for Nobody {
        fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
            Box::pin(async { Err(self.0.into()) })
        }
    }

    /// Has this many sockets to spare.
    struct Sockets(usize);

    impl Dial for Sockets {
        fn dial(&self, _: SocketAddr) -> Dialing<'_> {
            Box::pin(std::future::pending())
        }

        fn shortage(&self) -> Option<io::Error> {
            (self.0 == 0).then(|| io::ErrorKind::OutOfMemory.into())
        }
    }

    #[tokio::test]
    async fn a_name_that_is_unknown_for_lack_of_a_socket_is_our_own_trouble() {
        let url = Url::parse("http://h/").unwrap();
        for (said, sockets, is_ours) in [
            (Errno::NOENT, 1, false),
            (Errno::NOENT, 0, true),
            // There may be one again by now.
            (Errno::MFILE, 1, true),
        ] {
            let resolver = Arc::new(Nobody(said));
            let network = Network::simulated(resolver, Arc::new(Sockets(sockets)));
            let error = network.addresses(&AddressGuard::default(), &url).await;
            let error = error.unwrap_err();
            assert_eq!(matches!(error, SendError::Starved(_)), is_ours, "{error}");
            assert_eq!(matches!(error, SendError::Resolve { .. }), !is_ours);
        }
    }
}
