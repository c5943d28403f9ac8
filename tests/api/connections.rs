//! Limits on connections, heads and bodies.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Api, Setup, answer};

/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(300);

const HEAD: &str =
    "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn a_body_over_the_limit_is_413_announced_or_not() {
    let api = Api::new().await;
    let large = vec![b' '; 64 * 1024 + 1];
    let headers = [("Content-Type", "application/json")];
    let announced = api.send("POST", "/v1/events", &headers, &large).await;
    assert!(announced.problem(413).contains("65536 bytes"));
    let admin = api.send("POST", "/v1/endpoints", &headers, &large).await;
    admin.problem(413);
    let chunked = format!(
        "{HEAD}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        large.len()
    );
    let bytes = [chunked.as_bytes(), &large, b"\r\n0\r\n\r\n"].concat();
    answer(&api.raw(&bytes).await).problem(413);
    // Refused by its announcement, without a byte of it.
    let only_head = format!("{HEAD}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    let text = api.raw(only_head.as_bytes()).await;
    answer(&text).problem(413);
}

#[tokio::test]
async fn a_body_that_stalls_is_408() {
    let mut setup = Setup::default();
    setup.limits.body_timeout = SHORT;
    let api = Api::with(setup).await;
    let text = api
        .raw(format!("{HEAD}Content-Length: 100\r\n\r\n{{").as_bytes())
        .await;
    assert!(answer(&text).problem(408).contains("0.3 s"));
}

#[tokio::test]
async fn a_head_that_stalls_is_cut_off_and_one_that_is_too_large_refused() {
    let mut setup = Setup::default();
    setup.limits.header_timeout = SHORT;
    let api = Api::with(setup).await;
    let text = tokio::time::timeout(Duration::from_secs(60), api.raw(b"GET / HT")).await;
    assert!(!text.unwrap().starts_with("HTTP/1.1 200"));
    let api = Api::new().await;
    let large = format!(
        "GET /healthz HTTP/1.1\r\nX: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    assert_eq!(answer(&api.raw(large.as_bytes()).await).status, 431);
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_their_turn() {
    let mut setup = Setup::default();
    setup.limits.max_connections = 1;
    setup.limits.header_timeout = SHORT;
    let api = Api::with(setup).await;
    let mut first = api.connect().await;
    first
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut some = [0; 16];
    first.read_exact(&mut some).await.unwrap();
    // The first one is idle, and its time for a head ends.
    assert_eq!(api.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish_and_cuts_off_the_rest() {
    let mut setup = Setup::default();
    setup.limits.drain_timeout = Duration::from_secs(3);
    let mut api = Api::with(setup).await;
    let body = r#"{"type":"t","data":1}"#;
    let head = format!(
        "{HEAD}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (mut finishes, mut hangs) = (api.connect().await, api.connect().await);
    for stream in [&mut finishes, &mut hangs] {
        stream.write_all(head.as_bytes()).await.unwrap();
        // Its body is waited for.
        let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut go_on).await.unwrap();
    }
    api.shutdown.take().unwrap().send(()).unwrap();
    // It takes no connection any more; one that was begun in time may still be queued.
    let refused = async { while TcpStream::connect(api.address).await.is_ok() {} };
    let refused = tokio::time::timeout(Duration::from_secs(60), refused);
    assert!(refused.await.is_ok(), "connections are taken after the end");
    finishes.write_all(body.as_bytes()).await.unwrap();
    let mut text = String::new();
    finishes.read_to_string(&mut text).await.unwrap();
    assert_eq!(answer(&text).status, 202);
    let served = tokio::time::timeout(Duration::from_secs(60), &mut api.served);
    served.await.unwrap().unwrap();
    let mut rest = Vec::new();
    let _ = hangs.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

/// A server that refuses whoever has no token, and the head of a request without one.
async fn refusing(body: usize, more: &str) -> (Api, String) {
    let setup = Setup {
        token: Some("t0ken"),
        ..Setup::default()
    };
    let head = format!("{HEAD}{more}Content-Length: {body}\r\n\r\n");
    (Api::with(setup).await, head)
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        text.extend(byte);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn whoever_is_refused_before_his_body_has_come_reads_it_and_asks_again() {
    let (api, head) = refusing(100_000, "").await;
    let mut stream = api.connect().await;
    for _ in 0..3 {
        stream.write_all(head.as_bytes()).await.unwrap();
        // It would be refused by now, and the rest is still on its way.
        tokio::task::yield_now().await;
        stream.write_all(&[b' '; 100_000]).await.unwrap();
        let answer = read_until(&mut stream, "}").await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn whoever_is_refused_and_does_not_send_his_body_is_told_that_the_connection_ends() {
    for (more, begun) in [("", "{"), ("Expect: 100-continue\r\n", "")] {
        let (api, head) = refusing(100, more).await;
        let answer = api.raw(format!("{head}{begun}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}
