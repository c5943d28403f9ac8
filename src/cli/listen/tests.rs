//! The receiver over real sockets.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::endpoint::TextEncoding;
use crate::vendor::hotjar;

#[derive(clap::Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

struct Running {
    address: SocketAddr,
    out: Arc<Mutex<Vec<u8>>>,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<Summary>,
}

async fn start(options: &[&str]) -> Running {
    let all = [&["listen"], options].concat();
    let args = <Program as clap::Parser>::try_parse_from(all).unwrap().args;
    let checks = checks(&args).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    let out = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = Receiver::new(args, checks, clock, out.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(receiver.serve(listener, async move {
        let _ = stopped.await;
    }));
    Running {
        address,
        out,
        stop: Some(stop),
        task,
    }
}

impl Running {
    /// The status of the answer to one request on a connection of its own.
    async fn send(&self, request: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn lines(&self) -> Vec<String> {
        let out = self.out.lock().unwrap();
        String::from_utf8_lossy(&out)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    async fn end(mut self) -> Summary {
        drop(self.stop.take());
        self.task.await.unwrap()
    }
}

fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /hook HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const GET: &str = "GET /hook HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn esp_07_get_is_answered_200_and_posts_by_the_script() {
    let receiver = start(&["--respond", "500x2,410"]).await;
    assert_eq!(receiver.send(GET).await, 200);
    for status in [500, 500, 410, 410] {
        assert_eq!(receiver.send(&post("", "{}")).await, status);
    }
    assert_eq!(receiver.send(GET).await, 200);
    let lines = receiver.lines();
    assert!(
        lines[1].contains("POST /hook 500 - attempt - 2 bytes"),
        "{lines:?}"
    );
    let summary = receiver.end().await;
    assert_eq!((summary.requests, summary.succeeded), (4, 0));
}

#[tokio::test]
async fn hot_34_a_forged_request_is_answered_401_and_uses_up_no_answer_of_the_script() {
    let receiver = start(&["--hotjar-key", "k", "--respond", "204,500", "--json"]).await;
    let body = r#"{"timestamp":1700000000}"#;
    let right = hotjar::sign(b"k", body.as_bytes(), TextEncoding::Hex).unwrap();
    let headers = format!("com-hotjar-signature: {right}\r\nredeliver-attempt: 3\r\n");
    assert_eq!(receiver.send(&post("", body)).await, 401);
    assert_eq!(receiver.send(&post(&headers, "{}")).await, 401);
    assert_eq!(receiver.send(&post(&headers, body)).await, 204);
    let last: serde_json::Value = serde_json::from_str(&receiver.lines()[2]).unwrap();
    assert_eq!(
        (&last["signature"], &last["attempt"]),
        (&"right".into(), &3.into())
    );
    let summary = receiver.end().await;
    assert_eq!(
        (summary.requests, summary.succeeded, summary.refused),
        (3, 1, 2)
    );
}

#[tokio::test]
async fn it_ends_after_the_count_and_the_last_answer_still_arrives() {
    let receiver = start(&["--count", "2", "--respond", "200"]).await;
    assert_eq!(receiver.send(GET).await, 200);
    assert_eq!(receiver.send(&post("", "1")).await, 200);
    let keep_alive = post("", "2").replace("connection: close\r\n", "");
    assert_eq!(receiver.send(&keep_alive).await, 200);
    let summary = receiver.task.await.unwrap();
    assert_eq!(summary.requests, 2);
}

#[tokio::test]
async fn a_hanging_answer_is_printed_and_does_not_keep_the_receiver_from_ending() {
    let receiver = start(&["--respond", "hang", "--count", "1"]).await;
    let mut stream = TcpStream::connect(receiver.address).await.unwrap();
    stream.write_all(post("", "x").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Reset or closed, with no answer either way.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
    assert!(receiver.lines()[0].contains("/hook hang"));
    assert_eq!(receiver.end().await.requests, 1);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let receiver = start(&[]).await;
    let request = post("", "").replace("content-length: 0", "content-length: 999999999999");
    assert_eq!(receiver.send(&request).await, 413);
    receiver.end().await;
}

#[test]
fn usage_that_cannot_work_is_refused_at_the_start() {
    let parse = |options: &[&str]| {
        <Program as clap::Parser>::try_parse_from([&["listen"], options].concat())
            .map(|program| checks(&program.args).map(drop))
    };
    assert!(parse(&["--respond", "99"]).is_err());
    assert!(parse(&["--delay", "soon"]).is_err());
    assert!(parse(&["--delay", "-2s"]).is_err());
    assert!(parse(&["--count", "0"]).is_err());
    for options in [
        ["--basic", "user"],
        ["--hotjar-key", ""],
        ["--standard-secret", "whsec_?"],
    ] {
        let Failure::Usage(text) = parse(&options).unwrap().unwrap_err() else {
            panic!("{options:?}")
        };
        assert!(text.contains(options[0]), "{text}");
    }
    assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
    assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
}
