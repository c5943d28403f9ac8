//! Many CloudEvents in one request (`application/cloudevents-batch+json`).

use bytes::Bytes;

use super::read_structured;
use crate::inbound::json::each;
use crate::inbound::problem::Problem;
use crate::inbound::read::{EVENTS_MAX, Read, too_many};

/// Reads a batch of them, each as by itself; all or none.
pub fn read_batch(body: &Bytes) -> Result<Vec<Read>, Problem> {
    if !body.trim_ascii_start().starts_with(b"[") {
        // Checked for its own mistakes first.
        each(body, &mut |_| {})?;
        return Err(Problem::field(
            "",
            "the body is JSON, but not an array; send [{…}, …]",
        ));
    }
    let (mut found, mut count) = (Vec::new(), 0);
    each(body, &mut |element| {
        count += 1;
        if count <= EVENTS_MAX {
            found.push(element.get().as_bytes());
        }
    })?;
    if count > EVENTS_MAX {
        return Err(too_many());
    }
    let numbered = found.into_iter().enumerate();
    let each = numbered.map(|(index, event)| {
        read_structured(&body.slice_ref(event)).map_err(|mut problem| {
            for error in &mut problem.errors {
                error.at = format!("/{index}{}", error.at);
            }
            problem
        })
    });
    each.collect()
}
