//! URLs and the address guard: a refused address is refused in every spelling, what is let
//! through is let through to exactly the addresses that were judged.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use arbitrary::{Arbitrary, Unstructured};
use ipnet::IpNet;
use redeliver::deliver::guard::{AddressGuard, GuardError, Resolve, Resolving};
use redeliver::endpoint::url::{URL_MAX_BYTES, UrlError, check_url, is_loopback};
use redeliver::policy::Policy;
use redeliver::vendor::hotjar;
use url::{Host, Url};

use super::addresses::{Spelling, is_forbidden, judged};

/// An address, often one at the edge of a range that matters.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Address {
    V4(u32),
    V6(u128),
    Edge(u8, bool),
    Embedded(u8, u32),
}

const EDGES: &[u32] = &[
    0x0000_0000,
    0x00ff_ffff,
    0x0a00_0000,
    0x0aff_ffff,
    0x6440_0000,
    0x647f_ffff,
    0x7f00_0000,
    0x7fff_ffff,
    0xa83f_8110,
    0xa9fe_0000,
    0xa9fe_a9fe,
    0xa9fe_ffff,
    0xac10_0000,
    0xac1f_ffff,
    0xc000_0000,
    0xc000_00ff,
    0xc000_0200,
    0xc058_6300,
    0xc0a8_0000,
    0xc0a8_ffff,
    0xc612_0000,
    0xc613_ffff,
    0xc633_6400,
    0xcb00_7100,
    0xe000_0000,
    0xffff_ffff,
];

impl Address {
    fn bits(self) -> (u128, bool) {
        match self {
            Self::V4(bits) => (bits.into(), true),
            Self::V6(bits) => (bits, false),
            Self::Edge(place, beyond) => {
                let edge = EDGES[usize::from(place) % EDGES.len()];
                let step = if place >= 128 { 1 } else { u32::MAX };
                (edge.wrapping_add(step * u32::from(beyond)).into(), true)
            }
            Self::Embedded(how, bits) => {
                let high = [0, 0xffff, 0xffff_0000, 0x0064_ff9b << 64, 0x2002 << 80];
                let high: u128 = high[usize::from(how) % high.len()];
                let low = if high >> 80 == 0x2002 {
                    u128::from(bits) << 80
                } else {
                    u128::from(bits)
                };
                ((high << 32) | low, false)
            }
        }
    }

    fn ip(self) -> IpAddr {
        let (bits, is_v4) = self.bits();
        if is_v4 {
            Ipv4Addr::from_bits(bits as u32).into()
        } else {
            Ipv6Addr::from_bits(bits).into()
        }
    }
}

struct Fixed(Vec<SocketAddr>);

impl Resolve for Fixed {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> Resolving<'a> {
        let addresses = self.0.iter().map(|a| SocketAddr::new(a.ip(), port));
        let addresses = addresses.collect();
        Box::pin(async move { Ok(addresses) })
    }
}

/// A guard, the addresses that a name resolves to, and a URL, written out or spelled.
pub fn run(input: &[u8]) {
    // Input that ends too early is no input.
    let _ = judge(Unstructured::new(input));
}

fn judge(mut input: Unstructured<'_>) -> arbitrary::Result<()> {
    let mut guard = AddressGuard {
        allow_loopback: input.arbitrary()?,
        allow: Vec::new(),
    };
    for _ in 0..input.int_in_range(0..=2)? {
        let (address, prefix): (Address, u8) = input.arbitrary()?;
        let ip = address.ip();
        let most = if ip.is_ipv4() { 32 } else { 128 };
        guard
            .allow
            .push(IpNet::new(ip, prefix % (most + 1)).unwrap());
    }
    let mut behind = Vec::new();
    for _ in 0..input.int_in_range(0..=3)? {
        behind.push(SocketAddr::new(input.arbitrary::<Address>()?.ip(), 1));
    }
    let (requires_tls, allow_http) = input.arbitrary()?;
    let policy = Policy {
        requires_tls,
        ..hotjar::policy()
    };
    let scheme = if input.arbitrary()? { "https" } else { "http" };
    let spelled = if input.arbitrary()? {
        let (address, spelling, dot): (Address, Spelling, bool) = input.arbitrary()?;
        let (bits, is_v4) = address.bits();
        let (host, ip) = spelling.write(bits, is_v4);
        let dot = if dot && !host.ends_with(']') { "." } else { "" };
        // A name server could answer for the spelling what the socket would make of it.
        behind = vec![SocketAddr::new(ip, 1)];
        Some((
            format!("{scheme}://{}{dot}/", disguise(&host, &mut input)?),
            ip,
        ))
    } else {
        None
    };
    let text = match &spelled {
        Some((text, _)) => text.clone(),
        None => String::from_utf8_lossy(input.take_rest()).into_owned(),
    };
    let url = match check_url(&text, &policy, allow_http) {
        Ok(url) => url,
        Err(error) => {
            let plain = matches!(error, UrlError::PlainHttp(..));
            assert!(!plain || (requires_tls && !allow_http), "{text:?}");
            return Ok(());
        }
    };
    is_in_order(&text, &url);
    if url.scheme() == "http" && requires_tls && !allow_http {
        assert!(is_loopback(&url) && stays_on_this_machine(&url), "{url}");
    }
    let resolver = Fixed(behind.clone());
    let answer = at_once(guard.addresses(&url, &resolver));
    match (url.host().unwrap(), spelled) {
        (Host::Domain(_), None) => name_is_judged(&guard, &behind, answer),
        (host, spelled) => {
            let literal = match host {
                Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
                Host::Ipv6(v6) => Some(IpAddr::V6(v6)),
                Host::Domain(_) => None,
            };
            let ip = spelled.map(|(_, ip)| ip).or(literal).unwrap();
            assert!(literal.is_none_or(|literal| literal == ip), "{text:?}");
            assert_eq!(answer.is_ok(), is_allowed(&guard, ip), "{text:?} {guard:?}");
            if let Ok(addresses) = answer {
                let ips: Vec<_> = addresses.iter().map(SocketAddr::ip).collect();
                assert_eq!(ips, [ip], "{text:?}");
            }
        }
    }
    Ok(())
}

