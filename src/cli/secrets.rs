//! Secrets and logins as options name them: by a variable, by a file, or, with a warning, as they
//! are.

use std::path::Path;

use crate::endpoint::BasicAuth;
use crate::secret::Secret;

use super::{Failure, output};

/// The secret in a file, without the one newline that editors and `echo` put at its end.
pub fn secret_file(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::Usage(format!(
            "cannot read the secret in {}: {error}",
            path.display()
        ))
    })?;
    let trimmed = match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => &text,
    };
    Ok(Secret::new(trimmed))
}

/// A secret given as `env:NAME`, `file:PATH`, or, with a warning, as itself.
pub fn secret_argument(option: &str, given: &str) -> Result<Secret, Failure> {
    if let Some(name) = given.strip_prefix("env:") {
        return std::env::var(name).map(Secret::new).map_err(|_| {
            Failure::Usage(format!(
                "{option}: the environment variable {name} is not set"
            ))
        });
    }
    if let Some(path) = given.strip_prefix("file:") {
        return secret_file(Path::new(path));
    }
    output::warning(&format!(
        "{option} is visible to everybody on this machine; use env:NAME or file:PATH"
    ));
    Ok(Secret::new(given))
}

/// A login and its password, given as `user:env:NAME` or `user:file:PATH`, as `env:NAME` or
/// `file:PATH` that holds both, or, with a warning, as `user:password`.
pub fn basic_argument(option: &str, text: &str) -> Result<BasicAuth, Failure> {
    let form = || {
        Failure::Usage(format!(
            "{option}: write the user name, a colon and env:NAME or file:PATH"
        ))
    };
    let login = |user: &str, password: Secret| BasicAuth {
        user: user.to_owned(),
        password,
    };
    if text.starts_with("env:") || text.starts_with("file:") {
        let both = secret_argument(option, text)?;
        let (user, password) = both.expose().split_once(':').ok_or_else(form)?;
        return Ok(login(user, Secret::new(password)));
    }
    let (user, password) = text.split_once(':').ok_or_else(form)?;
    Ok(login(user, secret_argument(option, password)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn exactly_one_newline_at_the_end_of_a_key_file_is_dropped() {
        for (content, key) in [
            ("k", "k"),
            ("k\n", "k"),
            ("k\r\n", "k"),
            ("k\n\n", "k\n"),
            (" k \n", " k "),
            ("k\r", "k\r"),
            ("\n", ""),
        ] {
            let secret = secret_file(file(content).path()).unwrap();
            assert_eq!(secret.expose(), key, "{content:?}");
        }
    }

    #[test]
    fn a_secret_argument_names_a_file_or_a_variable() {
        let file = file("s3cret\n");
        let from_file = secret_argument("--basic", &format!("file:{}", file.path().display()));
        assert_eq!(from_file.unwrap().expose(), "s3cret");
        let unset = secret_argument("--basic", "env:REDELIVER_TEST_SURELY_UNSET").unwrap_err();
        assert_eq!(
            unset.to_string(),
            "--basic: the environment variable REDELIVER_TEST_SURELY_UNSET is not set"
        );
    }

    #[test]
    fn a_login_is_read_in_the_same_ways_by_every_command() {
        let (both, password) = (file("hook:s3:cret\n"), file("s3:cret\n"));
        let (both, password) = (both.path().display(), password.path().display());
        for given in [
            format!("file:{both}"),
            format!("hook:file:{password}"),
            "hook:s3:cret".to_owned(),
        ] {
            let login = basic_argument("--basic", &given).unwrap();
            assert_eq!((&*login.user, login.password.expose()), ("hook", "s3:cret"));
        }
        for given in ["hook", "hook:env:REDELIVER_TEST_SURELY_UNSET"] {
            let told = basic_argument("--basic", given).unwrap_err();
            assert_eq!(told.code(), 2);
            assert!(told.to_string().starts_with("--basic: "), "{told}");
        }
    }
}
