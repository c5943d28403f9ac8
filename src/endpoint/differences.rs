//! In what two versions of an endpoint differ, by the names that an operator knows. Never a value:
//! some are secrets.

use super::EndpointSettings;

impl EndpointSettings {
    /// The names of the settings that are others in `after`. An order or a subject of filters that
    /// the policy's own table changed counts as its policy.
    pub fn differences(&self, after: &Self) -> Vec<&'static str> {
        let is_other = [
            ("name", self.name != after.name),
            ("url", self.url != after.url),
            (
                "policy",
                self.policy != after.policy
                    || self.order != after.order
                    || self.filter.on != after.filter.on,
            ),
            ("events", self.filter.patterns != after.filter.patterns),
            ("concurrency", self.concurrency != after.concurrency),
            ("timeout", self.timeout != after.timeout),
            ("basic_auth", self.basic_auth != after.basic_auth),
            ("headers", self.headers != after.headers),
            ("signing_key", self.signing_key != after.signing_key),
            ("key_encoding", self.key_encoding != after.key_encoding),
            (
                "signature_encoding",
                self.signature_encoding != after.signature_encoding,
            ),
            (
                "timestamp_mode",
                self.timestamp_mode != after.timestamp_mode,
            ),
            ("allow_http", self.allow_http != after.allow_http),
            (
                "drop_while_inactive",
                self.drop_while_inactive != after.drop_while_inactive,
            ),
            ("ca_file", self.ca_pem != after.ca_pem),
            ("check", self.check != after.check),
            ("origin", self.origin != after.origin),
        ];
        let others = is_other.into_iter().filter(|(_, is_other)| *is_other);
        others.map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::endpoint::tests::endpoint;
    use crate::secret::Secret;

    #[test]
    fn what_differs_is_named_and_no_secret_is_told() {
        let before = endpoint(1).settings.clone();
        let mut after = before.clone();
        assert!(before.differences(&after).is_empty());
        after.url = "https://elsewhere.example/".to_owned();
        after.signing_key = Some(Secret::new("key"));
        assert_eq!(before.differences(&after), ["url", "signing_key"]);
    }
}
