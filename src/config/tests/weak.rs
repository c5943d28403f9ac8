//! What is good enough to start, and should be better: warned about, not refused.

use super::*;

fn warnings(text: &str) -> Vec<String> {
    let config = parsed(text).unwrap();
    config.warnings.iter().map(ToString::to_string).collect()
}

fn endpoint(lines: &str) -> String {
    format!("[[endpoint]]\nname = \"e\"\n{lines}\n")
}

#[test]
fn a_token_that_others_could_guess_is_warned_about_where_others_can_try() {
    let at = |listen: &str, name: &str| {
        let env = |_: &str| Some(name.to_owned());
        let text = format!("[server]\nadmin_token = \"env:T\"\nlisten = \"{listen}\"\n");
        let config = parse(&text, Path::new("f.toml"), &env, &policies()).unwrap();
        config
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let told = at("0.0.0.0:7070", "x");
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("f.toml:2: admin_token has fewer than 16 characters"),
        "{told:?}"
    );
    assert_eq!(at("127.0.0.1:7070", "x"), [""; 0]);
    assert_eq!(at("0.0.0.0:7070", "0123456789abcdef"), [""; 0]);
}

#[test]
fn a_signing_key_that_is_short_or_missing_is_warned_about_without_being_shown() {
    let far = "url = \"https://crm.example/hook\"\npolicy = \"standard\"";
    let short = "eHg=";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("whsec_{short}")).unwrap();
    let key = format!("signing_key = \"file:{}\"", file.path().display());
    let told = warnings(&endpoint(&format!("{far}\n{key}")));
    assert_eq!(told.len(), 1, "{told:?}");
    let expected = "redeliver.toml:5: signing_key of endpoint \"e\" has 2 bytes";
    assert!(
        told[0].starts_with(expected) && !told[0].contains(short),
        "{told:?}"
    );
    std::fs::write(file.path(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    assert_eq!(warnings(&endpoint(&format!("{far}\n{key}"))), [""; 0]);

    let told = warnings(&endpoint(far));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("redeliver.toml:1: endpoint \"e\" has neither signing_key"),
        "{told:?}"
    );
    for fine in [
        far.replace("https://crm.example", "http://127.0.0.1:9000"),
        format!("{far}\nbasic_auth = {{ user = \"u\", password = \"env:P\" }}"),
        format!("{far}\nheaders = {{ Authorization = \"Bearer x\" }}"),
    ] {
        assert_eq!(warnings(&endpoint(&fine)), [""; 0], "{fine}");
    }
}
