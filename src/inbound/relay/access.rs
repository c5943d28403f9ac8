//! The credentials of sources that sign nothing.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::refusal::Refusal;
use crate::current::Current;
use crate::endpoint::BasicAuth;
use crate::secret::Tokens;
use crate::vendor::basic_matches;

/// What a sender must show: nothing, or one of these.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Bearer tokens.
    pub tokens: Arc<Current<Tokens>>,
    /// A login and its password.
    pub basic: Option<BasicAuth>,
}

impl Access {
    /// Whether anybody may send.
    pub fn is_open(&self) -> bool {
        self.tokens.get().is_empty() && self.basic.is_none()
    }

    /// Lets a request through that brings one of the credentials.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.is_open() {
            return Ok(());
        }
        let tokens = self.tokens.get();
        let mut challenges = Vec::new();
        challenges.extend((!tokens.is_empty()).then_some("Bearer realm=\"redeliver\""));
        let basic = self.basic.as_ref();
        challenges.extend(basic.map(|_| "Basic realm=\"redeliver\", charset=\"UTF-8\""));
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = given.next() else {
            let detail = "there are no credentials; send an Authorization header";
            return Err(Refusal::unauthenticated(detail, &challenges));
        };
        if given.next().is_some() {
            let detail = "Authorization is given twice; keep one of the two";
            return Err(Refusal::unauthenticated(detail, &challenges));
        }
        let value = value.to_str().unwrap_or_default();
        let by_token = value.split_once(' ').is_some_and(|(scheme, given)| {
            scheme.eq_ignore_ascii_case("bearer") && tokens.match_one(given.trim())
        });
        let by_login =
            basic.is_some_and(|auth| basic_matches(value, &auth.user, auth.password.expose()));
        if by_token || by_login {
            return Ok(());
        }
        let detail = "the credentials are not those of this source";
        Err(Refusal::unauthenticated(detail, &challenges))
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;
    use crate::secret::Secret;
    use crate::vendor::basic_authorization;

    fn access(token: bool, basic: bool) -> Access {
        Access {
            tokens: Arc::new(Current::new(Tokens::new(
                token.then(|| Secret::new("hunter2")),
                Vec::new(),
            ))),
            basic: basic.then(|| BasicAuth {
                user: "hook".to_owned(),
                password: Secret::new("hunter3"),
            }),
        }
    }

    fn headers(given: &[&str]) -> HeaderMap {
        let values = given.iter().map(|text| HeaderValue::from_str(text));
        values
            .map(|value| (AUTHORIZATION, value.unwrap()))
            .collect()
    }

    #[test]
    fn a_11_one_of_the_credentials_that_are_set_is_asked_for_and_compared_whole() {
        let basic = basic_authorization("hook", "hunter3");
        let wrong = basic_authorization("hook", "hunter");
        for (token, login, given, allowed) in [
            (false, false, vec![], true),
            (false, false, vec!["Bearer anything"], true),
            (true, false, vec![], false),
            (true, false, vec!["Bearer hunter2"], true),
            (true, false, vec!["bearer hunter2"], true),
            (true, false, vec!["Bearer hunter"], false),
            (true, false, vec!["hunter2"], false),
            (true, false, vec![&*basic], false),
            (false, true, vec![&*basic], true),
            (false, true, vec![&*wrong], false),
            (false, true, vec!["Bearer hunter2"], false),
            (true, true, vec![&*basic], true),
            (true, true, vec!["Bearer hunter2"], true),
            (true, true, vec!["Bearer hunter2", &*basic], false),
        ] {
            let result = access(token, login).check(&headers(&given));
            assert_eq!(result.is_ok(), allowed, "{token} {login} {given:?}");
            if let Err(Refusal { problem, .. }) = result {
                assert_eq!(problem.status.as_u16(), 401);
                assert!(!problem.detail.contains("hunter"));
            }
        }
    }
}
