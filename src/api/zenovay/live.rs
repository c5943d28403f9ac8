//! What a web page asks without a key: the live count, and a stream of it.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE, HeaderValue,
};
use serde_json::json;

use super::answer::{self, open_to_browsers};
use super::{ReadSide, Shared};
use crate::api::streaming::sse::{self, Frames, Gone};
use crate::clock::Timestamp;
use crate::vendor::zenovay::bodies::Live;
use crate::vendor::zenovay::{Code, Query, Range, Refusal};

/// ZRT-32.
const LIVE_EVERY: Duration = Duration::from_secs(10);

/// ZRT-33: with every third live event.
const ANALYTICS_EVERY: u64 = 3;

/// How many events a stream makes up for at once, where the clock has jumped.
const MADE_UP_MAX: u64 = 60;

/// What the stream's totals are of: the last day, as the vendor's own relay asks for (ZRT-09).
const STREAMED: Range = Range::LastDay;

/// `GET /e/live/{code}`: not in the envelope (ZRT-05), and for any page (ZRT-03, ZRT-04).
pub(super) async fn count(
    State(side): State<Shared>,
    code: Result<Path<String>, PathRejection>,
) -> Response {
    let found = code.ok().and_then(|Path(code)| {
        let mut websites = side.websites.iter();
        websites.position(|website| website.tracking_code == code)
    });
    let mut response = match side.live(found).await {
        Ok(live) => answer::json(
            StatusCode::OK,
            serde_json::to_vec(&live).unwrap_or_default(),
        ),
        Err(refusal) => answer::refused(&refusal, side.clock.now()),
    };
    open_to_browsers(&mut response);
    response
}

/// `OPTIONS /e/live/{code}`: a page that sends headers of its own asks before it does.
pub(super) async fn preflight() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    open_to_browsers(&mut response);
    let headers = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `GET /api/sse/live?trackingCode=…&websiteId=…` (ZRT-30). Whoever knows both is shown the totals:
/// the key stays on the server (ZRT-37).
pub(super) async fn stream(State(side): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let mut response = match side.open(query.as_deref()) {
        Ok(response) => response,
        Err(refusal) => answer::refused(&refusal, side.clock.now()),
    };
    open_to_browsers(&mut response);
    response
}

impl ReadSide {
    async fn live(&self, website: Option<usize>) -> Result<Live, Refusal> {
        let website = website.ok_or_else(Refusal::no_website)?;
        self.catch_up().await?;
        let now = self.clock.now();
        Ok(Live::new(self.analytics.site(website).live(now), now))
    }

    fn open(self: &Shared, query: Option<&str>) -> Result<Response, Refusal> {
        let query = Query::read(query);
        let wanted = |name: &str| {
            let missing = || Refusal::new(Code::Validation, format!("{name} is missing"));
            query.text(name).ok_or_else(missing)
        };
        let (code, id) = (wanted("trackingCode")?, wanted("websiteId")?);
        let mut websites = self.websites.iter();
        let website =
            websites.position(|website| website.tracking_code == code && website.id == id);
        let website = website.ok_or_else(Refusal::no_website)?;
        let place = self.streams.open_public().ok_or_else(|| {
            Refusal::new(Code::Unavailable, "Too many streams are open").again_in(10)
        })?;
        // Before the answer is on its way: who has it may count from then.
        let start = self.clock.moment().steady();
        let side = self.clone();
        Ok(sse::stream(
            sse::drained(self.draining.clone()),
            |frames| async move {
                let _place = place;
                // The reader has left.
                let Err(Gone) = side.feed(&frames, website, start).await;
            },
        ))
    }

    /// Tells the live count every ten seconds of the broker's clock, and the totals every thirty;
    /// both at once, too, where the website is to begin so.
    async fn feed(
        self: &Shared,
        frames: &Frames,
        website: usize,
        start: Timestamp,
    ) -> Result<std::convert::Infallible, Gone> {
        if self.websites[website].initial_snapshot {
            self.tell(frames, website, true).await?;
        }
        let mut tick = 1;
        loop {
            let moment = self.clock.moment();
            let passed = moment.steady().since(start).as_millis() / LIVE_EVERY.as_millis();
            let passed = u64::try_from(passed).unwrap_or(u64::MAX);
            tick = tick.max(passed.saturating_sub(MADE_UP_MAX));
            // By the time that passes evenly, told by the clock as it is set now.
            let due = LIVE_EVERY.saturating_mul(u32::try_from(tick).unwrap_or(u32::MAX));
            let due = start.plus(due).moved(moment.stepped_ms);
            self.clock.sleep_until(due).await;
            self.tell(frames, website, tick % ANALYTICS_EVERY == 0)
                .await?;
            tick += 1;
        }
    }

    async fn tell(
        self: &Shared,
        frames: &Frames,
        website: usize,
        totals: bool,
    ) -> Result<(), Gone> {
        // What cannot be told is left out, and the stream goes on (ZRT-35).
        let Ok(()) = self.catch_up().await else {
            return Ok(());
        };
        let visitors = self.analytics.site(website).live(self.clock.now());
        let live = json!({ "visitors": visitors }).to_string();
        frames.send("live", &live).await?;
        if totals {
            let summary = self
                .ask(move |side, now| {
                    let site = side.analytics.site(website);
                    serde_json::to_string(&site.summary(STREAMED, now)).unwrap_or_default()
                })
                .await;
            if let Ok(summary) = summary {
                frames.send("analytics", &summary).await?;
            }
        }
        Ok(())
    }
}
