//! What a receiver answers, over a real socket: whatever comes, the attempt ends, reads no more
//! than it may and keeps only what can be shown; a plain answer is read as it was sent.

use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use redeliver::clock::{Clock, RealClock};
use redeliver::deliver::guard::AddressGuard;
use redeliver::deliver::transport::{
    ANSWER_LIMIT, Answer, EXCERPT_LIMIT, Request, SendError, Transport,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// An answer that nothing is wrong with.
#[derive(Arbitrary, Debug)]
struct Plain {
    status: u16,
    retry_after: Option<u32>,
    body: Vec<u8>,
    chunked: bool,
}

/// One listener for all inputs.
struct Receiver {
    runtime: Runtime,
    listener: TcpListener,
    transport: Transport,
}

impl Receiver {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let guard = AddressGuard {
            allow: Vec::new(),
            allow_loopback: true,
        };
        Self {
            runtime,
            listener,
            transport: Transport::new(guard).unwrap(),
        }
    }

    /// Sends one request and answers it with `bytes` and the end of the connection.
    fn answer(&self, bytes: &[u8]) -> Result<Answer, SendError> {
        let port = self.listener.local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/");
        let request = Request {
            method: hyper::Method::POST,
            url: Arc::new(url.parse().unwrap()),
            headers: hyper::HeaderMap::new(),
            body: Bytes::from_static(b"{}"),
            ca_pem: None,
        };
        self.runtime.block_on(async {
            // No input needs it; if one does, what is said of time-outs below fails.
            let deadline = RealClock.sleep_until(RealClock.now().plus(Duration::from_secs(20)));
            let receive = async {
                let (mut socket, _) = self.listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"{}") {
                    if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                // A sender that has seen enough closes first.
                let _ = socket.write_all(bytes).await;
                let _ = socket.shutdown().await;
                let _ = socket.read_to_end(&mut request).await;
            };
            let send = self.transport.send(request, deadline);
            tokio::pin!(send);
            tokio::select! {
                answer = &mut send => answer,
                () = receive => send.await,
            }
        })
    }
}

thread_local! {
    static RECEIVER: Receiver = Receiver::new();
}

/// The first byte chooses: bytes as they are, or an answer and what must be read of it.
pub fn run(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else {
        return;
    };
    RECEIVER.with(|receiver| {
        if how % 2 == 0 {
            ended(&receiver.answer(rest));
        } else if let Ok(plain) = Plain::arbitrary(&mut Unstructured::new(rest)) {
            is_read(receiver, &plain);
        }
    });
}

fn ended(answer: &Result<Answer, SendError>) {
    match answer {
        Ok(answer) => {
            // An interim answer is none; 101 is the last one on its connection.
            assert!((101..=999).contains(&answer.status), "{answer:?}");
            assert!(answer.status == 101 || answer.status >= 200, "{answer:?}");
            assert!(answer.body_bytes <= ANSWER_LIMIT, "{answer:?}");
            let week = Duration::from_secs(7 * 24 * 3600);
            assert!(answer.retry_after.is_none_or(|after| after <= week));
            if let Some(excerpt) = &answer.excerpt {
                assert!(excerpt.len() <= EXCERPT_LIMIT);
                let shown = |c: char| matches!(c, '\n' | '\t') || !c.is_control();
                assert!(excerpt.chars().all(shown), "{excerpt:?}");
            }
        }
        Err(SendError::Timeout { during }) => panic!("nothing came to an end during {during:?}"),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && text.len() < 500, "{text}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}

fn is_read(receiver: &Receiver, plain: &Plain) {
    let status = 200 + plain.status % 400;
    let mut bytes = format!("HTTP/1.1 {status} X\r\n").into_bytes();
    if let Some(seconds) = plain.retry_after {
        bytes.extend(format!("Retry-After: {seconds}\r\n").bytes());
    }
    let bodiless = matches!(status, 204 | 304);
    if bodiless {
        bytes.extend(b"\r\n");
    } else if plain.chunked {
        bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        for chunk in plain.body.chunks(7) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
    } else {
        bytes.extend(format!("Content-Length: {}\r\n\r\n", plain.body.len()).bytes());
        bytes.extend(&plain.body);
    }
    let answer = receiver.answer(&bytes);
    ended(&answer);
    let answer = answer.unwrap();
    assert_eq!(answer.status, status);
    let body = if bodiless { &[][..] } else { &plain.body };
    assert!(answer.body_bytes <= body.len().min(ANSWER_LIMIT));
    assert_eq!(answer.truncated, answer.body_bytes < body.len());
    // What the head and the chunks' sizes take counts as well.
    assert!(!answer.truncated || body.len() > ANSWER_LIMIT / 2);
    let asked = plain.retry_after.map(|seconds| seconds.min(604_800));
    assert_eq!(
        answer.retry_after,
        asked.map(|s| Duration::from_secs(s.into()))
    );
    if let Ok(text) = std::str::from_utf8(body)
        && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        && !text.is_empty()
    {
        let kept = &text[..text.len().min(EXCERPT_LIMIT)];
        assert_eq!(answer.excerpt.as_deref(), Some(kept));
    }
}
