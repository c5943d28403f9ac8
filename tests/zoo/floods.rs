//! Animals that never stop.

use crate::animal::{Animal, Ends};
use crate::cage;

const TOO_MUCH: Ends = Ends::Failed(
    "the answer cannot be understood: its headers do not end within 64 KiB, \
     or there are more than 100",
);
const OK: Ends = Ends::Answered(200);

/// The start of a gzip stream of zeros, and what goes on with 2064 more of them.
const BOMB_START: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x62\x18";
const BOMB_MORE: &[u8] = b"\x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28\x18";

fn floods(name: &'static str, ends: Ends, start: &'static [u8], more: &'static [u8]) -> Animal {
    Animal::new(name, ends, move |mut guest| async move {
        guest.request().await?;
        guest.flood(start, more).await
    })
}

pub fn animals() -> Vec<Animal> {
    vec![
        floods(
            "endless_interim_answers",
            TOO_MUCH,
            b"",
            b"HTTP/1.1 100 Continue\r\n\r\n",
        ),
        floods(
            "endless_early_hints",
            TOO_MUCH,
            b"",
            b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n",
        ),
        floods(
            "endless_headers",
            TOO_MUCH,
            b"HTTP/1.1 200 OK\r\n",
            b"x-more: and more\r\n",
        ),
        floods(
            "one_endless_header",
            TOO_MUCH,
            b"HTTP/1.1 200 OK\r\nx: ",
            b"more and more",
        ),
        floods(
            "an_endless_header_name",
            TOO_MUCH,
            b"HTTP/1.1 200 OK\r\n",
            b"more-and-more",
        ),
        floods(
            "an_endless_reason",
            TOO_MUCH,
            b"HTTP/1.1 200 ",
            b"more and more ",
        ),
        floods("endless_blank_lines", TOO_MUCH, b"", b"\r\n"),
        floods(
            "a_body_of_10_gib",
            OK,
            b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n",
            b"0123456789abcdef",
        ),
        floods(
            "a_body_without_an_end",
            OK,
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"0123456789abcdef",
        ),
        floods(
            "endless_chunks",
            OK,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"10\r\n0123456789abcdef\r\n",
        ),
        floods(
            "endless_chunks_of_a_byte",
            OK,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n",
        ),
        floods(
            "an_endless_chunk_extension",
            OK,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4;",
            b"more=and;",
        ),
        floods(
            "an_endless_chunk_size",
            OK,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"0",
        ),
        floods(
            "endless_trailers",
            OK,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
            b"x-more: and more\r\n",
        ),
        floods(
            "answers_without_end",
            Ends::Answered(500),
            b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        ),
        gzip_bomb("a_gzip_bomb", "gzip"),
        gzip_bomb("a_gzip_bomb_in_a_gzip_bomb", "gzip, gzip"),
        floods(
            "a_switch_of_protocols",
            Ends::Answered(101),
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: flood\r\nconnection: upgrade\r\n\r\n",
            b"0123456789abcdef",
        ),
    ]
}

fn gzip_bomb(name: &'static str, encoding: &'static str) -> Animal {
    Animal::new(name, Ends::Answered(200), move |mut guest| async move {
        guest.request().await?;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\n\r\n");
        let start = [head.as_bytes(), BOMB_START].concat();
        guest.flood(&start, BOMB_MORE).await
    })
}

#[test]
fn no_flood_outlasts_the_attempt() {
    cage::visit(animals());
}

#[test]
fn of_a_flood_64_kib_are_read_and_not_a_byte_more_is_waited_for() {
    let animals = animals().into_iter().map(Animal::brimming);
    cage::visit_in_no_time(animals.collect());
}