/// Characters of a host as browsers take them: percent-encoded, of full width, in capitals.
fn disguise(host: &str, input: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let mut written = String::new();
    let literal = host.starts_with('[');
    for c in host.chars() {
        match input.int_in_range(0..=9).unwrap_or(0) {
            7 if !literal => written.push_str(&format!("%{:02X}", u32::from(c))),
            8 if !literal => {
                let wide = char::from_u32(u32::from(c) - 0x20 + 0xff00);
                written.push(wide.unwrap_or(c));
            }
            9 => written.push(c.to_ascii_uppercase()),
            _ => written.push(c),
        }
    }
    Ok(written)
}

/// What every accepted URL is, whatever its host.
fn is_in_order(text: &str, url: &Url) {
    assert!(text.len() <= URL_MAX_BYTES);
    assert!(matches!(url.scheme(), "http" | "https"), "{text:?}");
    assert!(url.username().is_empty() && url.password().is_none());
    assert!(
        url.fragment().is_none() && url.port() != Some(0),
        "{text:?}"
    );
    assert!(url.host_str().is_some_and(|host| !host.is_empty()));
    assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(url), "{text:?}");
    // What comes before the host can hide another one from a reader.
    let authority = text.split("://").nth(1).unwrap_or_default();
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    assert!(!authority.contains(['@', '\\']), "{text:?}");
}

fn stays_on_this_machine(url: &Url) -> bool {
    match url.host().unwrap() {
        Host::Domain(name) => name
            .trim_end_matches('.')
            .rsplit('.')
            .next()
            .is_some_and(|last| last == "localhost"),
        Host::Ipv4(v4) => v4.octets()[0] == 127,
        Host::Ipv6(v6) => {
            v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
    }
}

fn is_allowed(guard: &AddressGuard, ip: IpAddr) -> bool {
    let judged = judged(ip);
    !is_forbidden(ip)
        || (guard.allow_loopback && judged.is_loopback())
        || guard
            .allow
            .iter()
            .any(|net| contains(net, ip) || contains(net, judged))
}

/// Bit by bit.
fn contains(net: &IpNet, ip: IpAddr) -> bool {
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let differs = bits(net.addr()) ^ bits(ip);
    net.addr().is_ipv4() == ip.is_ipv4() && differs.leading_zeros() >= net.prefix_len().into()
}

fn name_is_judged(
    guard: &AddressGuard,
    behind: &[SocketAddr],
    answer: Result<Vec<SocketAddr>, GuardError>,
) {
    let refused = behind.iter().find(|a| !is_allowed(guard, a.ip()));
    match answer {
        Ok(addresses) => {
            assert_eq!(refused, None);
            let ips = |list: &[SocketAddr]| list.iter().map(SocketAddr::ip).collect::<Vec<_>>();
            assert_eq!(ips(&addresses), ips(behind));
        }
        Err(GuardError::Name { refused: named, .. }) => {
            assert_eq!(refused.map(SocketAddr::ip), Some(named.address));
        }
        Err(GuardError::Unresolvable { .. }) => assert!(behind.is_empty()),
        Err(other) => panic!("{other}"),
    }
}

/// The result of what waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing was to be waited for"),
    }
}
