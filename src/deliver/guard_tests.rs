//! Which addresses are let through, and which are not.

use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The first and last address of each refused range, with the public neighbours outside it.
const EDGES: &[(&str, &str, &[&str])] = &[
    ("0.0.0.0", "0.255.255.255", &["1.0.0.0"]),
    ("10.0.0.0", "10.255.255.255", &["9.255.255.255", "11.0.0.0"]),
    (
        "100.64.0.0",
        "100.127.255.255",
        &["100.63.255.255", "100.128.0.0"],
    ),
    (
        "127.0.0.0",
        "127.255.255.255",
        &["126.255.255.255", "128.0.0.0"],
    ),
    (
        "169.254.0.0",
        "169.254.255.255",
        &["169.253.255.255", "169.255.0.0"],
    ),
    (
        "172.16.0.0",
        "172.31.255.255",
        &["172.15.255.255", "172.32.0.0"],
    ),
    ("192.0.2.0", "192.0.2.255", &["192.0.1.255", "192.0.3.0"]),
    (
        "192.168.0.0",
        "192.168.255.255",
        &["192.167.255.255", "192.169.0.0"],
    ),
    (
        "198.18.0.0",
        "198.19.255.255",
        &["198.17.255.255", "198.20.0.0"],
    ),
    (
        "198.51.100.0",
        "198.51.100.255",
        &["198.51.99.255", "198.51.101.0"],
    ),
    (
        "203.0.113.0",
        "203.0.113.255",
        &["203.0.112.255", "203.0.114.0"],
    ),
    ("224.0.0.0", "255.255.255.255", &["223.255.255.255"]),
    ("::", "::1", &[]),
    ("2001::", "2001:1ff:ffff::", &["2001:200::"]),
    (
        "2001:db8::",
        "2001:db8:ffff::ffff",
        &["2001:db7::", "2001:db9::"],
    ),
    ("3fff::", "3fff:fff::", &["3ffe::", "3fff:1000::"]),
    ("4000::", "ffff::", &["2600::"]),
    ("fc00::", "fdff::ffff", &[]),
    ("fe80::", "febf::ffff", &[]),
    ("ff00::", "ff0e::1", &[]),
];

#[test]
fn every_refused_range_is_refused_to_its_edges_and_no_further() {
    let guard = AddressGuard::default();
    for (first, last, outside) in EDGES {
        assert!(guard.check(ip(first)).is_err(), "{first}");
        assert!(guard.check(ip(last)).is_err(), "{last}");
        for outside in *outside {
            assert_eq!(guard.check(ip(outside)), Ok(()), "{outside}");
        }
    }
}

#[test]
fn metadata_addresses_are_refused_in_every_spelling() {
    let guard = AddressGuard {
        allow: vec![],
        allow_loopback: true,
    };
    for text in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
    ] {
        assert!(guard.check(ip(text)).is_err(), "{text}");
    }
}

#[test]
fn an_embedded_public_address_is_public() {
    let guard = AddressGuard::default();
    for text in ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
        assert_eq!(guard.check(ip(text)), Ok(()), "{text}");
    }
}

#[test]
fn allowed_networks_and_allowed_loopback_open_nothing_else() {
    let guard = AddressGuard {
        allow: vec!["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()],
        allow_loopback: true,
    };
    for text in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "127.0.0.1", "::1"] {
        assert_eq!(guard.check(ip(text)), Ok(()), "{text}");
    }
    for text in ["10.2.0.1", "fd13::1", "169.254.169.254", "0.0.0.0", "::"] {
        assert!(guard.check(ip(text)).is_err(), "{text}");
    }
}

#[test]
fn the_error_says_which_address_which_range_and_how_to_allow_it() {
    let guard = AddressGuard::default();
    assert_eq!(
        guard.check(ip("10.0.0.5")).unwrap_err().to_string(),
        "10.0.0.5 is in the private range 10.0.0.0/8; to allow it, list it or its network in \
         server.allow_addresses"
    );
    assert!(
        guard
            .check(ip("::ffff:127.0.0.1"))
            .unwrap_err()
            .to_string()
            .starts_with("::ffff:127.0.0.1 stands for 127.0.0.1, which is in the loopback range")
    );
}

