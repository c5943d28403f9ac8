//! `redeliver endpoint`: manages where events are delivered.

mod options;
mod shown;

use serde_json::{Map, Value};

use super::Failure;
use super::client::{Call, LONG_TIME};
use super::part::{One, Part};
use super::remote::Remote;
use options::{Key, Options};
use shown::{Shown, show};

/// Manage where events are delivered
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    redeliver endpoint add crm --url https://crm.example/hook --policy standard \\\n      \
    --signing-key env:CRM_KEY\n  \
    redeliver endpoint list")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// What to do with endpoints.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Add an endpoint
    #[command(after_help = "Secrets are given as env:NAME or file:PATH.\n\n\
        Example:\n  \
        redeliver endpoint add crm --url https://crm.example/hook --policy esputnik \\\n      \
        --basic login:env:CRM_PASSWORD")]
    Add(Box<Add>),
    /// List the endpoints, with what waits for each
    #[command(after_help = "Example:\n  redeliver endpoint list --json")]
    List(List),
    /// Show one endpoint
    #[command(after_help = "Example:\n  redeliver endpoint show crm")]
    Show(One),
    /// Change an endpoint; what is not given stays as it is
    #[command(after_help = "Secrets are given as env:NAME or file:PATH.\n\n\
        Example:\n  redeliver endpoint update crm --timeout 5s --unset headers")]
    Update(Box<Update>),
    /// Stop sending to an endpoint; its events wait
    #[command(after_help = "Example:\n  redeliver endpoint pause crm")]
    Pause(One),
    /// Send to a paused endpoint again
    #[command(after_help = "Example:\n  redeliver endpoint resume crm")]
    Resume(One),
    /// Remove an endpoint for good; what waits for it is not delivered
    #[command(after_help = "Example:\n  redeliver endpoint remove crm")]
    Remove(One),
    /// Attempt everything that waits for a retry, now
    #[command(
        after_help = "For the end of an outage. The order is kept; each begins its schedule \
        anew, and attempts go on with their numbers.\n\n\
        Example:\n  redeliver endpoint retry crm"
    )]
    Retry(One),
    /// Send a test event to an endpoint
    #[command(after_help = "Example:\n  redeliver endpoint test crm")]
    Test(One),
    /// Sign with another key from now on
    #[command(
        after_help = "The key is given as env:NAME or file:PATH. That of an endpoint of the \
        configuration file is changed there: put both keys into its file, then reload.\n\n\
        Example:\n  redeliver endpoint rotate-key crm --signing-key env:NEW_KEY --overlap 24h"
    )]
    RotateKey(RotateKey),
}

/// A new endpoint.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Where events are sent
    #[arg(long, value_name = "URL")]
    pub url: String,

    /// Whose rules it follows: hotjar, esputnik, standard, or one of the configuration
    #[arg(long, value_name = "POLICY")]
    pub policy: String,

    /// Everything else.
    #[command(flatten)]
    pub options: Options,
}

/// Which endpoints to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// In this state [default: those that are not removed]
    #[arg(long, value_name = "STATE", value_parser = ["active", "paused", "removed", "all"])]
    pub state: Option<String>,

    /// Under this policy, by name
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,

    /// Which part.
    #[command(flatten)]
    pub part: Part,
}

/// What changes.
#[derive(Debug, clap::Args)]
pub struct Update {
    /// The endpoint's name or id
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Call it this from now on
    #[arg(long, value_name = "NAME")]
    pub rename: Option<String>,

    /// Where events are sent
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// Whose rules it follows: hotjar, esputnik, standard, or one of the configuration
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,

    /// Set back to the default, such as signing_key or timeout; may be repeated
    #[arg(long, value_name = "FIELD", value_delimiter = ',',
        value_parser = clap::builder::PossibleValuesParser::new(options::CLEARABLE))]
    pub unset: Vec<String>,

    /// Everything else.
    #[command(flatten)]
    pub options: Options,
}

/// A new key for an endpoint.
#[derive(Debug, clap::Args)]
pub struct RotateKey {
    /// The endpoint's name or id
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The key.
    #[command(flatten)]
    pub key: Key,

    /// For so long the key before counts as well: requests carry both signatures. Only under
    /// policies that sign as Standard Webhooks do
    #[arg(long, value_name = "TIME")]
    pub overlap: Option<String>,
}

/// Does it.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args { verb, remote } = args;
    let (call, shown) = prepare(verb)?;
    let mut client = remote.client()?;
    let answer = client.call(call).await?;
    show(&remote, &mut client, &answer, shown).await
}

fn prepare(verb: Verb) -> Result<(Call, Shown), Failure> {
    let act = |name: &str, what: &str| Call::post(["v1", "endpoints", name, what]);
    Ok(match verb {
        Verb::Add(add) => {
            let mut body = add.options.members()?;
            for (key, value) in [("name", add.name), ("url", add.url), ("policy", add.policy)] {
                body.insert(key.to_owned(), value.into());
            }
            let call = Call::post(["v1", "endpoints"]).json(Value::Object(body));
            (call, Shown::Done("added", String::new()))
        }
        Verb::List(list) => {
            let call = Call::get(["v1", "endpoints"])
                .query("state", list.state)
                .query("policy", list.policy);
            (list.part.of(call), Shown::List)
        }
        Verb::Show(one) => (Call::get(["v1", "endpoints", &one.id]), Shown::Endpoint),
        Verb::Update(update) => {
            let call = Call::patch(["v1", "endpoints", &update.name]);
            let body = changes(*update)?;
            (call.json(Value::Object(body)), Shown::Endpoint)
        }
        Verb::Pause(one) => (act(&one.id, "pause"), Shown::Done("paused", one.id)),
        Verb::Resume(one) => (act(&one.id, "resume"), Shown::Done("resumed", one.id)),
        Verb::Remove(one) => {
            let call = Call::delete(["v1", "endpoints", &one.id]);
            (call, Shown::Done("removed", one.id))
        }
        Verb::Retry(one) => (
            act(&one.id, "retry").within(LONG_TIME),
            Shown::Retried(one.id),
        ),
        Verb::Test(one) => (act(&one.id, "test").within(LONG_TIME), Shown::Delivery),
        Verb::RotateKey(rotate) => {
            let mut body = Map::new();
            rotate.key.put(&mut body)?;
            body.extend(
                rotate
                    .overlap
                    .map(|time| ("overlap".to_owned(), time.into())),
            );
            let call = act(&rotate.name, "rotate-key").json(Value::Object(body));
            (call, Shown::Done("the key was changed of", rotate.name))
        }
    })
}

fn changes(update: Update) -> Result<Map<String, Value>, Failure> {
    let mut body = update.options.members()?;
    for (key, value) in [
        ("name", update.rename),
        ("url", update.url),
        ("policy", update.policy),
    ] {
        body.extend(value.map(|value| (key.to_owned(), value.into())));
    }
    for field in update.unset {
        if body.contains_key(&field) {
            return Err(Failure::Usage(format!(
                "{field} is set and unset at once; leave one of the two out"
            )));
        }
        body.insert(field, Value::Null);
    }
    if body.is_empty() {
        return Err(Failure::Usage(
            "nothing to change; name an option such as --url".to_owned(),
        ));
    }
    Ok(body)
}
