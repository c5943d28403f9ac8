//! Requests whose end can be seen in two places: the bytes behind the one never become another.

use std::thread;

use crate::good::Good;
use crate::process::broker::Site;
use crate::raw;

use Outcome::{Alone, Dropped, Followed, Refused};

/// An event that is put in where the request round it is sound. 24 bytes, which is 0x18.
const OPEN: &str = r#"{"type":"open","data":1}"#;

/// A request that puts an event in where it is taken for one.
const HIDDEN: &str = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\n\
     Content-Type: application/json\r\nContent-Length: 26\r\n\r\n\
     {\"type\":\"hidden\",\"data\":1}";

/// What becomes of a request with [`HIDDEN`] behind it.
#[derive(Clone, Copy)]
enum Outcome {
    /// It is refused, and nothing behind it is read.
    Refused(u16),
    /// It is answered, and nothing behind it is read.
    Alone(u16),
    /// Every reader sees the same end, so what follows is a request of the same client.
    Followed(u16),
    /// The connection is closed without an answer.
    Dropped,
}

fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         {headers}\r\n{body}"
    )
}

/// [`OPEN`] in one chunk, whose size is written like this.
fn chunk(size: &str) -> String {
    let body = format!("{size}\r\n{OPEN}\r\n0\r\n\r\n");
    post("Transfer-Encoding: chunked\r\n", &body)
}

