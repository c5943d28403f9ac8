//! Receivers that answer too much, too slowly, too early or nonsense.

use std::sync::Arc;
use std::time::Duration;

use redeliver::deliver::transport::{ANSWER_LIMIT, Problem, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

use crate::receiver::*;

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_failure_that_says_so() {
    for (bytes, problem) in [
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", Problem::StatusLine),
        ("\0\0\0\0\0\0\0\0\0\0\r\n\r\n", Problem::StatusLine),
        ("HTTP/1.1 OK\r\n\r\n", Problem::StatusLine),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Problem::Headers),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            Problem::Headers,
        ),
    ] {
        let receiver = answering(bytes).await;
        let error = post(&receiver.url()).await.unwrap_err();
        assert_eq!(error, SendError::Protocol { problem }, "{bytes:?}");
    }
}

#[tokio::test]
async fn endless_headers_and_endless_interim_answers_end_at_their_limit() {
    for (start, more) in [
        (
            "HTTP/1.1 200 OK\r\n",
            "x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nx: ",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
    ] {
        let receiver = receiver(move |mut socket| async move {
            read_request(&mut socket).await?;
            socket.write_all(start.as_bytes()).await?;
            loop {
                socket.write_all(more.repeat(100).as_bytes()).await?;
            }
        })
        .await;
        let error = post(&receiver.url()).await.unwrap_err();
        let problem = Problem::HeadTooLarge;
        assert_eq!(error, SendError::Protocol { problem }, "{more}");
    }
}

#[tokio::test]
async fn of_an_endless_body_no_more_than_the_limit_is_read_and_the_status_stands() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let (wrote, mut written) = mpsc::unbounded_channel();
        let receiver = receiver(move |mut socket| {
            let wrote = wrote.clone();
            async move {
                read_request(&mut socket).await?;
                socket.write_all(head.as_bytes()).await?;
                let mut count = 0;
                while let Ok(n) = socket.write(&[b'x'; 8192]).await {
                    count += n;
                }
                wrote.send(count).unwrap();
                Ok(())
            }
        })
        .await;
        let answer = post(&receiver.url()).await.unwrap();
        let body_bytes = ANSWER_LIMIT - head.len();
        assert_eq!((answer.status, answer.body_bytes), (200, body_bytes));
        assert!(answer.truncated);
        // What the two kernels buffer goes beyond what is read, but not by much.
        assert!(written.recv().await.unwrap() < 16 << 20);
    }
}

#[tokio::test]
async fn of_a_body_in_bytes_no_more_than_a_thousand_pieces_are_read() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = |pieces| format!("{head}{}0\r\n\r\n", "1\r\nx\r\n".repeat(pieces));
    for (pieces, read, truncated) in [(1000, 1000, false), (5000, 1024, true)] {
        let receiver = answering(body(pieces).leak()).await;
        let answer = post(&receiver.url()).await.unwrap();
        assert_eq!((answer.status, answer.body_bytes), (200, read));
        assert_eq!(answer.truncated, truncated);
    }
}

#[tokio::test]
async fn a_body_that_is_slow_or_broken_does_not_change_the_status() {
    let pass = Arc::new(Notify::new());
    let tell = pass.clone();
    let drip = receiver(move |mut socket| {
        let tell = tell.clone();
        async move {
            read_request(&mut socket).await?;
            socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ndrip")
                .await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
            tell.notify_one();
            socket.read(&mut [0]).await.map(drop)
        }
    })
    .await;
    let answer = post_until(&drip.url(), "{}".into(), &pass).await.unwrap();
    assert_eq!((answer.status, answer.truncated), (200, true));
    assert_eq!(answer.excerpt.as_deref(), Some("drip"));

    let broken = answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n").await;
    let answer = post(&broken.url()).await.unwrap();
    assert_eq!((answer.status, answer.truncated), (200, true));
}

#[tokio::test]
async fn an_encoded_body_is_neither_decoded_nor_kept() {
    let bomb = answering(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x08ab",
    )
    .await;
    let answer = post(&bomb.url()).await.unwrap();
    assert_eq!(
        (answer.status, answer.body_bytes, answer.excerpt),
        (200, 4, None)
    );
}

#[tokio::test]
async fn an_early_answer_counts_while_the_request_is_unread_and_the_connection_is_closed() {
    let (closed, mut is_closed) = mpsc::unbounded_channel();
    let receiver = receiver(move |mut socket| {
        let closed = closed.clone();
        async move {
            socket.read_exact(&mut [0; 64]).await?;
            socket
                .write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
                .await?;
            // Wait without reading the rest; then read what the kernel had taken, to the end.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let mut rest = Vec::new();
            let _ = socket.read_to_end(&mut rest).await;
            closed.send(rest.len()).unwrap();
            Ok(())
        }
    })
    .await;
    let size = 32 << 20;
    let sent = request(&receiver.url(), vec![b'a'; size]);
    assert_eq!(transport().send(sent, far()).await.unwrap().status, 413);
    assert!(is_closed.recv().await.unwrap() < size);

    let slams = self::receiver(|mut socket| async move {
        socket.read_exact(&mut [0; 64]).await?;
        socket
            .write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
            .await
    })
    .await;
    let sent = request(&slams.url(), vec![b'a'; 1 << 20]);
    assert_eq!(transport().send(sent, far()).await.unwrap().status, 413);
}
