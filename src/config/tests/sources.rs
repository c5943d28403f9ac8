//! What sources may say, and what holds where they do not.

use std::time::Duration;

use super::parsed;

#[test]
fn hot_35_a_signed_source_takes_five_minutes_unless_the_file_says_otherwise() {
    for (kind, said, expected) in [
        ("hotjar", "", Some(300)),
        ("standard", "", Some(300)),
        ("hotjar", "max_age = \"1h\"", Some(3600)),
        ("standard", "max_age = \"off\"", None),
    ] {
        let source = format!("[[source]]\nname = \"s\"\nkind = \"{kind}\"\nkey = \"env:K\"\n");
        let config = parsed(&(source + said)).unwrap();
        let expected = expected.map(Duration::from_secs);
        assert_eq!(config.sources[0].max_age, expected, "{kind} {said}");
    }
    let source = "[[source]]\nname = \"s\"\nkind = \"esputnik\"\n";
    assert!(!parsed(source).unwrap().sources[0].split);
    let split = parsed(&format!("{source}split = true")).unwrap();
    assert!(split.sources[0].split);
}
