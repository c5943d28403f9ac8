//! What a mock is made of: its vendor, its receiver, its clock and the seed of its samples.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::vendor::{self, VENDORS};
use crate::api::document::Subject;
use crate::app::{Keep, Settings};
use crate::clock::ClockKind;
use crate::endpoint::json::Members;
use crate::endpoint::validate::pointer_part;
use crate::endpoint::{EndpointDraft, EndpointSettings, FieldError};
use crate::fault::{self, InvalidPlan, Rule};
use crate::inbound::problem::Problem;
use crate::vendor::Profile;
use crate::words::{mend, quoted};

/// What a mock is started with, each time that it is emptied.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose payloads and rules these are.
    pub vendor: Profile,
    /// The seed of its samples.
    pub seed: u64,
    /// What its broker is started with.
    pub settings: Settings,
    receiver: EndpointSettings,
}

/// Members of the request beside those of an endpoint.
const OWN: [&str; 5] = ["vendor", "to", "clock", "seed", "faults"];

/// How many bytes of its requests a mock of a suite keeps.
const RECORD_BYTES: usize = 4 << 20;

/// Members of an endpoint that a mock gives itself.
const GIVEN: [&str; 3] = ["name", "policy", "url"];

impl Plan {
    /// A mock whose log is in memory.
    ///
    /// # Errors
    /// Those of [`vendor::receiver`].
    pub fn new(
        vendor: Profile,
        draft: EndpointDraft,
        clock: ClockKind,
        seed: u64,
    ) -> Result<Self, Vec<FieldError>> {
        let receiver = vendor::receiver(vendor, draft, clock)?;
        let settings = Settings {
            config: vendor::config(receiver.clone()),
            clock,
            keep: Keep::InMemory,
            record: Some(RECORD_BYTES),
            document: Subject::Mock,
            ..Settings::default()
        };
        Ok(Self {
            vendor,
            seed,
            settings,
            receiver,
        })
    }

    /// Its receiver, as it is checked before the mock is made.
    pub fn receiver(&self) -> &EndpointSettings {
        &self.receiver
    }

