//! Animals that do not get as far as showing their papers, or ask for ours.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::AsyncReadExt;

use crate::animal::{Animal, Ends, SHORT_MS};
use crate::cage;
use crate::papers::{Papers, authority, https, leaf, no_changes, refused, secured};

/// Says this to whoever begins a handshake, and waits.
fn instead_of_tls(name: &'static str, ends: Ends, said: &'static [u8]) -> Animal {
    let animal = Animal::new(name, ends, move |mut guest| async move {
        guest.socket.readable().await?;
        guest.say(said).await?;
        guest.until_gone().await
    });
    secured(animal, "127.0.0.1", None)
}

/// A handshake message in a record of TLS 1.0.
fn hello_of_tls_1_0() -> &'static [u8] {
    let mut hello = vec![0x03, 0x01];
    hello.extend([7; 32]);
    // No session, RSA with AES-128 and SHA-1, no compression.
    hello.extend([0, 0, 0x2f, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 2, 0, 0, length];
    record.extend(hello);
    record.leak()
}

fn demands_a_client_certificate(
    name: &'static str,
    ends: Ends,
    version: &'static SupportedProtocolVersion,
) -> Animal {
    let ca = authority(no_changes);
    let (certificate, leaf_key) = leaf(&ca, no_changes);
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![certificate],
            PrivatePkcs8KeyDer::from(leaf_key.serialize_der()).into(),
        )
        .unwrap();
    https(name, ends, "127.0.0.1", Some(ca.pem()), server)
}

/// After its handshake it hands out tickets for more sessions than anybody will have.
fn endless_tickets() -> Animal {
    let ca = authority(no_changes);
    let (certificate, leaf_key) = leaf(&ca, no_changes);
    let mut server = Papers::new(vec![certificate], &leaf_key).server();
    // Half as much again as is read, at some hundred bytes each.
    server.send_tls13_tickets = 1000;
    let too_much = Ends::Failed(
        "the answer cannot be understood: its headers do not end within 64 KiB, \
         or there are more than 100",
    );
    https(
        "hands_out_tickets_without_end",
        too_much,
        "127.0.0.1",
        Some(ca.pem()),
        server,
    )
}

pub fn bad_handshakes() -> Vec<Animal> {
    let silent = Ends::Failed("timed out agreeing on TLS");
    let no_tls = refused!("it does not answer with TLS");
    let hangs_up = Animal::new(
        "hangs_up_on_the_handshake",
        Ends::Failed("the receiver closed the connection while agreeing on TLS"),
        |mut guest| async move { guest.socket.read(&mut [0; 4096]).await.map(drop) },
    );
    let drips = Animal::new("drips_its_handshake", silent, |mut guest| async move {
        guest.socket.readable().await?;
        guest
            .drip(hello_of_tls_1_0(), 1, Duration::from_millis(200))
            .await
    });
    let wants_at_once = refused!("it asks for a client certificate, and there is none to show");
    // In TLS 1.3 the handshake is over for us by then, and perhaps the request sent.
    let wants_later = Ends::FailedLike(&[
        "TLS failed: it asks for a client certificate, and there is none to show; while",
    ]);
    vec![
        instead_of_tls("says_nothing_to_a_handshake", silent, b"").within(SHORT_MS),
        instead_of_tls("says_half_a_record", silent, b"\x16\x03\x03\x40\x00\x02").within(SHORT_MS),
        secured(drips, "127.0.0.1", None).within(SHORT_MS),
        secured(hangs_up, "127.0.0.1", None),
        instead_of_tls(
            "speaks_http_where_tls_belongs",
            no_tls,
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
        ),
        instead_of_tls(
            "speaks_ssh_where_tls_belongs",
            no_tls,
            b"SSH-2.0-OpenSSH_9.6\r\n",
        ),
        instead_of_tls("speaks_zeros_where_tls_belongs", no_tls, &[0; 4096]),
        instead_of_tls(
            "speaks_tls_1_0",
            refused!("it does not speak TLS 1.2 or 1.3"),
            hello_of_tls_1_0(),
        ),
        instead_of_tls(
            "says_it_speaks_older_versions",
            refused!("it does not speak TLS 1.2 or 1.3"),
            b"\x15\x03\x01\x00\x02\x02\x46",
        ),
        instead_of_tls(
            "says_the_handshake_fails",
            refused!("it broke off with the alert HandshakeFailure"),
            b"\x15\x03\x03\x00\x02\x02\x28",
        ),
        demands_a_client_certificate(
            "demands_papers_in_tls_1_2",
            wants_at_once,
            &rustls::version::TLS12,
        ),
        demands_a_client_certificate(
            "demands_papers_in_tls_1_3",
            wants_later,
            &rustls::version::TLS13,
        ),
        endless_tickets(),
    ]
}

#[test]
fn no_handshake_outlasts_the_attempt_and_each_says_why_it_failed() {
    cage::visit(bad_handshakes());
}
