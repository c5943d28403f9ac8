//! `redeliver event send`: puts events into the log.

use std::io::Read;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::Failure;
use super::super::client::Call;
use super::super::output::{self, text};
use super::super::remote::Remote;
use crate::clock::Timestamp;

/// An event to put in.
#[derive(Debug, clap::Args)]
pub struct Send {
    /// Its type, such as order.paid
    #[arg(value_name = "TYPE")]
    pub kind: String,

    /// Its data: JSON, or - for standard input [default: {}]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub data: Option<String>,

    /// The file with its data; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub data_file: Option<PathBuf>,

    /// Its id: the same one again within the duplicate window puts nothing in
    #[arg(long, value_name = "KEY")]
    pub id: Option<String>,

    /// What it is about
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,

    /// When it happened, in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub time: Option<String>,

    /// Put in so many of it
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "id",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
}

/// As given, if it is a time.
fn time(text: &str) -> Result<String, String> {
    let checked = Timestamp::parse(text).map_err(|error| error.to_string());
    checked.map(|_| text.to_owned())
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    /// Raw, so that no digit of a number is lost.
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
}

impl Send {
    pub(super) async fn run(self, remote: &Remote) -> Result<(), Failure> {
        let body = self.body()?;
        let mut client = remote.client()?;
        let mut all = Vec::new();
        for _ in 0..self.count {
            let call = Call::post(["v1", "events"]).json(&body);
            let answer = client.call(call).await?;
            if remote.json && self.count > 1 {
                all.push(answer.json()?);
            } else {
                remote.show(&answer, human)?;
            }
        }
        if all.is_empty() {
            return Ok(());
        }
        output::json(&json!({ "data": all }).to_string())
    }

    fn body(&self) -> Result<String, Failure> {
        let (data, from) = self.read_data()?;
        let data: Box<RawValue> = serde_json::from_str(&data).map_err(|error| {
            let mend = match self.data_file.is_none() && data.starts_with('@') {
                true => "; a file is read by --data-file FILE, not by an @",
                false => "",
            };
            Failure::Usage(format!("{from} is not JSON: {error}{mend}"))
        })?;
        let body = Body {
            r#type: &self.kind,
            data: &data,
            id: self.id.as_deref(),
            subject: self.subject.as_deref(),
            time: self.time.as_deref(),
        };
        serde_json::to_string(&body).map_err(|error| Failure::Usage(format!("{from}: {error}")))
    }

    /// The data's text, and where it is from.
    fn read_data(&self) -> Result<(String, String), Failure> {
        let path = match (&self.data_file, self.data.as_deref()) {
            (Some(path), _) => path.clone(),
            (None, Some("-")) => PathBuf::from("-"),
            (None, data) => return Ok((data.unwrap_or("{}").to_owned(), "--data".to_owned())),
        };
        if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin()
                .lock()
                .read_to_string(&mut text)
                .map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
            return Ok((text, "standard input".to_owned()));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::Usage(format!(
                "cannot read the data from {}: {error}",
                path.display()
            ))
        })?;
        Ok((text, path.display().to_string()))
    }
}

fn human(accepted: &Value) -> Result<(), Failure> {
    let duplicate = match accepted["duplicate"].as_bool() {
        Some(true) => ", a duplicate: nothing was put in",
        _ => "",
    };
    output::line(&format!(
        "{} (seq {}){duplicate}",
        text(accepted, "id"),
        text(accepted, "seq")
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        send: Send,
    }

    fn body(args: &[&str]) -> Result<String, Failure> {
        let all = ["send"].iter().chain(args);
        Program::try_parse_from(all).unwrap().send.body()
    }

    #[test]
    fn the_data_goes_out_with_every_digit_and_in_its_own_order() {
        let data = r#"{"z":12345678901234567890123,"a":1.10}"#;
        assert_eq!(
            body(&["order.paid", "--data", data, "--id", "k"]).unwrap(),
            format!(r#"{{"type":"order.paid","data":{data},"id":"k"}}"#)
        );
        assert_eq!(body(&["t"]).unwrap(), r#"{"type":"t","data":{}}"#);
    }

    #[test]
    fn data_that_is_no_json_is_bad_usage() {
        let error = body(&["t", "--data", "{a"]).unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(
            error.to_string().starts_with("--data is not JSON"),
            "{error}"
        );
        let error = body(&["t", "--data", "@file"]).unwrap_err();
        assert!(error.to_string().contains("--data-file FILE"), "{error}");
    }
}
