//! What every event that was read must be, in whichever form it came.

use redeliver::event::Form;
use redeliver::inbound::problem::Problem;
use redeliver::inbound::read::Read;

/// A type of 1 to 255 characters, a subject of 1 to 1024, a body that is JSON where it says so.
pub fn are_in_order(read: &Read) {
    let count = read.kind.chars().count();
    assert!((1..=255).contains(&count), "{read:?}");
    assert!(!read.kind.chars().any(char::is_control), "{read:?}");
    if let Some(subject) = &read.subject {
        assert!((1..=1024).contains(&subject.chars().count()), "{read:?}");
    }
    match read.form {
        Form::Data => {
            assert_eq!(read.content_type, None);
            let json = std::str::from_utf8(&read.body).unwrap();
            serde_json::from_str::<serde::de::IgnoredAny>(json).unwrap();
            assert_eq!(json.trim(), json, "nothing around the value");
        }
        Form::Relayed => assert_eq!(read.status, None),
    }
    // What a filter is matched against is what a reader of the whole value would find.
    if let (Form::Data, Ok(value)) = (
        read.form,
        serde_json::from_slice::<serde_json::Value>(&read.body),
    ) {
        let activity = match &value {
            serde_json::Value::Array(all) => all.first(),
            one => Some(one),
        };
        let status = activity.and_then(|activity| activity.get("activityStatus"));
        if let (Some(found), Some(status)) = (&read.status, status) {
            assert_eq!(Some(&**found), status.as_str(), "{value}");
        }
        if read.status.is_some() {
            assert!(status.is_some(), "{value}");
        }
    }
}

/// A refusal says what is wrong, each mistake at its place and on one line.
pub fn is_told(problem: &Problem) {
    assert!(problem.status.is_client_error(), "{problem:?}");
    assert!(is_one_line(&problem.detail), "{problem:?}");
    assert_eq!(problem.status.as_u16() == 422, !problem.errors.is_empty());
    for error in &problem.errors {
        assert!(is_one_line(&error.detail), "{problem:?}");
    }
}

fn is_one_line(text: &str) -> bool {
    !text.is_empty() && text.len() < 1000 && !text.chars().any(char::is_control)
}
