//! What is read from a query, and what is refused.

use super::*;

#[test]
fn of_very_many_mistakes_the_first_hundred_are_told() {
    let query: String = (0..10_000).map(|i| format!("x{i}&")).collect();
    let mut params = Params::read(Some(&query), &["state"]);
    params.add("state", "one more");
    assert_eq!(params.check().unwrap_err().errors.len(), ERRORS_MAX);
    let query = format!("state={}", "b,".repeat(10_000));
    let mut params = Params::read(Some(&query), &["state"]);
    assert!(params.choices("state", &[("a", 1)]).is_empty());
    assert_eq!(params.check().unwrap_err().errors.len(), ERRORS_MAX);
}

#[test]
fn a_comma_with_nothing_beside_it_is_no_choice() {
    for (query, is_right) in [
        ("state=", false),
        ("state=a", true),
        ("state=,", false),
        ("state=a,", false),
    ] {
        let mut params = Params::read(Some(query), &["state"]);
        params.choices("state", &[("a", 1)]);
        assert_eq!(params.check().is_ok(), is_right, "{query}");
    }
}

#[test]
fn types_have_two_names_and_are_told_once() {
    for (query, patterns) in [
        ("type=a,%20b.*", Some(2)),
        ("types=a", Some(1)),
        ("type=a&types=a", None),
        ("type=a,", None),
        ("types=%20", None),
    ] {
        for known in TYPE {
            let mut params = Params::read(Some(query), &[known]);
            let found = params.types().map(|filter| filter.patterns.len());
            let found = params.check().ok().and(found);
            assert_eq!(found, patterns, "{query}");
        }
    }
    let query = Params::read(Some("types=a"), &["state"]);
    assert!(query.check().is_err());
}

#[test]
fn a_query_is_told_from_others_by_what_it_asks_for() {
    let known = ["a", "b", "type", "cursor", "limit", "since"];
    let digest = |query| Params::read(Some(query), &known).digest();
    assert_eq!(
        digest("a=1&b=2"),
        digest("b=2&a=1&limit=7&cursor=x&since=y")
    );
    assert_eq!(digest("type=x"), digest("types=x"));
    for other in ["a=2&b=1", "a=1", "a=1&b=22", "a=12&b=", ""] {
        assert_ne!(digest("a=1&b=2"), digest(other), "{other}");
    }
}

#[test]
fn a_plus_that_was_lost_is_told_how_to_write() {
    let told = |query| {
        let mut params = Params::read(Some(query), &["since"]);
        params.time("since");
        params.check().map_err(|problem| problem.detail)
    };
    let lost = told("since=2026-01-31T09:30:00+01:00").unwrap_err();
    assert!(lost.ends_with("write + as %2B"), "{lost}");
    assert!(told("since=2026-01-31T09:30:00%2B01:00").is_ok());
    assert!(!told("since=a+b").unwrap_err().contains("%2B"));
}

#[test]
fn every_wrong_parameter_is_named_at_once() {
    let mut params = Params::read(
        Some("limt=5&since=now&limit=0&limit=1&state=a,b"),
        &["limit", "since", "state"],
    );
    assert_eq!(params.time("since"), None);
    assert_eq!(params.value::<usize>("limit", "above 0", |n| *n > 0), None);
    assert_eq!(params.choices("state", &[("a", 1), ("c", 2)]), [1]);
    let errors = params.check().unwrap_err().errors;
    let places: Vec<_> = errors.iter().map(|error| error.at.as_str()).collect();
    assert_eq!(places, ["?limt", "?limit", "?since", "?limit", "?state"]);
    assert_eq!(
        errors[0].detail,
        "unknown parameter \"limt\"; did you mean \"limit\"?"
    );
}
