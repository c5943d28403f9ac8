//! The transport against good and bad certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::header::HeaderMap;
use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use redeliver::clock::{Clock, ManualClock, Timestamp};
use redeliver::deliver::transport::{
    Answer, Broken, Phase, Request, SendError, TlsProblem, check_ca,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::receiver::{far, transport};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    Authority::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A receiver with a certificate of `authority`, as `shape` makes it.
async fn receiver(authority: &Authority, shape: impl Fn(&mut CertificateParams)) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
    shape(&mut params);
    let certificate = params.signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    listen(move |socket| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut tls) = acceptor.accept(socket).await else {
                return;
            };
            assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            while tls.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                tls.write_all(answer).await.unwrap();
                tls.flush().await.unwrap();
            }
        }
    })
    .await
}

async fn listen<F>(script: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(script(socket));
        }
    });
    at
}

fn request(host: &str, port: u16, ca: Option<&Authority>) -> Request {
    Request {
        method: hyper::Method::POST,
        url: Arc::new(format!("https://{host}:{port}/").parse().unwrap()),
        headers: HeaderMap::new(),
        body: "{}".into(),
        ca_pem: ca.map(|ca| ca.pem().into()),
    }
}

async fn post(host: &str, at: SocketAddr, ca: Option<&Authority>) -> Result<Answer, SendError> {
    transport().send(request(host, at.port(), ca), far()).await
}

fn failed(problem: TlsProblem) -> SendError {
    SendError::Tls {
        host: "127.0.0.1".to_owned(),
        problem,
    }
}

#[tokio::test]
async fn a_certificate_of_the_endpoints_own_authority_is_trusted_for_it_alone() {
    let ca = authority("one");
    check_ca(&ca.pem()).unwrap();
    let at = receiver(&ca, |_| {}).await;
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(post(host, at, Some(&ca)).await.unwrap().status, 200);
    }
    let transport = transport();
    for (ca, trusted) in [(Some(&ca), true), (None, false), (Some(&ca), true)] {
        let answer = transport
            .send(request("127.0.0.1", at.port(), ca), far())
            .await;
        match trusted {
            true => assert_eq!(answer.unwrap().status, 200),
            false => assert_eq!(answer.unwrap_err(), failed(TlsProblem::UnknownIssuer)),
        }
    }
}

#[tokio::test]
async fn bad_certificates_are_refused_and_the_error_says_what_is_bad() {
    let ca = authority("one");
    let long_ago = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    };
    let at = receiver(&ca, long_ago).await;
    let error = post("127.0.0.1", at, Some(&ca)).await.unwrap_err();
    assert_eq!(error, failed(TlsProblem::Expired));
    assert_eq!(
        error.to_string(),
        "TLS with 127.0.0.1 failed: its certificate has expired"
    );

    let at = receiver(&ca, |params| params.not_before = date_time_ymd(3000, 1, 1)).await;
    let error = post("127.0.0.1", at, Some(&ca)).await.unwrap_err();
    assert_eq!(error, failed(TlsProblem::NotValidYet));

    let at = receiver(&ca, |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("other.test".try_into().unwrap())];
    })
    .await;
    let error = post("127.0.0.1", at, Some(&ca)).await.unwrap_err();
    assert_eq!(error, failed(TlsProblem::WrongName));

    let at = receiver(&ca, |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    })
    .await;
    let error = post("127.0.0.1", at, Some(&ca)).await.unwrap_err();
    let purpose = TlsProblem::BadCertificate("it is not for servers".to_owned());
    assert_eq!(error, failed(purpose));

    let at = receiver(&ca, |_| {}).await;
    let error = post("127.0.0.1", at, Some(&authority("another")))
        .await
        .unwrap_err();
    assert_eq!(error, failed(TlsProblem::UnknownIssuer));
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_tls_is_told_apart_from_one_that_hangs_up() {
    let plain = listen(|mut socket| async move {
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = socket.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let error = post("127.0.0.1", plain, None).await.unwrap_err();
    assert_eq!(error, failed(TlsProblem::NotTls));

    let gone = listen(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await;
    })
    .await;
    let error = post("127.0.0.1", gone, None).await.unwrap_err();
    assert_eq!(
        error,
        SendError::Broken {
            during: Phase::Tls,
            how: Broken::Closed
        }
    );
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_ends_at_the_deadline() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let move_on = clock.clone();
    let silent = listen(move |mut socket| {
        let clock = move_on.clone();
        async move {
            let _ = socket.read(&mut [0; 4096]).await;
            clock.set(Timestamp::from_millis(10_000));
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    let deadline = clock.sleep_until(Timestamp::from_millis(10_000));
    let error = transport()
        .send(request("127.0.0.1", silent.port(), None), deadline)
        .await
        .unwrap_err();
    assert_eq!(error, SendError::Timeout { during: Phase::Tls });
}

#[tokio::test]
async fn a_text_that_is_no_authority_fails_before_anything_is_sent() {
    let at: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let mut sent = request("127.0.0.1", at.port(), None);
    sent.ca_pem = Some("hello".into());
    let error = transport().send(sent, far()).await.unwrap_err();
    assert!(matches!(error, SendError::Ca(_)), "{error}");
}
