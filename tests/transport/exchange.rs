//! What goes out, what comes back, and what it is called when nothing does.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use bytes::Bytes;
use redeliver::deliver::transport::{Answer, Broken, Phase, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

use crate::receiver::*;

#[tokio::test]
async fn the_request_goes_out_whole_and_the_answer_comes_back() {
    let (said, mut heard) = mpsc::unbounded_channel();
    let receiver = receiver(move |mut socket| {
        let said = said.clone();
        async move {
            said.send(read_request(&mut socket).await?).unwrap();
            let answer =
                "HTTP/1.1 202 Accepted\r\nretry-after: 7\r\ncontent-length: 5\r\n\r\nhello";
            socket.write_all(answer.as_bytes()).await
        }
    })
    .await;
    let mut sent = request(&receiver.url().replace("//", "//user:pw@"), "{\"a\":1}");
    for (name, value) in [("x-mine", "1"), ("transfer-encoding", "chunked")] {
        sent.headers.insert(name, value.parse().unwrap());
    }
    let answer = transport().send(sent, far()).await.unwrap();
    let lines = [("retry-after", "7"), ("content-length", "5")];
    let lines = lines.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    assert_eq!(
        answer,
        Answer {
            status: 202,
            retry_after: Some(Duration::from_secs(7)),
            excerpt: Some("hello".to_owned()),
            excerpt_is_cut: false,
            body_bytes: 5,
            truncated: false,
            headers: lines.into_iter().collect(),
        }
    );
    let text = heard.recv().await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /hook?key=s3cret HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: {}", receiver.at);
    assert_eq!(lines, ["content-length: 7", &host, "x-mine: 1"]);
    assert_eq!(body, "{\"a\":1}");
}

#[tokio::test]
async fn an_answer_that_is_wanted_whole_comes_whole_up_to_its_limit_and_is_an_error_beyond() {
    const BODY: usize = 1_000_000;
    let receiver = receiver(|mut socket| async move {
        loop {
            read_request(&mut socket).await?;
            let head = format!("HTTP/1.1 429 Slow\r\ncontent-length: {BODY}\r\n\r\n");
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&[b'x'; BODY]).await?;
        }
    })
    .await;
    let transport = transport();
    let fetch = |limit| transport.fetch(request(&receiver.url(), ""), far(), limit);
    for _ in 0..2 {
        let answer = fetch(BODY + 1000).await.unwrap();
        assert_eq!(answer.status().as_u16(), 429);
        assert_eq!(answer.into_body(), [b'x'; BODY][..]);
        assert_eq!(receiver.connections.load(SeqCst), 1, "it was kept");
    }
    let error = fetch(BODY - 1000).await.unwrap_err();
    assert!(
        matches!(error, SendError::Cut { status: 429, .. }),
        "{error}"
    );
    // What an attempt reads is not more for it.
    let answer = transport.send(request(&receiver.url(), ""), far()).await;
    let answer = answer.unwrap();
    assert!(answer.truncated && answer.body_bytes < 64 * 1024);
}

#[tokio::test]
async fn connections_are_kept_until_the_receiver_closes_them() {
    let (closed, mut is_closed) = mpsc::unbounded_channel();
    let receiver = receiver(move |mut socket| {
        let closed = closed.clone();
        async move {
            for _ in 0..3 {
                read_request(&mut socket).await?;
                socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
            }
            drop(socket);
            closed.send(()).unwrap();
            Ok(())
        }
    })
    .await;
    let transport = transport();
    for connections in 1..=3 {
        for _ in 0..3 {
            let sent = request(&receiver.url(), "{}");
            assert_eq!(transport.send(sent, far()).await.unwrap().status, 204);
            assert_eq!(receiver.connections.load(SeqCst), connections);
        }
        is_closed.recv().await.unwrap();
        // The runtime hears of the close from the kernel when it next goes to sleep.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn every_final_status_is_reported_as_it_is_and_no_redirect_is_followed() {
    let receiver = receiver(|mut socket| async move {
        let text = read_request(&mut socket).await?;
        let status = &text["POST /".len()..][..3];
        let to = "location: http://169.254.169.254/latest/meta-data\r\ncontent-length: 0";
        let answer = format!("HTTP/1.1 {status} Whatever\r\n{to}\r\n\r\n");
        socket.write_all(answer.as_bytes()).await
    })
    .await;
    let transport = transport();
    for status in 200..=599 {
        let sent = request(&format!("http://{}/{status}", receiver.at), "");
        let answer = transport.send(sent, far()).await.unwrap();
        assert_eq!(answer.status, status);
    }
    let sent = request(&format!("http://{}/101", receiver.at), "");
    assert_eq!(transport.send(sent, far()).await.unwrap().status, 101);
}

#[tokio::test]
async fn a_refused_connection_names_the_address_and_nothing_secret() {
    // No port that the kernel may give to another test.
    let error = post("http://127.0.0.1:1/hook?key=s3cret")
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "connection refused by 127.0.0.1:1");
}

