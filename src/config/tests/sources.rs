//! What sources may say, and what holds where they do not.

use std::time::Duration;

use super::parsed;

#[test]
fn hot_35_a_signed_source_takes_five_minutes_unless_the_file_says_otherwise() {
    for (kind, key, said, expected) in [
        ("hotjar", "env:K", "", Some(300)),
        ("standard", "whsec_AAAA", "", Some(300)),
        ("hotjar", "env:K", "max_age = \"1h\"", Some(3600)),
        ("standard", "whsec_AAAA", "max_age = \"off\"", None),
    ] {
        let source = format!("[[source]]\nname = \"s\"\nkind = \"{kind}\"\nkey = \"{key}\"\n");
        let config = parsed(&(source + said)).unwrap();
        let expected = expected.map(Duration::from_secs);
        assert_eq!(config.sources[0].max_age, expected, "{kind} {said}");
    }
    let source = "[[source]]\nname = \"s\"\nkind = \"esputnik\"\n";
    assert!(!parsed(source).unwrap().sources[0].split);
    let split = parsed(&format!("{source}split = true")).unwrap();
    assert!(split.sources[0].split);
}

#[test]
fn a_key_that_goes_over_the_network_unencrypted_is_warned_about() {
    let warnings = |lines: &str| {
        let source = format!("[[source]]\nname = \"s\"\nkind = \"zenovay\"\n{lines}");
        let config = parsed(&source).unwrap();
        config
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let keyed = "website_id = \"ws_1\"\napi_key = \"env:T\"";
    assert_eq!(
        warnings(&format!("url = \"http://api.example\"\n{keyed}")),
        ["redeliver.toml:4: url is http, so everybody on the way can read the api_key; use https"]
    );
    for fine in [
        format!("url = \"https://api.example\"\n{keyed}"),
        format!("url = \"http://127.0.0.1:7070\"\n{keyed}"),
        "url = \"http://api.example\"\ntracking_code = \"ZV_X\"".to_owned(),
    ] {
        assert_eq!(warnings(&fine), [""; 0], "{fine}");
    }
}
