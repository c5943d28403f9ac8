//! When something is attempted next, as people read it: a time that has passed is no time to wait
//! for, and at a paused endpoint none has any meaning.

use serde_json::Value;

use super::client::{Answer, Client};
use super::moment;
use super::remote::Remote;
use crate::clock::Timestamp;

const NEXT: &str = "next_attempt_at";

/// The server's time, where people read an answer that has something due; else nobody has to ask.
pub async fn now(remote: &Remote, client: &mut Client, answer: &Answer) -> Option<Timestamp> {
    let answer = answer.json().ok().filter(|_| !remote.json)?;
    let one = std::slice::from_ref(&answer);
    let mut items = answer["data"].as_array().map_or(one, Vec::as_slice).iter();
    let is_due = items.any(|item| item[NEXT].is_string());
    match is_due {
        true => moment::now(client).await.ok(),
        false => None,
    }
}

/// The same answer, with words instead of times that tell nothing.
pub fn in_words(answer: &Value, now: Option<Timestamp>) -> Value {
    let mut answer = answer.clone();
    match answer["data"].as_array_mut() {
        Some(items) => items.iter_mut().for_each(|item| put(item, now)),
        None => put(&mut answer, now),
    }
    answer
}

fn put(item: &mut Value, now: Option<Timestamp>) {
    let Some(at) = item[NEXT].as_str() else {
        return;
    };
    let due = Timestamp::parse(at).ok().zip(now);
    if item["state"] == "paused" {
        item[NEXT] = "paused".into();
    } else if due.is_some_and(|(at, now)| at <= now) {
        item[NEXT] = "due".into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_due_or_paused_shows_no_time() {
        let now = Timestamp::parse("2026-01-31T09:30:00.000Z").unwrap();
        let later = "2026-01-31T09:30:00.001Z";
        let list = json!({ "data": [
            { NEXT: "2026-01-31T09:30:00.000Z" },
            { NEXT: later, "state": "active" },
            { NEXT: later, "state": "paused" },
            { NEXT: null, "state": "paused" },
        ]});
        let shown = in_words(&list, Some(now));
        let next: Vec<_> = shown["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item[NEXT])
            .collect();
        assert_eq!(
            next,
            [&json!("due"), &json!(later), &json!("paused"), &Value::Null]
        );
        assert_eq!(in_words(&list["data"][2], None)[NEXT], "paused");
    }
}