#[tokio::test]
async fn a_receiver_that_accepts_and_says_nothing_is_given_up_at_the_deadline() {
    let pass = Arc::new(Notify::new());
    let tell = pass.clone();
    let (closed, mut is_closed) = mpsc::unbounded_channel();
    let receiver = receiver(move |mut socket| {
        let (tell, closed) = (tell.clone(), closed.clone());
        async move {
            read_request(&mut socket).await?;
            tell.notify_one();
            closed.send(socket.read(&mut [0]).await?).unwrap();
            Ok(())
        }
    })
    .await;
    let error = post_until(&receiver.url(), "{}".into(), &pass)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        SendError::Timeout {
            during: Phase::Answer
        }
    );
    // The connection is closed and not left to linger.
    assert_eq!(is_closed.recv().await, Some(0));
}

#[tokio::test]
async fn a_receiver_that_reads_nothing_times_out_while_sending() {
    let pass = Arc::new(Notify::new());
    let tell = pass.clone();
    let receiver = receiver(move |socket| {
        let tell = tell.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            tell.notify_one();
            std::future::pending::<()>().await;
            drop(socket);
            Ok(())
        }
    })
    .await;
    let body = Bytes::from(vec![b'a'; 32 << 20]);
    let error = post_until(&receiver.url(), body, &pass).await.unwrap_err();
    assert_eq!(
        error,
        SendError::Timeout {
            during: Phase::Send
        }
    );
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_a_failure_that_says_so() {
    let close =
        receiver(|mut socket| async move { read_request(&mut socket).await.map(drop) }).await;
    assert_eq!(
        post(&close.url()).await.unwrap_err(),
        SendError::Broken {
            during: Phase::Answer,
            how: Broken::Closed
        }
    );
    let mid_head = answering("HTTP/1.1 200 OK\r\ncontent-").await;
    assert_eq!(
        post(&mid_head.url()).await.unwrap_err(),
        SendError::Broken {
            during: Phase::Answer,
            how: Broken::Closed
        }
    );
    for after_request in [false, true] {
        let reset = receiver(move |mut socket| async move {
            if after_request {
                read_request(&mut socket).await?;
            }
            socket.set_zero_linger()
        })
        .await;
        let error = post(&reset.url()).await.unwrap_err();
        assert!(matches!(error, SendError::Broken { .. }), "{error}");
        assert_eq!(reset.connections.load(SeqCst), 1, "sent once");
    }
}

#[tokio::test]
async fn an_interim_answer_is_passed_over() {
    let receiver = answering(
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
         HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    assert_eq!(post(&receiver.url()).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_second_answer_that_nobody_asked_for_is_never_taken_for_the_next() {
    let answers = "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n\
                   HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let receiver = receiver(move |mut socket| async move {
        loop {
            read_request(&mut socket).await?;
            socket.write_all(answers.as_bytes()).await?;
        }
    })
    .await;
    let transport = transport();
    for connections in 1..=3 {
        let sent = request(&receiver.url(), "{}");
        assert_eq!(transport.send(sent, far()).await.unwrap().status, 500);
        assert_eq!(receiver.connections.load(SeqCst), connections);
    }
}
