//! What Contentsquare (Hotjar) sends of a survey: HOT-06 to HOT-09, HOT-39 to HOT-58.

mod questions;

use super::people::{COUNTRIES, MACHINES, NAMES};
use super::{Chance, Document};
use crate::clock::Timestamp;

/// The event of a survey response (HOT-06).
pub const SURVEY_RESPONSE: &str = "survey_response";
/// The event of a test message (HOT-58).
pub const TEST_MESSAGE: &str = "test_message";

/// How the member with a question's text is spelt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// `question_text`, as the list of fields has it.
    #[default]
    Document,
    /// `questiom_text`, as every question of the document's example has it.
    Example,
    /// Both members, with the same text.
    Both,
}

/// Which of the fields are null (HOT-38).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nulls {
    /// Only those of which nothing is known, such as a recording that does not exist.
    #[default]
    Few,
    /// About a third of them, those of questions and answers too.
    Some,
    /// All members of `data`.
    All,
}

/// A type of question (HOT-55).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionType {
    /// A choice of faces.
    Reaction,
    /// Text of several lines.
    LongText,
    /// Text of one line.
    ShortText,
    /// One of several options.
    SingleOption,
    /// Any of several options.
    MultipleOption,
    /// An address of e-mail.
    Email,
    /// One to five.
    RatingOf5,
    /// One to seven.
    RatingOf7,
    /// Zero to ten.
    Nps,
    /// Whatever the vendor has no name for.
    Unknown,
}

impl QuestionType {
    /// Every type, in the document's order.
    pub const ALL: [Self; 10] = [
        Self::Reaction,
        Self::LongText,
        Self::ShortText,
        Self::SingleOption,
        Self::MultipleOption,
        Self::Email,
        Self::RatingOf5,
        Self::RatingOf7,
        Self::Nps,
        Self::Unknown,
    ];

    /// As `question_type` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reaction => "reaction",
            Self::LongText => "long-text",
            Self::ShortText => "short-text",
            Self::SingleOption => "single-option",
            Self::MultipleOption => "multiple-option",
            Self::Email => "email",
            Self::RatingOf5 => "1-5-rating",
            Self::RatingOf7 => "1-7-rating",
            Self::Nps => "nps",
            Self::Unknown => "unknown",
        }
    }
}

/// What the responses are to be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Like {
    /// How the member with a question's text is spelt.
    pub spelling: Spelling,
    /// Which fields are null.
    pub nulls: Nulls,
    /// Whether there are members that nobody has heard of (HOT-37).
    pub unknown_fields: bool,
    /// Whether the responses are complete (HOT-50); absent means some are and some are not.
    pub is_complete: Option<bool>,
    /// Types of the questions; none means one question of every type.
    pub questions: Vec<QuestionType>,
}

/// The responses to one survey, one after the other.
pub struct Survey {
    chance: Chance,
    site_id: i64,
    survey_id: i64,
    name: &'static str,
    index: i64,
    id: i64,
}

const SURVEYS: [&str; 4] = [
    "How do you like our shop?",
    "Umfrage: Kasse & Versand",
    "Опитування клієнтів",
    "Exit survey (checkout)",
];

/// As a date-time, a value of user attributes (HOT-53).
const SIGNED_UP: [&str; 3] = [
    "2021-03-04T05:06:07Z",
    "2024-02-29T23:59:59Z",
    "2019-12-31T00:00:00Z",
];

