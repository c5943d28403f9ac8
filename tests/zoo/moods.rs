//! An animal that is another one at each attempt: however it fails, the schedule goes on.

use std::ops::RangeInclusive;

use redeliver::clock::Timestamp;

use crate::animal::{Animal, Ends, Guest};
use crate::cage::Cage;
use crate::contract::POLICIES;

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Fails in a different way each time, none of which takes long: no time passes on its own here.
async fn is_never_the_same(mut guest: Guest) -> std::io::Result<()> {
    let request = guest.request().await?;
    let (_, attempt) = request.split_once("redeliver-attempt: ").unwrap();
    let attempt: u32 = attempt.lines().next().unwrap().parse().unwrap();
    let answer: &[u8] = match attempt % 9 {
        0 => return guest.socket.set_zero_linger(),
        1 => b"",
        2 => b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        3 => b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        4 => {
            b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
        }
        5 => b"HTTP/1.1 103 Early Hints\r\n\r\n",
        6 => b"HTTP/1.1 500 No\r\nretry-after: 1\r\ncontent-length: 9\r\n\r\nhalf",
        7 => b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        _ => {
            return guest
                .flood(b"HTTP/1.1 200 OK\r\n", b"x-more: and more\r\n")
                .await;
        }
    };
    guest.say(answer).await
}

fn around(milliseconds: u64) -> RangeInclusive<u64> {
    milliseconds * 9 / 10..=milliseconds * 11 / 10
}

/// The pauses before the second, third … attempt, and whether there is an end to them.
fn pauses(policy: &str) -> (Vec<RangeInclusive<u64>>, bool) {
    match policy {
        // HOT-20 to HOT-26.
        "hotjar" => {
            let pauses = [30, 60, 120, 300, 600, 1200].map(|s| s * SECOND_MS..=s * SECOND_MS);
            (pauses.into(), true)
        }
        // two days of it.
        "esputnik" => {
            let first = [1, 2, 4, 8, 16, 32].map(|m| m * MINUTE_MS..=m * MINUTE_MS);
            let hourly = std::iter::repeat_n(HOUR_MS..=HOUR_MS, 40);
            (first.into_iter().chain(hourly).collect(), false)
        }
        //
        _ => {
            let quick = [
                around(5 * SECOND_MS),
                around(5 * MINUTE_MS),
                around(30 * MINUTE_MS),
            ];
            let slow = [2, 5, 10, 14, 20, 24].map(|hours| around(hours * HOUR_MS));
            (quick.into_iter().chain(slow).collect(), true)
        }
    }
}

#[test]
fn whatever_ends_an_attempt_the_next_one_leaves_by_the_schedule() {
    let cage = Cage::open_with(&["--clock", "manual"]);
    let broken = Ends::FailedLike(&[]);
    let animal = Animal::new("is_never_the_same", broken, is_never_the_same);
    let keepers = POLICIES.map(|policy| cage.keeper(&animal, policy));
    let event = cage.event(animal.name, "x");
    cage.broker.advance("90h");
    for keeper in keepers {
        let delivery = cage.attempted(&event, &keeper.id);
        let attempts = delivery["attempts"].as_array().unwrap();
        let (pauses, ends) = pauses(keeper.policy);
        if ends {
            assert_eq!(delivery["status"], "dead", "{delivery}");
            assert_eq!(attempts.len(), pauses.len() + 1, "{delivery}");
        }
        assert!(attempts.len() > pauses.len(), "{delivery}");
        let moment = |attempt: usize, which: &str| -> Timestamp {
            serde_json::from_value(attempts[attempt][which].clone()).unwrap()
        };
        for (number, pause) in pauses.iter().enumerate() {
            let waited = moment(number + 1, "started_at").since(moment(number, "ended_at"));
            let waited = u64::try_from(waited.as_millis()).unwrap();
            assert!(
                pause.contains(&waited),
                "{}: pause {number}: {waited}",
                keeper.policy
            );
        }
    }
    cage.close(1);
}
