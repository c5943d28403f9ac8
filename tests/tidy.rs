//! The house rules, run as tests. A rule that is only reviewed is a rule that erodes.

#[path = "tidy/source.rs"]
mod source;

use source::{Source, is_word, lines, names_crate, sources, word};

/// The most lines of a file: what a reader holds in mind at once.
const LINES_MAX: usize = 300;

/// How far a listed file may be below its ceiling before the ceiling has to follow.
const SLACK_MAX: usize = 50;

/// Files that are longer, with their own ceilings and the reason. Ceilings go down, never up.
const LONG_FILES: &[(&str, usize, &str)] = &[];

/// The nouns, which know nobody but one another.
const NOUNS: &[&str] = &[
    "clock", "current", "delivery", "duration", "endpoint", "event", "fault", "id", "policy",
    "secret", "trace", "words",
];

/// What each room may name besides the nouns and itself. `room::item` allows that item only.
const WALLS: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("store", &[]),
    ("vendor", &[]),
    ("sample", &[]),
    ("analytics", &["config::Website", "store", "vendor"]),
    // What it finds goes into the log by the way of every event.
    (
        "alerts",
        &[
            "analytics",
            "config::ALERTS_SOURCE",
            "config::Alert",
            "config::Website",
            "config::alert",
            "deliver::agenda",
            "inbound::Ingest",
            "store",
            "vendor",
        ],
    ),
    // What it notices goes into the log by the way of every event.
    (
        "operations",
        &[
            "config",
            "deliver::Observer",
            "deliver::agenda",
            "inbound::Ingest",
            "store",
        ],
    ),
    // A file of figures: it is told nothing of requests.
    ("exports", &["analytics", "deliver::agenda", "vendor"]),
    ("deliver", &["store", "vendor"]),
    (
        "inbound",
        &[
            "store",
            "vendor",
            "config::Limits",
            "config::limits",
            "config::NATIVE_SOURCE",
            "config::Source",
            "config::SourceKind",
            "config::Zebline",
        ],
    ),
    // It is told by the rooms below, and tells those above.
    (
        "telemetry",
        &[
            "store",
            "deliver::Observer",
            "inbound::tally",
            "config::NATIVE_SOURCE",
        ],
    ),
    // As telemetry, and out by the transport of deliver: no room below knows of collectors.
    (
        "traces",
        &[
            "deliver::Observer",
            "deliver::guard",
            "deliver::transport",
            "inbound::observer",
            "store",
            "telemetry::instruments",
            "telemetry::spans",
        ],
    ),
    // It asks through the guarded transport of deliver, and keeps by the way of inbound.
    (
        "poll",
        &["store", "vendor", "config::Poller", "deliver", "inbound"],
    ),
    // A bulk operation is a walk over the store.
    ("tasks", &["store"]),
    (
        "api",
        &[
            "alerts",
            "analytics",
            "config",
            "store",
            "vendor",
            "deliver",
            "inbound",
            "poll",
            "tasks",
            "telemetry",
        ],
    ),
    // Pages that ask the API: of the data they are told nothing here.
    ("dashboard", &["api::gate", "inbound", "vendor::signature"]),
    (
        "app",
        &[
            "alerts",
            "analytics",
            "exports",
            "config",
            "store",
            "vendor",
            "deliver",
            "inbound",
            "operations",
            "poll",
            "tasks",
            "telemetry",
            "traces",
            "api",
            "dashboard",
        ],
    ),
    // Brokers that play a vendor; what they send is made here, how it is sent is theirs.
    (
        "mock",
        &[
            "api", "app", "config", "deliver", "inbound", "sample", "store", "vendor",
        ],
    ),
    // Its messages are those of vendor, sent by the guarded transport of deliver.
    ("check", &["vendor", "deliver"]),
    ("bench", &["store"]),
    (
        "cli",
        &[
            "config", "store", "vendor", "sample", "deliver", "inbound", "traces", "api", "app",
            "mock", "bench", "check",
        ],
    ),
    ("main", &["cli"]),
];

/// Who alone may name a crate, and what to do instead.
const CRATES: &[(&str, &[&str], &str)] = &[
    (
        "bincode",
        &["src/store/record/codec.rs"],
        "encode through store/record/codec.rs, so that one file decides about bytes",
    ),
    (
        "sled",
        &[
            "src/store/disk/database.rs",
            "src/store/disk/guarded.rs",
            "src/store/disk/sled_files.rs",
        ],
        "go through the Backend trait, so that memory and faults can stand in for sled",
    ),
    (
        "prometheus_client",
        &["src/telemetry"],
        "count through an observer, so that no room below knows how it is shown",
    ),
    (
        "opentelemetry",
        &["src/traces/export"],
        "tell it as a fact of src/traces, so that everything else is the same without the feature",
    ),
    (
        "rand",
        &[
            "src/app",
            "src/cli",
            "src/deliver/dispatcher.rs",
            "src/sample/chance.rs",
        ],
        "take the number as an argument, so that a seed repeats a run",
    ),
];

