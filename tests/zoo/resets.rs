//! Animals that break the connection, at each phase.

use crate::animal::{Animal, Ends};
use crate::cage;

const RESET: Ends = Ends::Failed("connection reset while waiting for the answer");
const CLOSED: Ends =
    Ends::Failed("the receiver closed the connection while waiting for the answer");

const BROKEN: Ends = Ends::FailedLike(&[
    "connection reset while",
    "broken pipe while",
    "the receiver closed the connection while",
]);

/// Reads the request, says this much and resets.
fn resets_after(name: &'static str, ends: Ends, said: &'static str) -> Animal {
    Animal::new(name, ends, move |mut guest| async move {
        guest.request().await?;
        guest.say(said.as_bytes()).await?;
        guest.socket.set_zero_linger()
    })
}

/// Reads the request, says this much and closes its end for writing only.
fn half_closes_after(name: &'static str, ends: Ends, said: &'static str) -> Animal {
    Animal::new(name, ends, move |mut guest| async move {
        use tokio::io::AsyncWriteExt;
        guest.request().await?;
        guest.say(said.as_bytes()).await?;
        guest.socket.shutdown().await?;
        guest.until_gone().await
    })
}

pub fn animals() -> Vec<Animal> {
    vec![
        Animal::new("resets_at_once", BROKEN, |guest| async move {
            guest.socket.set_zero_linger()
        }),
        Animal::new("resets_in_the_request", BROKEN, |guest| async move {
            guest.socket.readable().await?;
            guest.socket.set_zero_linger()
        }),
        Animal::new("closes_at_once", BROKEN, |_| async { Ok(()) }),
        resets_after("resets_after_the_request", RESET, ""),
        resets_after("resets_in_the_status_line", RESET, "HTTP/1."),
        resets_after(
            "resets_after_an_interim_answer",
            RESET,
            "HTTP/1.1 103 Hints\r\n\r\n",
        ),
        resets_after(
            "resets_in_the_headers",
            RESET,
            "HTTP/1.1 200 OK\r\ncontent-",
        ),
        resets_after(
            "resets_in_the_body",
            Ends::Answered(200),
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
        ),
        resets_after(
            "resets_after_the_answer",
            Ends::Answered(200),
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        ),
        Animal::saying_last("closes_after_the_request", CLOSED, ""),
        Animal::saying_last("closes_in_the_status_line", CLOSED, "HTTP/1."),
        Animal::saying_last(
            "closes_in_the_headers",
            CLOSED,
            "HTTP/1.1 200 OK\r\ncontent-",
        ),
        Animal::saying_last(
            "closes_after_an_interim_answer",
            CLOSED,
            "HTTP/1.1 100 Continue\r\n\r\n",
        ),
        Animal::saying_last(
            "closes_in_the_body",
            Ends::Answered(500),
            "HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\nhalf",
        ),
        half_closes_after("half_closes_before_the_answer", CLOSED, ""),
        half_closes_after("half_closes_in_the_headers", CLOSED, "HTTP/1.1 200 OK\r\nx"),
        half_closes_after(
            "half_closes_in_the_body",
            Ends::Answered(201),
            "HTTP/1.1 201 Made\r\ncontent-length: 9\r\n\r\nhalf",
        ),
        half_closes_after(
            "half_closes_where_the_body_ends",
            Ends::Answered(200),
            "HTTP/1.1 200 OK\r\n\r\nas long as it lasts",
        ),
    ]
}

#[test]
fn a_broken_connection_is_a_failure_unless_the_status_has_come() {
    cage::visit(animals());
}
