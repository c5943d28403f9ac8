//! What a sender is told: Zebline's own forms (ZEB-29, ZEB-32).

use axum::body::Body;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::inbound::media::JSON;
use crate::inbound::problem::Problem;
use crate::vendor::zebline::Refusal;
use crate::vendor::zebline::track::TrackId;

#[derive(Serialize)]
struct Wrapped<T> {
    response: T,
}

#[derive(Serialize)]
struct Queued {
    status: &'static str,
    #[serde(rename = "trackID")]
    track_id: String,
}

#[derive(Serialize)]
struct Failed<'a> {
    status: &'static str,
    message: &'a str,
}

/// The event is on disk.
pub(super) fn queued(status: StatusCode, track_id: TrackId) -> Response {
    let queued = Queued {
        status: "queued",
        track_id: track_id.to_string(),
    };
    let mut response = Response::new(Body::from(json(queued)));
    *response.status_mut() = status;
    let media = HeaderValue::from_static(JSON);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

/// One of the vendor's own refusals; `detail` says more where there is more to say.
pub(super) fn refused(refusal: Refusal, detail: &str) -> Problem {
    // These four are statuses.
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let separator = if detail.is_empty() { "" } else { ": " };
    Problem::new(status, format!("{refusal}{separator}{detail}"))
}

/// There will be room again in so many seconds.
pub(super) fn too_many(seconds: u64) -> Problem {
    refused(Refusal::TooMany, "").with_header(RETRY_AFTER, HeaderValue::from(seconds))
}

/// What is wrong with a body is 400 here, and all of it is told in one message (ZEB-33).
pub(super) fn invalid(problem: Problem) -> Problem {
    match problem.status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            let each = problem.errors.iter().map(|error| error.detail.as_str());
            let each: Vec<_> = each.collect();
            match each.is_empty() {
                true => refused(Refusal::Invalid, &problem.detail),
                false => refused(Refusal::Invalid, &each.join("; ")),
            }
        }
        _ => problem,
    }
}

/// A problem in the vendor's words.
pub(super) fn worded(problem: Problem) -> Response {
    let json = json(Failed {
        status: "error",
        message: &problem.detail,
    });
    problem.worded(json)
}

fn json(response: impl Serialize) -> Vec<u8> {
    // Texts only: nothing in there can fail to be JSON.
    serde_json::to_vec(&Wrapped { response }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(response: Response) -> (u16, String) {
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await;
        (status, String::from_utf8(body.unwrap().into()).unwrap())
    }

    #[tokio::test]
    async fn refusals_are_worded_as_the_vendor_words_them_zeb_32() {
        for (refusal, status, fixture) in [
            (Refusal::Invalid, 400, "zebline_error_400.json"),
            (Refusal::Unauthorized, 401, "zebline_error_401.json"),
            (Refusal::NoSuchPath, 404, "zebline_error_404.json"),
            (Refusal::TooMany, 429, "zebline_error_429.json"),
        ] {
            let path = format!(
                "{}/tests/fixtures/payloads/{fixture}",
                env!("CARGO_MANIFEST_DIR")
            );
            let (told, body) = text(worded(refused(refusal, ""))).await;
            let [body, expected] = [body, std::fs::read_to_string(path).unwrap()]
                .map(|json| serde_json::from_str::<serde_json::Value>(&json).unwrap());
            assert_eq!((told, body), (status, expected));
        }
    }

    #[tokio::test]
    async fn all_mistakes_of_a_body_are_one_message() {
        let one = Problem::field("a", "a is missing");
        let two = Problem::invalid([one.errors.clone(), one.errors].concat());
        let (status, body) = text(worded(invalid(two))).await;
        assert_eq!(status, 400);
        let message = "Invalid resource or parameters: a is missing; a is missing";
        assert!(body.contains(message), "{body}");
    }
}