    /// Reads the body of `PUT /mocks/{name}`: `vendor`, `to`, and where they are not left out
    /// `clock` (manual), `seed` (0) and whatever an endpoint can have.
    pub fn read(mut members: Members) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut add = |at: &str, detail: String| {
            errors.push(FieldError {
                at: format!("/{at}"),
                detail,
            });
        };
        let allowed = || {
            let all = OWN.iter().chain(EndpointDraft::KEYS).copied();
            all.filter(|name| !GIVEN.contains(name))
        };
        let unknown: Vec<String> = members.keys().cloned().collect();
        for name in unknown {
            if !allowed().any(|known| known == name) {
                let detail = format!(
                    "unknown field {}; {}",
                    quoted(&name),
                    mend(&name, allowed())
                );
                add(&pointer_part(&name), detail);
                members.remove(&name);
            }
        }
        let mut take = |name: &str, wanted: &str| -> Option<String> {
            let raw = members.remove(name)?;
            let text = serde_json::from_str(raw.get()).ok();
            if text.is_none() {
                add(name, format!("{name} is not {wanted}"));
            }
            text
        };
        let named = take("vendor", "the name of a vendor; write \"hotjar\"");
        let to = take("to", "a URL in quotation marks");
        let clock = take("clock", "a clock; write \"manual\", \"real\" or \"60x\"");
        let names = || VENDORS.iter().map(|(name, _)| *name);
        let find = |text: &str| VENDORS.iter().find(|(name, _)| *name == text);
        let vendor = match named.as_deref().map(|text| (text, find(text))) {
            Some((_, Some((_, vendor)))) => Some(*vendor),
            Some((text, None)) => {
                let detail = format!(
                    "vendor {} is not known; {}",
                    quoted(text),
                    mend(text, names())
                );
                add("vendor", detail);
                None
            }
            None => {
                let all: Vec<_> = names().collect();
                add(
                    "vendor",
                    format!("vendor is missing; give one of {}", all.join(", ")),
                );
                None
            }
        };
        let clock = match clock.as_deref().unwrap_or("manual").parse::<ClockKind>() {
            Ok(clock) => clock,
            Err(error) => {
                add("clock", format!("clock is not right: {error}"));
                ClockKind::Manual
            }
        };
        let seed = members.remove("seed").map(|raw| raw.get().parse::<u64>());
        let seed = match seed {
            None => 0,
            Some(Ok(seed)) => seed,
            Some(Err(_)) => {
                add("seed", "seed is not a whole number from 0 on".to_owned());
                0
            }
        };
        let faults = match members.remove("faults") {
            None => Vec::new(),
            Some(raw) => faults(&raw).unwrap_or_else(|detail| {
                add("faults", detail);
                Vec::new()
            }),
        };
        if to.is_none() && !errors.iter().any(|error| error.at == "/to") {
            errors.push(FieldError {
                at: "/to".to_owned(),
                detail: "to is missing; give the receiver's URL".to_owned(),
            });
        }
        let plan = match EndpointDraft::from_members(&members) {
            Ok(draft) => {
                let url = to.into();
                // Whoever the vendor is, what else is wrong is told at once; this one asks for least.
                let assumed = vendor.unwrap_or(Profile::Esputnik);
                Self::new(assumed, EndpointDraft { url, ..draft }, clock, seed)
            }
            Err(errors) => Err(errors),
        };
        // Of a vendor that nobody knows, nobody knows in which order it sends.
        let plan = plan.map(|plan| match vendor {
            Some(_) => plan.with_faults(faults).map_err(|error| FieldError {
                at: "/faults".to_owned(),
                detail: error.to_string(),
            }),
            None => Ok(plan),
        });
        let more = match plan {
            Ok(Ok(plan)) if errors.is_empty() => return Ok(plan),
            Ok(Ok(_)) => Vec::new(),
            Ok(Err(error)) => vec![error],
            Err(errors) => as_asked(errors),
        };
        let told: Vec<_> = errors.iter().map(|error| error.at.clone()).collect();
        errors.extend(more.into_iter().filter(|error| !told.contains(&error.at)));
        Err(Problem::invalid(errors))
    }

    /// With these faults, done by its seed.
    ///
    /// # Errors
    /// Where the vendor cannot do one.
    pub fn with_faults(mut self, rules: Vec<Rule>) -> Result<Self, InvalidPlan> {
        let order = self.receiver.order;
        self.settings.faults = fault::Plan::for_order(self.seed, rules, order)?;
        Ok(self)
    }

    /// How it is shown: without secrets.
    pub fn about(&self) -> Map<String, Value> {
        let about = json!({
            "vendor": vendor::name(self.vendor),
            "to": self.receiver.url,
            "clock": self.settings.clock.to_string(),
            "seed": self.seed,
            "has_key": self.receiver.signing_key.is_some(),
        });
        match about {
            Value::Object(about) => about,
            _ => Map::new(),
        }
    }
}

/// Faults as they are written on the command line.
fn faults(raw: &RawValue) -> Result<Vec<Rule>, String> {
    let texts: Vec<String> = serde_json::from_str(raw.get()).map_err(|_| {
        "faults is not an array of texts; write for example [\"cut=0.2\"]".to_owned()
    })?;
    let rules = texts.iter().map(|text| text.parse::<Rule>());
    let rules: Result<_, _> = rules.collect();
    rules.map_err(|error| format!("faults: {error}"))
}

/// A mock says `to` where an endpoint says `url`.
fn as_asked(errors: Vec<FieldError>) -> Vec<FieldError> {
    let errors = errors.into_iter().map(|error| match &*error.at {
        "/url" => FieldError {
            at: "/to".to_owned(),
            ..error
        },
        _ => error,
    });
    errors.collect()
}

#[cfg(test)]
mod tests;
