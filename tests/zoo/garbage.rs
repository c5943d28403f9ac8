//! Animals that do not speak HTTP/1, or nearly.

use crate::animal::{Animal, Ends};
use crate::cage;

const NO_STATUS_LINE: Ends =
    Ends::Failed("the answer cannot be understood: it does not begin with an HTTP/1 status line");
const NO_HEADERS: Ends = Ends::Failed(
    "the answer cannot be understood: its headers are invalid or contradict one another",
);
const TOO_MANY: Ends = Ends::Failed(
    "the answer cannot be understood: its headers do not end within 64 KiB, \
     or there are more than 100",
);
const OK: Ends = Ends::Answered(200);

fn says(name: &'static str, ends: Ends, answer: impl Into<Vec<u8>>) -> Animal {
    Animal::saying(name, ends, answer)
}

pub fn animals() -> Vec<Animal> {
    let many = "x: y\r\n".repeat(101);
    vec![
        says("speaks_ssh", NO_STATUS_LINE, "SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        says("speaks_smtp", NO_STATUS_LINE, "220 mail ESMTP\r\n\r\n"),
        says(
            "speaks_redis",
            NO_STATUS_LINE,
            "-ERR unknown command 'POST'\r\n\r\n",
        ),
        says(
            "speaks_http_0_9",
            NO_STATUS_LINE,
            "<html>It works!</html>\r\n\r\n",
        ),
        says(
            "speaks_http_2",
            NO_STATUS_LINE,
            b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\r\n\r\n",
        ),
        says("speaks_http_3_1", NO_STATUS_LINE, "HTTP/3.1 200 OK\r\n\r\n"),
        says("speaks_icy", NO_STATUS_LINE, "ICY 200 OK\r\n\r\n"),
        says(
            "speaks_tls",
            NO_STATUS_LINE,
            b"\x15\x03\x01\0\x02\x02\x46\r\n\r\n",
        ),
        says(
            "sends_the_request_back",
            NO_STATUS_LINE,
            "POST /hook HTTP/1.1\r\nhost: x\r\n\r\n",
        ),
        says("says_nul", NO_STATUS_LINE, [0; 64]),
        says("says_noise", NO_STATUS_LINE, noise()),
        says("has_no_status", NO_STATUS_LINE, "HTTP/1.1 OK\r\n\r\n"),
        says(
            "has_a_status_of_two_digits",
            NO_STATUS_LINE,
            "HTTP/1.1 20 OK\r\n\r\n",
        ),
        says(
            "has_a_status_of_four_digits",
            NO_STATUS_LINE,
            "HTTP/1.1 2000 OK\r\n\r\n",
        ),
        says(
            "has_a_status_below_100",
            NO_STATUS_LINE,
            "HTTP/1.1 099 Odd\r\n\r\n",
        ),
        says(
            "has_a_header_without_a_colon",
            NO_HEADERS,
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ),
        says(
            "has_a_header_without_a_name",
            NO_HEADERS,
            "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        ),
        says(
            "has_nul_in_a_header",
            NO_HEADERS,
            "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        ),
        says(
            "has_a_bare_return_in_a_header",
            NO_HEADERS,
            "HTTP/1.1 200 OK\r\nx: a\rb: c\r\n\r\n",
        ),
        says(
            "has_101_headers",
            TOO_MANY,
            format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        ),
        // What is odd but clear is an answer.
        says(
            "speaks_http_1_0",
            OK,
            "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        ),
        says(
            "gives_no_reason",
            OK,
            "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
        ),
        says(
            "ends_its_lines_with_lf",
            OK,
            "HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        ),
        says(
            "has_control_characters_in_its_body",
            OK,
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n\x1b[31m\x07\0\r\n",
        ),
        says(
            "asks_for_a_retry_soon",
            Ends::Answered(503),
            "HTTP/1.1 503 No\r\nretry-after: soon\r\ncontent-length: 0\r\n\r\n",
        ),
        says(
            "has_a_status_of_999",
            Ends::Answered(999),
            "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
        ),
    ]
}

/// Bytes of every value, in no order, with the end of a head among them.
fn noise() -> Vec<u8> {
    let bytes = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8);
    bytes.chain(*b"\r\n\r\n").collect()
}

#[test]
fn what_is_no_http_is_a_failure_that_says_what_is_wrong() {
    cage::visit(animals());
}
