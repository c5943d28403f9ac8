//! One request to the API, as a verb describes it.

use std::time::Duration;

use hyper::Method;

/// For an ordinary request: most are answered in milliseconds.
const DEFAULT_TIME: Duration = Duration::from_secs(30);
/// For a request that works through many events before it answers.
pub const LONG_TIME: Duration = Duration::from_secs(600);

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) method: Method,
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
    pub(super) media: &'static str,
    pub(super) within: Duration,
}

impl Call {
    fn new<const N: usize>(method: Method, path: [&str; N]) -> Self {
        Self {
            method,
            path: path.map(str::to_owned).into(),
            query: Vec::new(),
            body: None,
            media: "application/json",
            within: DEFAULT_TIME,
        }
    }

    /// Reads what is at the path with these segments.
    pub fn get<const N: usize>(path: [&str; N]) -> Self {
        Self::new(Method::GET, path)
    }

    /// Asks for something to be done.
    pub fn post<const N: usize>(path: [&str; N]) -> Self {
        Self::new(Method::POST, path)
    }

    /// Changes something.
    pub fn patch<const N: usize>(path: [&str; N]) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// Removes something.
    pub fn delete<const N: usize>(path: [&str; N]) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds a parameter, if it is given.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// The same, from where an earlier answer ended.
    #[must_use]
    pub(super) fn on_from(mut self, cursor: &str) -> Self {
        self.query.retain(|(name, _)| *name != "cursor");
        self.query("cursor", Some(cursor))
    }

    /// Sends a JSON text.
    #[must_use]
    pub fn json(mut self, body: impl ToString) -> Self {
        self.body = Some(body.to_string());
        self
    }

    /// Sends lines of JSON.
    #[must_use]
    pub fn lines(self, body: String) -> Self {
        Self {
            body: Some(body),
            media: "application/x-ndjson",
            ..self
        }
    }

    /// Waits for the answer for so long.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }
}
