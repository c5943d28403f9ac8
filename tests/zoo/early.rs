//! Animals that answer before they have read the request.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::animal::{Animal, Ends};
use crate::cage;

/// Reads the start of the request and answers.
fn hasty(name: &'static str, status: u16, closes: bool) -> Animal {
    Animal::new(name, Ends::Answered(status), move |mut guest| async move {
        guest.socket.read_exact(&mut [0; 64]).await?;
        let head = format!("HTTP/1.1 {status} Early\r\nconnection: close");
        guest
            .say(format!("{head}\r\ncontent-length: 0\r\n\r\n").as_bytes())
            .await?;
        if closes {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        guest.until_gone().await
    })
}

pub fn animals() -> Vec<Animal> {
    vec![
        hasty("says_413_and_stops_reading", 413, false),
        hasty("says_413_and_slams_the_door", 413, true),
        hasty("says_200_and_stops_reading", 200, false),
        hasty("says_410_and_stops_reading", 410, false),
        hasty("says_200_and_slams_the_door", 200, true),
    ]
}

#[test]
fn an_early_answer_counts_and_the_rest_of_the_request_is_not_waited_for() {
    cage::visit_with(&"x".repeat(900 * 1024), animals());
}
