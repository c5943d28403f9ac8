//! Mistakes in sources and websites.

use super::check;

const HOTJAR: &str = "[[source]]\nname = \"s\"\nkind = \"hotjar\"\nkey = \"env:K\"\n";
const WEBSITE: &str =
    "[[website]]\nid = \"w\"\ntracking_code = \"t\"\ndomain = \"d\"\nsources = [\"api\"]\n";

#[test]
fn mistakes_of_sources_and_websites_are_told_with_their_mend() {
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
                "[[source]]\nname = \"s\"\nknd = \"raw\"\nlicence = \"l\"",
                "3: unknown key \"knd\" in [[source]]; did you mean \"kind\"?\n4: unknown key \"licence\" in [[source]]; did you mean \"license\"?",
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
                "1: [[source]] has no url; add url = …\n1: [[source]] has neither website_id nor tracking_code, so there is nothing to poll; add website_id with api_key, or tracking_code for the live count",
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
                "5: license does not belong to a source of kind \"hotjar\"; take it out (its keys are key, previous_keys, key_encoding, signature_encoding, max_age)",
            ),
            (
                "max_age = \"0s\"",
                "5: max_age \"0s\" is not above zero; give a longer time",
            ),
            (
                "max_age = 300",
                "5: max_age 300 has no unit; write for example \"300s\"",
            ),
            (
                "split = true",
                "5: split does not belong to a source of kind \"hotjar\"; take it out (its keys are key, previous_keys, key_encoding, signature_encoding, max_age)",
            ),
            (
                "key_encoding = \"hex\"",
                "4: key is not hex, which key_encoding says; mend the key, or leave key_encoding out to use the text as it is",
            ),
            (
                "signature_encoding = \"utf8\"",
                "5: signature_encoding \"utf8\" is not known; use one of \"hex\", \"base64\"",
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
                "api_keys = [\"a b\"]",
                "6: api_keys has a space or another character that no header carries; use letters, digits and punctuation",
            ),
            (
                "requests_per_minute = 0",
                "6: requests_per_minute 0 is not within 1 to 1000000; choose another",
            ),
            (
                "[[website]]\nid = \"w\"\ntracking_code = \"t\"\ndomain = \"d\"\nsources = [\"api\"]",
                "6: website \"w\" is defined twice, first at line 1; give each an id of its own\n6: tracking_code \"t\" is defined twice, first at line 1; give each a tracking_code of its own",
            ),
        ],
    );
}

#[test]
fn mistakes_of_what_is_polled_are_told_with_their_mend() {
    let zenovay = "[[source]]\nname = \"s\"\nkind = \"zenovay\"\nurl = \"https://api.zenovay.com\"\ntracking_code = \"ZV_X\"\n";
    check(
        zenovay,
        &[
            (
                "website_id = \"ws_1\"",
                "6: website_id needs api_key; add api_key = \"env:NAME\" or \"file:PATH\"",
            ),
            (
                "api_key = \"env:T\"",
                "6: api_key needs website_id, and the live count needs no key; add website_id = …",
            ),
            (
                "website_id = \"..\"\napi_key = \"a b\"",
                "6: website_id \"..\" is not 1 to 64 letters, digits, dashes and underscores; it is part of a path\n7: api_key has characters that cannot be sent in a header; mend it to visible ASCII without spaces",
            ),
            (
                "interval = \"1m\"\nadaptive = true",
                "6: interval says how often, and adaptive = true finds that out; take one of them out",
            ),
            (
                "adaptive = \"yes\"",
                "6: adaptive is a text; write true or false",
            ),
            (
                "intervall = \"1m\"",
                "6: unknown key \"intervall\" in [[source]]; did you mean \"interval\"?",
            ),
        ],
    );
}

#[test]
fn every_key_that_cannot_be_used_is_told_at_once_with_its_line_and_its_mend() {
    let secret = "is no Standard Webhooks secret; give whsec_ followed by base64, or several of them with spaces between";
    check(
        "",
        &[(
            "[[source]]\nname = \"a\"\nkind = \"standard\"\nkey = \"whsec_!!!\"\n\
             [[source]]\nname = \"b\"\nkind = \"hotjar\"\nkey = \"whsec_x\"\nkey_encoding = \"hex\"\n\
             [[endpoint]]\nname = \"e\"\nurl = \"http://127.0.0.1:9/\"\npolicy = \"standard\"\nsigning_key = \"whsec_\"\n\
             [policy.p]\nschedule = [\"1s\"]\ngive_up_after = 2\n\
             [[endpoint]]\nname = \"f\"\nurl = \"http://127.0.0.1:9/\"\npolicy = \"p\"\nsigning_key = \"AAAA whsec_!\"\n",
            &format!(
                "4: key {secret}\n\
                 8: key is not hex, which key_encoding says; mend the key, or leave key_encoding out to use the text as it is\n\
                 14: signing_key {secret}\n22: signing_key {secret}"
            ),
        )],
    );
}
