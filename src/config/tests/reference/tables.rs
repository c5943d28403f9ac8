//! The tables of the configuration, each in the smallest file that is good.

use crate::config::{
    Limits, alert, endpoint, export, operations, otel, policy, retention, secrets, server, source,
    website,
};

pub(super) const WEBSITE: &str = "[[website]]\nid = \"w\"\ntracking_code = \"t\"\ndomain = \"example.com\"\n\
    sources = [\"api\"]\n";
const ENDPOINT: &str = "[[endpoint]]\nname = \"e\"\nurl = \"http://127.0.0.1:1/\"\n\
    policy = \"standard\"\n";

/// A table of the page, a file that has it at its end with what it needs, and the keys that are
/// read.
pub(super) struct Table {
    pub heading: String,
    pub file: String,
    pub keys: Vec<&'static str>,
}

fn table(heading: &str, file: impl Into<String>, keys: &[&'static str]) -> Table {
    Table {
        heading: heading.to_owned(),
        file: file.into(),
        keys: keys.to_vec(),
    }
}

pub(super) fn tables() -> Vec<Table> {
    let login = format!("{ENDPOINT}[endpoint.basic_auth]\nuser = \"u\"\npassword = \"env:P\"\n");
    let mine = "[policy.mine]\nschedule = [\"1s\"]\n";
    let grows = "[policy.mine.backoff]\nfirst = \"1s\"\nmax = \"2s\"\n";
    let mut tables = vec![
        table(
            "`[server]`",
            "[server]\nadmin_token = \"env:T\"\nmaster_key = \"env:MASTER_KEY\"\n",
            server::KEYS,
        ),
        table("`[limits]`", "[limits]\n", Limits::KEYS),
        table("`[retention]`", "[retention]\n", retention::KEYS),
        table(
            "`[retention.sources.NAME]`",
            "[retention.sources.api]\n",
            retention::SOURCE_KEYS,
        ),
        table("`[operations]`", "[operations]\n", operations::KEYS),
        table("`[otel]`", "[otel]\n", otel::KEYS),
        table(
            "`[[source]]`",
            "[[source]]\nname = \"s\"\nkind = \"raw\"\n",
            &["name", "kind"],
        ),
        table("`[[endpoint]]`", ENDPOINT, &endpoint::keys()),
        table("`basic_auth`", login, secrets::LOGIN_KEYS),
        table("`[policy.NAME]`", mine, policy::KEYS),
        table("`backoff`", grows, policy::BACKOFF_KEYS),
        table("`[[website]]`", WEBSITE, website::KEYS),
        table(
            "`[[export]]`",
            format!("{WEBSITE}[[export]]\nwebsite = \"w\"\n"),
            export::KEYS,
        ),
    ];
    for (name, kind) in source::KINDS {
        let needed = match *name {
            "zebline" => "license = \"L\"\naccess_token = \"env:T\"\n",
            "cloudevents" | "raw" => "access_token = \"env:T\"\n",
            "hotjar" => "key = \"env:K\"\n",
            "standard" => "key = \"env:WHSEC\"\n",
            "zenovay" => "url = \"https://example.com/\"\ntracking_code = \"t\"\n",
            _ => "",
        };
        let heading = format!("`kind = \"{name}\"`");
        let file = format!("[[source]]\nname = \"s\"\nkind = \"{name}\"\n{needed}");
        tables.push(table(&heading, file, kind.keys()));
    }
    for (word, when) in alert::WHENS {
        let file = format!(
            "{WEBSITE}[[alert]]\nname = \"a\"\nwebsite = \"w\"\nwhen = \"{word}\"\nthreshold = 1\n"
        );
        let (heading, file) = match *word {
            "above" | "below" => ("`when = \"above\"`, `when = \"below\"`".to_owned(), file),
            _ => (
                format!("`when = \"{word}\"`"),
                file.replace("threshold = 1\n", ""),
            ),
        };
        tables.push(table("`[[alert]]`", file.clone(), &alert::COMMON));
        tables.push(table(&heading, file, when.keys()));
    }
    tables
}
