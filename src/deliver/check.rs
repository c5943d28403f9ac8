//! The GET on save (ESP-07): does the receiver answer at all?

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderValue};
use url::Url;

use super::courier::Courier;
use super::outgoing::{Unsendable, own_headers};
use super::transport::Request;
use crate::endpoint::{Check, EndpointSettings};
use crate::vendor::basic_authorization;

/// Why an endpoint did not pass the GET on save (ESP-08): for the operator, who mends it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckFailed {
    /// It answered, but not as it must.
    #[error("GET {url} answered {status}; the check asks for {wanted}")]
    Status {
        /// Where, without its query.
        url: String,
        /// What it answered.
        status: u16,
        /// What would pass.
        wanted: &'static str,
    },
    /// It did not answer.
    #[error("GET {url} failed: {cause}")]
    NoAnswer {
        /// Where, without its query.
        url: String,
        /// Why not.
        cause: String,
    },
}

impl Courier {
    /// Sends the GET on save (ESP-07), unless the endpoint asks for none.
    pub async fn check(&self, settings: &EndpointSettings) -> Result<(), CheckFailed> {
        let (wanted, passes): (_, fn(u16) -> bool) = match settings.check {
            Check::Off => return Ok(()),
            Check::Any2xx => ("any 2xx", |status| (200..300).contains(&status)),
            Check::Only200 => ("200", |status| status == 200),
            Check::Below400 => ("any status below 400", |status| status < 400),
        };
        let shown = settings.url.split('?').next().unwrap_or_default();
        let failed = |cause: String| CheckFailed::NoAnswer {
            url: shown.to_owned(),
            cause,
        };
        let request = get(settings).map_err(|error| failed(error.to_string()))?;
        let sleep = self.clock.sleep(self.timeout(settings));
        match self.transport.send(request, sleep).await {
            Ok(answer) if passes(answer.status) => Ok(()),
            Ok(answer) => Err(CheckFailed::Status {
                url: shown.to_owned(),
                status: answer.status,
                wanted,
            }),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// The GET on save carries the login too.
fn get(settings: &EndpointSettings) -> Result<Request, Unsendable> {
    let mut headers = own_headers(settings)?;
    if let Some(auth) = &settings.basic_auth {
        let text = basic_authorization(&auth.user, auth.password.expose());
        headers.insert(AUTHORIZATION, HeaderValue::try_from(text)?);
    }
    Ok(Request {
        method: Method::GET,
        url: Arc::new(Url::parse(&settings.url)?),
        headers,
        body: Bytes::new(),
        ca_pem: settings.ca_pem.as_deref().map(Arc::from),
    })
}
