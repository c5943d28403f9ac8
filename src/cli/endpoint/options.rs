//! What `endpoint add` and `endpoint update` say about an endpoint.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value, json};

use super::super::Failure;
use super::super::secrets::{basic_argument, secret_argument, secret_file};

/// What can be set back to its default.
pub const CLEARABLE: [&str; 13] = [
    "events",
    "concurrency",
    "timeout",
    "basic_auth",
    "headers",
    "signing_key",
    "key_encoding",
    "signature_encoding",
    "timestamp_mode",
    "allow_http",
    "drop_while_inactive",
    "ca_pem",
    "check",
];

/// The key that requests are signed with.
#[derive(Debug, clap::Args)]
pub struct Key {
    /// Sign requests with this key: env:NAME or file:PATH
    #[arg(long, value_name = "KEY", conflicts_with = "signing_key_file")]
    pub signing_key: Option<String>,

    /// Sign requests with the key in this file
    #[arg(long, value_name = "FILE")]
    pub signing_key_file: Option<PathBuf>,
}

impl Key {
    /// Puts the key into a request's members, if there is one.
    pub fn put(&self, members: &mut Map<String, Value>) -> Result<(), Failure> {
        let key = match (&self.signing_key_file, &self.signing_key) {
            (Some(path), _) => secret_file(path)?,
            (None, Some(given)) => secret_argument("--signing-key", given)?,
            (None, None) => return Ok(()),
        };
        members.insert("signing_key".to_owned(), key.expose().into());
        Ok(())
    }
}

/// What may be said about an endpoint beside its name, URL and policy.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only events of this type; a pattern such as order.* or *; may be repeated
    #[arg(long = "event", value_name = "PATTERN")]
    pub events: Vec<String>,

    /// What requests are signed with.
    #[command(flatten)]
    pub key: Key,

    /// How the key's text becomes bytes
    #[arg(long, value_name = "ENCODING", value_parser = ["utf8", "hex", "base64"])]
    pub key_encoding: Option<String>,

    /// How the signature is written
    #[arg(long, value_name = "ENCODING", value_parser = ["hex", "base64"])]
    pub signature_encoding: Option<String>,

    /// Send these credentials of HTTP Basic: user:env:NAME or user:file:PATH, or env:NAME or
    /// file:PATH that holds both
    #[arg(long, value_name = "USER:PASSWORD")]
    pub basic: Option<String>,

    /// Send this header, such as 'X-Team: a' or 'X-Key: env:NAME'; may be repeated, and replaces
    /// all earlier ones
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,

    /// Attempts at once
    #[arg(long, value_name = "N")]
    pub concurrency: Option<u32>,

    /// Time for one attempt, such as 10s
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,

    /// Which answer to a GET lets it be saved
    #[arg(long, value_name = "CHECK",
        value_parser = PossibleValuesParser::new(["off", "2xx", "200", "lt400"]))]
    pub check: Option<String>,

    /// When the payload gets its timestamp
    #[arg(long, value_name = "MODE", value_parser = ["per_attempt", "fixed"])]
    pub timestamp_mode: Option<String>,

    /// Allow plain http where the policy asks for TLS
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_http: Option<bool>,

    /// Drop events that occur while it is paused, instead of queueing them
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub drop_while_inactive: Option<bool>,

    /// Trust the certificate authority in this file (PEM), too, for this endpoint alone
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

