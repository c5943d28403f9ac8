//! How one delivery is printed: where it stands and why, its attempts, its signature.

use serde_json::Value;

use crate::cli::Failure;
use crate::cli::output::{self, NOTHING, text};

/// Prints one delivery with its attempts, or whatever else it is member by member.
pub fn page(delivery: &Value) -> Result<(), Failure> {
    if delivery["attempts"].is_null() {
        return output::members(delivery, &[]);
    }
    let cell = |key| text(delivery, key);
    let mut pairs = vec![
        ("delivery", cell("id")),
        (
            "event",
            format!("{} (seq {})", cell("event_id"), cell("seq")),
        ),
        ("endpoint", cell("endpoint")),
        ("status", cell("status")),
        ("why", cell("explanation")),
    ];
    if !delivery["rule"].is_null() {
        pairs.push(("rule", cell("rule")));
    }
    let clock = &delivery["clock"];
    if clock.is_object() {
        let told = format!("{} ({})", text(clock, "now"), text(clock, "kind"));
        pairs.push(("clock", told));
    }
    if !delivery["next_attempt_at"].is_null() {
        pairs.push(("next", cell("next_attempt_at")));
    }
    pairs.push(("attempts", cell("attempt_count")));
    output::pairs_of(&pairs)?;
    for attempt in delivery["attempts"].as_array().into_iter().flatten() {
        for line in attempt_lines(attempt) {
            output::line(&line)?;
        }
    }
    for given_up in delivery["given_up"].as_array().into_iter().flatten() {
        output::line(&given_up_line(given_up))?;
    }
    let signing = &delivery["signing"];
    if signing.is_object() {
        output::line(&format!(
            "signature of attempt {}",
            text(signing, "attempt")
        ))?;
        output::pairs_of(&signature(signing))?;
    }
    Ok(())
}

fn attempt_lines(attempt: &Value) -> Vec<String> {
    let cell = |key| text(attempt, key);
    let back = match cell("error") {
        error if error == NOTHING => cell("status"),
        error => error,
    };
    let mut lines = vec![format!(
        "  #{}  {}  {back}  {} ms",
        cell("number"),
        cell("started_at"),
        cell("duration_ms"),
    )];
    let faults = attempt["faults"].as_array().into_iter().flatten();
    let faults: Vec<_> = faults
        .filter_map(Value::as_str)
        .map(output::clean)
        .collect();
    if !faults.is_empty() {
        lines.push(format!("      faults on demand: {}", faults.join(", ")));
    }
    let excerpt: String = cell("response_excerpt").chars().take(200).collect();
    if excerpt != NOTHING && !excerpt.is_empty() {
        lines.push(format!("      {excerpt}"));
    }
    lines
}

fn given_up_line(given_up: &Value) -> String {
    let (at, reason) = (text(given_up, "at"), text(given_up, "reason"));
    format!("  given up  {at}  {reason}")
}

/// What the signature is made of, two spaces in.
fn signature(signing: &Value) -> Vec<(&'static str, String)> {
    let cell = |key| text(signing, key);
    let mut pairs = vec![
        ("  header", cell("header")),
        (
            "  made by",
            format!("{} over {}", cell("algorithm"), cell("over")),
        ),
        (
            "  encoding",
            format!(
                "key {}, signature {}",
                cell("key_encoding"),
                cell("signature_encoding")
            ),
        ),
        ("  timestamp", cell("timestamp")),
    ];
    for (name, key) in [
        ("  base", "base_string"),
        ("  base begins", "base_string_begins"),
        ("  base (base64)", "base_string_base64"),
    ] {
        if !signing[key].is_null() {
            pairs.push((name, cell(key)));
        }
    }
    pairs.push(("  bytes", cell("base_string_bytes")));
    let value = match signing["value"].is_null() {
        true => "none: the endpoint has no signing key".to_owned(),
        false => cell("value"),
    };
    pairs.push(("  signature", value));
    pairs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attempt_shows_time_result_duration_faults_and_excerpt() {
        let attempt = json!({"number": 2, "started_at": "2026-01-31T09:30:00.000Z", "status": 500,
            "error": null, "duration_ms": 12, "response_excerpt": "no\u{1b}[2J\nway",
            "faults": ["delay", "duplicate"]});
        assert_eq!(
            attempt_lines(&attempt),
            [
                "  #2  2026-01-31T09:30:00.000Z  500  12 ms",
                "      faults on demand: delay, duplicate",
                "      no[2J way"
            ]
        );
    }

    #[test]
    fn a_signature_shows_what_it_is_made_of() {
        let signing = json!({"attempt": 1, "header": "webhook-signature", "value": null,
            "algorithm": "HMAC-SHA256", "over": "webhook-id.webhook-timestamp.body",
            "base_string": "evt_1.17.{}", "base_string_bytes": 11, "key_encoding": "base64",
            "signature_encoding": "base64", "timestamp": "17 in webhook-timestamp"});
        let pairs = signature(&signing);
        assert_eq!(
            pairs[1].1,
            "HMAC-SHA256 over webhook-id.webhook-timestamp.body"
        );
        assert_eq!(pairs[4], ("  base", "evt_1.17.{}".to_owned()));
        assert_eq!(pairs[6].1, "none: the endpoint has no signing key");
    }
}
