//! Those who take their time: with a head, with a body, with reading what they are answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::good::Good;
use crate::process::broker::{Broker, Site};
use crate::process::http::Client;
use crate::process::now;
use crate::raw::{Answer, connect, rest};

/// What is late by less than this is not late.
const SLACK: Duration = Duration::from_secs(60);

/// Between two pieces of those who drip.
const PAUSE: Duration = Duration::from_millis(50);

/// The time for heads is good clients' time between two requests, too, however busy the machine is.
const LIMITS: &str =
    "[limits]\nheader_timeout = \"5s\"\nbody_timeout = \"1s\"\nanswer_timeout = \"1s\"\n";
const LIMIT: Duration = Duration::from_secs(5);

const HEAD: &str = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\n\
     Content-Type: application/json\r\n";

fn start(site: &Site, more: &str) -> Broker {
    site.configure(&format!("{LIMITS}{more}"));
    site.start(&[])
}

/// One who sends `first` at once and then `rest` in small pieces, again and again if `endless`.
#[derive(Clone, Copy)]
struct Drip {
    name: &'static str,
    first: &'static str,
    piece: &'static str,
    /// What is answered in the end; nothing where the connection is just closed.
    status: Option<u16>,
}

impl Drip {
    /// Sends until the server has had enough; gives what it answered, and after how long.
    fn send(self, address: SocketAddr) -> (Vec<Answer>, Duration) {
        let mut stream = connect(address);
        let start = now();
        stream.write_all(self.first.as_bytes()).unwrap();
        let mut writer = stream.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                while !self.piece.is_empty() && writer.write_all(self.piece.as_bytes()).is_ok() {
                    thread::sleep(PAUSE);
                }
            });
            let answers = rest(&mut stream);
            let taken = now().since(start);
            // Ends the writer, if the server's closing has not.
            let _ = stream.shutdown(std::net::Shutdown::Both);
            (answers, taken)
        })
    }
}

#[test]
fn whoever_drips_is_cut_off_at_the_limit_and_holds_up_nobody() {
    let drips = [
        ("says nothing", "", "", None),
        ("half a request line", "POST /v1/ev", "", None),
        ("half a head", HEAD, "", None),
        ("a request line in drips", "GET /", "x", None),
        ("a header in drips", "GET / HTTP/1.1\r\nX: ", "x", None),
        ("a head in drips", "GET / HTTP/1.1\r\n", "X: y\r\n", None),
        ("empty lines before a request", "", "\r\n", None),
        (
            "a second request in drips",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET ",
            "x",
            Some(200),
        ),
        ("no body", "Content-Length: 100\r\n\r\n", "", Some(408)),
        (
            "a body in drips",
            "Content-Length: 100000\r\n\r\n{",
            " ",
            Some(408),
        ),
        (
            "a chunk in drips",
            "Transfer-Encoding: chunked\r\n\r\nffff\r\n",
            " ",
            Some(408),
        ),
        (
            "chunks in drips",
            "Transfer-Encoding: chunked\r\n\r\n",
            "1\r\n \r\n",
            Some(408),
        ),
        (
            "a chunk's size in drips",
            "Transfer-Encoding: chunked\r\n\r\n1",
            ";",
            Some(408),
        ),
        (
            "a chunk's extension in drips",
            "Transfer-Encoding: chunked\r\n\r\n1;",
            "x",
            Some(408),
        ),
        (
            "trailers in drips",
            "Transfer-Encoding: chunked\r\n\r\n0\r\n",
            "X: y\r\n",
            Some(408),
        ),
    ];
    let site = Site::new();
    let broker = start(&site, "");
    let good = Good::start(broker.address);
    thread::scope(|scope| {
        let attacks: Vec<_> = drips
            .iter()
            // Of each kind a few, all at once.
            .flat_map(|drip| [drip; 8])
            .map(|&(name, first, piece, status)| {
                // Those who have come to the body have sent a head before.
                let is_body = first.contains("\r\n\r\n") && !first.starts_with("GET");
                let first = if is_body {
                    format!("{HEAD}{first}")
                } else {
                    first.to_owned()
                };
                let drip = Drip {
                    name,
                    first: first.leak(),
                    piece,
                    status,
                };
                (drip, scope.spawn(move || drip.send(broker.address)))
            })
            .collect();
        good.are_served();
        for (drip, attack) in attacks {
            let (answers, taken) = attack.join().unwrap();
            let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
            assert_eq!(statuses, Vec::from_iter(drip.status), "{}", drip.name);
            if drip.status == Some(408) {
                assert!(answers[0].problem().contains("1 s"), "{answers:?}");
            }
            assert!(taken < LIMIT + SLACK, "{}: {taken:?}", drip.name);
        }
    });
    good.are_served();
    let taken = good.stop();
    assert_eq!(broker.list("/v1/events?limit=1000").len(), taken);
    broker.stop();
}

/// How many answers of some 4 MiB are asked for at once: more than sockets hold.
const ANSWERS: usize = 10;

fn ask_for_much(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    let request = "GET /v1/events?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream
        .write_all(request.repeat(ANSWERS).as_bytes())
        .unwrap();
    stream
}

#[test]
fn whoever_does_not_read_his_answer_in_time_is_cut_off_and_keeps_no_place() {
    let site = Site::new();
    let broker = start(&site, "max_connections = 1\n");
    let large = json!("x".repeat(500_000));
    for _ in 0..9 {
        broker.event("large", &large);
    }
    for drips in [false, true] {
        let mut reader = ask_for_much(broker.address);
        // Its answer is under way, so the only place there is becomes free by its end alone.
        reader.read_exact(&mut [0; 100]).unwrap();
        let served = AtomicBool::new(false);
        thread::scope(|scope| {
            let (served, mut reader) = (&served, &reader);
            scope.spawn(move || {
                // A kilobyte now and then is not enough.
                while drips && !served.load(Ordering::Relaxed) {
                    let _ = reader.read(&mut [0; 1024]);
                    thread::sleep(PAUSE);
                }
            });
            let answer = Client::new(broker.address).send("GET", "/healthz", &[], b"");
            served.store(true, Ordering::Relaxed);
            assert_eq!(answer.unwrap().status, 200);
        });
        let mut read = Vec::new();
        let _ = reader.read_to_end(&mut read);
        assert!(read.len() < ANSWERS * 4_000_000, "all of it was sent");
    }
    // Within the same limits, a client who reads gets all of it.
    assert_eq!(broker.list("/v1/events?limit=1000").len(), 9);
    broker.stop();
}