impl Options {
    /// The members of a request that say the same. What is not given is left out.
    pub fn members(&self) -> Result<Map<String, Value>, Failure> {
        let mut members = Map::new();
        self.key.put(&mut members)?;
        let basic = self.basic.as_deref().map(basic_auth).transpose()?;
        let ca_pem = self.ca_file.as_ref().map(|path| {
            std::fs::read_to_string(path)
                .map_err(|error| Failure::Usage(format!("--ca-file {}: {error}", path.display())))
        });
        let text = |value: &Option<String>| value.clone().map(Value::from);
        let given = [
            ("events", given(&self.events).map(|events| json!(events))),
            ("key_encoding", text(&self.key_encoding)),
            ("signature_encoding", text(&self.signature_encoding)),
            ("basic_auth", basic),
            ("headers", headers(&self.headers)?),
            ("concurrency", self.concurrency.map(Value::from)),
            ("timeout", text(&self.timeout)),
            ("check", text(&self.check)),
            ("timestamp_mode", text(&self.timestamp_mode)),
            ("allow_http", self.allow_http.map(Value::from)),
            (
                "drop_while_inactive",
                self.drop_while_inactive.map(Value::from),
            ),
            ("ca_pem", ca_pem.transpose()?.map(Value::from)),
        ];
        members.extend(
            given
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?))),
        );
        Ok(members)
    }
}

fn given<T>(list: &[T]) -> Option<&[T]> {
    Some(list).filter(|list| !list.is_empty())
}

fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

fn basic_auth(text: &str) -> Result<Value, Failure> {
    let auth = basic_argument("--basic", text)?;
    Ok(json!({ "user": auth.user, "password": auth.password.expose() }))
}

fn headers(lines: &[String]) -> Result<Option<Value>, Failure> {
    let mut headers = Map::new();
    for line in lines {
        // The value may be a secret, so the line is not repeated.
        let (name, value) = line.split_once(':').ok_or_else(|| {
            Failure::Usage("--header: write a name, a colon and a value".to_owned())
        })?;
        let (name, value) = (name.trim(), value.trim());
        let value = if is_reference(value) {
            secret_argument("--header", value)?.expose().to_owned()
        } else {
            value.to_owned()
        };
        if headers.insert(name.to_owned(), value.into()).is_some() {
            return Err(Failure::Usage(format!("--header: {name} is given twice")));
        }
    }
    Ok(given(lines).map(|_| Value::Object(headers)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::endpoint::EndpointDraft;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: Options,
    }

    fn members(args: &[&str]) -> Result<Map<String, Value>, Failure> {
        let all = ["add"].iter().chain(args);
        Program::try_parse_from(all).unwrap().options.members()
    }

    #[test]
    fn what_is_not_given_is_not_sent() {
        assert!(members(&[]).unwrap().is_empty());
    }

    #[test]
    fn every_option_becomes_a_member_that_the_api_knows() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret\n").unwrap();
        let path = file.path().display().to_string();
        let (login, key) = (format!("login:file:{path}"), format!("X-Key: file:{path}"));
        let args = [
            ["--event=order.*", "--event=user"].as_slice(),
            &["--signing-key-file", &path, "--ca-file", &path],
            &["--key-encoding=hex", "--signature-encoding=base64"],
            &["--basic", &login],
            &["--header", "X-Team: a: b", "--header", &key],
            &["--concurrency=3", "--timeout=5s", "--check=lt400"],
            &["--timestamp-mode=fixed", "--allow-http"],
            &["--drop-while-inactive=false"],
        ]
        .concat();
        let members = members(&args).unwrap();
        assert_eq!(members["signing_key"], "s3cret");
        assert_eq!(
            members["basic_auth"],
            json!({"user": "login", "password": "s3cret"})
        );
        assert_eq!(
            members["headers"],
            json!({"X-Team": "a: b", "X-Key": "s3cret"})
        );
        assert_eq!(members["allow_http"], true);
        assert_eq!(members["drop_while_inactive"], false);
        let keys: Vec<_> = members.keys().map(String::as_str).collect();
        let mut expected = CLEARABLE.to_vec();
        expected.sort_unstable();
        assert_eq!(keys, expected);
        let text = Value::Object(members).to_string();
        EndpointDraft::from_members(&serde_json::from_str(&text).unwrap()).unwrap();
    }

    #[test]
    fn credentials_in_the_wrong_form_are_not_echoed() {
        for args in [["--basic", "hunter2"], ["--header", "hunter2"]] {
            let error = members(&args).unwrap_err();
            assert_eq!(error.code(), 2);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
