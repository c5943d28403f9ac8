//! The real binary among animals: an endpoint for each under every policy, a good receiver
//! beside them, and what must hold of every attempt.

use std::time::Duration;

use serde_json::{Value, json};

use crate::animal::{Animal, Ends};
use crate::contract::{POLICIES, Verdict, is_tried_again, verdict};
use crate::process::broker::{Broker, Site};
use crate::process::eventually;
use crate::process::receiver::Receiver;

/// How long after its deadline an attempt may end, and its connection be closed: a second, and what
/// a machine takes that is busy with all the animals of all the tests.
const GRACE: Duration = Duration::from_secs(10);
const EXCERPT_MAX: usize = 4096;

/// What must not be seen anywhere: part of a URL, a header's value, a password, keys.
const SECRETS: [&str; 5] = [
    "s3cret-query",
    "s3cret-header",
    "s3cret-password",
    "s3cret-key",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
];

/// A broker, and a good receiver that gets every event.
pub struct Cage {
    pub site: Site,
    pub broker: Broker,
    pub good: Receiver,
    good_id: String,
}

/// An endpoint for an animal.
pub struct Keeper {
    pub policy: &'static str,
    pub id: String,
}

impl Cage {
    pub fn open() -> Self {
        Self::open_with(&[])
    }

    /// With these arguments for the broker.
    pub fn open_with(arguments: &[&str]) -> Self {
        Self::open_under("", arguments)
    }

    /// With this configuration, too.
    pub fn open_under(config: &str, arguments: &[&str]) -> Self {
        let site = Site::new();
        site.configure(config);
        let broker = site.start(&[&["--log", "debug"], arguments].concat());
        let good = Receiver::always(200);
        let endpoint = json!({
            "name": "good", "url": good.url(), "policy": "standard", "timeout": "10s",
        });
        let good_id = id(&broker.post("/v1/endpoints", &endpoint));
        Self {
            site,
            broker,
            good,
            good_id,
        }
    }

    /// Makes an endpoint that gets the events that are named as the animal is.
    pub fn keeper(&self, animal: &Animal, policy: &'static str) -> Keeper {
        let mut endpoint = json!({
            "name": format!("{}.{policy}", animal.name),
            "url": animal.url,
            "policy": policy,
            "timeout": format!("{}ms", animal.timeout_ms),
            "events": [animal.name],
            "headers": {"x-team": "s3cret-header"},
            "basic_auth": {"user": "user", "password": "s3cret-password"},
            "signing_key": match policy {
                "standard" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                _ => "s3cret-key",
            },
            "check": "off",
        });
        if let Some(pem) = &animal.ca_pem {
            endpoint["ca_pem"] = json!(pem);
        }
        let id = id(&self.broker.post("/v1/endpoints", &endpoint));
        Keeper { policy, id }
    }

    /// Sends an event that goes to the animal of this name, and to the good receiver.
    pub fn event(&self, name: &str, filling: &str) -> String {
        let data = json!({"activityStatus": name, "filling": filling});
        self.broker.event(name, &data)
    }

    /// The delivery of `event` to an endpoint, once an attempt at it has ended.
    pub fn attempted(&self, event: &str, endpoint_id: &str) -> Value {
        let path = format!("/v1/events/{event}/deliveries?limit=100");
        let found = self.broker.list(&path);
        let found = found
            .iter()
            .find(|found| found["endpoint_id"] == endpoint_id);
        let path = format!("/v1/deliveries/{}", found.unwrap()["id"].as_str().unwrap());
        eventually(&format!("an attempt at {path} ends"), || {
            Some(self.broker.get(&path)).filter(|delivery| delivery["attempts"][0].is_object())
        })
    }

    /// What must hold at the end: the good receiver got all of so many events, each once.
    pub fn close(self, events: usize) {
        let good = format!("/v1/endpoints/{}", self.good_id);
        eventually("the good receiver has everything", || {
            (self.broker.get(&good)["delivered"] == events).then_some(())
        });
        assert_eq!(self.good.posts().len(), events, "one attempt for each");
        let log = self.site.log();
        assert!(
            log.contains("attempt ended"),
            "the log says less than it can"
        );
        assert_none_of_our_secrets(&log);
        self.broker.stop();
    }
}

fn id(endpoint: &Value) -> String {
    endpoint["id"].as_str().unwrap().to_owned()
}

/// Has every animal visited under every policy, all at once, and looks at how that ended.
pub fn visit(animals: Vec<Animal>) {
    visit_with(&"x".repeat(200), animals);
}

