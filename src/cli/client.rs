//! A small HTTP client for the API of a running server.

mod call;
mod dial;
mod download;
pub mod lenient;
mod refusal;

pub use call::{Call, LONG_TIME};
pub use download::Download;
pub use refusal::Refusal;

use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use url::Url;

use super::Failure;
use crate::secret::Secret;
use crate::words::quoted;
use dial::Way;
use refusal::problem;

/// The environment variable that the server's admin token is taken from.
pub const TOKEN_VARIABLE: &str = "REDELIVER_TOKEN";

/// A thousand events of the largest size, in base64, would be more; nobody reads them so.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// What a server answered with success.
#[derive(Clone, Debug)]
pub struct Answer {
    server: String,
    /// The body as it came; `{}` if there was none.
    pub text: String,
}

impl Answer {
    /// The body as a tree, for people and for decisions.
    pub fn json(&self) -> Result<Value, Failure> {
        lenient::tree(&self.text).ok_or_else(|| self.unexpected())
    }

    /// Refuses an answer that no server of this kind gives, however successful it is.
    pub fn expect(&self, is_ours: impl FnOnce(&Value) -> bool) -> Result<(), Failure> {
        match is_ours(&self.json()?) {
            true => Ok(()),
            false => Err(self.unexpected()),
        }
    }

    /// The body as a `T`.
    pub fn read<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|_| self.unexpected())
    }

    fn unexpected(&self) -> Failure {
        let what = "it answered with something else than expected";
        not_ours(&self.server, what)
    }
}

/// A connection to a server, made when it is needed.
pub struct Client {
    base: Url,
    server: String,
    way: Way,
    authorization: Option<HeaderValue>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client of the server at `url`, which an authority of the system has to vouch for, or one
    /// in the file `ca`, if it is https.
    pub fn new(url: &str, ca: Option<&Path>, token: Option<Secret>) -> Result<Self, Failure> {
        let example = "write for example http://127.0.0.1:7070 (--server or REDELIVER_SERVER)";
        let bad = |what: &str| Failure::Usage(format!("server {}: {what}; {example}", quoted(url)));
        let base = Url::parse(url).map_err(|_| bad("not a URL"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(bad("not an http or https URL"));
        }
        if base.host_str().is_none_or(str::is_empty) {
            return Err(bad("it names no host"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(Failure::Usage(format!(
                "the server's URL must hold no credentials; set {TOKEN_VARIABLE} instead"
            )));
        }
        let authorization = token.map(|token| {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let authorization =
            authorization
                .transpose()
                .map_err(|_: hyper::header::InvalidHeaderValue| {
                    Failure::Usage(format!(
                        "{TOKEN_VARIABLE} has a character that no Authorization header carries"
                    ))
                })?;
        Ok(Self {
            server: base.as_str().trim_end_matches('/').to_owned(),
            way: Way::to(&base, ca)?,
            base,
            authorization,
            connection: None,
        })
    }

    /// Sends a request and waits for its answer. What is no success is a failure.
    pub async fn call(&mut self, call: Call) -> Result<Answer, Failure> {
        self.ask(call).await.map_err(Refusal::into)
    }

    /// As [`call`](Self::call), of a list: a server looks at so many items for each answer, and what
    /// is asked for may be none of the newest.
    pub async fn list(&mut self, mut call: Call) -> Result<Answer, Failure> {
        loop {
            let answer = self.call(call.clone()).await?;
            let list = answer.json()?;
            match list["next"].as_str() {
                Some(next) if list["data"].as_array().is_some_and(Vec::is_empty) => {
                    call = call.on_from(next);
                }
                _ => return Ok(answer),
            }
        }
    }

    /// As [`call`](Self::call), but that a problem which the server tells is given as it is, too.
    pub async fn ask(&mut self, call: Call) -> Result<Answer, Refusal> {
        let within = call.within;
        let answered = tokio::time::timeout(within, self.exchange(call)).await;
        let (status, body) = answered.map_err(|_| {
            self.connection = None;
            Failure::Environment(format!(
                "{} did not answer within {} seconds",
                self.server,
                within.as_secs()
            ))
        })??;
        let text = String::from_utf8(body.into())
            .map_err(|_| self.not_ours("it answered with something that is no text"))?;
        if status.is_success() {
            let text = if text.trim().is_empty() {
                "{}".to_owned()
            } else {
                text
            };
            let server = self.server.clone();
            return Ok(Answer { server, text });
        }
        Err(Refusal {
            failure: self.refusal(status, &text),
            problem: serde_json::from_str(&text).unwrap_or_default(),
        })
    }

    /// What answers is no server of this kind.
    pub fn not_ours(&self, what: &str) -> Failure {
        not_ours(&self.server, what)
    }

    async fn exchange(&mut self, call: Call) -> Result<(StatusCode, Bytes), Failure> {
        let request = self.request(call)?;
        let broken = |error: &dyn std::error::Error, server: &str| {
            let cause = error.source().map_or(error.to_string(), |s| s.to_string());
            Failure::Environment(format!("{server} broke the connection off: {cause}"))
        };
        let mut sender = self.connected().await?;
        let response: Response<_> = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error, &self.server))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| broken(&*error, &self.server))?;
        self.connection = Some(sender);
        Ok((head.status, body.to_bytes()))
    }

    fn request(&self, call: Call) -> Result<Request<Full<Bytes>>, Failure> {
        // The parser of URLs would take these away and so name something else.
        if let Some(name) = call.path.iter().find(|s| matches!(&***s, "" | "." | "..")) {
            return Err(Failure::Usage(format!("{} is no name", quoted(name))));
        }
        let mut url = self.base.clone();
        url.set_fragment(None);
        url.set_query(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut request = Request::builder()
            .method(call.method)
            .uri(target)
            .header(HOST, host)
            .header(ACCEPT, "application/json, application/problem+json")
            .header(USER_AGENT, concat!("redeliver/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, call.media);
        }
        let body = Full::new(Bytes::from(call.body.unwrap_or_default()));
        request
            .body(body)
            .map_err(|error| Failure::Usage(format!("cannot ask {}: {error}", self.server)))
    }

    async fn connected(&mut self) -> Result<SendRequest<Full<Bytes>>, Failure> {
        if let Some(mut sender) = self.connection.take()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let stream = self.way.connect().await.map_err(|cause| {
            Failure::Environment(format!(
                "no server answers at {}: {cause}; start one with `redeliver serve`, or name another with --server",
                self.server
            ))
        })?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Failure::Environment(format!("{}: {error}", self.server)))?;
        // Its errors reach the one who waits for the answer.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn refusal(&self, status: StatusCode, text: &str) -> Failure {
        if status == StatusCode::UNAUTHORIZED {
            let mend = match &self.authorization {
                None => format!("set {TOKEN_VARIABLE}"),
                Some(_) => {
                    format!("it does not accept the one in {TOKEN_VARIABLE}; set the right one")
                }
            };
            return Failure::Usage(format!("{} asks for its admin token: {mend}", self.server));
        }
        let Some(message) = problem(text) else {
            return self.not_ours(&format!("it answered {status}"));
        };
        match status.as_u16() {
            // What was waited for did not happen in time.
            408 => Failure::Check(message),
            429 => Failure::Environment(message),
            400..=499 => Failure::Usage(message),
            _ => Failure::Environment(message),
        }
    }
}

fn not_ours(server: &str, what: &str) -> Failure {
    Failure::Environment(format!(
        "there is no redeliver at {server}: {what}; name another with --server"
    ))
}

#[cfg(test)]
mod tests;
