//! A part of a list, and one thing of it: what every verb that lists and shows takes.

use serde_json::Value;

use super::client::Call;
use super::output;

/// Which part of a list is asked for.
#[derive(Debug, clap::Args)]
pub struct Part {
    /// At most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,

    /// Go on where an earlier list ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

impl Part {
    /// The same call, for this part.
    pub fn of(self, call: Call) -> Call {
        call.query("limit", self.limit).query("cursor", self.cursor)
    }
}

/// One thing that a server knows.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Its id; endpoints go by their names, too
    #[arg(value_name = "ID")]
    pub id: String,
}

/// The items of a list.
pub fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["data"].as_array().into_iter().flatten()
}

/// Says how to go on where a list has a next part.
pub fn note_next(list: &Value) {
    if let Some(next) = list["next"].as_str() {
        output::note(&format!(
            "there is more: add --cursor {}",
            output::clean(next)
        ));
    }
}