/// As [`visit`], of animals that give no cause to wait.
pub fn visit_in_no_time(animals: Vec<Animal>) {
    let patient = |animal: Animal| animal.within(60_000);
    let animals: Vec<_> = animals.into_iter().map(patient).collect();
    let cage = Cage::open();
    for (animal, delivery) in visits(&cage, &animals, "x") {
        let took = delivery["attempts"][0]["duration_ms"].as_u64().unwrap();
        assert!(took < 30_000, "{} was waited for: {delivery}", animal.name);
    }
    cage.close(animals.len());
}

/// As [`visit`], with events of this filling.
pub fn visit_with(filling: &str, animals: Vec<Animal>) {
    let cage = Cage::open();
    visits(&cage, &animals, filling);
    cage.close(animals.len());
}

/// The deliveries to every animal, of each of which an attempt has ended as it must.
fn visits<'a>(cage: &Cage, animals: &'a [Animal], filling: &str) -> Vec<(&'a Animal, Value)> {
    let keepers: Vec<Vec<Keeper>> = animals
        .iter()
        .map(|animal| POLICIES.map(|policy| cage.keeper(animal, policy)).into())
        .collect();
    let events: Vec<String> = animals
        .iter()
        .map(|animal| cage.event(animal.name, filling))
        .collect();
    let (mut visits, mut wrong) = (Vec::new(), Vec::new());
    for ((animal, keepers), event) in animals.iter().zip(&keepers).zip(&events) {
        for keeper in keepers {
            let delivery = cage.attempted(event, &keeper.id);
            wrong.extend(mistakes(cage, animal, animal.ends, keeper, &delivery));
            visits.push((animal, delivery));
        }
        wrong.extend(overstayed(animal));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    visits
}

/// What is wrong with the first attempt of `delivery`, which must end in this way, and with what
/// followed from it.
pub fn mistakes(
    cage: &Cage,
    animal: &Animal,
    ends: Ends,
    keeper: &Keeper,
    delivery: &Value,
) -> Vec<String> {
    let attempt = &delivery["attempts"][0];
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            let name = animal.name;
            wrong.push(format!(
                "{name} under {}: {what}: {delivery}",
                keeper.policy
            ));
        }
    };
    let error = attempt["error"].as_str().unwrap_or_default();
    match ends {
        Ends::Answered(status) => check(
            attempt["status"] == status && attempt["error"].is_null(),
            &format!("it answered {status}"),
        ),
        Ends::Failed(words) => {
            let words = words.replace("{at}", &animal.at.to_string());
            check(
                attempt["error"] == words && attempt["status"].is_null(),
                &format!("it failed with {words:?}"),
            );
        }
        Ends::FailedLike(beginnings) => check(
            beginnings.iter().any(|words| error.starts_with(words)),
            &format!("it failed with one of {beginnings:?}"),
        ),
    }
    let took = attempt["duration_ms"].as_u64().unwrap();
    let limit = Duration::from_millis(animal.timeout_ms) + GRACE;
    check(u128::from(took) <= limit.as_millis(), "it took too long");
    let excerpt = attempt["response_excerpt"].as_str().unwrap_or_default();
    check(excerpt.len() <= EXCERPT_MAX, "the excerpt is too long");
    check(
        error.len() <= 300 && !error.chars().any(char::is_control),
        "the error is no short line",
    );
    let verdict = verdict(keeper.policy, ends);
    check(
        follows(cage, keeper, delivery, &verdict),
        &format!("{verdict:?}"),
    );
    assert_none_of_our_secrets(&delivery.to_string());
    wrong
}

fn follows(cage: &Cage, keeper: &Keeper, delivery: &Value, verdict: &Verdict) -> bool {
    let state = || cage.broker.get(&format!("/v1/endpoints/{}", keeper.id))["state"].clone();
    let status = &delivery["status"];
    match verdict {
        Verdict::Delivered => status == "delivered" && delivery["attempt_count"] == 1,
        Verdict::Removed => status == "removed" && state() == "removed",
        Verdict::Paused => status == "waiting" && state() == "paused",
        Verdict::Again(wait_ms) => is_tried_again(delivery, wait_ms),
    }
}

/// What is wrong with the connections of the first attempts, from the animal's point of view.
fn overstayed(animal: &Animal) -> Option<String> {
    // One that was answered may be kept for the next request.
    if matches!(animal.ends, Ends::Answered(_)) {
        return None;
    }
    let stays: Vec<Duration> = eventually(&format!("{} is left alone", animal.name), || {
        let visits = animal.visits();
        let first = visits.iter().take(POLICIES.len());
        first
            .map(|visit| Some(visit.ended?.since(visit.began)))
            .collect()
    });
    let limit = Duration::from_millis(animal.timeout_ms) + GRACE;
    let longest = stays.into_iter().max().filter(|stay| *stay > limit)?;
    Some(format!("{} was visited for {longest:?}", animal.name))
}

#[track_caller]
fn assert_none_of_our_secrets(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
