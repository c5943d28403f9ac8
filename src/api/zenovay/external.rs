//! `/api/external/v1`: what a key is answered.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use hyper::StatusCode;
use serde_json::json;

use super::answer;
use super::keys::Key;
use super::{ReadSide, Shared, method_not_allowed};
use crate::analytics::figures::{Span, date};
use crate::clock::Timestamp;
use crate::vendor::zenovay::bodies::{Dates, Named, Overview, Pagination, Visitors};
use crate::vendor::zenovay::query::{self, Status};
use crate::vendor::zenovay::{Query, Refusal, success};

/// What is asked of one website, and when.
pub(super) struct Asked<'a> {
    side: &'a ReadSide,
    website: usize,
    query: Query<'a>,
    now: Timestamp,
}

/// Makes the body of an answer.
pub(super) type Question = fn(&Asked<'_>) -> Result<Vec<u8>, Refusal>;

/// A route with a website in its path.
pub(super) fn about(question: Question) -> MethodRouter<Shared> {
    let handler = async move |State(side): State<Shared>,
                              website: Result<Path<String>, PathRejection>,
                              RawQuery(query): RawQuery,
                              headers: HeaderMap| {
        side.admit(&headers, async |key| {
            let website = website.map_err(|_| Refusal::no_website())?;
            let website = side.website(key, &website)?;
            side.catch_up().await?;
            let answer = side.ask(move |side, now| {
                question(&Asked {
                    side,
                    website,
                    query: Query::read(query.as_deref()),
                    now,
                })
            });
            answer.await?
        })
        .await
    };
    get(handler).fallback(method_not_allowed)
}

/// `GET /usage` (ZSS-11).
pub(super) async fn usage(State(side): State<Shared>, headers: HeaderMap) -> Response {
    side.admit(&headers, async |key| {
        let now = side.clock.now();
        Ok(success(&key.usage(&side.websites, now), now))
    })
    .await
}

/// `GET /websites` (ZSS-12): those of the key.
pub(super) async fn websites(State(side): State<Shared>, headers: HeaderMap) -> Response {
    side.admit(&headers, async |key| {
        side.catch_up().await?;
        let websites = key.websites.iter().map(|&number| {
            let website = &side.websites[number];
            json!({
                "id": website.id,
                "domain": website.domain,
                "name": website.name,
                "tracking_code": website.tracking_code,
                "is_active": true,
                // Nobody made it at a moment: the file has it. So it is as old as its events.
                "created_at": side.analytics.site(number).first_at(),
                "team_id": null,
            })
        });
        let websites: Vec<_> = websites.collect();
        let data = json!({ "websites": websites, "total": websites.len() });
        Ok(success(&data, side.clock.now()))
    })
    .await
}

/// `GET /analytics/{id}` (ZRT-09, ZSS-13).
pub(super) fn overview(asked: &Asked<'_>) -> Result<Vec<u8>, Refusal> {
    let (range, now) = (asked.query.range()?, asked.now);
    let website = &asked.side.websites[asked.website];
    let site = asked.side.analytics.site(asked.website);
    let span = Span::of(range, now);
    Ok(asked.answer(&Overview {
        website: Named {
            id: &website.id,
            domain: &website.domain,
            name: &website.name,
        },
        time_range: range.word(),
        date_range: Dates {
            start: date(span.from),
            end: date(span.to),
            start_date_time: span.from,
            end_date_time: span.to,
        },
        summary: site.summary(range, now),
        daily_stats: site.daily_stats(&website.id, range, now),
    }))
}

/// `GET /analytics/{id}/visitors` (ZRT-40, ZSS-14).
pub(super) fn visitors(asked: &Asked<'_>) -> Result<Vec<u8>, Refusal> {
    let range = asked.query.range()?;
    let limit = asked.query.limit(query::VISITORS)?;
    let offset = asked.query.offset()?;
    let site = asked.side.analytics.site(asked.website);
    let (visitors, has_more) = site.visitors(range, asked.now, offset, limit);
    Ok(asked.answer(&Visitors {
        visitors,
        pagination: Pagination {
            limit,
            offset,
            has_more,
        },
    }))
}

/// `GET /analytics/{id}/pages` (ZRT-27).
pub(super) fn pages(asked: &Asked<'_>) -> Result<Vec<u8>, Refusal> {
    let (range, limit) = (asked.query.range()?, asked.query.limit(query::PAGES)?);
    let site = asked.side.analytics.site(asked.website);
    Ok(asked.answer(&json!({ "pages": site.pages(range, asked.now, limit) })))
}

/// `GET /analytics/{id}/countries` (ZSS-16).
pub(super) fn countries(asked: &Asked<'_>) -> Result<Vec<u8>, Refusal> {
    let (range, limit) = (asked.query.range()?, asked.query.limit(query::COUNTRIES)?);
    let site = asked.side.analytics.site(asked.website);
    Ok(asked.answer(&json!({ "countries": site.countries(range, asked.now, limit) })))
}

/// `GET /analytics/{id}/technology` (ZSS-17).
pub(super) fn technology(asked: &Asked<'_>) -> Result<Vec<u8>, Refusal> {
    let range = asked.query.range()?;
    let site = asked.side.analytics.site(asked.website);
    Ok(asked.answer(&site.technology(range, asked.now)))
}

/// `GET /errors/{id}/groups` (ZRT-28, ZSS-18).
pub(super) fn error_groups(asked: &Asked<'_>) -> Result<Vec<u8>, Refusal> {
    let (status, limit) = (
        asked.query.status()?,
        asked.query.limit(query::ERROR_GROUPS)?,
    );
    let groups = match status {
        None | Some(Status::Unresolved) => {
            asked.side.analytics.site(asked.website).error_groups(limit)
        }
        Some(Status::Resolved | Status::Ignored) => Vec::new(),
    };
    Ok(asked.answer(&json!({ "error_groups": groups })))
}

impl Asked<'_> {
    fn answer(&self, data: &impl serde::Serialize) -> Vec<u8> {
        success(data, self.now)
    }
}

impl ReadSide {
    /// Answers whoever has a key and has not used it too often. A request without one counts for
    /// nobody.
    async fn admit(
        &self,
        headers: &HeaderMap,
        answer: impl AsyncFnOnce(&Key) -> Result<Vec<u8>, Refusal>,
    ) -> Response {
        let key = match self.keys.find(headers) {
            Ok(key) => key,
            Err(refusal) => return answer::refused(&refusal, self.clock.now()),
        };
        let (allowance, taken) = key.take(self.clock.now());
        let result = match taken {
            Ok(()) => answer(key).await,
            Err(refusal) => Err(refusal),
        };
        let mut response = match result {
            Ok(body) => answer::json(StatusCode::OK, body),
            Err(refusal) => answer::refused(&refusal, self.clock.now()),
        };
        if let Some(allowance) = allowance {
            answer::tell_allowance(&mut response, allowance);
        }
        response
    }

    /// One that this key sees. Of any other nobody learns that it exists.
    fn website(&self, key: &Key, id: &str) -> Result<usize, Refusal> {
        let mut websites = key.websites.iter().copied();
        let found = websites.find(|number| self.websites[*number].id == id);
        found.ok_or_else(Refusal::no_website)
    }
}