/// Rooms, the crates they never name, and why.
const BANNED: &[(&[&str], &[&str], &str)] = &[
    (
        &["store"],
        &["hyper", "hyper_util", "axum", "tower"],
        "the store knows no HTTP: answer with a typed error and let inbound and api word it",
    ),
    (
        &["policy", "sample", "vendor"],
        &["tokio", "sled", "hyper", "hyper_util"],
        "policies and vendors are pure: take what they need as an argument and return what should happen",
    ),
    (
        &["config"],
        &["tokio", "sled", "hyper_util", "axum"],
        "the configuration is values: let app.rs open and start things",
    ),
];

fn refuse(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// What `check` says about the lines of every file below src, its tests left out.
fn refuse_in_product(check: impl Fn(&Source, &str) -> Option<String>) {
    let mut broken = Vec::new();
    for source in sources("src") {
        for (number, line) in lines(&source.product, |_| true) {
            let found = check(&source, line);
            broken.extend(found.map(|what| format!("{}:{number}: {what}", source.path)));
        }
    }
    refuse(broken);
}

#[test]
fn no_room_names_a_room_above_it() {
    let mut broken = Vec::new();
    for source in sources("src")
        .iter()
        .filter(|source| source.room() != "lib")
    {
        let (room, code) = (source.room(), &source.product);
        let walls = WALLS.iter().find(|(name, _)| *name == room);
        if walls.is_none() && !NOUNS.contains(&room) {
            broken.push(format!("{}: `{room}` is no room of tests/tidy.rs; put the file into one, or give the new room its walls there", source.path));
        }
        let allowed = walls.map_or(&[][..], |(_, allowed)| allowed);
        let named = code
            .match_indices("crate::")
            .chain(code.match_indices("redeliver::"));
        for (at, mark) in named {
            let number = code[..at].lines().count();
            let path = &code[at + mark.len()..];
            let target = word(path);
            let fine = target == room
                || NOUNS.contains(&target)
                || allowed.contains(&target)
                || are_allowed(allowed, target, &path[target.len()..]);
            if path.starts_with('{') {
                broken.push(format!("{}:{number}: write one `use crate::room::…` for each room, so that walls can be read", source.path));
            } else if !fine {
                broken.push(format!("{}:{number}: `{room}` may not name this of `crate::{target}`; take what it gives as an argument, or move the shared type down to the nouns", source.path));
            }
        }
    }
    refuse(broken);
}

/// Whether the wall lets every item through that `path` names of `room`.
fn are_allowed(allowed: &[&str], room: &str, path: &str) -> bool {
    let mut items = items(path).peekable();
    // The room as a whole is more than any item of it.
    items.peek().is_some() && items.all(|item| allowed.contains(&&*format!("{room}::{item}")))
}

/// `A` and `B` of `::{A, B}`, `A` of `::A`.
fn items(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix("::").unwrap_or(path);
    let list = path
        .strip_prefix('{')
        .and_then(|list| list.split('}').next());
    let list = list.unwrap_or_else(|| word(path));
    list.split(',')
        .map(|item| word(item.trim()))
        .filter(|item| !item.is_empty())
}

#[test]
fn a_wall_is_seen_through_braces() {
    assert_eq!(
        items("::{Limits, NATIVE_SOURCE};").collect::<Vec<_>>(),
        ["Limits", "NATIVE_SOURCE"]
    );
    assert_eq!(
        items("::{\n    a::B,\n    C,\n};").collect::<Vec<_>>(),
        ["a", "C"]
    );
    assert_eq!(items("::Limits::default()").collect::<Vec<_>>(), ["Limits"]);
}

#[test]
fn no_path_climbs_out_of_its_room_by_super() {
    refuse_in_product(|source, line| {
        // src/store/log.rs is the module store::log: two steps up from it is the crate.
        let inside = source.path.trim_end_matches("/mod.rs");
        let depth = inside.matches('/').count();
        let climbs = line.contains(&"super::".repeat(depth));
        climbs.then(|| "write `crate::room::…` where a path leaves its room".to_owned())
    });
}

#[test]
fn each_crate_with_a_gate_is_named_at_its_gate_only() {
    refuse_in_product(|source, line| {
        let broken = CRATES.iter().find(|(name, gates, _)| {
            names_crate(line, name) && !gates.iter().any(|gate| source.path.starts_with(gate))
        });
        broken.map(|(name, _, instead)| format!("`{name}` is named here; {instead}"))
    });
}

#[test]
fn no_room_names_a_crate_that_is_not_its_business() {
    refuse_in_product(|source, line| {
        for (rooms, crates, instead) in BANNED {
            let named = crates.iter().find(|name| names_crate(line, name));
            if let Some(name) = named.filter(|_| rooms.contains(&source.room())) {
                return Some(format!("`{name}` is named here; {instead}"));
            }
        }
        None
    });
}

#[test]
fn only_the_clock_asks_what_time_it_is() {
    refuse_in_product(|source, line| {
        let asks = [
            "SystemTime::now",
            "Instant::now",
            "Timestamp::now",
            "Zoned::now",
        ]
        .into_iter()
        .find(|call| line.contains(call))?;
        (source.path != "src/clock.rs").then(|| {
            format!("`{asks}` is called here; take a `Clock` as an argument, so that hours pass in milliseconds under test")
        })
    });
}

#[test]
fn delivery_knows_no_vendor_by_name() {
    let mut broken = Vec::new();
    for source in sources("src")
        .iter()
        .filter(|source| source.room() == "deliver")
    {
        for (number, line) in lines(&source.text, |line| {
            let line = line.to_lowercase();
            line.contains("hotjar") || line.contains("esputnik")
        }) {
            broken.push(format!(
                "{}:{number}: `{}` names a vendor; ask the policy or the vendor's profile",
                source.path,
                line.trim()
            ));
        }
    }
    refuse(broken);
}

#[test]
fn nothing_is_left_undone_in_the_code() {
    let mut broken = Vec::new();
    for source in sources("src") {
        for mark in ["todo!", "unimplemented!", "dbg!"] {
            for (number, _) in lines(&source.code, |line| {
                line.match_indices(mark)
                    .any(|(at, _)| !line[..at].ends_with(is_word))
            }) {
                broken.push(format!("{}:{number}: `{mark}` is left here; write what it stands for, or return an error", source.path));
            }
        }
    }
    refuse(broken);
}

#[test]
fn no_file_is_longer_than_its_ceiling() {
    let mut broken = Vec::new();
    let (src, tests) = (sources("src"), sources("tests"));
    for source in src.iter().chain(&tests) {
        let length = source.text.lines().count();
        let listed = LONG_FILES.iter().find(|(path, ..)| *path == source.path);
        // A suite of many short claims is not harder to read for being long.
        let whole = if source.path.starts_with("tests/") {
            2 * LINES_MAX
        } else {
            LINES_MAX
        };
        let ceiling = listed.map_or(whole, |(_, ceiling, _)| *ceiling);
        if length > ceiling {
            broken.push(format!("{}: {length} lines are more than {ceiling}; move one noun with its tests to a file of its own", source.path));
        } else if listed.is_some() && length <= LINES_MAX {
            broken.push(format!(
                "{}: {length} lines need no exception any more; take it out of LONG_FILES",
                source.path
            ));
        } else if listed.is_some() && length + SLACK_MAX < ceiling {
            broken.push(format!(
                "{}: {length} lines are well below {ceiling}; lower its ceiling",
                source.path
            ));
        }
    }
    for (path, ..) in LONG_FILES {
        if !src.iter().any(|source| source.path == *path) {
            broken.push(format!("{path}: is not there; take it out of LONG_FILES"));
        }
    }
    refuse(broken);
}

#[test]
fn every_file_says_first_what_is_in_it() {
    let (src, tests) = (sources("src"), sources("tests"));
    let silent = src
        .iter()
        .chain(&tests)
        .filter(|source| !source.text.starts_with("//! "));
    let broken = silent.map(|source| {
        format!(
            "{}: begin with `//! ` and one sentence on what is in it",
            source.path
        )
    });
    refuse(broken.collect());
}

#[test]
fn every_test_is_named_by_what_it_claims() {
    let mut broken = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        let mut marked = false;
        for (number, line) in lines(&source.code, |_| true) {
            let line = line.trim();
            marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let Some((_, name)) = line.split_once("fn ").filter(|_| marked) else {
                continue;
            };
            marked = false;
            let name = word(name);
            let vague = name.starts_with("test_") || name.contains("it_works");
            if !name.is_empty() && (vague || name.split('_').count() < 3) {
                broken.push(format!("{}:{number}: `{name}` claims nothing; name the test by what holds, as in `a_retry_is_never_early`", source.path));
            }
        }
    }
    refuse(broken);
}
