//! `redeliver sign`: computes one signature.

use serde_json::json;

use crate::vendor::{hotjar, standard};

use super::Failure;
use super::signing::{Input, Scheme, print};

/// Compute the signature of one body
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    REDELIVER_KEY=site-key redeliver sign --scheme hotjar body.json\n  \
    printf '{}' | redeliver sign --scheme standard --key-file secret.txt \\\n      \
    --id msg_1 --timestamp 1700000000 --json")]
pub struct Args {
    /// What is signed.
    #[command(flatten)]
    pub input: Input,
}

/// Prints the signature, or with `--json` the headers that carry it.
pub fn run(args: Args) -> Result<(), Failure> {
    args.input.check()?;
    let key = args.input.key()?;
    let body = args.input.read_body()?;
    print(&output(&args.input, &args.input.sign(&key, &body)?))
}

fn output(input: &Input, signature: &str) -> String {
    if !input.json {
        return signature.to_owned();
    }
    let headers = match input.scheme {
        Scheme::Hotjar => json!({ hotjar::SIGNATURE_HEADER: signature }),
        Scheme::Standard => json!({
            standard::ID_HEADER: input.id(),
            standard::TIMESTAMP_HEADER: input.seconds().to_string(),
            standard::SIGNATURE_HEADER: signature,
        }),
    };
    json!({ "signature": signature, "headers": headers }).to_string()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::secret::Secret;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    fn input(args: &[&str]) -> Result<Input, clap::Error> {
        let all = ["sign"].iter().chain(args);
        Program::try_parse_from(all).map(|program| program.args.input)
    }

    #[test]
    fn hot_31_the_signature_is_printed_as_it_stands_in_the_header() {
        let input = input(&["--scheme", "hotjar"]).unwrap();
        let key = Secret::new("hotjar-test-signing-key-0123456789");
        let expected = "a8c3d3098ddb6c07df8b1c627b1ff87e18307ed7986a7e906806db6fd947360c";
        let signature = input.sign(&key, b"").unwrap();
        assert_eq!(output(&input, &signature), expected);
    }

    #[test]
    fn json_holds_every_header_that_the_receiver_needs() {
        let args = [
            "--scheme",
            "standard",
            "--id",
            "msg_1",
            "--timestamp",
            "17",
            "--json",
        ];
        let input = input(&args).unwrap();
        let signature = input.sign(&Secret::new("whsec_a2V5"), b"{}").unwrap();
        let json: serde_json::Value = serde_json::from_str(&output(&input, &signature)).unwrap();
        assert_eq!(json["headers"]["webhook-id"], "msg_1");
        assert_eq!(json["headers"]["webhook-timestamp"], "17");
        assert_eq!(json["headers"]["webhook-signature"], signature.as_str());
        assert!(signature.starts_with("v1,"));
    }

    #[test]
    fn the_standard_scheme_asks_for_id_and_timestamp() {
        assert!(input(&["--scheme", "standard", "--id", "x"]).is_err());
        assert!(input(&["--scheme", "standard", "--timestamp", "1"]).is_err());
    }

    #[test]
    fn what_a_scheme_does_not_sign_is_refused_instead_of_ignored() {
        for (option, value) in [("--id", "x"), ("--timestamp", "17")] {
            let input = input(&["--scheme", "hotjar", option, value]).unwrap();
            let told = input.check().unwrap_err();
            assert_eq!(told.code(), 2);
            assert!(told.to_string().starts_with(option), "{told}");
        }
        let standard = ["--scheme", "standard", "--id", "x", "--timestamp", "17"];
        assert!(input(&standard).unwrap().check().is_ok());
    }

    #[test]
    fn a_key_that_cannot_sign_is_bad_usage_and_is_not_echoed() {
        let args = ["--scheme", "hotjar", "--key-encoding", "hex"];
        let error = input(&args)
            .unwrap()
            .sign(&Secret::new("hunter2"), b"")
            .unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
