//! `[server]`: where it listens, where it keeps its data, who may administer it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use super::Limits;
use super::master_key::{self, MasterKeys};
use super::report::Report;
use super::secrets::{Outside, check_carried};
use super::section::Section;
use crate::secret::{Secret, Tokens};
use crate::words::quoted;

pub(super) const KEYS: &[&str] = &[
    "listen",
    "data_dir",
    "admin_token",
    "previous_admin_tokens",
    "dashboard",
    "allow_addresses",
    "master_key",
    "previous_master_keys",
];

/// Random letters and digits of this length are not guessed over a network.
const TOKEN_SHORT: usize = 16;

/// The server's own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The store's directory, relative to the working directory as on the command line.
    pub data_dir: PathBuf,
    /// What administrators authenticate with; required where `listen` is not loopback.
    pub admin_token: Option<Secret>,
    /// Tokens before it, which count as well while it is being replaced.
    pub previous_admin_tokens: Vec<Secret>,
    /// By which endpoints' secrets are sealed in the store; without one they lie there in plain.
    pub master_keys: Option<MasterKeys>,
    /// Whether the dashboard is served at `/`.
    pub dashboard: bool,
    /// Private ranges that events may be sent to all the same (`allow_addresses`).
    pub allow_private: Vec<IpNet>,
    /// Every limit.
    pub limits: Limits,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            data_dir: PathBuf::from("redeliver-data"),
            admin_token: None,
            previous_admin_tokens: Vec::new(),
            master_keys: None,
            dashboard: true,
            allow_private: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// A server that other machines reach and that anyone could administer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "listen {0} is open to other machines, but there is no admin_token; add admin_token = \"env:REDELIVER_TOKEN\" to [server]"
)]
pub struct OpenToAnyone(pub SocketAddr);

impl Server {
    /// What administrators may show.
    pub fn admin_tokens(&self) -> Tokens {
        Tokens::new(self.admin_token.clone(), self.previous_admin_tokens.clone())
    }

    /// Refuses an address that is not loopback without an admin token. Ask again where the
    /// command line overrides the address.
    pub fn check_admin_token(&self) -> Result<(), OpenToAnyone> {
        if self.admin_token.is_none() && !self.listen.ip().to_canonical().is_loopback() {
            return Err(OpenToAnyone(self.listen));
        }
        Ok(())
    }

    pub(super) fn read(report: &mut Report, outside: &Outside<'_>, section: &Section<'_>) -> Self {
        section.refuse_unknown(report, KEYS);
        let mut server = Self::default();
        if let Some(listen) = section.text(report, "listen") {
            match listen.parse() {
                Ok(address) => server.listen = address,
                Err(_) => report.error(
                    section.place("listen"),
                    format!(
                        "listen {} is not an IP address with a port; write for example \"127.0.0.1:7070\"",
                        quoted(listen)
                    ),
                ),
            }
        }
        if let Some(data_dir) = section.text(report, "data_dir") {
            if data_dir.is_empty() {
                report.error(
                    section.place("data_dir"),
                    "data_dir is empty; name a directory, or leave it out for \"redeliver-data\"",
                );
            }
            server.data_dir = PathBuf::from(data_dir);
        }
        server.admin_token = outside.secret(report, section, "admin_token");
        server.previous_admin_tokens = outside.secrets(report, section, "previous_admin_tokens");
        check_carried(report, section, "admin_token", server.admin_token.iter());
        let previous = server.previous_admin_tokens.iter();
        check_carried(report, section, "previous_admin_tokens", previous);
        if section.has("previous_admin_tokens") && !section.has_or_means("admin_token") {
            report.error(
                section.place("previous_admin_tokens"),
                "previous_admin_tokens have no admin_token that replaces them; add admin_token",
            );
        }
        server.master_keys = master_key::read(report, outside, section);
        if let Some(dashboard) = section.boolean(report, "dashboard") {
            server.dashboard = dashboard;
        }
        for address in section.texts(report, "allow_addresses").unwrap_or_default() {
            let text = address.value;
            let network = text
                .parse()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            match network {
                Ok(network) => server.allow_private.push(network.trunc()),
                Err(_) => report.error(
                    address.at,
                    format!(
                        "allow_addresses {} is not an address range; write for example \"10.0.0.0/8\"",
                        quoted(text)
                    ),
                ),
            }
        }
        let is_short = |token: &Secret| token.expose().len() < TOKEN_SHORT;
        if server.admin_token.as_ref().is_some_and(is_short)
            && !server.listen.ip().to_canonical().is_loopback()
        {
            report.warn(
                section.place("admin_token"),
                format!("admin_token has fewer than {TOKEN_SHORT} characters, and other machines may try as many as they like; take a random one, as of openssl rand -base64 32"),
            );
        }
        // A token that could not be read has been reported.
        if !section.has("admin_token")
            && let Err(error) = server.check_admin_token()
        {
            report.error(section.place("listen"), error.to_string());
        }
        server
    }
}