fn requests() -> Vec<(&'static str, String, Outcome)> {
    let n = OPEN.len();
    let sized = post(&format!("Content-Length: {n}\r\n"), OPEN);
    let with = |headers: &str| post(&format!("{headers}\r\nContent-Length: {n}\r\n"), OPEN);
    let unread = post("Content-Length: 400\r\n", "");
    let coded = |coding: &str| post(&format!("{coding}\r\n"), "0\r\n\r\n");
    let chunked = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    vec![
        // How long the body is, by one number.
        ("a length", sized.clone(), Followed(202)),
        ("two lengths", with("Content-Length: 5"), Refused(400)),
        (
            "the same length twice",
            with(&format!("Content-Length: {n}")),
            Followed(202),
        ),
        (
            "a list of lengths",
            post(&format!("Content-Length: {n}, {n}\r\n"), OPEN),
            Refused(400),
        ),
        (
            "a negative length",
            post("Content-Length: -1\r\n", OPEN),
            Refused(400),
        ),
        (
            "a length with a plus",
            post(&format!("Content-Length: +{n}\r\n"), OPEN),
            Refused(400),
        ),
        (
            "a hexadecimal length",
            post("Content-Length: 0x18\r\n", OPEN),
            Refused(400),
        ),
        (
            "an empty length",
            post("Content-Length: \r\n", OPEN),
            Refused(400),
        ),
        (
            "2^64 - 1",
            post("Content-Length: 18446744073709551615\r\n", OPEN),
            Refused(431),
        ),
        (
            "2^64 + 24",
            post("Content-Length: 18446744073709551640\r\n", OPEN),
            Refused(400),
        ),
        // How long it is, by its coding.
        (
            "a length that covers what follows, and chunks",
            post(
                &format!(
                    "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
                    5 + HIDDEN.len()
                ),
                "0\r\n\r\n",
            ),
            Refused(400),
        ),
        (
            "chunks, and a length that ends before them",
            post(
                "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                &format!("{n:x}\r\n{OPEN}\r\n0\r\n\r\n"),
            ),
            Alone(202),
        ),
        (
            "identity",
            coded("Transfer-Encoding: identity"),
            Refused(400),
        ),
        (
            "chunked, identity",
            coded("Transfer-Encoding: chunked, identity"),
            Refused(400),
        ),
        (
            "identity, chunked",
            coded("Transfer-Encoding: identity, chunked"),
            Refused(501),
        ),
        (
            "gzip, chunked",
            coded("Transfer-Encoding: gzip, chunked"),
            Refused(501),
        ),
        (
            "xchunked",
            coded("Transfer-Encoding: xchunked"),
            Refused(400),
        ),
        (
            "chunked with a parameter",
            coded("Transfer-Encoding: chunked;a=b"),
            Refused(400),
        ),
        (
            "chunked in quotation marks",
            coded("Transfer-Encoding: \"chunked\""),
            Refused(400),
        ),
        (
            "chunked behind a vertical tab",
            coded("Transfer-Encoding: \x0bchunked"),
            Refused(400),
        ),
        (
            "chunked behind a tab",
            coded("Transfer-Encoding:\tchunked"),
            Refused(400),
        ),
        (
            "chunked before a colon",
            coded("Transfer-Encoding : chunked"),
            Refused(400),
        ),
        (
            "chunked in a folded line",
            coded("Transfer-Encoding:\r\n chunked"),
            Refused(400),
        ),
        (
            "chunked in the fold of another",
            coded("X: y\r\n Transfer-Encoding: chunked"),
            Refused(400),
        ),
        (
            "chunked twice",
            coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            Refused(501),
        ),
        (
            "chunked, then identity",
            coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
            Refused(400),
        ),
        (
            "chunked in HTTP/1.0",
            coded("Transfer-Encoding: chunked").replace("1.1", "1.0"),
            Refused(400),
        ),
        // How long each chunk is.
        ("a chunk", chunk(&format!("{n:x}")), Alone(202)),
        (
            "a chunk with zeros before its size",
            chunk(&format!("{n:016x}")),
            Alone(202),
        ),
        (
            "a chunk with an extension",
            chunk(&format!("{n:x};a=b")),
            Alone(202),
        ),
        (
            "a chunk of 2^64 + 24",
            chunk("10000000000000018"),
            Refused(400),
        ),
        (
            "a chunk of 2^64 - 1",
            chunk("ffffffffffffffff"),
            Refused(408),
        ),
        ("a chunk of -24", chunk("-18"), Refused(400)),
        ("a chunk of +24", chunk("+18"), Refused(400)),
        ("a chunk of 0x18", chunk("0x18"), Refused(400)),
        ("a chunk of a space and 24", chunk(" 18"), Refused(400)),
        ("a chunk of no size", chunk(""), Refused(400)),
        ("a chunk of letters", chunk("zz"), Refused(400)),
        (
            "a line feed in an extension",
            chunk("18;a\nb"),
            Refused(400),
        ),
        (
            "an extension of 100 KB",
            chunk(&format!("18;{}", "a".repeat(100_000))),
            Refused(400),
        ),
        (
            "a chunk that is longer than it says",
            chunk("10"),
            Refused(400),
        ),
        (
            "chunks with line feeds",
            chunked(&format!("18\n{OPEN}\n0\n\n")),
            Refused(400),
        ),
        (
            "chunks with carriage returns",
            chunked(&format!("18\r{OPEN}\r0\r\r")),
            Refused(400),
        ),
        (
            "a trailer that says how long the body is",
            chunked(&format!(
                "18\r\n{OPEN}\r\n0\r\nContent-Length: 3\r\nHost: evil\r\n\r\n"
            )),
            Alone(202),
        ),
        (
            "100,000 trailers",
            chunked(&format!(
                "18\r\n{OPEN}\r\n0\r\n{}\r\n",
                "x: y\r\n".repeat(100_000)
            )),
            Refused(400),
        ),
        // Where a header ends. A line feed alone ends a line, which RFC 9112 (2.2) leaves open.
        (
            "line feeds alone",
            sized.replace("\r\n", "\n"),
            Followed(202),
        ),
        (
            "a carriage return in a value",
            with("X: y\rContent-Length: 3"),
            Refused(400),
        ),
        ("a zero byte in a value", with("X: y\0z"), Refused(400)),
        ("a zero byte in a name", with("X\0: y"), Refused(400)),
        ("a space in a name", with("X y: z"), Refused(400)),
        ("a header without a colon", with("nothing"), Refused(400)),
        (
            "a first header that is indented",
            sized.replace("Host", " Host"),
            Refused(400),
        ),
        // A body that nobody reads.
        (
            "a body over the limit",
            post("Content-Length: 2000000\r\n", ""),
            Refused(413),
        ),
        (
            "a body over the limit that asks first",
            post("Expect: 100-continue\r\nContent-Length: 2000000\r\n", ""),
            Refused(413),
        ),
        (
            "a body for nobody",
            unread.replace("/v1/events", "/nothing"),
            Refused(404),
        ),
        (
            "a body by another method",
            unread.replace("POST", "PUT"),
            Refused(405),
        ),
        (
            "a body of another type",
            unread.replace("/json", "/xml"),
            Refused(415),
        ),
        (
            "a body of a GET",
            unread.replace("POST /v1/events", "GET /healthz"),
            Alone(200),
        ),
        // Which version it is.
        ("HTTP/1.0", sized.replace("1.1", "1.0"), Alone(202)),
        ("HTTP/0.9", "GET /healthz\r\n".to_owned(), Refused(400)),
        ("HTTP/1.2", sized.replace("1.1", "1.2"), Refused(400)),
        ("HTTP/2.0", sized.replace("1.1", "2.0"), Refused(400)),
        (
            "the preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            Dropped,
        ),
        (
            "a greeting of TLS",
            "\x16\x03\x01\x02\0\x01\0\x01\x7c\x03\x03".to_owned(),
            Refused(400),
        ),
        (
            "an upgrade",
            with("Connection: Upgrade\r\nUpgrade: h2c"),
            Followed(202),
        ),
        // Whom it is for.
        (
            "its whole URL",
            sized.replace("/v1", "http://localhost/v1"),
            Followed(202),
        ),
        (
            "the URL of another host",
            sized.replace("/v1", "http://evil/v1"),
            Refused(400),
        ),
        (
            "no host",
            sized.replace("Host: localhost\r\n", ""),
            Refused(400),
        ),
        ("two hosts", with("Host: localhost"), Refused(400)),
        (
            "a host with a space",
            sized.replace("localhost", "local host"),
            Refused(400),
        ),
        (
            "a host with a login",
            sized.replace("localhost", "a@localhost"),
            Refused(400),
        ),
        ("two slashes", sized.replace("/v1", "//v1"), Followed(404)),
        (
            "a way round",
            sized.replace("/v1", "/healthz/../v1"),
            Followed(404),
        ),
        (
            "an escaped slash",
            sized.replace("v1/events", "v1%2Fevents"),
            Followed(404),
        ),
        (
            "two spaces",
            sized.replace("POST /", "POST  /"),
            Refused(400),
        ),
        (
            "a tab for a space",
            sized.replace("POST /", "POST\t/"),
            Refused(400),
        ),
    ]
}

