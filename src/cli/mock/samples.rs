//! Hotjar, eSputnik, Standard Webhooks: what each can be told to send.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::content::Content;
use super::job::Job;
use super::running::Running;
use crate::cli::Failure;
use crate::cli::secrets::basic_argument;
use crate::cli::signing::{KeyEncoding, SignatureEncoding, signing_key};
use crate::endpoint::{EndpointDraft, Field};
use crate::mock::asked::{EVENTS_MAX, NULLS, ORIGINS, SPELLINGS};
use crate::mock::wish::Message;
use crate::sample::esputnik::{self, Media, Origin, Status};
use crate::sample::hotjar::{self, Nulls, QuestionType, Spelling};
use crate::vendor::Profile;

/// Media types as they are easily typed.
const MEDIA: [(&str, Media); 9] = [
    ("sms", Media::Sms),
    ("email", Media::Email),
    ("web-push", Media::WebPush),
    ("viber", Media::Viber),
    ("mobile-push", Media::MobilePush),
    ("app-inbox", Media::AppInbox),
    ("widget", Media::Widget),
    ("in-app", Media::InApp),
    ("telegram", Media::Telegram),
];

/// One of these values, by its name.
fn named<T: Copy + Send + Sync + 'static>(
    all: impl IntoIterator<Item = (&'static str, T)>,
) -> impl TypedValueParser<Value = T> {
    let all: Vec<_> = all.into_iter().collect();
    let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
    PossibleValuesParser::new(names).try_map(move |given| {
        let found = all
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&given));
        found.map(|(_, value)| *value).ok_or("is not known")
    })
}

/// Send survey responses as Hotjar does: signed, with its schedule, success rule and 410
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without further options one realistic survey response is sent, again and again as Hotjar does\n\
    until it is delivered or given up; then the mock ends: 0 if everything was delivered, else 1.\n\
    Each attempt carries a new timestamp and signature. Where an override fixes the envelope\n\
    (version, timestamp, members of your own), that body goes out byte for byte each time.\n\n\
    Examples:\n  \
    redeliver mock hotjar --to http://127.0.0.1:9000/hook --key-file key.txt --speed 600x\n  \
    redeliver mock hotjar --to http://127.0.0.1:9000/hook --key-file key.txt \\\n      \
    --count 100 --rate 10 --seed 7 --set data.survey_id=7 --remove data.os"
)]
pub(super) struct Hotjar {
    /// File with the site's signing key, without its last newline; else REDELIVER_KEY has the key
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// How the key's text becomes bytes
    #[arg(long, value_enum, default_value = "utf8", value_name = "ENCODING")]
    key_encoding: KeyEncoding,

    /// How the signature is written
    #[arg(long, value_enum, default_value = "hex", value_name = "ENCODING")]
    signature_encoding: SignatureEncoding,

    /// Send them as events of this type, such as recording, which your receiver need not know
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// How question_text is spelt: as in the document's list, as in its example (questiom_text), or
    /// both
    #[arg(long, value_name = "SPELLING", value_parser = named(SPELLINGS), default_value = "document", ignore_case = true)]
    spelling: Spelling,

    /// How many fields are null: few, some (about a third), all
    #[arg(long, value_name = "HOW-MANY", value_parser = named(NULLS), default_value = "few", ignore_case = true)]
    nulls: Nulls,

    /// Add fields that no document has
    #[arg(long)]
    unknown_fields: bool,

    /// Whether people got to the end of the survey; some did without this option
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    complete: Option<bool>,

    /// A type of question; every type without this option. May be repeated
    #[arg(long = "question", value_name = "TYPE", value_parser = named(QuestionType::ALL.map(|kind| (kind.name(), kind))), ignore_case = true)]
    questions: Vec<QuestionType>,

    #[command(flatten)]
    content: Content,

    #[command(flatten)]
    running: Running,
}

impl Hotjar {
    /// What is to be done.
    pub(super) fn job(self) -> Result<Job, Failure> {
        let vendor = Profile::Hotjar;
        let draft = EndpointDraft {
            signing_key: Field::Set(signing_key(self.key_file.as_deref())?),
            key_encoding: Field::Set(self.key_encoding.into()),
            signature_encoding: Field::Set(self.signature_encoding.into()),
            ..self.running.draft()
        };
        let message = match self.content.test {
            true => Message::Test,
            false => Message::Survey(
                self.kind,
                hotjar::Like {
                    spelling: self.spelling,
                    nulls: self.nulls,
                    unknown_fields: self.unknown_fields,
                    is_complete: self.complete,
                    questions: self.questions,
                },
            ),
        };
        Ok(Job {
            vendor,
            draft,
            stock: self.content.stock(vendor, message, false)?,
            checks: false,
            running: self.running,
        })
    }
}