struct Fixed(Vec<&'static str>);

impl Resolve for Fixed {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> Resolving<'a> {
        let addresses = self
            .0
            .iter()
            .map(|a| SocketAddr::new(ip(a), port))
            .collect();
        Box::pin(async move { Ok(addresses) })
    }
}

#[tokio::test]
async fn a_name_with_one_refused_address_is_refused_whole() {
    let guard = AddressGuard::default();
    let name = url("http://both.example/");
    let both = Fixed(vec!["8.8.8.8", "192.168.1.1"]);
    let refused = guard.addresses(&name, &both).await.unwrap_err();
    assert!(matches!(refused, GuardError::Name { .. }), "{refused}");
    let public = Fixed(vec!["8.8.8.8"]);
    assert_eq!(
        guard.addresses(&name, &public).await,
        Ok(vec!["8.8.8.8:80".parse().unwrap()])
    );
    assert!(matches!(
        guard.addresses(&name, &Fixed(vec![])).await,
        Err(GuardError::Unresolvable { .. })
    ));
}

#[tokio::test]
async fn odd_spellings_of_loopback_are_refused_as_loopback() {
    let guard = AddressGuard::default();
    for text in [
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://①27.0.0.1/",
    ] {
        let refused = guard
            .addresses(&url(text), &SystemResolver)
            .await
            .unwrap_err();
        assert!(
            matches!(refused, GuardError::Address(_)),
            "{text}: {refused}"
        );
    }
    for text in [
        "http://localhost:9/",
        "http://LOCALHOST:9/",
        "http://localhost.:9/",
    ] {
        // Not every system's resolver knows the name with a full stop.
        let refused = guard
            .addresses(&url(text), &Fixed(vec!["127.0.0.1"]))
            .await
            .unwrap_err();
        // Not every system knows the name with a dot.
        let dotted = matches!(refused, GuardError::Unresolvable { .. }) && text.contains("t.:");
        assert!(
            dotted || matches!(refused, GuardError::Name { .. }),
            "{text}: {refused}"
        );
    }
}

proptest! {
    #[test]
    fn an_embedding_is_judged_exactly_as_the_address_it_stands_for(bits: u32) {
        let guard = AddressGuard::default();
        let v4 = Ipv4Addr::from(bits);
        // ::0.0.0.0 and ::0.0.0.1 are addresses of their own.
        prop_assume!(bits > 1);
        let refused = guard.check(v4.into()).is_err();
        let [a, b, c, d] = v4.octets();
        let low = u128::from(bits);
        let six_to_four = Ipv6Addr::new(
            0x2002,
            u16::from_be_bytes([a, b]),
            u16::from_be_bytes([c, d]),
            0, 0, 0, 0, 1,
        );
        for v6 in [
            v4.to_ipv6_mapped(),
            Ipv6Addr::from(low),
            Ipv6Addr::from(0xffff_0000_0000_0000 | low),
            Ipv6Addr::from((0x0064_ff9b << 96) | low),
            six_to_four,
        ] {
            prop_assert_eq!(guard.check(v6.into()).is_err(), refused, "{}", v6);
        }
    }

    #[test]
    fn whatever_the_standard_library_calls_private_is_refused(bits: u32) {
        let v4 = Ipv4Addr::from(bits);
        let special = v4.is_private() || v4.is_loopback() || v4.is_link_local()
            || v4.is_multicast() || v4.is_broadcast() || v4.is_documentation()
            || v4.is_unspecified();
        if special {
            prop_assert!(AddressGuard::default().check(v4.into()).is_err());
        }
    }

    #[test]
    fn nothing_outside_global_unicast_passes_unless_it_embeds_a_public_address(bits: u128) {
        let v6 = Ipv6Addr::from(bits);
        if bits >> 125 != 1 && embedded_v4(v6).is_none() {
            prop_assert!(AddressGuard::default().check(v6.into()).is_err());
        }
    }
}
