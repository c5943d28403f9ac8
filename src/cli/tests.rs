//! The verbs as a whole: help, usage errors, exit codes.

use clap::CommandFactory;

use super::*;

fn each(command: &clap::Command, check: &mut impl FnMut(&clap::Command)) {
    check(command);
    for verb in command.get_subcommands() {
        each(verb, check);
    }
}

#[test]
fn every_verb_has_a_summary_and_an_example() {
    Cli::command().debug_assert();
    each(&Cli::command(), &mut |verb| {
        let help = verb.get_after_help().unwrap_or_default().to_string();
        assert!(help.contains("Example"), "{}", verb.get_name());
        assert!(verb.get_about().is_some(), "{}", verb.get_name());
    });
}

#[test]
fn a_usage_error_is_one_line_that_says_what_is_wrong() {
    for (args, expected) in [
        (
            &["endpoint", "add", "crm"][..],
            "the following required arguments were not provided: --url <URL> --policy <POLICY>; see --help",
        ),
        (
            &["event", "list", "--jsn"],
            "unexpected argument '--jsn' found; tip: a similar argument exists: '--json'; see --help",
        ),
        (
            &["serve", "--clock", "fast"],
            "invalid value 'fast' for '--clock <CLOCK>': write real, manual, or a factor with an x such as 60x; see --help",
        ),
    ] {
        let args = ["redeliver"].iter().chain(args);
        let error = Cli::try_parse_from(args).unwrap_err();
        assert_eq!(usage(&error), expected);
    }
}

#[test]
fn each_failure_has_the_exit_code_of_the_interface() {
    let text = String::new;
    for (failure, code) in [
        (Failure::Check(text()), 1),
        (Failure::Usage(text()), 2),
        (Failure::Environment(text()), 3),
        (Failure::Interrupted, 130),
        (Failure::Closed, 0),
    ] {
        assert_eq!(failure.code(), code);
    }
}
