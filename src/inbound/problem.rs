//! Answers that are errors: `application/problem+json` (RFC 9457).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Map, Value};

use super::media::JSON;
use crate::endpoint::FieldError;
use crate::store::{AppendError, EndpointError, StoreError};

/// The media type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error, as it is answered. Its text never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {detail}")]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// What is wrong, and how to mend it.
    pub detail: String,
    /// What is wrong with single fields.
    pub errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    members: Map<String, Value>,
}

#[derive(Serialize)]
struct Shown<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ShownField<'a>>,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct ShownField<'a> {
    at: &'a str,
    detail: &'a str,
}

impl Problem {
    /// A problem with this status, explained by `detail`.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            members: Map::new(),
        }
    }

    /// 400: not in the form at all.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 410.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, detail)
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 415.
    pub fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// 422: in the right form, but these fields are not right.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.detail.clone(),
            many => format!("{} fields are not right; see errors", many.len()),
        };
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }

    /// 422, for one field.
    pub fn field(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            at: at.into(),
            detail: detail.into(),
        }])
    }

    /// 503: it may work in a second.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 500: the fault is ours.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// With a header of the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With a member of its own, as RFC 9457 lets a problem have.
    #[must_use]
    pub fn with_member(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// With the end of the connection: what is left of the request would be taken for the next.
    #[must_use]
    pub fn closing(self) -> Self {
        self.with_header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    /// The same status and headers with a body in a vendor's own form.
    pub(super) fn worded(self, json: Vec<u8>) -> Response {
        let mut response = Response::new(Body::from(json));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.extend(self.headers);
        response
    }

    /// Its JSON text.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let shown = Shown {
            // RFC 9457: the status says it all, and the title is the status's own.
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: self
                .errors
                .iter()
                .map(|error| ShownField {
                    at: &error.at,
                    detail: &error.detail,
                })
                .collect(),
            members: &self.members,
        };
        serde_json::to_vec(&shown).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let json = self.to_json();
        let mut response = self.worded(json);
        let media = HeaderValue::from_static(PROBLEM_JSON);
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Full => Self::unavailable(error.to_string()),
            AppendError::DiskFull { .. } => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string())
            }
            AppendError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stopped(_) => Self::unavailable(error.to_string()),
            _ => Self::internal(error.to_string()),
        }
    }
}

impl From<EndpointError> for Problem {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Unknown(_) => Self::not_found(error.to_string()),
            EndpointError::NameTaken(_) | EndpointError::Removed(_) | EndpointError::TooMany(_) => {
                Self::conflict(error.to_string())
            }
            EndpointError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_and_a_stopped_store_ask_to_come_again_and_a_full_disk_does_not() {
        for (error, status, again) in [
            (AppendError::Full, 503, true),
            (StoreError::Stopped("EIO".into()).into(), 503, true),
            (AppendError::DiskFull { reserve_bytes: 1 }, 507, false),
            (StoreError::Read("EIO".into()).into(), 500, false),
        ] {
            let response = Problem::from(error).into_response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().contains_key("retry-after"), again);
            assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
        }
    }

    #[test]
    fn one_wrong_field_is_the_detail_and_several_are_counted() {
        let one = Problem::field("/type", "type is missing");
        assert_eq!(one.detail, "type is missing");
        let two = Problem::invalid([one.errors.clone(), one.errors].concat());
        assert_eq!(two.detail, "2 fields are not right; see errors");
    }
}
