//! What an operator writes about an endpoint, before it is known to be right.
//!
//! The configuration file and the API both fill an [`EndpointDraft`] and both call [`build`], so
//! that neither accepts what the other refuses.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::url::{check_form, check_url};
use super::validate::{
    CONCURRENCY_MAX, FieldError, Findings, TIMEOUT_MAX, check_basic_auth, check_events,
    check_headers, check_key, check_name, check_pem, check_signature_encoding,
};
use super::{
    BasicAuth, Check, EndpointSettings, Field, Filter, FilterOn, Headers, Order, Origin,
    TextEncoding, TimestampMode,
};
use crate::duration::{format_duration, parse_duration};
use crate::policy::{KeyForm, Policies, Policy};
use crate::secret::Secret;
use crate::words::{mend, quoted};

/// Attempts at once where an independent endpoint does not say.
pub const CONCURRENCY_DEFAULT: u32 = 8;

macro_rules! draft {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)+) => {
        /// An endpoint as it was written: every field may be left out, nothing is checked, so
        /// `Debug` shows which are given and no value.
        #[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct EndpointDraft {
            $($(#[$doc])* #[serde(skip_serializing_if = "Field::is_absent")] pub $field: Field<$type>,)+
        }

        impl fmt::Debug for EndpointDraft {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let fields = [$((stringify!($field), !self.$field.is_absent())),+];
                f.debug_set().entries(fields.iter().filter(|field| field.1).map(|field| field.0)).finish()
            }
        }

        impl EndpointDraft {
            /// The names of all fields.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($field)),+];

            /// This draft with every field that is given in `other`, nulls included.
            pub(super) fn overlaid_with(self, other: Self) -> Self {
                Self { $($field: if other.$field.is_absent() { self.$field } else { other.$field },)+ }
            }

            /// What holds after `change` to this draft.
            #[must_use]
            pub fn changed_by(self, change: Self) -> Self {
                Self { $($field: self.$field.changed_by(change.$field),)+ }
            }
        }
    };
}

draft! {
    /// Unique among the endpoints that are not removed.
    name: String,
    /// Where events are sent.
    url: String,
    /// The policy's name.
    policy: String,
    /// Patterns of event types; all when left out.
    events: Vec<String>,
    /// Attempts at once.
    concurrency: u32,
    /// Time for one attempt, such as `10s`.
    timeout: String,
    /// Sent as `Authorization: Basic`.
    basic_auth: BasicAuth,
    /// Further request headers.
    headers: Headers,
    /// What outbound requests are signed with.
    signing_key: Secret,
    /// How the signing key's text becomes bytes.
    key_encoding: TextEncoding,
    /// How the signature becomes text.
    signature_encoding: TextEncoding,
    /// When the payload gets its timestamp.
    timestamp_mode: TimestampMode,
    /// Whether plain `http` is allowed where the policy asks for TLS.
    allow_http: bool,
    /// Whether events that occur while it is paused are dropped.
    drop_while_inactive: bool,
    /// A certificate authority (PEM) for this endpoint alone.
    ca_pem: String,
    /// The GET on save.
    check: Check,
}

/// The settings that `draft` stands for, or everything that is wrong with it. The origin is the
/// API's; the configuration sets its own.
pub fn build(
    draft: EndpointDraft,
    policies: &Policies,
) -> Result<EndpointSettings, Vec<FieldError>> {
    let mut found = Findings::default();
    let name = required(&mut found, "name", draft.name, "give it one");
    if let Some(name) = &name {
        found.refuse("/name", check_name(name));
    }
    let policy = policy(&mut found, draft.policy, policies);
    let allow_http = draft.allow_http.value().unwrap_or(false);
    let url =
        required(&mut found, "url", draft.url, "give the receiver's address").and_then(|url| {
            let checked = match policy {
                Some(policy) => check_url(&url, policy, allow_http),
                None => check_form(&url),
            };
            checked
                .map_err(|error| found.add("/url", error.to_string()))
                .ok()
        });
    let events = draft.events.value();
    if let Some(events) = &events {
        check_events(&mut found, events);
    }
    let order = policy.map_or(Order::Independent, |policy| policy.order);
    let concurrency = concurrency(&mut found, draft.concurrency.value(), order);
    let given = draft.timeout.value();
    let timeout = given.and_then(|text| timeout(&mut found, &text));
    let basic_auth = draft.basic_auth.value();
    if let Some(auth) = &basic_auth {
        check_basic_auth(&mut found, auth);
    }
    let headers = draft.headers.value().unwrap_or_default();
    check_headers(&mut found, &headers, basic_auth.is_some());
    let signing_key = draft.signing_key.value();
    let key_encoding = draft.key_encoding.value().unwrap_or(TextEncoding::Utf8);
    let form = policy.map_or(KeyForm::Text, |policy| policy.key_form);
    if let Some(key) = &signing_key {
        found.refuse(
            "/signing_key",
            check_key("signing_key", key, form, key_encoding),
        );
    }
    let signature_encoding = draft.signature_encoding.value();
    let signature_encoding = signature_encoding.unwrap_or(TextEncoding::Hex);
    found.refuse(
        "/signature_encoding",
        check_signature_encoding(signature_encoding),
    );
    let ca_pem = draft.ca_pem.value();
    if let Some(pem) = &ca_pem {
        found.refuse("/ca_pem", check_pem(pem));
    }
    match (name, url, policy) {
        (Some(name), Some(url), Some(policy)) if found.0.is_empty() => Ok(EndpointSettings {
            name,
            url: url.into(),
            policy: policy.name.clone(),
            order,
            filter: Filter {
                on: policy.filter_on,
                patterns: events.unwrap_or_else(|| Filter::all(FilterOn::Kind).patterns),
            },
            concurrency,
            timeout,
            basic_auth,
            headers: headers.0,
            signing_key,
            key_encoding,
            signature_encoding,
            timestamp_mode: draft.timestamp_mode.value().unwrap_or_default(),
            allow_http,
            drop_while_inactive: draft.drop_while_inactive.value().unwrap_or(false),
            ca_pem,
            check: draft.check.value().unwrap_or(policy.check),
            origin: Origin::Api,
            rotation: None,
        }),
        _ => Err(found.0),
    }
}

