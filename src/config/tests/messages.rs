//! Each mistake beside what is said about it, so that messages are read when they change.

use super::parsed;

mod alerts;
mod endpoints;
mod sources;

/// What is said about `before` followed by `text`; the file's name is cut off.
fn said(before: &str, text: &str) -> String {
    let errors = parsed(&format!("{before}{text}")).expect_err(text);
    errors.to_string().replace("redeliver.toml:", "")
}

#[track_caller]
fn check(before: &str, table: &[(&str, &str)]) {
    if !before.is_empty() {
        parsed(before).expect("what comes before is right");
    }
    for (text, expected) in table {
        assert_eq!(said(before, text), *expected, "{before}{text}");
    }
}

#[test]
fn mistakes_of_syntax_are_told_with_their_mend() {
    check(
        "",
        &[
            (
                "[server]\nlisten = \"é\" x",
                "2:14: not valid TOML: unexpected key or value, expected newline, `#`",
            ),
            (
                "a = 1\na = 2\n[b",
                "2:1: key \"a\" is given twice; keep one of the two\n3:3: not valid TOML: unclosed table, expected `]`",
            ),
        ],
    );
}

#[test]
fn mistakes_of_retention_are_told_with_their_mend() {
    check(
        "[retention]\n",
        &[
            (
                "max_agee = \"1h\"",
                "2: unknown key \"max_agee\" in [retention]; did you mean \"max_age\"?",
            ),
            (
                "max_age = 30",
                "2: max_age 30 has no unit; write for example \"30s\"",
            ),
            (
                "max_age = \"10s\"",
                "2: max_age \"10s\" is shorter than 1m, the least; give a longer time",
            ),
            (
                "max_bytes = 1000",
                "2: max_bytes 1000 is not within 134217728 to 1125899906842624; choose another",
            ),
            (
                "max_age = \"30d\"\ndead_letters_max_age = \"7d\"",
                "3: dead_letters_max_age \"168h\" is shorter than max_age \"720h\", before which no event goes; raise it, or lower max_age",
            ),
            (
                "dead_letters_max_age = \"7d\"",
                "2: dead_letters_max_age does nothing without max_age or max_bytes, for events are kept for ever; add one of them",
            ),
        ],
    );
}

#[test]
fn mistakes_of_a_sources_retention_are_told_with_their_mend() {
    check(
        "[retention]\nmax_age = \"30d\"\nmax_bytes = 1000000000\n[[source]]\nname = \"shop\"\nkind = \"raw\"\n",
        &[
            (
                "[retention.sources.shopp]",
                "7: [retention.sources.shopp] is about source \"shopp\", which is not defined; did you mean \"shop\"?",
            ),
            (
                "[retention.sources.visits]",
                "7: [retention.sources.visits] is about source \"visits\", which is not defined; use one of \"shop\", \"api\", \"alerts\", \"redeliver\"",
            ),
            (
                "[retention.sources]\nshop = \"1h\"",
                "8: [retention.sources.shop] is a text; write a table",
            ),
            (
                "[retention.sources.shop]\nwaiting_max_age = \"1h\"",
                "8: unknown key \"waiting_max_age\" in [retention.sources.shop]; use one of \"max_age\", \"max_bytes\", \"dead_letters_max_age\"",
            ),
            (
                "[retention.sources.shop]\nmax_age = \"10s\"",
                "8: max_age \"10s\" is shorter than 1m, the least; give a longer time",
            ),
            (
                "[retention.sources.shop]\nmax_bytes = 1000",
                "8: max_bytes 1000 is not within 1048576 to 1125899906842624; choose another",
            ),
            (
                "[retention.sources.shop]\nmax_bytes = 2000000000",
                "8: max_bytes 2000000000 is more than max_bytes 1000000000 under [retention], which bounds the records of all sources; lower this one, or raise that one",
            ),
            (
                "[retention.sources.shop]\ndead_letters_max_age = \"7d\"",
                "8: dead_letters_max_age \"168h\" is shorter than max_age \"720h\", before which no event of this source goes; raise it, or lower max_age",
            ),
        ],
    );
}

#[test]
fn what_a_sources_table_does_not_say_is_taken_from_the_general_rule() {
    let text = "[retention]\nmax_age = \"30d\"\ndead_letters_max_age = \"90d\"\n[retention.sources.api]\nmax_age = \"1h\"\n[retention.sources.redeliver]\nmax_age = \"forever\"\nmax_bytes = 2000000\n[retention.sources.alerts]\ndead_letters_max_age = \"forever\"\n";
    let read = parsed(text).unwrap().retention;
    let day = std::time::Duration::from_secs(86_400);
    let rule = |name: &str| {
        let rule = read.sources[name];
        (rule.max_age, rule.max_bytes, rule.dead_letters_max_age)
    };
    assert_eq!(rule("api"), (Some(day / 24), None, Some(90 * day)));
    assert_eq!(rule("redeliver"), (None, Some(2_000_000), Some(90 * day)));
    assert_eq!(rule("alerts"), (Some(30 * day), None, None));
    assert_eq!(read.every(), Some(std::time::Duration::from_secs(60)));
    let of_one = parsed("[retention.sources.api]\nmax_age = \"16m\"").unwrap();
    assert_eq!(of_one.retention.max_age, None);
    assert_eq!(of_one.retention.every(), Some(day / 24 / 60));
}

