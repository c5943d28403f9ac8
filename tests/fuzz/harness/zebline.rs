//! Zebline's events: what is kept of any body is what may be kept, and says the same again.

use std::collections::BTreeSet;

use redeliver::inbound::zebline::document::Document;
use redeliver::inbound::zebline::stored::Stored;
use redeliver::vendor::zebline::attributes::{Fault, PER_TYPE_MAX, judge};
use redeliver::vendor::zebline::{NAME_MAX_CHARS, VISITOR_MAX_CHARS};

/// The first byte says whether faults of strict mode count and whether times may be numbers; the
/// rest is the body.
pub fn run(input: &[u8]) {
    let Some((how, body)) = input.split_first() else {
        return;
    };
    let (strict, unix_time) = (how & 1 == 1, how & 2 == 2);
    let Ok(document) = Document::read(body, unix_time) else {
        return;
    };
    let length = document.name.chars().count();
    assert!((1..=NAME_MAX_CHARS).contains(&length));
    let length = document.visitor.chars().count();
    assert!((1..=VISITOR_MAX_CHARS).contains(&length));
    let faults = faults(&document, strict);
    let kept = document.without(&faults).unwrap();
    let again = Document::read(&kept, unix_time).expect("it was taken before");
    assert_eq!(
        (&again.name, &again.visitor),
        (&document.name, &document.visitor)
    );
    assert_eq!(again.time, document.time);
    assert_eq!(
        again.attributes.len(),
        document.attributes.len() - faults.len()
    );
    assert!(
        self::faults(&again, strict).is_empty(),
        "nothing more to drop"
    );
    let kept_values = again.attributes.iter();
    for (name, value) in kept_values {
        let is_same = |(other, sent): &(_, &serde_json::value::RawValue)| {
            other == name && sent.get() == value.get()
        };
        assert!(document.attributes.iter().any(is_same), "as it was sent");
    }
    // What it says of drops is ours alone.
    let stored = Stored::read(&kept).expect("it is an event");
    assert_eq!(stored.dropped.len(), faults.len());
    assert_eq!(again.claims_drops(), !faults.is_empty());
}

fn faults(document: &Document<'_>, strict: bool) -> Vec<(usize, Fault)> {
    let each = document.attributes.iter();
    let each = each.map(|(name, value)| (&**name, *value));
    let judged = judge(each, |_| None, strict);
    let mut names = BTreeSet::new();
    let kept = judged.iter().zip(&document.attributes);
    let kept = kept.filter(|(judged, _)| judged.is_ok());
    let mut count = 0;
    for (_, (name, _)) in kept {
        assert!(names.insert(name), "a name is kept once");
        count += 1;
    }
    assert!(count <= 6 * PER_TYPE_MAX);
    let faults = judged.into_iter().enumerate();
    faults
        .filter_map(|(at, judged)| Some((at, judged.err()?)))
        .collect()
}