/// Send activities as eSputnik does: in order, until 200, with its doubling delays
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without further options one activity is sent, again and again as eSputnik does until your\n\
    receiver answers 200; only --give-up-after or Ctrl-C ends that. First the URL is checked by\n\
    a GET. Paths of --set and --remove begin in the activity; of several (--bulk) those that\n\
    begin with an index, such as 1.email, are of one, others of each.\n\n\
    Examples:\n  \
    redeliver mock esputnik --to http://127.0.0.1:9000/hook --sequence --speed 600x\n  \
    redeliver mock esputnik --to http://127.0.0.1:9000/hook --basic user:env:PASSWORD \\\n      \
    --status undelivered --media viber --give-up-after 1d --speed 10000x"
)]
pub(super) struct Esputnik {
    /// Send these credentials of HTTP Basic: user:env:NAME or user:file:PATH, or env:NAME or
    /// file:PATH that holds both
    #[arg(long, value_name = "USER:PASSWORD")]
    basic: Option<String>,

    /// Sign with the key in this file, as redeliver does and eSputnik does not
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// Do not check the URL by a GET first
    #[arg(long)]
    no_check: bool,

    /// Send the three activities of one message: DELIVERED, READ, CLICKED
    #[arg(long, conflicts_with_all = ["status", "bulk", "test", "from", "raw"])]
    sequence: bool,

    /// Send so many activities in one request
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=EVENTS_MAX as u64),
        conflicts_with_all = ["test", "from", "raw"])]
    bulk: Option<u64>,

    /// What happened; anything without this option
    #[arg(long, value_name = "STATUS", value_parser = named(Status::ALL.map(|status| (status.name(), status))), ignore_case = true)]
    status: Option<Status>,

    /// By what the message went; anything without this option
    #[arg(long, value_name = "MEDIA", value_parser = named(MEDIA), ignore_case = true)]
    media: Option<Media>,

    /// What the message was sent for; either without this option
    #[arg(long, value_name = "ORIGIN", value_parser = named(ORIGINS), ignore_case = true)]
    origin: Option<Origin>,

    /// Add fields that no document has
    #[arg(long)]
    unknown_fields: bool,

    #[command(flatten)]
    content: Content,

    #[command(flatten)]
    running: Running,
}

impl Esputnik {
    /// What is to be done.
    pub(super) fn job(self) -> Result<Job, Failure> {
        let vendor = Profile::Esputnik;
        let basic = self.basic.as_deref();
        let basic = basic
            .map(|text| basic_argument("--basic", text))
            .transpose()?;
        let key = self.key_file.as_deref();
        let key = key.map(|file| signing_key(Some(file))).transpose()?;
        let draft = EndpointDraft {
            basic_auth: basic.into(),
            signing_key: key.into(),
            ..self.running.draft()
        };
        let like = esputnik::Like {
            status: self.status,
            media: self.media,
            origin: self.origin,
            is_test: self.content.test,
            unknown_fields: self.unknown_fields,
        };
        like.check()
            .map_err(|error| Failure::Usage(format!("--status: {error}")))?;
        let is_asked_for = self.sequence || self.bulk.is_some();
        let message = match self.bulk {
            Some(size) => Message::Bulk(usize::try_from(size).unwrap_or(EVENTS_MAX), like),
            None if self.sequence => Message::Sequence(like),
            None => Message::Activity(like),
        };
        Ok(Job {
            vendor,
            draft,
            stock: self.content.stock(vendor, message, is_asked_for)?,
            checks: !self.no_check,
            running: self.running,
        })
    }
}

/// Send a shop's events as Standard Webhooks: signed, with the schedule that the standard recommends
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    redeliver mock standard --to http://127.0.0.1:9000/hook --key-file secret.txt --type order.paid")]
pub(super) struct Standard {
    /// File with the secret (whsec_…), without its last newline; else REDELIVER_KEY has it
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// The type of the events, such as order.paid; any without this option
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Add fields that no document has
    #[arg(long)]
    unknown_fields: bool,

    #[command(flatten)]
    content: Content,

    #[command(flatten)]
    running: Running,
}

impl Standard {
    /// What is to be done.
    pub(super) fn job(self) -> Result<Job, Failure> {
        let vendor = Profile::Standard;
        let draft = EndpointDraft {
            signing_key: Field::Set(signing_key(self.key_file.as_deref())?),
            ..self.running.draft()
        };
        let message = match self.content.test {
            true => Message::Test,
            false => Message::Shop(self.kind, self.unknown_fields),
        };
        Ok(Job {
            vendor,
            draft,
            stock: self.content.stock(vendor, message, false)?,
            checks: false,
            running: self.running,
        })
    }
}
