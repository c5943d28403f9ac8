//! JSON that a server has passed on as its sender wrote it. It may hold what no tree can: half of a
//! surrogate pair, which JavaScript's `slice` makes of an emoji, or a number beyond every float.

use serde_json::Value;

/// The tree; what it cannot hold is � or a text in it.
pub fn tree(text: &str) -> Option<Value> {
    let read = |text: &str| serde_json::from_str(text).ok();
    read(text).or_else(|| read(&mended(text)))
}

fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut in_text) = (text, false);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\\' if in_text => {
                let (length, stands_for) = escape(rest);
                out.push_str(stands_for.unwrap_or(&rest[..length]));
                length
            }
            '-' | '0'..='9' if !in_text => {
                let of_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
                let length = rest.find(|c| !of_number(c)).unwrap_or(rest.len());
                let number = &rest[..length];
                match number.parse::<f64>().is_ok_and(f64::is_infinite) {
                    true => out.extend(["\"", number, "\""]),
                    false => out.push_str(number),
                }
                length
            }
            _ => {
                in_text ^= first == '"';
                out.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out
}

/// How long the escape is that `text` begins with, and what stands for one that says nothing.
fn escape(text: &str) -> (usize, Option<&'static str>) {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(text) else {
        let escaped = text.chars().nth(1);
        return (1 + escaped.map_or(0, char::len_utf8), None);
    };
    match (first, unit(&text[6..])) {
        (0xd800..0xdc00, Some(0xdc00..0xe000)) => (12, None),
        (0xd800..0xe000, _) => (6, Some("\\ufffd")),
        _ => (6, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_tree_can_hold_is_replaced_and_the_rest_is_as_it_came() {
        for (text, shown) in [
            (r#"["a\ud83d"]"#, "[\"a\u{fffd}\"]"),
            (
                r#"["\ude00\ud83d\ud83d\ude00x"]"#,
                "[\"\u{fffd}\u{fffd}😀x\"]",
            ),
            (
                r#"{"n":1e999,"m":-1E+400,"k":-1.5}"#,
                r#"{"n":"1e999","m":"-1E+400","k":-1.5}"#,
            ),
            (
                r#"["\\ud83d","1e999","\"\ud83d é"]"#,
                "[\"\\\\ud83d\",\"1e999\",\"\\\"\u{fffd} é\"]",
            ),
        ] {
            let shown: Value = serde_json::from_str(shown).unwrap();
            assert_eq!(tree(text), Some(shown), "{text}");
        }
        for wrong in ["", "[", "[\"\\ud83d", "[\"\\", "[\"\\u12"] {
            assert_eq!(tree(wrong), None, "{wrong}");
        }
    }
}
