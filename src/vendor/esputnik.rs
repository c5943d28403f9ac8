//! eSputnik activity webhooks, ESP-01 to ESP-42.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::endpoint::{Check, EndpointSettings, FilterOn, Order};
use crate::event::NewEvent;
use crate::policy::{KeyForm, On410, Policy, Schedule, Success};

use super::Fingerprint;
use super::signature::{self, KeyError};

/// What endpoints name the policy by.
pub const NAME: &str = "esputnik";
/// Our own addition: the vendor signs nothing.
pub const SIGNATURE_HEADER: &str = "redeliver-signature";

/// ESP-12 to ESP-19.
pub fn policy() -> Policy {
    Policy {
        name: NAME.to_owned(),
        order: Order::InOrder,
        success: Success::Only200,
        schedule: Schedule::Backoff {
            first: Duration::from_secs(60),
            factor: 2,
            max: Duration::from_secs(3600),
        },
        give_up_after: None,
        on_410: On410::Retry,
        // The vendor names no time-out; ten seconds is what its neighbour in this crate names.
        timeout: Duration::from_secs(10),
        jitter: 0.0,
        honours_retry_after: false,
        requires_tls: false,
        filter_on: FilterOn::Status,
        key_form: KeyForm::Text,
        check: Check::Any2xx,
    }
}

/// ESP-40: always an array, of one activity (A-19) unless the sender made an array already.
pub(super) fn body(data: &Bytes) -> Bytes {
    if data.trim_ascii_start().starts_with(b"[") {
        return data.clone();
    }
    let mut body = Vec::with_capacity(data.len() + 2);
    body.push(b'[');
    body.extend_from_slice(data);
    body.push(b']');
    body.into()
}

pub(super) fn headers(
    body: &[u8],
    settings: &EndpointSettings,
) -> Result<Vec<(&'static str, String)>, KeyError> {
    let text = signature::sha3_text(body, settings)?;
    Ok(text.into_iter().map(|t| (SIGNATURE_HEADER, t)).collect())
}

/// One activity of a broadcast; without a `messageName`, as test messages are (ESP-30).
pub(super) fn test_event() -> NewEvent {
    super::sample(
        "activity",
        Some("DELIVERED"),
        concat!(
            r#"{"broadcastId":3459207,"iid":"99d591ab-e7a5-49ed-8e16-b3023378fc18","#,
            r#""contactId":1967597908,"email":"contact1@example.com","mediaType":"email","#,
            r#""activityStatus":"DELIVERED","messageId":2489300,"messageInstanceId":4702518,"#,
            r#""activityDateTime":"2023-09-14T08:30:03","statusData":{}}"#,
        ),
    )
}

/// What an endpoint's filter is matched against (ESP-06): the `activityStatus` of an activity, or
/// of the first one where there are several.
pub fn activity_status(data: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Activity {
        #[serde(rename = "activityStatus")]
        status: String,
    }
    let activity: Activity = if data.trim_ascii_start().starts_with(b"[") {
        let all: Vec<&RawValue> = serde_json::from_slice(data).ok()?;
        serde_json::from_str(all.first()?.get()).ok()?
    } else {
        serde_json::from_slice(data).ok()?
    };
    Some(activity.status)
}

/// One activity that came in, as far as it is known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// What happened (ESP-22).
    pub status: Option<String>,
    identity: Option<[String; 3]>,
}

impl Activity {
    /// Reads an activity; none if `json` is no object, or unclear.
    pub fn read(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Members<'a> {
            #[serde(borrow)]
            iid: Option<&'a RawValue>,
            #[serde(borrow)]
            activity_status: Option<&'a RawValue>,
            #[serde(borrow)]
            activity_date_time: Option<&'a RawValue>,
        }
        let members: Members<'_> = super::members(json)?;
        let written = |raw: Option<&RawValue>| raw.map_or("", RawValue::get).to_owned();
        Some(Self {
            status: super::text(members.activity_status),
            // The iid alone is shared by what becomes of one message (ESP-39). The time has no
            // zone and is as good as any other text (A-14).
            identity: members.iid.map(|iid| {
                [
                    iid.get().to_owned(),
                    written(members.activity_status),
                    written(members.activity_date_time),
                ]
            }),
        })
    }

    /// Takes what identifies the activity into `fingerprint`; false if nothing does.
    pub fn identify(&self, fingerprint: &mut Fingerprint) -> bool {
        self.identity
            .iter()
            .flatten()
            .for_each(|part| fingerprint.add(part));
        self.identity.is_some()
    }

    /// What the activity is recognised by when it comes again (ESP-39).
    pub fn repeat_key(&self) -> Option<String> {
        let mut fingerprint = Fingerprint::default();
        self.identify(&mut fingerprint)
            .then(|| fingerprint.finish())
    }
}
