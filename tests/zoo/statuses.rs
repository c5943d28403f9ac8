//! An animal that answers with every status from 100 to 599, whatever it is asked to say.

use crate::animal::{Animal, Ends, Guest};
use crate::cage::{Cage, mistakes};
use crate::contract::POLICIES;

const CLOSED: Ends =
    Ends::Failed("the receiver closed the connection while waiting for the answer");

/// Says to a first attempt what its event asks for, and 200 to the second.
async fn says_what_it_is_asked(mut guest: Guest) -> std::io::Result<()> {
    loop {
        let request = guest.request().await?;
        let (_, asked) = request.split_once(r#""filling":""#).unwrap();
        let status: u16 = match request.contains("redeliver-attempt: 1\r\n") {
            true => asked[..3].parse().unwrap(),
            false => 200,
        };
        if is_interim(status) {
            return guest
                .say(format!("HTTP/1.1 {status} Said\r\n\r\n").as_bytes())
                .await;
        }
        let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\nok");
        guest.say(answer.as_bytes()).await?;
    }
}

/// Whether it only announces an answer. 101 is final, as nobody asked for an upgrade.
fn is_interim(status: u16) -> bool {
    (100..200).contains(&status) && status != 101
}

#[test]
fn every_status_from_100_to_599_counts_as_each_contract_says() {
    let cage = Cage::open_with(&["--clock", "manual"]);
    let animal = Animal::new(
        "says_what_it_is_asked",
        Ends::Answered(200),
        says_what_it_is_asked,
    );
    let keepers = POLICIES.map(|policy| cage.keeper(&animal, policy));
    // After a 410 there are not three endpoints any more.
    let statuses = (100..=599).filter(|status| *status != 410).chain([410]);
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for status in statuses {
        let ends = if is_interim(status) {
            CLOSED
        } else {
            Ends::Answered(status)
        };
        let event = cage.event(animal.name, &status.to_string());
        asked += 1;
        cage.broker.advance("1ms");
        let path = format!("/v1/events/{event}/deliveries?limit=10");
        let first = cage.broker.list(&path);
        for keeper in &keepers {
            let delivery = first
                .iter()
                .find(|found| found["endpoint_id"] == *keeper.id);
            wrong.extend(mistakes(&cage, &animal, ends, keeper, delivery.unwrap()));
        }
        if status == 410 {
            continue;
        }
        // By then the last of the three has tried again, and nothing is before the next.
        cage.broker.advance("1m");
        for delivery in cage.broker.list(&path) {
            assert_eq!(delivery["status"], "delivered", "{status}: {delivery}");
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    cage.close(asked);
}
