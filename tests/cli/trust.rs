//! Which servers the commands believe, and over what.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio_rustls::TlsAcceptor;

use crate::remote::{ask, list};
use crate::server::Server;
use crate::{Ran, redeliver};

#[test]
fn ready_and_lists_believe_no_server_that_answers_200_to_everything() {
    for args in [
        &["ready"][..],
        &["ready", "--alive"],
        &["status"],
        &["endpoint", "list"],
        &["endpoint", "list", "--json"],
        &["endpoint", "show", "crm"],
        &["event", "list"],
        &["delivery", "list"],
        &["task", "list"],
    ] {
        for body in ["", "{}", "[]", r#"{"status":"up"}"#] {
            let ran = ask(&Server::once(200, body), args);
            assert_eq!((ran.code, &*ran.out), (3, ""), "{args:?} {body:?}: {ran:?}");
            assert!(
                ran.err.contains("there is no redeliver at http://"),
                "{}",
                ran.err
            );
        }
    }
}

#[test]
fn ready_says_that_the_disk_is_full_and_that_a_process_lives_all_the_same() {
    let full = json!({ "status": "disk_full", "detail": "the disk is full: make room" });
    let ran = ask(&Server::once(503, &full.to_string()), &["ready"]);
    assert_eq!(
        (ran.code, &*ran.err),
        (3, "error: the disk is full: make room\n")
    );
    let server = Server::once(200, r#"{"status":"ok"}"#);
    let ran = ask(&server, &["ready", "--alive"]);
    assert_eq!((ran.code, &*ran.out), (0, "ok\n"));
    assert_eq!(server.asked().line, "GET /healthz");
}

#[test]
fn status_is_a_page_for_people_and_one_document_for_machines() {
    let script = || {
        let status = json!({
            "version": "0.1.0", "started_at": "2026-01-31T09:30:00.000Z",
            "now": "2026-01-31T10:35:00.000Z", "clock": {"kind": "real", "speed": "real"},
            "store": {"events": 7, "used_bytes": 1_572_864, "free_bytes": 9, "reserve_bytes": 10},
            "endpoints": {"active": 2, "paused": 1},
            "deliveries": {"pending": 0, "waiting": 1, "in_flight": 0, "delivered": 6, "dead": 0,
                "next_due_at": null},
        });
        let overview = json!({"totals": {"failing": 1, "retrying": 0}, "next": null, "data": [
            {"name": "crm", "health": "failing", "backlog": 1, "dead": 0,
                "last_failure": {"status": 503, "error": null}},
            {"name": "well", "health": "well"},
        ]});
        let source = json!({"name": "surveys", "kind": "hotjar", "accepted": 5, "duplicates": 1,
            "refused": {"forged": 2, "stale": 1}, "last_refusal": "the signature\u{1b}[2J is another"});
        let alert = json!({"name": "quiet", "website": "w", "when": "below", "state": "firing"});
        vec![
            (200, status.to_string()),
            (200, overview.to_string()),
            list(&[source], None),
            list(&[alert], None),
        ]
    };
    let ran = ask(&Server::start(script()), &["status"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<Vec<&str>> = ran
        .out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let has = |words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        assert!(lines.contains(&words), "{words:?} in {}", ran.out);
    };
    has("up 1h5m, clock real");
    has("events 7 in the log, 1.5 MiB on disk, 9 B free; DISK FULL: no event is taken");
    has("endpoints 2 active, 1 paused, 1 failing");
    has("crm failing 1 - 0 503");
    has("surveys hotjar 5 1 3 the signature[2J is another");
    has("quiet w below firing - -");
    assert!(!ran.out.contains("well"), "{}", ran.out);

    let ran = ask(&Server::start(script()), &["status", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["status"]["store"]["events"], 7);
    assert_eq!(told["sources"]["data"][0]["name"], "surveys");
    assert_eq!(told["alerts"]["data"][0]["state"], "firing");
}

/// Something that speaks TLS with a certificate of `authority`, for 127.0.0.1, in front of `server`.
fn proxy(server: &Server, authority: &CertifiedIssuer<'_, KeyPair>) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let behind = server.url.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                // Who does not trust it breaks the handshake off.
                let Ok(mut tls) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut plain = tokio::net::TcpStream::connect(&behind).await.unwrap();
                let _ = copy_bidirectional(&mut tls, &mut plain).await;
            }
        });
    });
    format!("https://{address}")
}

#[test]
fn a_server_behind_tls_is_asked_by_an_authority_of_ones_own_and_by_no_other() {
    let place = tempfile::tempdir().unwrap();
    let authority = |name: &str| {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, other) = (authority("ours"), authority("other"));
    let pem = |name: &str, text: &str| {
        let file = place.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let (trusted, wrong) = (pem("ours.pem", &ours.pem()), pem("other.pem", &other.pem()));
    let server = Server::start(vec![list(&[], None); 2]);
    let url = proxy(&server, &ours);
    let asked = |env: &[(&str, &str)], more: &[&str]| -> Ran {
        let args = [&["endpoint", "list", "--server", &url], more].concat();
        redeliver(&args, env, b"")
    };
    let path = |file: &Path| file.to_str().unwrap().to_owned();
    let ran = asked(
        &[("REDELIVER_TOKEN", "hunter2")],
        &["--ca", &path(&trusted)],
    );
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran:?}");
    assert!(
        server
            .asked()
            .headers
            .contains("authorization: bearer hunter2")
    );
    let ran = asked(&[("REDELIVER_CA", &path(&trusted))], &[]);
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran:?}");
    for ran in [asked(&[], &[]), asked(&[], &["--ca", &path(&wrong)])] {
        assert_eq!((ran.code, &*ran.out), (3, ""));
        assert!(ran.err.contains("issuer is not trusted"), "{}", ran.err);
        assert!(ran.err.contains("--ca"), "{}", ran.err);
    }
    let empty = pem("empty.pem", "hello");
    for (file, what) in [
        (path(&empty), "PEM"),
        ("not-there.pem".to_owned(), "No such file"),
    ] {
        let ran = asked(&[], &["--ca", &file]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(
            ran.err.contains(what) && ran.err.contains(&file),
            "{}",
            ran.err
        );
    }
}
