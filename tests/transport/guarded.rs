//! Where the transport does not go.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use redeliver::deliver::guard::{AddressGuard, GuardError, Resolve, Resolving};
use redeliver::deliver::transport::{Network, SendError, Transport};

use crate::receiver::*;

#[tokio::test]
async fn refused_addresses_are_not_connected_to() {
    let closed = Transport::new(AddressGuard::default()).unwrap();
    let receiver = answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let port = receiver.at.port();
    for url in [
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
        receiver.url(),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
    ] {
        let error = closed.send(request(&url, "{}"), far()).await.unwrap_err();
        assert!(matches!(error, SendError::Refused(_)), "{url}: {error}");
    }
    assert_eq!(receiver.connections.load(SeqCst), 0);
}

/// Loopback the first time, the metadata address from then on.
struct Rebinding(AtomicUsize);

impl Resolve for Rebinding {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> Resolving<'a> {
        let ip = match self.0.fetch_add(1, SeqCst) {
            0 => Ipv4Addr::LOCALHOST,
            _ => Ipv4Addr::new(169, 254, 169, 254),
        };
        Box::pin(async move { Ok(vec![SocketAddr::new(IpAddr::V4(ip), port)]) })
    }
}

#[tokio::test]
async fn a_name_that_resolves_differently_the_second_time_is_judged_again() {
    let receiver = answering("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
    let guard = AddressGuard {
        allow: vec![],
        allow_loopback: true,
    };
    let resolver = Arc::new(Rebinding(AtomicUsize::new(0)));
    let transport = Transport::over(guard, Network::system().with_resolver(resolver)).unwrap();
    let url = format!("http://rebinding.test:{}/", receiver.at.port());
    let first = transport.send(request(&url, "{}"), far()).await.unwrap();
    assert_eq!(first.status, 200);
    let second = transport
        .send(request(&url, "{}"), far())
        .await
        .unwrap_err();
    assert!(
        matches!(second, SendError::Refused(GuardError::Name { .. })),
        "{second}"
    );
}
