//! Animals that contradict themselves about how long their answers are.

use crate::animal::{Animal, Ends, SHORT_MS};
use crate::cage;

const CONTRADICTS: Ends = Ends::Failed(
    "the answer cannot be understood: its headers are invalid or contradict one another",
);
const OK: Ends = Ends::Answered(200);

/// An answer of 200 with these headers and this body, after which the animal waits.
fn says(name: &'static str, ends: Ends, headers: &str, body: &str) -> Animal {
    Animal::saying(
        name,
        ends,
        format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{body}"),
    )
}

pub fn animals() -> Vec<Animal> {
    vec![
        says(
            "two_lengths",
            CONTRADICTS,
            "content-length: 1\r\ncontent-length: 2",
            "ab",
        ),
        says(
            "two_lengths_in_one",
            CONTRADICTS,
            "content-length: 1, 2",
            "ab",
        ),
        says("a_negative_length", CONTRADICTS, "content-length: -1", "ab"),
        says(
            "a_length_with_a_plus",
            CONTRADICTS,
            "content-length: +2",
            "ab",
        ),
        says("a_length_in_hex", CONTRADICTS, "content-length: 0x2", "ab"),
        says(
            "a_length_of_letters",
            CONTRADICTS,
            "content-length: two",
            "ab",
        ),
        says("an_empty_length", CONTRADICTS, "content-length:", "ab"),
        says(
            "a_length_beyond_64_bits",
            CONTRADICTS,
            "content-length: 99999999999999999999",
            "ab",
        ),
        says(
            "the_same_length_twice",
            OK,
            "content-length: 2\r\ncontent-length: 2",
            "ok",
        ),
        // What the body is does not matter once the status is there.
        says(
            "a_length_of_64_bits",
            OK,
            "content-length: 9223372036854775807",
            "ab",
        )
        .within(SHORT_MS),
        says(
            "a_length_longer_than_the_body",
            OK,
            "content-length: 1000",
            "short",
        )
        .within(SHORT_MS),
        says(
            "a_length_shorter_than_the_body",
            OK,
            "content-length: 2",
            "longer than two",
        ),
        says(
            "a_length_and_chunks",
            OK,
            "content-length: 3\r\ntransfer-encoding: chunked",
            "2\r\nok\r\n0\r\n\r\n",
        ),
        says(
            "chunks_of_no_size",
            OK,
            "transfer-encoding: chunked",
            "zz\r\n",
        ),
        says(
            "a_chunk_beyond_64_bits",
            OK,
            "transfer-encoding: chunked",
            "fffffffffffffffff\r\nab",
        ),
        says(
            "a_chunk_longer_than_it_is",
            OK,
            "transfer-encoding: chunked",
            "ff\r\nab\r\n0\r\n\r\n",
        )
        .within(SHORT_MS),
        says(
            "a_chunk_shorter_than_it_is",
            OK,
            "transfer-encoding: chunked",
            "1\r\nabc\r\n0\r\n\r\n",
        ),
        says(
            "an_unknown_transfer_encoding",
            OK,
            "transfer-encoding: zip",
            "ab",
        )
        .within(SHORT_MS),
    ]
}

#[test]
fn lengths_that_contradict_one_another_are_no_answer_and_a_broken_body_is() {
    cage::visit(animals());
}
