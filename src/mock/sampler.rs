//! From a wish to events: the samples of one vendor, one after the other.

use super::wish::{Message, Overrides, Unsendable, Wish};
use super::wrap;
use crate::clock::Timestamp;
use crate::event::NewEvent;
use crate::sample::esputnik::Account;
use crate::sample::hotjar::Survey;
use crate::sample::shop::Shop;
use crate::sample::{Document, hotjar};
use crate::vendor::Profile;

/// Makes the events of one vendor's mock.
pub struct Sampler {
    vendor: Profile,
    survey: Survey,
    account: Account,
    shop: Shop,
}

impl Sampler {
    /// The samples of this seed, from the beginning.
    pub fn new(vendor: Profile, seed: u64) -> Self {
        Self {
            vendor,
            survey: Survey::new(seed),
            account: Account::new(seed),
            shop: Shop::new(seed),
        }
    }

    /// Whose samples these are.
    pub fn vendor(&self) -> Profile {
        self.vendor
    }

    /// The events of all messages of `wish`, as they are at `at`.
    pub fn all(&mut self, wish: &Wish, at: Timestamp) -> Result<Vec<NewEvent>, Unsendable> {
        let mut anew = wish.seed.map(|seed| Self::new(self.vendor, seed));
        let sampler = anew.as_mut().unwrap_or(self);
        let each = (0..wish.count).map(|_| sampler.message(&wish.message, &wish.overrides, at));
        let each: Vec<_> = each.collect::<Result<_, _>>()?;
        Ok(each.into_iter().flatten().collect())
    }

    /// The events of one message.
    pub fn message(
        &mut self,
        message: &Message,
        overrides: &Overrides,
        at: Timestamp,
    ) -> Result<Vec<NewEvent>, Unsendable> {
        let payloads = match message {
            Message::Survey(kind, like) => {
                let kind = kind.as_deref().unwrap_or(hotjar::SURVEY_RESPONSE);
                vec![hotjar::payload(kind, self.survey.response(like, at), at)]
            }
            Message::Test if self.vendor == Profile::Standard => {
                vec![wrap::standard("test", hotjar::test_message(), at)]
            }
            Message::Test => {
                let data = hotjar::test_message();
                vec![hotjar::payload(hotjar::TEST_MESSAGE, data, at)]
            }
            Message::Activity(like) => vec![self.account.activity(like, at)],
            Message::Sequence(like) => self.account.sequence(like, at).into(),
            Message::Bulk(count, like) => vec![self.account.bulk(like, *count, at)],
            Message::Shop(kind, unknown_fields) => {
                let (kind, data) = self.shop.event(kind.as_deref(), *unknown_fields, at);
                vec![wrap::standard(&kind, data, at)]
            }
            Message::Template(payload) => vec![self.template(payload, at)?],
        };
        let each = payloads.into_iter().map(|mut payload| {
            overrides.apply(&mut payload)?;
            Ok(match self.vendor {
                Profile::Hotjar => wrap::of_hotjar(&payload, overrides),
                Profile::Esputnik => wrap::of_esputnik(&payload),
                Profile::Standard => wrap::of_standard(&payload, overrides),
            })
        });
        each.collect()
    }

