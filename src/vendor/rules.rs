//! Which of the vendor's rules a delivery stands under, by its number.

use std::time::Duration;

use super::{esputnik, hotjar, standard};
use crate::delivery::Status;
use crate::duration::format_duration;

/// The rule for a delivery in this state under the policy called `policy`, which failed so many
/// times in a row, and leaves again `delay` after the last of these. None where no rule has put
/// it there.
pub fn rule(
    policy: &str,
    status: Status,
    failures: u32,
    delay: Option<Duration>,
) -> Option<String> {
    let delay = delay.map_or_else(|| "a while".to_owned(), format_duration);
    let after = match failures {
        0 | 1 => "the first attempt's failure".to_owned(),
        retry => format!("retry {}'s failure", retry - 1),
    };
    let retry = format!("retry {failures} leaves {delay} after {after}");
    match policy {
        hotjar::NAME => hotjars(status, failures, &retry),
        esputnik::NAME => esputniks(status, &retry),
        standard::NAME => standards(status, &retry),
        own => match status {
            Status::Waiting => Some(format!("policy {own}: {retry}")),
            _ => None,
        },
    }
}

fn hotjars(status: Status, failures: u32, retry: &str) -> Option<String> {
    let rule = match status {
        Status::Pending => "HOT-10, HOT-12: it goes as soon as possible, and waits for no other",
        Status::InFlight => "HOT-15: no answer within 10 s is a failure",
        Status::Delivered => "HOT-16, HOT-27: any 2xx is a success and ends the retries",
        Status::Dead => "HOT-20, HOT-26: after 7 requests the event is given up",
        Status::Removed => "HOT-28, HOT-29: a 410 at any attempt removes the webhook",
        Status::Filtered => return None,
        // HOT-21 is the first retry, HOT-26 the last.
        Status::Waiting => return Some(format!("HOT-{}: {retry}", 20 + failures.clamp(1, 6))),
    };
    Some(rule.to_owned())
}

fn esputniks(status: Status, retry: &str) -> Option<String> {
    let rule = match status {
        Status::Pending => "ESP-16, ESP-17: it waits until those before it are delivered",
        Status::InFlight => "ESP-12: anything but a 200 is a failure, and so is no answer",
        Status::Delivered => "ESP-12: 200 is a success, and nothing else",
        Status::Waiting => {
            return Some(format!(
                "ESP-13, ESP-14 (A-01): {retry}; ESP-16: later ones wait for it"
            ));
        }
        Status::Filtered => "ESP-06: what is not selected is not sent",
        Status::Dead | Status::Removed => return None,
    };
    Some(rule.to_owned())
}

fn standards(status: Status, retry: &str) -> Option<String> {
    let rule = match status {
        Status::InFlight => "X-21: no answer within 20 s is a failure",
        Status::Delivered => "X-21: any 2xx is a success",
        Status::Dead => "X-21: after 10 attempts the event is given up",
        Status::Waiting => return Some(format!("X-21: {retry}")),
        Status::Pending | Status::Removed | Status::Filtered => return None,
    };
    Some(rule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_hotjars_retries_has_the_number_of_its_rule() {
        let policy = hotjar::policy();
        for (failures, expected) in [
            (
                1,
                "HOT-21: retry 1 leaves 30s after the first attempt's failure",
            ),
            (2, "HOT-22: retry 2 leaves 1m after retry 1's failure"),
            (6, "HOT-26: retry 6 leaves 20m after retry 5's failure"),
        ] {
            let delay = Some(policy.schedule.delay(failures));
            let told = rule(hotjar::NAME, Status::Waiting, failures, delay);
            assert_eq!(told.as_deref(), Some(expected));
        }
        let told = rule(
            esputnik::NAME,
            Status::Waiting,
            2,
            Some(Duration::from_secs(120)),
        );
        assert!(
            told.unwrap()
                .starts_with("ESP-13, ESP-14 (A-01): retry 2 leaves 2m after")
        );
        assert_eq!(rule("mine", Status::Delivered, 0, None), None);
    }
}
