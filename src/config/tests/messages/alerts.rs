//! Mistakes of `[[alert]]`.

use super::check;

const WEBSITE: &str =
    "[[website]]\nid = \"w\"\ntracking_code = \"t\"\ndomain = \"d\"\nsources = [\"api\"]\n";

#[test]
fn mistakes_of_alerts_are_told_with_their_mend() {
    check(
        "",
        &[(
            "[[alert]]\nname = \"a\"\nwebsite = \"w\"\nwhen = \"above\"",
            "1: [[alert]] has no threshold; add threshold = …\n3: website \"w\" is not defined; add a [[website]] with this id",
        )],
    );
    check(
        WEBSITE,
        &[
            (
                "[[alert]]",
                "6: [[alert]] has no name; add name = …\n6: [[alert]] has no website; add website = …\n6: [[alert]] has no when; use one of \"high-value-visitor\", \"traffic-spike\", \"above\", \"below\"",
            ),
            (
                "[[alert]]\nname = \"a b\"\nwebsite = \"v\"\nwhen = \"over\"\nthreshhold = 1",
                "7: name \"a b\" is not 1 to 64 letters, digits, dots, dashes and underscores; choose another\n8: website \"v\" is not defined; did you mean \"w\"?\n9: when \"over\" is not known; use one of \"high-value-visitor\", \"traffic-spike\", \"above\", \"below\"\n10: unknown key \"threshhold\" in [[alert]]; did you mean \"threshold\"?",
            ),
        ],
    );
    check(
        WEBSITE,
        &[
            (
                "[[alert]]\nname = \"a\"\nwebsite = \"w\"\nwhen = \"high-value-visitor\"\nfactor = 2\nrange = \"7d\"\nevery = \"9s\"",
                "10: factor does not belong to an alert when \"high-value-visitor\"; take it out (its keys are threshold)\n11: range does not belong to an alert when \"high-value-visitor\"; take it out (its keys are threshold)\n12: every \"9s\" is less than 10s; give a longer time",
            ),
            (
                "[[alert]]\nname = \"a\"\nwebsite = \"w\"\nwhen = \"traffic-spike\"\nthreshold = 70\nfactor = 0\nshape = \"slak\"",
                "10: threshold does not belong to an alert when \"traffic-spike\"; take it out (its keys are factor)\n11: factor 0 is not within 0.1 to 1000.0; choose another\n12: shape \"slak\" is not known; did you mean \"slack\"?",
            ),
            (
                "[[alert]]\nname = \"a\"\nwebsite = \"w\"\nwhen = \"below\"\nmetric = \"live\"\nrange = \"24h\"\nthreshold = \"5\"",
                "11: range does not belong to metric \"live\", which is of the present; take it out\n12: threshold is a text; write a number from 0.0 to 1000000000000.0",
            ),
            (
                "[[alert]]\nname = \"a\"\nwebsite = \"w\"\nwhen = \"above\"\nmetric = \"visitors\"\nrange = \"2d\"\nthreshold = nan\nevery = 60",
                "10: metric \"visitors\" is not known; use one of \"live\", \"total_visitors\", \"total_page_views\"\n11: range \"2d\" is not known; did you mean \"7d\"?\n12: threshold nan is not within 0.0 to 1000000000000.0; choose another\n13: every 60 has no unit; write for example \"60s\"",
            ),
            (
                "[[alert]]\nname = \"a\"\nwebsite = \"w\"\nwhen = \"traffic-spike\"\n[[alert]]\nname = \"a\"\nwebsite = \"w\"\nwhen = \"traffic-spike\"",
                "10: alert \"a\" is defined twice, first at line 6; give each a name of its own",
            ),
        ],
    );
}

#[test]
fn no_source_of_the_file_has_the_name_of_the_alerts_source() {
    check(
        "",
        &[(
            "[[source]]\nname = \"alerts\"\nkind = \"raw\"",
            "2: source \"alerts\" is redeliver's own; choose another name",
        )],
    );
}
