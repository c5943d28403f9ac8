//! Each mistake beside what is said about it, so that messages are read when they change.

use super::parsed;

const ENDPOINT: &str = "[[endpoint]]\nname = \"e\"\nurl = \"https://h/\"\npolicy = \"hotjar\"\n";
const IN_ORDER: &str = "[[endpoint]]\nname = \"e\"\nurl = \"https://h/\"\npolicy = \"esputnik\"\n";
const HOTJAR: &str = "[[source]]\nname = \"s\"\nkind = \"hotjar\"\nkey = \"env:K\"\n";
const POLICY: &str = "[policy.p]\nschedule = [\"1s\"]\n";
const WEBSITE: &str =
    "[[website]]\nid = \"w\"\ntracking_code = \"t\"\ndomain = \"d\"\nsources = [\"api\"]\n";

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
fn of_syntax() {
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
fn of_shape() {
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
fn of_the_server_and_its_limits() {
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
                "port = 1",
                "2: unknown key \"port\" in [server]; use one of \"listen\", \"data_dir\", \"admin_token\", \"allow_addresses\"",
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

#[test]
fn of_endpoints() {
    check(
        "",
        &[
            (
                "[[endpoint]]",
                "1: [[endpoint]] has no name; give it one\n1: [[endpoint]] has no policy; use one of \"esputnik\", \"hotjar\", \"standard\"\n1: [[endpoint]] has no url; give the receiver's address",
            ),
            (
                "[[endpoint]]\nname = \"a b\"\nurl = \"http://u:p@host/\"\npolicy = \"espytnik\"",
                "2: name \"a b\" is not 1 to 64 letters, digits, dots, dashes and underscores; choose another\n3: url \"http://…@host/\" carries credentials; move them to basic_auth\n4: policy \"espytnik\" is not known; did you mean \"esputnik\"?",
            ),
            (
                "[[endpoint]]\nname = 1\nurl = \"http://example.com\"\npolicy = \"hotjar\"",
                "2: name is an integer; write a text in quotation marks\n3: url \"http://example.com/\" is not https, which policy \"hotjar\" asks for; use https, or set allow_http = true if the network is trusted",
            ),
        ],
    );
    check(
        ENDPOINT,
        &[
            (
                "events = []",
                "5: events is empty and would match nothing; leave it out for all",
            ),
            (
                "events = \"*\"",
                "5: events is a text; write an array of texts such as [\"a\", \"b\"]",
            ),
            (
                "events = [\n\"a.*\",\n\"*.a\"]",
                "7: event \"*.a\" has a star in a place where none can stand; use \"*\", a prefix such as \"order.*\" or an exact type",
            ),
            (
                "concurrency = 0",
                "5: concurrency 0 is not within 1 to 512; choose another",
            ),
            (
                "timeout = \"11m\"",
                "5: timeout \"11m\" is longer than 10 minutes; give a shorter one",
            ),
            (
                "timeout = \"0s\"",
                "5: timeout \"0s\" is not above zero; give a longer time",
            ),
            (
                "timeout = 2.5",
                "5: timeout is a decimal number; write for example \"10s\"",
            ),
            (
                "basic_auth = { user = \"a:b\", password = \"env:P\" }",
                "5: user has a colon, which HTTP Basic cannot carry; choose another login",
            ),
            (
                "basic_auth = { user = \"u\", pasword = \"env:P\" }",
                "5: unknown key \"pasword\" in basic_auth; did you mean \"password\"?",
            ),
            (
                "[endpoint.headers]\nX-A = \"1\"\nwebhook-id = \"1\"",
                "7: header \"webhook-id\" is set by redeliver itself; take it out",
            ),
            (
                "headers = { X-Key = \"env:K\" }",
                "5: headers take no env: or file: references; use basic_auth or signing_key for secrets",
            ),
            (
                "headers = { X-Key = 1 }",
                "5: X-Key is an integer; write a text in quotation marks",
            ),
            (
                "headers = { Authorization = \"x\" }\nbasic_auth = { user = \"u\", password = \"env:P\" }",
                "5: header \"Authorization\" clashes with basic_auth; keep one of the two",
            ),
            (
                "signature_encoding = \"utf8\"",
                "5: signature_encoding \"utf8\" is not known; use one of \"hex\", \"base64\"",
            ),
            (
                "timestamp_mode = \"never\"",
                "5: timestamp_mode \"never\" is not known; use one of \"per_attempt\", \"fixed\"",
            ),
            (
                "check = \"on\"",
                "5: check \"on\" is not known; did you mean \"off\"?",
            ),
            (
                "check = 200",
                "5: check is an integer; write a text in quotation marks",
            ),
            (
                "ca_file = \"/nowhere\"",
                "5: ca_file: file \"/nowhere\" cannot be read: No such file or directory (os error 2); mend the path or its permissions",
            ),
            (
                "allow_http = \"yes\"",
                "5: allow_http is a text; write true or false",
            ),
        ],
    );
    check(
        IN_ORDER,
        &[(
            "concurrency = 2",
            "5: concurrency 2 cannot keep an order; leave it out, or choose a policy whose order is \"independent\"",
        )],
    );
}

#[test]
fn of_policies() {
    check(
        "",
        &[
            (
                "[policy.hotjar]\nschedule = [\"1s\"]",
                "1: policy \"hotjar\" is built in and cannot be changed; choose another name",
            ),
            (
                "[policy.\"a b\"]\nschedule = [\"1s\"]",
                "1: policy name \"a b\" is not 1 to 64 letters, digits, dots, dashes and underscores; choose another",
            ),
            (
                "[policy.p]",
                "1: [policy.p] has neither schedule nor backoff; add for example schedule = [\"1s\", \"10s\", \"1m\"]",
            ),
            (
                "[policy.p]\nschedule = []",
                "2: schedule has 0 steps; give 1 to 1000, or use backoff",
            ),
            (
                "[policy.p]\nschedule = [\"1s\", 10]",
                "2: schedule 10 has no unit; write for example \"10s\"",
            ),
            (
                "[policy.p]\nbackoff = { first = \"2h\", max = \"1h\", factor = 0 }",
                "2: factor 0 is not within 1 to 1000; choose another\n2: backoff has a max below its first delay; raise max or lower first",
            ),
            (
                "[policy.p]\nbackoff = { firts = \"1s\", max = \"1h\" }",
                "2: unknown key \"firts\" in backoff; did you mean \"first\"?",
            ),
        ],
    );
    check(
        POLICY,
        &[
            (
                "backoff = { first = \"1s\", max = \"1m\" }",
                "3: [policy.p] has both schedule and backoff; keep one of the two",
            ),
            (
                "give_up_after = 0",
                "3: give_up_after 0 is not within 1 to 1000000; choose another",
            ),
            (
                "give_up_after = \"8\"",
                "3: give_up_after is a text; write a number of attempts, or \"never\"",
            ),
            (
                "jitter = 1.5",
                "3: jitter 1.5 is not within 0.0 to 1.0; choose another",
            ),
            (
                "jitter = nan",
                "3: jitter nan is not within 0.0 to 1.0; choose another",
            ),
            (
                "success = \"201\"",
                "3: success \"201\" is not known; did you mean \"200\"?",
            ),
            (
                "order = \"inorder\"",
                "3: order \"inorder\" is not known; did you mean \"in-order\"?",
            ),
            (
                "on_410 = \"drop\"",
                "3: on_410 \"drop\" is not known; use one of \"retry\", \"remove\", \"pause\"",
            ),
            (
                "timeout = \"1h\"",
                "3: timeout \"1h\" is longer than 10 minutes; give a shorter one",
            ),
            (
                "order = 1\n[[endpoint]]\nname = \"e\"\nurl = \"https://h/\"\npolicy = \"p\"",
                "3: order is an integer; write a text in quotation marks",
            ),
        ],
    );
}

#[test]
fn of_sources_and_websites() {
    check(
        "",
        &[
            (
                "[[source]]\nkind = \"raw\"",
                "1: [[source]] has no name; add name = …",
            ),
            (
                "[[source]]\nname = \"api\"\nkind = \"raw\"",
                "2: source \"api\" is redeliver's own; choose another name",
            ),
            (
                "[[source]]\nname = \"s\"",
                "1: [[source]] has no kind; use one of \"zebline\", \"hotjar\", \"esputnik\", \"standard\", \"cloudevents\", \"raw\", \"zenovay\"",
            ),
            (
                "[[source]]\nname = \"s\"\nkind = \"zebline\"",
                "1: [[source]] has no license; add license = …\n1: [[source]] has no access_token; add access_token = \"env:NAME\" or \"file:PATH\"",
            ),
            (
                "[[source]]\nname = \"s\"\nkind = \"standard\"",
                "1: [[source]] has no key; add key = \"env:NAME\" or \"file:PATH\"",
            ),
            (
                "[[source]]\nname = \"s\"\nkind = \"zenovay\"",
                "1: [[source]] has no url; add url = …",
            ),
            (
                "[[source]]\nname = \"s\"\nkind = \"zebline\"\nlicense = \"a/b\"\naccess_token = \"env:T\"",
                "4: license is not 1 to 64 letters, digits, dots, dashes and underscores; it is part of the path",
            ),
        ],
    );
    check(
        HOTJAR,
        &[
            (
                "license = \"x\"",
                "5: license does not belong to a source of kind \"hotjar\"; take it out (its keys are key, key_encoding, signature_encoding)",
            ),
            (
                "key_encoding = \"hex\"",
                "4: key is not hex, which key_encoding says; mend the key, or leave key_encoding out to use the text as it is",
            ),
            (
                "signature_encoding = \"utf8\"",
                "5: signature_encoding \"utf8\" is for keys only; use \"hex\" or \"base64\"",
            ),
            (
                "[[source]]\nname = \"s\"\nkind = \"raw\"",
                "5: source \"s\" is defined twice, first at line 1; give each a name of its own",
            ),
        ],
    );
    let zebline =
        "[[source]]\nname = \"a\"\nkind = \"zebline\"\nlicense = \"l\"\naccess_token = \"env:T\"\n";
    check(
        zebline,
        &[
            (
                "[[source]]\nname = \"b\"\nkind = \"zebline\"\nlicense = \"l\"\naccess_token = \"env:T\"",
                "6: license \"l\" is defined twice, first at line 1; give each a license of its own",
            ),
            (
                "[[website]]\nid = \"a/b\"\ntracking_code = \"t\"\ndomain = \"d\"\nsources = [\"A\"]",
                "7: id \"a/b\" is not 1 to 64 letters, digits, dashes and underscores; it is part of a path\n10: source \"A\" is not defined; did you mean \"a\"?",
            ),
        ],
    );
    check(
        WEBSITE,
        &[
            (
                "api_keys = [1]",
                "6: api_keys is not a text; write \"env:NAME\" or \"file:PATH\"",
            ),
            (
                "[[website]]\nid = \"w\"\ntracking_code = \"t\"\ndomain = \"d\"\nsources = [\"api\"]",
                "6: website \"w\" is defined twice, first at line 1; give each a id of its own\n6: tracking_code \"t\" is defined twice, first at line 1; give each a tracking_code of its own",
            ),
        ],
    );
}