/// The settings that hold after `change` to `existing`. Null goes back to the default. Where the
/// policy changes, so do the defaults that come from it.
pub fn apply(
    change: EndpointDraft,
    existing: &EndpointSettings,
    policies: &Policies,
) -> Result<EndpointSettings, Vec<FieldError>> {
    let mut before = EndpointDraft::from(existing);
    if let Field::Set(name) = &change.policy
        && *name != existing.policy
    {
        before.check = Field::Absent;
        if policies
            .get(name)
            .is_some_and(|policy| policy.order != existing.order)
        {
            before.concurrency = Field::Absent;
        }
    }
    let mut settings = build(before.changed_by(change), policies)?;
    settings.origin = existing.origin;
    settings.rotation = existing.rotation_of(&settings);
    Ok(settings)
}

impl From<&EndpointSettings> for EndpointDraft {
    fn from(settings: &EndpointSettings) -> Self {
        let settings = settings.clone();
        Self {
            name: Field::Set(settings.name),
            url: Field::Set(settings.url),
            policy: Field::Set(settings.policy),
            events: Field::Set(settings.filter.patterns),
            concurrency: Field::Set(settings.concurrency),
            timeout: settings.timeout.map(format_duration).into(),
            basic_auth: settings.basic_auth.into(),
            headers: Field::Set(Headers(settings.headers)),
            signing_key: settings.signing_key.into(),
            key_encoding: Field::Set(settings.key_encoding),
            signature_encoding: Field::Set(settings.signature_encoding),
            timestamp_mode: Field::Set(settings.timestamp_mode),
            allow_http: Field::Set(settings.allow_http),
            drop_while_inactive: Field::Set(settings.drop_while_inactive),
            ca_pem: settings.ca_pem.into(),
            check: Field::Set(settings.check),
        }
    }
}

fn required<T>(found: &mut Findings, key: &str, field: Field<T>, mend: &str) -> Option<T> {
    let value = field.value();
    if value.is_none() {
        found.add(format!("/{key}"), format!("{key} is missing; {mend}"));
    }
    value
}

fn policy<'p>(
    found: &mut Findings,
    field: Field<String>,
    policies: &'p Policies,
) -> Option<&'p Policy> {
    let names: Vec<_> = policies.names().collect();
    let name = required(found, "policy", field, &mend("", names.iter().copied()))?;
    let policy = policies.get(&name);
    if policy.is_none() {
        let mend = mend(&name, names);
        found.add(
            "/policy",
            format!("policy {} is not known; {mend}", quoted(&name)),
        );
    }
    policy.map(|policy| &**policy)
}

fn concurrency(found: &mut Findings, given: Option<u32>, order: Order) -> u32 {
    match (given, order) {
        (None, Order::InOrder) => 1,
        (None, Order::Independent) => CONCURRENCY_DEFAULT,
        (Some(given), Order::InOrder) if given > 1 => {
            found.add("/concurrency", format!("concurrency {given} cannot keep an order; leave it out, or choose a policy whose order is \"independent\""));
            given
        }
        (Some(given), _) => {
            if !(1..=CONCURRENCY_MAX).contains(&given) {
                found.add(
                    "/concurrency",
                    format!(
                        "concurrency {given} is not within 1 to {CONCURRENCY_MAX}; choose another"
                    ),
                );
            }
            given
        }
    }
}

fn timeout(found: &mut Findings, text: &str) -> Option<Duration> {
    match parse_timeout(text) {
        Ok(timeout) => Some(timeout),
        Err(detail) => {
            found.add("/timeout", detail);
            None
        }
    }
}

/// Reads the time for one attempt, of an endpoint or a policy.
pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse_duration(text).map_err(|error| format!("timeout {error}"))?;
    if timeout > TIMEOUT_MAX {
        return Err(format!(
            "timeout {} is longer than 10 minutes; give a shorter one",
            quoted(text)
        ));
    }
    Ok(timeout)
}