#[test]
fn no_request_hides_behind_another_whose_end_is_unclear() {
    let site = Site::new();
    site.configure("[limits]\nheader_timeout = \"5s\"\nbody_timeout = \"5s\"\n");
    let broker = site.start(&[]);
    let good = Good::start(broker.address);
    let (mut open, mut hidden) = (0, 0);
    thread::scope(|scope| {
        let sent: Vec<_> = requests()
            .into_iter()
            .map(|(name, request, expected)| {
                let bytes = [request, HIDDEN.to_owned()].concat();
                let answers = scope.spawn(move || raw::send(broker.address, bytes.as_bytes()));
                (name, answers, expected)
            })
            .collect();
        for (name, answers, expected) in sent {
            let answers = answers.join().unwrap();
            let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
            let wanted = match expected {
                Refused(status) | Alone(status) => vec![status],
                Followed(status) => vec![status, 202],
                Dropped => vec![],
            };
            assert_eq!(statuses, wanted, "{name}: {answers:?}");
            for refused in answers.iter().filter(|answer| answer.status >= 400) {
                refused.problem();
            }
            open += usize::from(wanted.first() == Some(&202));
            hidden += usize::from(wanted.len() == 2);
        }
    });
    good.are_served();
    let taken = good.stop();
    let log = broker.list("/v1/events?order=asc&limit=1000");
    let of = |kind: &str| log.iter().filter(|event| event["type"] == kind).count();
    assert_eq!(
        (of("open"), of("hidden"), of("good")),
        (open, hidden, taken)
    );
    assert_eq!(log.len(), open + hidden + taken);
    broker.stop();
}