#[test]
fn the_retention_of_the_operators_page_is_read_and_nothing_expires_without_any() {
    let page = include_str!("../../../docs/retention.md");
    let toml = page.split("```toml\n").nth(1).unwrap();
    let config = parsed(toml.split("```").next().unwrap()).unwrap();
    let day = std::time::Duration::from_secs(86_400);
    assert_eq!(config.retention.max_age, Some(30 * day));
    assert_eq!(config.retention.max_bytes, Some(20 << 30));
    assert_eq!(
        config.retention.every(),
        Some(std::time::Duration::from_secs(60))
    );
    assert_eq!(parsed("").unwrap().retention.every(), None);
}

#[test]
fn mistakes_of_shape_are_told_with_their_mend() {
    check(
        "",
        &[
            (
                "endpoints = 1",
                "1: unknown key \"endpoints\" in the file; did you mean \"endpoint\"?",
            ),
            (
                "[endpoint]\nname = \"e\"",
                "1: endpoint is not a list of tables; write [[endpoint]] above each",
            ),
            ("server = 1", "1: [server] is an integer; write a table"),
            (
                "[policy]\nmine = 1",
                "2: [policy.mine] is an integer; write a table",
            ),
            ("source = [1]", "1: [[source]] is an integer; write a table"),
        ],
    );
}

#[test]
fn mistakes_of_the_server_and_its_limits_are_told_with_their_mend() {
    check(
        "[server]\n",
        &[
            (
                "listen = \"localhost:7070\"",
                "2: listen \"localhost:7070\" is not an IP address with a port; write for example \"127.0.0.1:7070\"",
            ),
            (
                "listen = 7070",
                "2: listen is an integer; write a text in quotation marks",
            ),
            (
                "data_dir = \"\"",
                "2: data_dir is empty; name a directory, or leave it out for \"redeliver-data\"",
            ),
            (
                "allow_addresses = [\"10.0.0.0/8\", \"::1\", \"10.0.0.0/33\"]",
                "2: allow_addresses \"10.0.0.0/33\" is not an address range; write for example \"10.0.0.0/8\"",
            ),
            (
                "admin_token = \"\"",
                "2: admin_token is empty; write \"env:NAME\" or \"file:PATH\"",
            ),
            (
                "admin_token = \"env:\"",
                "2: admin_token has no variable name after env:; write \"env:NAME\" with letters, digits and underscores",
            ),
            (
                "admin_token = \"file:\"",
                "2: admin_token has no path after file:; write \"file:PATH\"",
            ),
            (
                "dashboard = \"off\"",
                "2: dashboard is a text; write true or false",
            ),
            (
                "port = 1",
                "2: unknown key \"port\" in [server]; use one of \"listen\", \"data_dir\", \"admin_token\", \"previous_admin_tokens\", \"dashboard\", \"allow_addresses\", \"master_key\", \"previous_master_keys\"",
            ),
        ],
    );
    check(
        "[limits]\n",
        &[
            (
                "max_body_bytes = 12",
                "2: max_body_bytes 12 is not within 1024 to 16777216; choose another",
            ),
            (
                "max_body_bytes = -1",
                "2: max_body_bytes -1 is not within 1024 to 16777216; choose another",
            ),
            (
                "max_body_bytes = \"1\"",
                "2: max_body_bytes is a text; write a whole number without quotation marks",
            ),
            (
                "max_body_bytes = 8_388_608",
                "2: max_body_bytes 8388608 is more than group_max_bytes 4194304; raise group_max_bytes or lower max_body_bytes",
            ),
            (
                "header_timeout = \"1h\"",
                "2: header_timeout \"1h\" is not within 1s to 5m; choose another",
            ),
            (
                "header_timeout = 10",
                "2: header_timeout 10 has no unit; write for example \"10s\"",
            ),
            (
                "max_connection = 1",
                "2: unknown key \"max_connection\" in [limits]; did you mean \"max_connections\"?",
            ),
            (
                "endpoints_max = 1\n[[endpoint]]\nname = \"a\"\nurl = \"https://h/\"\npolicy = \"hotjar\"\n[[endpoint]]\nname = \"b\"\nurl = \"https://h/\"\npolicy = \"hotjar\"\n",
                "7: there are 2 endpoints, more than endpoints_max 1; raise it under [limits]",
            ),
        ],
    );
}
