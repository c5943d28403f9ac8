//! The collector: the exporter's HTTP client, over the transport that deliveries go by.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::header::USER_AGENT;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use url::Url;

use crate::clock::{Clock, RealClock};
use crate::deliver::guard::AddressGuard;
use crate::deliver::transport::{InvalidCa, Request, Transport, TransportError, check_ca};
use crate::traces::settings::Settings;

/// The largest answer, with its head: it says that all is well.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// How much of a collector's own words is told.
const WORDS_MAX_CHARS: usize = 200;

const AGENT: &str = concat!(
    "OTel-OTLP-Exporter-Rust redeliver/",
    env!("CARGO_PKG_VERSION")
);

/// Why there is no way to a collector.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// There is no transport.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The certificate cannot be read.
    #[error("the collector's certificate {} cannot be read: {cause}", .path.display())]
    Unreadable {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// It is none.
    #[error("the collector's certificate {} cannot be used: {cause}", .path.display())]
    Certificate {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        cause: InvalidCa,
    },
}

/// A collector, and how it gets on with us.
pub struct Collector {
    transport: Transport,
    url: Arc<Url>,
    ca_pem: Option<Arc<str>>,
    timeout: Duration,
    rejected: AtomicU64,
    trouble: Mutex<String>,
}

/// Shows no header.
impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl Collector {
    /// That of `settings`.
    ///
    /// # Errors
    /// If there is no transport, or the certificate cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, CollectorError> {
        let ca_pem = settings.certificate.clone().map(certificate).transpose()?;
        Ok(Self {
            transport: Transport::new(anywhere())?,
            url: Arc::new(settings.endpoint.clone()),
            ca_pem,
            timeout: settings.timeout,
            rejected: AtomicU64::new(0),
            trouble: Mutex::default(),
        })
    }

    /// How many spans it has rejected since this was last asked.
    pub fn take_rejected(&self) -> u64 {
        self.rejected.swap(0, Ordering::Relaxed)
    }

    /// What was wrong last.
    pub fn trouble(&self) -> String {
        let trouble = self.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, trouble: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// A success may reject some of what was sent (OTLP: partial success).
    fn read(&self, body: &Bytes) {
        let answer = ExportTraceServiceResponse::decode(body.clone()).unwrap_or_default();
        let Some(partial) = answer.partial_success else {
            return;
        };
        let rejected = u64::try_from(partial.rejected_spans).unwrap_or_default();
        if rejected > 0 {
            let words: String = partial
                .error_message
                .chars()
                .take(WORDS_MAX_CHARS)
                .collect();
            let words = crate::words::quoted(&words);
            self.note(format!("it rejects {rejected} spans of a batch: {words}"));
            self.rejected.fetch_add(rejected, Ordering::Relaxed);
        }
    }
}

/// The operator says where the collector is; no stranger has a part in it.
fn anywhere() -> AddressGuard {
    AddressGuard {
        allow: vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())],
        allow_loopback: true,
    }
}

fn certificate(path: PathBuf) -> Result<Arc<str>, CollectorError> {
    let pem = match fs::read_to_string(&path) {
        Ok(pem) => pem,
        Err(cause) => return Err(CollectorError::Unreadable { path, cause }),
    };
    match check_ca(&pem) {
        Ok(()) => Ok(pem.into()),
        Err(cause) => Err(CollectorError::Certificate { path, cause }),
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(
        &self,
        request: hyper::Request<Bytes>,
    ) -> Result<hyper::Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let mut headers = head.headers;
        let agent = HeaderValue::from_static(AGENT);
        headers.entry(USER_AGENT).or_insert(agent);
        let request = Request {
            method: head.method,
            url: self.url.clone(),
            headers,
            body,
            ca_pem: self.ca_pem.clone(),
        };
        let deadline = RealClock.sleep(self.timeout);
        let fetched = self.transport.fetch(request, deadline, ANSWER_MAX_BYTES);
        let answer = fetched
            .await
            .inspect_err(|error| self.note(error.to_string()))?;
        match answer.status() {
            status if status.is_success() => self.read(answer.body()),
            status => self.note(format!("it answers {status}")),
        }
        Ok(answer)
    }
}
