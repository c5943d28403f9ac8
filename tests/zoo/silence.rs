//! Animals that say nothing, or next to nothing.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::animal::{Animal, Ends, SHORT_MS, listener};
use crate::cage;
use crate::contract::POLICIES;
use crate::process::eventually;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
const WAITING: Ends = Ends::Failed("timed out waiting for the answer");
/// The patience with those that are not waited for at all.
const LONG_MS: u64 = 60_000;

/// A listener whose queue is full: the kernel drops whoever knocks.
fn black_hole() -> Animal {
    let full = listener(1);
    let at = full.local_addr().unwrap();
    // Never closed: the process ends first.
    std::mem::forget(full);
    while let Ok(one) = std::net::TcpStream::connect_timeout(&at, Duration::from_secs(1)) {
        std::mem::forget(one);
    }
    let hole = Animal::absent("black_hole", Ends::Failed("timed out connecting"), at);
    hole.within(SHORT_MS)
}

/// Nobody listens there, and nobody will: the port is too low for the kernel to hand out.
fn refusing() -> Animal {
    let at: SocketAddr = "127.0.0.1:1".parse().unwrap();
    Animal::absent("refuses", Ends::Failed("connection refused by {at}"), at)
}

pub fn animals() -> Vec<Animal> {
    vec![
        refusing(),
        black_hole(),
        Animal::new(
            "accepts_and_says_nothing",
            WAITING,
            |mut guest| async move {
                guest.request().await?;
                guest.until_gone().await
            },
        )
        .within(SHORT_MS),
        Animal::new("says_half_a_status_line", WAITING, |mut guest| async move {
            guest.request().await?;
            guest.say(b"HTTP/1.1 2").await?;
            guest.until_gone().await
        })
        .within(SHORT_MS),
        Animal::new("stops_in_the_headers", WAITING, |mut guest| async move {
            guest.request().await?;
            guest.say(b"HTTP/1.1 200 OK\r\ncontent-le").await?;
            guest.until_gone().await
        })
        .within(SHORT_MS),
        Animal::new("drips_a_byte_every_10_s", WAITING, |mut guest| async move {
            guest.request().await?;
            guest.drip(ANSWER, 1, Duration::from_secs(10)).await
        })
        .within(SHORT_MS),
        Animal::new("drips_its_head", WAITING, |mut guest| async move {
            guest.request().await?;
            guest.drip(ANSWER, 1, Duration::from_millis(200)).await
        })
        .within(SHORT_MS),
        // The verdict is the status line and the headers.
        Animal::new(
            "drips_its_body",
            Ends::Answered(200),
            |mut guest| async move {
                guest.request().await?;
                guest.say(ANSWER).await?;
                guest
                    .drip(&[b'x'; 1000], 1, Duration::from_millis(20))
                    .await
            },
        )
        .within(SHORT_MS),
        Animal::new(
            "never_begins_its_body",
            Ends::Answered(503),
            |mut guest| async move {
                guest.request().await?;
                guest
                    .say(b"HTTP/1.1 503 Busy\r\ncontent-length: 9\r\n\r\n")
                    .await?;
                guest.until_gone().await
            },
        )
        .within(SHORT_MS),
        Animal::new("says_100_and_no_more", WAITING, |mut guest| async move {
            guest.request().await?;
            guest.say(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            guest.until_gone().await
        })
        .within(SHORT_MS),
    ]
}

#[test]
fn a_kept_connection_that_falls_silent_costs_one_attempt() {
    let animal = Animal::new(
        "answers_once",
        Ends::Answered(200),
        |mut guest| async move {
            guest.request().await?;
            guest
                .say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await?;
            guest.until_gone().await
        },
    );
    let animal = animal.within(SHORT_MS);
    let cage = cage::Cage::open();
    let keeper = cage.keeper(&animal, "standard");
    let mut sent = 0;
    let mut next = || {
        sent += 1;
        let delivery = cage.attempted(&cage.event(animal.name, "x"), &keeper.id);
        delivery["attempts"][0]["error"].clone()
    };
    assert_eq!(next(), json!(null));
    // A connection is not kept for long; on a machine that is busy it may be gone by then.
    let silent = (0..20).map(|_| next()).find(|error| !error.is_null());
    assert_eq!(silent, Some(json!("timed out waiting for the answer")));
    assert_eq!(next(), json!(null), "over a connection of its own");
    cage.close(sent);
}

#[test]
fn silence_ends_at_the_deadline() {
    cage::visit(animals());
}

#[test]
fn good_receivers_are_served_while_the_attempts_at_silent_ones_are_still_waiting() {
    let silent = Animal::new("is_waited_for", WAITING, |mut guest| async move {
        guest.request().await?;
        guest.until_gone().await
    });
    let silent = silent.within(LONG_MS);
    // With so few places that those who hang could take them all, were they let.
    let limits = "[limits]\ndeliveries_in_flight_max = 8\n";
    let cage = cage::Cage::open_under(limits, &["--drain", "1s"]);
    for policy in POLICIES {
        cage.keeper(&silent, policy);
    }
    let events = 20;
    for sent in 1..=events {
        cage.event(silent.name, "x");
        eventually("the good receiver has it", || {
            let waits = silent.visits().iter().all(|visit| visit.ended.is_none());
            assert!(waits, "good deliveries waited until an attempt had ended");
            (cage.good.posts().len() == sent).then_some(())
        });
    }
    eventually("it is visited under every policy", || {
        (silent.visits().len() >= POLICIES.len()).then_some(())
    });
    cage.close(events);
}

/// Takes a byte of the request now and then, or none at all.
pub fn slow_readers() -> Vec<Animal> {
    let unread = Ends::FailedLike(&[
        "timed out sending the request",
        // The kernel took it all.
        "timed out waiting for the answer",
    ]);
    let linger = Duration::from_millis(SHORT_MS + 200);
    vec![
        Animal::new("reads_nothing", unread, move |mut guest| async move {
            tokio::time::sleep(linger).await;
            // A connection that is closed has an end, behind all that was sent.
            guest.until_gone().await
        })
        .within(SHORT_MS),
        Animal::new(
            "reads_a_byte_at_a_time",
            unread,
            move |mut guest| async move {
                for _ in 0..linger.as_millis() / 20 {
                    guest.socket.read_exact(&mut [0]).await?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                guest.until_gone().await
            },
        )
        .within(SHORT_MS),
    ]
}

#[test]
fn a_request_that_is_not_read_ends_at_the_deadline() {
    // More than a receiver's buffer holds.
    cage::visit_with(&"x".repeat(900 * 1024), slow_readers());
}
