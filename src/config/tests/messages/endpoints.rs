//! Mistakes in endpoints and policies.

use super::check;

const ENDPOINT: &str = "[[endpoint]]\nname = \"e\"\nurl = \"https://h/\"\npolicy = \"hotjar\"\n";
const IN_ORDER: &str = "[[endpoint]]\nname = \"e\"\nurl = \"https://h/\"\npolicy = \"esputnik\"\n";
const POLICY: &str = "[policy.p]\nschedule = [\"1s\"]\n";

#[test]
fn mistakes_of_endpoints_are_told_with_their_mend() {
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
                "5: check \"on\" is not known; use one of \"off\", \"2xx\", \"200\", \"lt400\"",
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
fn mistakes_of_policies_are_told_with_their_mend() {
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
