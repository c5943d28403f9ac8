//! The address guard: which addresses a receiver may be at.
//!
//! Whoever makes an endpoint chooses where this process sends requests to, from inside its
//! network. So every address that a URL leads to is judged when the endpoint is made, and again
//! at each connect, because a name may resolve differently the second time.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

use super::shortage::is_our_shortage;

/// Decides which addresses requests may be sent to.
#[derive(Clone, Debug, Default)]
pub struct AddressGuard {
    /// Networks that are allowed although they lie in a refused range.
    pub allow: Vec<IpNet>,
    /// Whether loopback is allowed.
    pub allow_loopback: bool,
}

/// An address that no receiver may be at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is in the {range} range {net}; to allow it, list it or its network in \
     server.allow_addresses",
    Embedded(.address, .embedded)
)]
pub struct RefusedAddress {
    /// The address.
    pub address: IpAddr,
    /// The IPv4 address that it stands for, which is the one that was judged.
    pub embedded: Option<Ipv4Addr>,
    /// What the range is for.
    pub range: &'static str,
    /// The range.
    pub net: IpNet,
}

struct Embedded<'a>(&'a IpAddr, &'a Option<Ipv4Addr>);

impl std::fmt::Display for Embedded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.1 {
            Some(v4) => write!(f, "{} stands for {v4}, which", self.0),
            None => self.0.fmt(f),
        }
    }
}

/// Why a URL leads nowhere that requests may be sent to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// The URL's host is a refused address.
    #[error("refused address: {0}")]
    Address(RefusedAddress),
    /// The URL's host is a name, and an address that it resolves to is refused.
    #[error("`{host}` resolves to a refused address: {refused}")]
    Name {
        /// The name.
        host: String,
        /// The first of its addresses that is refused.
        refused: RefusedAddress,
    },
    /// The name does not resolve, now. It may later.
    #[error("`{host}` does not resolve: {reason}")]
    Unresolvable {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
        /// Whether it said that this machine lacks something to look names up with.
        our_shortage: bool,
    },
    /// The URL has no host.
    #[error("the URL has no host")]
    NoHost,
}

/// Turns a name into addresses.
pub trait Resolve: Send + Sync + 'static {
    /// Every address of `host`, each with `port`.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;
}

/// A resolution under way.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

impl AddressGuard {
    /// Refuses `ip` if it lies in a range that is not for public receivers and is not allowed.
    pub fn check(&self, ip: IpAddr) -> Result<(), RefusedAddress> {
        let embedded = match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => embedded_v4(v6),
        };
        let judged = embedded.map_or(ip, IpAddr::V4);
        let Some((net, range)) = refused_range(judged) else {
            return Ok(());
        };
        if self.allow_loopback && range == LOOPBACK
            || self
                .allow
                .iter()
                .any(|net| net.contains(&ip) || net.contains(&judged))
        {
            return Ok(());
        }
        Err(RefusedAddress {
            address: ip,
            embedded,
            range,
            net,
        })
    }

    /// Refuses a URL whose host is an address that is refused. Of a name it says nothing.
    pub fn check_literal(&self, url: &Url) -> Result<(), GuardError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::from(address),
            Some(Host::Ipv6(address)) => IpAddr::from(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        self.check(address).map_err(GuardError::Address)
    }

    /// The addresses behind `url`, all of them checked: one that is refused refuses them all.
    ///
    /// This is the only way by which the transport comes to an address.
    pub async fn addresses(
        &self,
        url: &Url,
        resolver: &dyn Resolve,
    ) -> Result<Vec<SocketAddr>, GuardError> {
        let port = url.port_or_known_default().ok_or(GuardError::NoHost)?;
        let host = match url.host().ok_or(GuardError::NoHost)? {
            Host::Domain(host) => host,
            Host::Ipv4(v4) => return self.literal(v4.into(), port),
            Host::Ipv6(v6) => return self.literal(v6.into(), port),
        };
        let unresolvable = |reason: String, our_shortage: bool| GuardError::Unresolvable {
            host: host.to_owned(),
            reason,
            our_shortage,
        };
        let addresses = resolver
            .resolve(host, port)
            .await
            .map_err(|error| unresolvable(error.to_string(), is_our_shortage(&error)))?;
        if addresses.is_empty() {
            return Err(unresolvable("it has no address".to_owned(), false));
        }
        for address in &addresses {
            self.check(address.ip())
                .map_err(|refused| GuardError::Name {
                    host: host.to_owned(),
                    refused,
                })?;
        }
        Ok(addresses)
    }

    fn literal(&self, ip: IpAddr, port: u16) -> Result<Vec<SocketAddr>, GuardError> {
        self.check(ip).map_err(GuardError::Address)?;
        Ok(vec![SocketAddr::new(ip, port)])
    }
}

const LOOPBACK: &str = "loopback";

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// The IANA special-purpose registry, and one address that clouds answer on from inside only.
const REFUSED_V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "unspecified"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared (carrier-grade NAT)"),
    (v4(127, 0, 0, 0, 8), LOOPBACK),
    (v4(168, 63, 129, 16, 32), "cloud metadata"),
    (v4(169, 254, 0, 0, 16), "link-local (cloud metadata)"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "protocol assignment"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "benchmark"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

const REFUSED_V6: &[(Ipv6Net, &str)] = &[
    (
        Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128),
        "unspecified",
    ),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), LOOPBACK),
    (v6(0x64, 0xff9b, 1, 48), "local translation"),
    (v6(0x100, 0, 0, 64), "discard"),
    // Holds Teredo, whose embedded address is the tunnel's and not the receiver's.
    (v6(0x2001, 0, 0, 23), "protocol assignment"),
    (v6(0x2001, 0xdb8, 0, 32), "documentation"),
    (v6(0x3fff, 0, 0, 20), "documentation"),
    (v6(0x5f00, 0, 0, 16), "segment routing"),
    (v6(0xfc00, 0, 0, 7), "unique local (private)"),
    (v6(0xfe80, 0, 0, 10), "link-local"),
    (v6(0xfec0, 0, 0, 10), "site-local"),
    (v6(0xff00, 0, 0, 8), "multicast"),
    // What is left of the address space outside 2000::/3 is not assigned to anybody.
    (v6(0, 0, 0, 3), "reserved"),
    (v6(0x4000, 0, 0, 2), "reserved"),
    (v6(0x8000, 0, 0, 1), "reserved"),
];

fn refused_range(ip: IpAddr) -> Option<(IpNet, &'static str)> {
    match ip {
        IpAddr::V4(ip) => REFUSED_V4
            .iter()
            .find(|(net, _)| net.contains(&ip))
            .map(|&(net, range)| (net.into(), range)),
        IpAddr::V6(ip) => REFUSED_V6
            .iter()
            .find(|(net, _)| net.contains(&ip))
            .map(|&(net, range)| (net.into(), range)),
    }
}

/// The IPv4 address that `ip` stands for, where routers or the kernel send to that one instead.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // IPv4-compatible, IPv4-mapped, IPv4-translated and NAT64, in this order.
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        // 6to4.
        [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
