//! The options by which faults are done on demand.

use std::path::PathBuf;

use super::Failure;
use crate::config::load_faults;
use crate::endpoint::Order;
use crate::fault::{Plan, Rule};

/// Which faults are done.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Faults on demand")]
pub struct FaultArgs {
    /// Do a fault: duplicate, concurrent-duplicate, reorder, delay, wrong-signature, other-key,
    /// stale, future, unknown-type, truncated-body, slow-body or cut. Alone it is done at each first
    /// attempt; with a probability, at each attempt with that probability. May be given again
    #[arg(long, value_name = "KIND[=TIME][@PROBABILITY]")]
    pub fault: Vec<Rule>,

    /// Do the faults of a script: TOML, `[[fault]]` tables with kind, time, event or every, type,
    /// attempt and probability
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
}

impl FaultArgs {
    /// What is done, by `seed`, at an endpoint of this order. What a script says comes first.
    pub fn plan(&self, seed: u64, order: Order) -> Result<Plan, Failure> {
        let mut rules = match &self.faults {
            Some(path) => load_faults(path).map_err(|errors| Failure::Usage(errors.to_string()))?,
            None => Vec::new(),
        };
        rules.extend(self.fault.iter().cloned());
        Plan::for_order(seed, rules, order).map_err(|error| Failure::Usage(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        faults: FaultArgs,
    }

    fn plan(args: &[&str], order: Order) -> Result<Plan, String> {
        let line = Line::try_parse_from([&["mock"], args].concat());
        let line = line.map_err(|error| error.to_string())?;
        line.faults
            .plan(7, order)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn faults_are_given_one_by_one_and_by_a_script_that_comes_first() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[[fault]]\nkind = \"delay\"\nevent = 2\n").unwrap();
        let path = file.path().to_str().unwrap();
        let args = ["--fault", "cut=0.2", "--fault", "stale", "--faults", path];
        let rules: Vec<Rule> = ["delay", "cut=0.2", "stale"]
            .map(|r| r.parse().unwrap())
            .into();
        let mut expected = rules;
        expected[0].events = crate::fault::Events::One(2);
        assert_eq!(plan(&args, Order::InOrder), Ok(Plan::new(7, expected)));
        assert!(plan(&[], Order::InOrder).unwrap().is_empty());
    }

    #[test]
    fn esp_16_what_is_sent_in_order_is_not_reordered_and_a_wrong_rule_is_told() {
        assert!(plan(&["--fault", "reorder"], Order::Independent).is_ok());
        let told = plan(&["--fault", "reorder"], Order::InOrder).unwrap_err();
        assert!(told.contains("sends in order"), "{told}");
        let told = plan(&["--fault", "cuts"], Order::InOrder).unwrap_err();
        assert!(told.contains("did you mean \"cut\"?"), "{told}");
        let told = plan(&["--faults", "/no/such/file"], Order::InOrder).unwrap_err();
        assert!(told.starts_with("/no/such/file: cannot be read"), "{told}");
    }
}