    /// With the time of the sending, where the payload has one: the example's is of 1985 (A-03).
    fn template(&self, payload: &Document, at: Timestamp) -> Result<Document, Unsendable> {
        let (kind, now) = match self.vendor {
            Profile::Hotjar => ("event", at.as_seconds().into()),
            Profile::Standard => ("type", at.to_string().into()),
            Profile::Esputnik => {
                let all = match payload {
                    Document::Array(elements) => elements.as_slice(),
                    one => std::slice::from_ref(one),
                };
                let are_objects = all.iter().all(|one| matches!(one, Document::Object(_)));
                return match are_objects && !all.is_empty() {
                    true => Ok(payload.clone()),
                    false => Err(Unsendable::Template(
                        "is neither an activity nor an array of activities",
                    )),
                };
            }
        };
        let missing = match self.vendor {
            Profile::Hotjar => "has no member \"event\" with a text",
            _ => "has no member \"type\" with a text",
        };
        let named = payload.get(kind).and_then(Document::text);
        named.ok_or(Unsendable::Template(missing))?;
        let Document::Object(mut members) = payload.clone() else {
            return Err(Unsendable::Template(missing));
        };
        for (name, value) in &mut members {
            if name == "timestamp" {
                *value = Document::clone(&now);
            }
        }
        Ok(Document::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Form;
    use crate::mock::wish::Assignment;
    use crate::sample::esputnik;
    use serde_json::Value;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn wish(message: Message) -> Wish {
        Wish {
            message,
            count: 1,
            seed: None,
            overrides: Overrides::default(),
        }
    }

    fn set(text: &str) -> Overrides {
        let Assignment(path, value) = text.parse().unwrap();
        Overrides {
            set: vec![(path, value)],
            remove: Vec::new(),
        }
    }

    fn body(event: &NewEvent) -> Value {
        serde_json::from_slice(&event.body).unwrap()
    }

    #[test]
    fn a_seed_begins_anew_and_without_one_the_samples_go_on() {
        let mut sampler = Sampler::new(Profile::Hotjar, 7);
        let anew = Wish {
            seed: Some(7),
            ..wish(Message::Survey(None, hotjar::Like::default()))
        };
        let next = wish(Message::Survey(None, hotjar::Like::default()));
        let first = sampler.all(&next, AT).unwrap();
        assert_eq!(sampler.all(&anew, AT).unwrap(), first);
        assert_eq!(sampler.all(&anew, AT).unwrap(), first);
        let second = sampler.all(&next, AT).unwrap();
        assert!(body(&second[0])["id"].as_i64() > body(&first[0])["id"].as_i64());
    }

    #[test]
    fn esp_11_a_sequence_is_three_events_with_their_statuses() {
        let mut sampler = Sampler::new(Profile::Esputnik, 7);
        let sequence = wish(Message::Sequence(esputnik::Like::default()));
        let all = sampler
            .all(
                &Wish {
                    count: 2,
                    ..sequence
                },
                AT,
            )
            .unwrap();
        let statuses: Vec<_> = all
            .iter()
            .map(|event| event.status.as_deref().unwrap())
            .collect();
        assert_eq!(
            statuses,
            [
                "DELIVERED",
                "READ",
                "CLICKED",
                "DELIVERED",
                "READ",
                "CLICKED"
            ]
        );
    }

    #[test]
    fn a_template_of_hotjar_gets_a_new_time_and_one_without_an_event_is_refused() {
        let text = include_str!("../../tests/fixtures/payloads/hotjar_survey_response.json");
        let mut sampler = Sampler::new(Profile::Hotjar, 7);
        let template = Message::Template(Document::parse(text).unwrap());
        let made = sampler
            .message(&template, &Overrides::default(), AT)
            .unwrap();
        assert_eq!(
            (made[0].form, &*made[0].kind),
            (Form::Data, "survey_response")
        );
        assert_eq!(body(&made[0])["id"], 42);
        // Fixed by an override, it goes out as it is; the time is still that of the sending.
        let fixed = sampler.message(&template, &set("version=2"), AT).unwrap();
        assert_eq!(fixed[0].form, Form::Relayed);
        assert_eq!(body(&fixed[0])["timestamp"], 1_700_000_000);
        for text in ["[]", "7", "{}", r#"{"event":7}"#] {
            let template = Message::Template(Document::parse(text).unwrap());
            assert!(
                sampler
                    .message(&template, &Overrides::default(), AT)
                    .is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_template_of_esputnik_is_an_activity_or_several() {
        let mut sampler = Sampler::new(Profile::Esputnik, 7);
        for (text, is_right) in [
            (r#"{"activityStatus":"READ"}"#, true),
            (r#"[{"activityStatus":"READ"},{}]"#, true),
            ("[]", false),
            ("[1]", false),
            ("\"x\"", false),
        ] {
            let template = Message::Template(Document::parse(text).unwrap());
            let made = sampler.message(&template, &Overrides::default(), AT);
            assert_eq!(made.is_ok(), is_right, "{text}");
            if let Ok(made) = made {
                assert_eq!(made[0].status.as_deref(), Some("READ"));
                assert_eq!(made[0].body, text);
            }
        }
    }
}
