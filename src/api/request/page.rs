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

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    list: u8,
    query: [u8; 4],
    /// How many are asked for.
    pub limit: usize,
    /// The position that the list goes on behind, if there is a cursor.
    pub after: Option<(u64, u32)>,
}

impl Part {
    /// Reads `limit` and `cursor`. `list` tells cursors of different lists apart; a cursor also
    /// knows which query it came from, as behind it another one would leave things out.
    pub fn read(params: &mut Params<'_>, list: u8) -> Self {
        let limit = limit(params);
        let query = params.digest();
        let text = params.text(CURSOR).map(str::to_owned);
        let after = text.and_then(|text| match parse(&text, list) {
            Some((of, after)) if of == query => Some(after),
            Some(_) => {
                params.add(
                    CURSOR,
                    "cursor is of another query of this list; ask with the same filters and order as before, or leave it out to start again",
                );
                None
            }
            None => {
                params.add(
                    CURSOR,
                    "cursor is not the \"next\" of an earlier answer of this list; leave it out to start again",
                );
                None
            }
        });
        Self {
            list,
            query,
            limit,
            after,
        }
    }

    /// The cursor behind `position`.
    pub fn next(&self, position: (u64, u32)) -> String {
        let mut bytes = [0; 17];
        bytes[0] = self.list;
        bytes[1..5].copy_from_slice(&self.query);
        bytes[5..13].copy_from_slice(&position.0.to_be_bytes());
        bytes[13..].copy_from_slice(&position.1.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// Of which query a cursor of `list` is, and its position.
fn parse(text: &str, list: u8) -> Option<([u8; 4], (u64, u32))> {
    let bytes: [u8; 17] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (head, rest) = bytes.split_first()?;
    let (query, rest) = rest.split_first_chunk()?;
    let (first, second) = rest.split_first_chunk()?;
    let second = second.try_into().ok()?;
    let position = (u64::from_be_bytes(*first), u32::from_be_bytes(second));
    (*head == list).then_some((*query, position))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = [LIMIT, CURSOR, "type", "order"];

    fn part(query: &str, list: u8) -> Option<Part> {
        let mut params = Params::read(Some(query), &KNOWN);
        let part = Part::read(&mut params, list);
        params.check().ok().map(|()| part)
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_and_query_alone() {
        let cursor = part("type=a", b'e').unwrap().next((7, 9));
        let goes_on = |query: &str, list| part(&format!("cursor={cursor}{query}"), list);
        assert_eq!(goes_on("&type=a", b'e').unwrap().after, Some((7, 9)));
        let more = goes_on("&type=a&limit=7", b'e').unwrap();
        assert_eq!((more.after, more.limit), (Some((7, 9)), 7));
        assert!(goes_on("&type=a", b'd').is_none());
        for other in ["", "&type=b", "&type=a&order=asc"] {
            assert!(goes_on(other, b'e').is_none(), "{other}");
        }
        assert!(goes_on("AA&type=a", b'e').is_none());
        assert!(part("cursor=not+a+cursor", b'e').is_none());
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
