//! Lists in parts: `{"data": […], "next": "…" or null}`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;

use super::params::Params;

const LIMIT_MAX: usize = 1000;
const LIMIT_DEFAULT: usize = 50;

/// The names of the parameters of every list.
pub const LIMIT: &str = "limit";
/// See [`LIMIT`].
pub const CURSOR: &str = "cursor";

/// A part of a list, as it is answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct Listed<T> {
    /// What was found. It may be less than asked for, or nothing, although there is more.
    pub data: Vec<T>,
    /// What to ask for as `cursor` to go on; null at the end.
    pub next: Option<String>,
}

/// How many are asked for.
pub fn limit(params: &mut Params<'_>) -> usize {
    params
        .value(LIMIT, "a whole number from 1 to 1000", |limit| {
            (1..=LIMIT_MAX).contains(limit)
        })
        .unwrap_or(LIMIT_DEFAULT)
}

/// Writes a position. `list` tells cursors of different lists apart.
pub fn write_cursor(list: u8, position: (u64, u32)) -> String {
    let mut bytes = [0; 13];
    bytes[0] = list;
    bytes[1..9].copy_from_slice(&position.0.to_be_bytes());
    bytes[9..].copy_from_slice(&position.1.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position that the list goes on behind, if there is a cursor.
pub fn read_cursor(params: &mut Params<'_>, list: u8) -> Option<(u64, u32)> {
    let text = params.text(CURSOR)?;
    let position = parse(text, list);
    if position.is_none() {
        params.add(
            CURSOR,
            "cursor is not the \"next\" of an earlier answer of this list; leave it out to start again",
        );
    }
    position
}

fn parse(text: &str, list: u8) -> Option<(u64, u32)> {
    let bytes: [u8; 13] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (head, rest) = bytes.split_first()?;
    let (first, second) = rest.split_first_chunk()?;
    (*head == list).then_some((
        u64::from_be_bytes(*first),
        u32::from_be_bytes(second.try_into().ok()?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_alone() {
        let cursor = write_cursor(b'e', (7, 9));
        assert_eq!(parse(&cursor, b'e'), Some((7, 9)));
        assert_eq!(parse(&cursor, b'd'), None);
        assert_eq!(parse("", b'e'), None);
        assert_eq!(parse("not a cursor", b'e'), None);
        assert_eq!(parse(&format!("{cursor}AA"), b'e'), None);
    }

    #[test]
    fn the_limit_is_fifty_unless_asked_and_a_thousand_at_most() {
        let limit = |query| {
            let mut params = Params::read(query, &[LIMIT]);
            (limit(&mut params), params.check().is_ok())
        };
        assert_eq!(limit(None), (50, true));
        assert_eq!(limit(Some("limit=1000")), (1000, true));
        assert!(!limit(Some("limit=1001")).1);
        assert!(!limit(Some("limit=0")).1);
    }
}