impl Survey {
    /// The survey of this seed, which nobody has answered yet.
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        Self {
            site_id: chance.between(1_000_000, 5_000_000),
            survey_id: chance.between(100_000, 1_500_000),
            name: *chance.one_of(&SURVEYS),
            index: 0,
            id: chance.between(100_000_000, 900_000_000),
            chance,
        }
    }

    /// The `data` of the next response, given at `at`: its id and index are above those of the one
    /// before (HOT-13, HOT-39).
    pub fn response(&mut self, like: &Like, at: Timestamp) -> Document {
        self.index += 1;
        self.id += self.chance.between(1, 40);
        let is_complete = like.is_complete.unwrap_or(self.chance.is_likely(70));
        let data = self.fields(like, at, is_complete);
        let data = match like.nulls {
            Nulls::Few => data,
            Nulls::Some => self.some_nulls(data),
            Nulls::All => all_nulls(data),
        };
        match like.unknown_fields {
            false => data,
            true => data
                .with("session_id", self.chance.uuid())
                .with("tags", vec!["vip".into(), "beta 🧪".into()])
                .with("sentiment", Document::object([("score", 3.into())]))
                .with("archived_at", Document::null()),
        }
    }

    fn fields(&mut self, like: &Like, at: Timestamp, is_complete: bool) -> Document {
        let chance = &mut self.chance;
        let (site, survey, id) = (self.site_id, self.survey_id, self.id);
        let (device, browser, os, width, height) = *chance.one_of(&MACHINES);
        let (code, country) = *chance.one_of(&COUNTRIES);
        let insights = "https://insights.hotjar.com";
        let api_id = format!("response_{}", chance.uuid());
        let recording = chance.is_likely(60);
        let recording = recording.then(|| {
            let number = chance.between(10_000, 99_999_999);
            format!("{insights}/r?site={site}&recording={number}")
        });
        let page = *chance.one_of(&["", "/checkout", "/größen?ref=mail&x=1", "/カート"]);
        Document::object([
            ("id", id.into()),
            ("index", self.index.into()),
            ("api_id", api_id.into()),
            (
                "response_url",
                format!("{insights}/sites/{site}/feedback/responses/{survey}?response={id}").into(),
            ),
            ("site_id", site.into()),
            ("survey_id", survey.into()),
            ("survey_name", self.name.into()),
            (
                "survey_url",
                format!("{insights}/sites/{site}/feedback/responses/{survey}").into(),
            ),
            ("device", device.into()),
            ("browser", browser.into()),
            ("os", os.into()),
            ("country_code", code.into()),
            ("country_name", country.into()),
            ("hotjar_user_id", chance.uuid().into()),
            ("created_str", created(chance, at).into()),
            ("created_timestamp", at.as_seconds().into()),
            ("is_complete", is_complete.into()),
            ("recording_url", recording.into()),
            (
                "response_origin_url",
                format!("https://www.example.com{page}").into(),
            ),
            ("window_width", width.into()),
            ("window_height", height.into()),
            ("user_attributes", attributes(chance)),
            ("questions", questions::asked(chance, like, is_complete)),
        ])
    }

    fn some_nulls(&mut self, data: Document) -> Document {
        let Document::Object(members) = data else {
            return data;
        };
        let each = members.into_iter().map(|(name, value)| {
            let value = match value {
                _ if self.chance.is_likely(33) => Document::null(),
                Document::Array(each) if name == "questions" => {
                    let each = each.into_iter().map(|question| self.some_nulls(question));
                    Document::Array(each.collect())
                }
                Document::Array(each) if name == "answers" => {
                    let each = each.into_iter().map(|answer| self.some_nulls(answer));
                    Document::Array(each.collect())
                }
                value => value,
            };
            (name, value)
        });
        Document::Object(each.collect())
    }
}

/// The `data` of a test message (HOT-58).
pub fn test_message() -> Document {
    Document::object([("sample", "data".into())])
}

/// A whole payload as it is sent at `at` (HOT-06 to HOT-09).
pub fn payload(event: &str, data: Document, at: Timestamp) -> Document {
    Document::object([
        ("event", event.into()),
        ("version", 1.into()),
        ("timestamp", at.as_seconds().into()),
        ("data", data),
    ])
}

/// With microseconds, of the same moment as the seconds beside it (HOT-49).
fn created(chance: &mut Chance, at: Timestamp) -> String {
    let text = at.to_string();
    let micros = chance.between(0, 999);
    format!("{}{micros:03}Z", text.trim_end_matches('Z'))
}

/// Of every type that a value may have (HOT-53), and not for every visitor the same.
fn attributes(chance: &mut Chance) -> Document {
    let mut attributes = Document::object([]);
    let name = *chance.one_of(&NAMES);
    for (name, value) in [
        (
            "plan",
            Document::from(*chance.one_of(&["free", "größer", "про"])),
        ),
        ("orders", chance.between(0, 250).into()),
        (
            "average_basket",
            Document::Scalar(format!(
                "{}.{}",
                chance.between(5, 300),
                chance.between(1, 9)
            )),
        ),
        ("is_subscriber", chance.is_likely(50).into()),
        ("signed_up_at", Document::from(*chance.one_of(&SIGNED_UP))),
        ("Display Name", format!("{name} ✨").into()),
    ] {
        if chance.is_likely(75) {
            attributes = attributes.with(name, value);
        }
    }
    attributes
}

fn all_nulls(data: Document) -> Document {
    let names = data.names();
    Document::Object(
        names
            .map(|name| (name.to_owned(), Document::null()))
            .collect(),
    )
}
