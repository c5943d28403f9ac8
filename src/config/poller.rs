//! What a source of kind `zenovay` polls.

use std::time::Duration;

use url::Url;

use super::report::Report;
use super::secrets::Outside;
use super::section::Section;
use super::website::path_part;
use crate::endpoint::url::{check_form, is_loopback};
use crate::secret::Secret;

pub(super) const KEYS: &[&str] = &[
    "url",
    "website_id",
    "tracking_code",
    "api_key",
    "interval",
    "adaptive",
];

/// An API that is polled for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poller {
    /// The API's base.
    pub url: Url,
    /// Which website, for the external API; with a key.
    pub website_id: Option<String>,
    /// Which website, for the live count. There is one of the two at least.
    pub tracking_code: Option<String>,
    /// What it asks for; it can stand in a header.
    pub api_key: Option<Secret>,
    /// How often; absent means the vendor's own advice.
    pub interval: Option<Duration>,
    /// Whether what changes is asked for more often.
    pub adaptive: bool,
}

pub(super) fn read(
    report: &mut Report,
    outside: &Outside<'_>,
    section: &Section<'_>,
) -> Option<Poller> {
    let url = section.required_text(report, "url").map(check_form);
    let url = url.and_then(|url| {
        url.map_err(|error| report.error(section.place("url"), error.to_string()))
            .ok()
    });
    let mut part = |key| match section.has(key) {
        true => path_part(report, section, key),
        false => None,
    };
    let (website_id, tracking_code) = (part("website_id"), part("tracking_code"));
    let api_key = outside.secret(report, section, "api_key");
    let has = |key| section.has_or_means(key);
    if !has("website_id") && !has("tracking_code") {
        report.error(
            section.at,
            "[[source]] has neither website_id nor tracking_code, so there is nothing to poll; add website_id with api_key, or tracking_code for the live count",
        );
    }
    if has("website_id") && !has("api_key") {
        let mend = "website_id needs api_key; add api_key = \"env:NAME\" or \"file:PATH\"";
        report.error(section.place("website_id"), mend);
    }
    if has("api_key") && !has("website_id") {
        let mend = "api_key needs website_id, and the live count needs no key; add website_id = …";
        report.error(section.place("api_key"), mend);
    }
    let key = api_key.as_ref().map(Secret::expose);
    if key.is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
        report.error(
            section.place("api_key"),
            "api_key has characters that cannot be sent in a header; mend it to visible ASCII without spaces",
        );
    }
    if let (Some(url), Some(_)) = (&url, &api_key)
        && url.scheme() == "http"
        && !is_loopback(url)
    {
        report.warn(
            section.place("url"),
            "url is http, so everybody on the way can read the api_key; use https",
        );
    }
    let interval = section.duration(report, "interval");
    let adaptive = section.boolean(report, "adaptive") == Some(true);
    if adaptive && section.has("interval") {
        report.error(
            section.place("interval"),
            "interval says how often, and adaptive = true finds that out; take one of them out",
        );
    }
    Some(Poller {
        url: url?,
        website_id,
        tracking_code,
        api_key,
        interval,
        adaptive,
    })
}
