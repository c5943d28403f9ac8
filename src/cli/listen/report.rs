//! One line, or one JSON object, for each request. Pure.

use serde_json::json;

use crate::clock::Timestamp;

use super::check::Verdict;
use crate::words::steers;

/// Longest piece of a stranger's text in a line.
const LONGEST: usize = 200;
/// Longest verdict: with the mistake that explains it.
const LONGEST_VERDICT: usize = 500;
/// Longest body that is shown.
const LONGEST_BODY: usize = 64 * 1024;

/// What is said about one request.
#[derive(Clone, Debug)]
pub struct Report {
    /// When it came.
    pub at: Timestamp,
    /// Its method.
    pub method: String,
    /// Its path, with the query.
    pub path: String,
    /// The status answered; none where nothing is answered.
    pub status: Option<u16>,
    /// The header `redeliver-event-id`, or `webhook-id`.
    pub event_id: String,
    /// The header `redeliver-attempt`.
    pub attempt: String,
    /// What became of the signature.
    pub verdict: Verdict,
    /// Bytes of body.
    pub size: usize,
    /// The body, if it is to be shown.
    pub body: Option<String>,
}

impl Report {
    /// The line for a person.
    pub fn line(&self) -> String {
        let status = self
            .status
            .map_or("hang".to_owned(), |status| status.to_string());
        let or_dash = |text: &str| match text {
            "" => "-".to_owned(),
            text => clean(text, LONGEST),
        };
        let mut line = format!(
            "{} {} {} {status} {} attempt {} {} bytes, signature {}",
            self.at,
            clean(&self.method, LONGEST),
            clean(&self.path, LONGEST),
            or_dash(&self.event_id),
            or_dash(&self.attempt),
            self.size,
            clean(&self.verdict.text(), LONGEST_VERDICT),
        );
        for body_line in self.body.iter().flat_map(|body| body.lines()) {
            line.push_str("\n    ");
            line.push_str(&clean(body_line, LONGEST_BODY));
        }
        line
    }

    /// The object for a machine.
    pub fn json(&self) -> String {
        let or_null = |text: &str| (!text.is_empty()).then(|| clean(text, LONGEST));
        let mut object = json!({
            "at": self.at,
            "method": clean(&self.method, LONGEST),
            "path": clean(&self.path, LONGEST),
            "status": self.status,
            "event_id": or_null(&self.event_id),
            "attempt": self.attempt.parse::<u32>().ok(),
            "signature": self.verdict.word(),
            "detail": clean(&self.verdict.text(), LONGEST_VERDICT),
            "size": self.size,
        });
        if let Some(body) = &self.body {
            object["body"] = body.chars().take(LONGEST_BODY).collect::<String>().into();
        }
        escaped(&object.to_string())
    }
}

/// JSON escapes no control characters above 0x1f, yet a terminal may obey them; in JSON text they
/// can only stand inside strings, where an escape means the same.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() || steers(c) {
            // All of them are in the basic plane.
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// `text` without what could forge a line or steer a terminal, cut to `most` characters.
pub fn clean(text: &str, most: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(most));
    for (count, c) in text.chars().enumerate() {
        if count == most {
            clean.push('…');
            break;
        }
        match c {
            c if steers(c) => {}
            c if c.is_control() => clean.extend(c.escape_default()),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(path: &str, event_id: &str) -> Report {
        Report {
            at: Timestamp::from_millis(1_700_000_000_000),
            method: "POST".into(),
            path: path.into(),
            status: Some(500),
            event_id: event_id.into(),
            attempt: "2".into(),
            verdict: Verdict::Right("hotjar"),
            size: 83,
            body: None,
        }
    }

    #[test]
    fn a_request_is_one_line() {
        assert_eq!(
            report("/hook", "evt_1").line(),
            "2023-11-14T22:13:20.000Z POST /hook 500 evt_1 attempt 2 83 bytes, \
             signature hotjar right"
        );
    }

    #[test]
    fn a_stranger_can_neither_forge_a_line_nor_steer_the_terminal() {
        let hostile = "/\r\nPOST /ok 200\u{1b}[2J\u{9b}2J\u{2028}\u{202e}\u{7f}";
        let mut report = report(hostile, hostile);
        report.body = Some(hostile.into());
        let line = report.line();
        assert_eq!(
            line.lines().count(),
            3,
            "one line and two of the body: {line}"
        );
        assert!(line.lines().skip(1).all(|line| line.starts_with("    ")));
        assert!(
            line.replace('\n', "")
                .chars()
                .all(|c| !c.is_control() && c != '\u{202e}')
        );
        let json = report.json();
        assert!(
            json.chars().all(|c| !c.is_control() && !steers(c)),
            "{json}"
        );
        let object: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(object["body"], hostile);
        assert_eq!(clean(&"é".repeat(300), 200).chars().count(), 201);
    }

    #[test]
    fn the_object_has_null_for_what_was_not_sent() {
        let mut report = report("/", "");
        (report.status, report.attempt) = (None, "many".into());
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert!(json["status"].is_null() && json["event_id"].is_null());
        assert!(json["attempt"].is_null());
        assert_eq!(json["signature"], "right");
    }
}
