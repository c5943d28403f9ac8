//! A connection to the server, in plain or over TLS.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::Failure;
use crate::deliver::transport::{check_ca, client_config, tls_problem};
use crate::words::quoted;

/// A file of authorities is a few certificates long.
const CA_MAX_BYTES: u64 = 256 * 1024;

/// Bytes both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where the server is, and by whom it has to be vouched for.
pub(super) struct Way {
    host: String,
    port: u16,
    tls: Option<(ServerName<'static>, Arc<ClientConfig>)>,
}

impl Way {
    /// To the host of `base`; over TLS if it is `https`, where authorities in the file `ca` count
    /// beside the system's.
    pub(super) fn to(base: &Url, ca: Option<&Path>) -> Result<Self, Failure> {
        let host = base.host_str().unwrap_or_default();
        // The brackets of an IPv6 address are part of the URL only.
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tls = match base.scheme() {
            "https" => {
                let pem = ca.map(authorities).transpose()?;
                let config = client_config(pem.as_deref());
                let config = config.map_err(|error| Failure::Environment(error.to_string()))?;
                Some((name(base)?, config))
            }
            _ => None,
        };
        let port = base.port_or_known_default().unwrap_or(80);
        Ok(Self { host, port, tls })
    }

    /// Connects, or says in words for the operator why that does not work.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, String> {
        let tcp = TcpStream::connect((&*self.host, self.port)).await;
        let tcp = tcp.map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            _ => error.to_string(),
        })?;
        let Some((name, config)) = &self.tls else {
            return Ok(Box::new(tcp));
        };
        let connector = TlsConnector::from(config.clone());
        match connector.connect(name.clone(), tcp).await {
            Ok(tls) => Ok(Box::new(tls)),
            Err(error) => Err(match tls_problem(&error) {
                Some(problem) => {
                    format!("{problem} (a private authority is given with --ca or REDELIVER_CA)")
                }
                None => error.to_string(),
            }),
        }
    }
}

fn name(base: &Url) -> Result<ServerName<'static>, Failure> {
    let bad = || Failure::Usage("the server's host is no name that TLS can ask for".to_owned());
    match base.host() {
        Some(Host::Domain(host)) => {
            let host = host.strip_suffix('.').unwrap_or(host);
            ServerName::try_from(host.to_owned()).map_err(|_| bad())
        }
        Some(Host::Ipv4(ip)) => Ok(ServerName::from(std::net::IpAddr::from(ip))),
        Some(Host::Ipv6(ip)) => Ok(ServerName::from(std::net::IpAddr::from(ip))),
        None => Err(bad()),
    }
}

/// The certificates in the file, if each of them can be trusted as an authority.
fn authorities(file: &Path) -> Result<String, Failure> {
    let shown = quoted(&file.display().to_string());
    let bad = |what: &dyn std::fmt::Display| Failure::Usage(format!("--ca {shown}: {what}"));
    let metadata = std::fs::metadata(file).map_err(|error| bad(&error))?;
    if !metadata.is_file() || metadata.len() > CA_MAX_BYTES {
        return Err(bad(
            &"no ordinary file of at most 256 KiB; give one with PEM certificates",
        ));
    }
    let pem = std::fs::read_to_string(file).map_err(|error| bad(&error))?;
    check_ca(&pem).map_err(|_| bad(&"no PEM certificates that can be trusted are in it"))?;
    Ok(pem)
}
