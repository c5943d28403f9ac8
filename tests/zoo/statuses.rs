//! An animal for every status from 100 to 599.

use crate::animal::{Animal, Ends};
use crate::cage;

fn says(status: u16) -> Animal {
    let name: &'static str = format!("says_{status}").leak();
    let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\nok");
    match status {
        // The answer to an upgrade that nobody asked for is final.
        101 => Animal::saying(name, Ends::Answered(101), answer),
        // All others below 200 announce an answer, which does not come.
        100..=199 => {
            let closed = "the receiver closed the connection while waiting for the answer";
            let interim = format!("HTTP/1.1 {status} Said\r\n\r\n");
            Animal::saying_last(name, Ends::Failed(closed), interim)
        }
        _ => Animal::saying(name, Ends::Answered(status), answer),
    }
}

#[test]
fn every_status_counts_as_each_contract_says() {
    cage::visit((100..=599).map(says).collect());
}
