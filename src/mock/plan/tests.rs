//! What `PUT /mocks/NAME` takes, and what it says of mistakes.

use super::*;

fn read(json: &str) -> Result<Plan, Vec<String>> {
    let read = Plan::read(serde_json::from_str(json).unwrap());
    read.map_err(|problem| {
        let errors = problem.errors.into_iter();
        errors
            .map(|error| format!("{}: {}", error.at, error.detail))
            .collect()
    })
}

#[test]
fn a_mock_is_read_with_a_manual_clock_unless_it_says_otherwise() {
    let plan = read(r#"{"vendor": "hotjar", "to": "http://127.0.0.1:9/", "signing_key": "k"}"#);
    let plan = plan.unwrap();
    assert_eq!((plan.vendor, plan.seed), (Profile::Hotjar, 0));
    assert_eq!(plan.settings.clock, ClockKind::Manual);
    assert_eq!(plan.settings.keep, Keep::InMemory);
    let about = Value::Object(plan.about()).to_string();
    assert!(
        about.contains(r#""has_key":true"#) && !about.contains(r#""k""#),
        "{about}"
    );
    let plan = read(
        r#"{"vendor": "esputnik", "to": "http://127.0.0.1:9/", "clock": "60x", "seed": 7,
            "timeout": "3s"}"#,
    );
    let plan = plan.unwrap();
    assert_eq!(
        (plan.settings.clock, plan.seed),
        (ClockKind::Scaled(60.0), 7)
    );
    assert_eq!(
        plan.receiver().timeout,
        Some(std::time::Duration::from_secs(3))
    );
}

#[test]
fn every_mistake_is_told_at_its_place_with_its_mend() {
    let told = |json| read(json).unwrap_err();
    assert_eq!(
        told("{}"),
        [
            "/vendor: vendor is missing; give one of hotjar, esputnik, standard",
            "/to: to is missing; give the receiver's URL",
        ]
    );
    assert_eq!(
        told(r#"{"vendor": "hotjr", "to": 1, "clock": "fast", "seed": -1, "tmeout": "1s"}"#),
        [
            "/tmeout: unknown field \"tmeout\"; did you mean \"timeout\"?",
            "/to: to is not a URL in quotation marks",
            "/vendor: vendor \"hotjr\" is not known; did you mean \"hotjar\"?",
            "/clock: clock is not right: write real, manual, or a factor with an x such as 60x",
            "/seed: seed is not a whole number from 0 on",
        ]
    );
    let errors = told(r#"{"vendor": "hotjar", "to": "ftp://x/", "url": "http://x/"}"#);
    assert!(
        errors[0].starts_with("/url: unknown field \"url\""),
        "{errors:?}"
    );
    // A wrong vendor hides nothing else.
    let errors = told(r#"{"vendor": "hotjr", "to": "ftp://x/", "timeout": "soon"}"#);
    for at in ["/vendor: ", "/to: ", "/timeout: "] {
        assert!(errors.iter().any(|e| e.starts_with(at)), "{errors:?}");
    }
    let errors = told(r#"{"vendor": "hotjar", "to": "ftp://x/"}"#);
    assert!(errors.iter().any(|e| e.starts_with("/to: ")), "{errors:?}");
    assert!(
        errors.iter().any(|e| e.starts_with("/signing_key: ")),
        "{errors:?}"
    );
}
