//! Words of error messages: quoted text, lists, and what somebody probably meant.

const SHOWN_MAX: usize = 80;

/// `text` in quotation marks, on one line, cut to 80 characters.
pub fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// Whether `c` shows nothing itself and makes what stands round it look different: another order, a
/// new line, a hidden mark. Control characters are another matter.
pub fn steers(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `"a", "b", "c"`.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// The name that `given` is probably a misspelling of: at most two edits away, and fewer edits
/// than half of it.
pub fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of the lengths; no name that is longer is near any of ours.
    if given.len() > SHOWN_MAX {
        return None;
    }
    names
        .into_iter()
        .map(|name| (distance(given, name), name))
        .filter(|(edits, _)| *edits <= 2 && edits * 2 < given.chars().count().max(3))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// `did you mean "x"?` if a name is near, else the list of all, each once.
pub fn mend<'a>(given: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(given, names.clone()) {
        Some(name) => format!("did you mean {}?", quoted(name)),
        None => {
            let mut each: Vec<&str> = Vec::new();
            for name in names {
                if !each.contains(&name) {
                    each.push(name);
                }
            }
            format!("use one of {}", listed(each))
        }
    }
}

/// Levenshtein's distance, letters compared without regard to case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().map(|c| c.to_ascii_lowercase()).enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_finds_its_name_and_a_stranger_finds_none() {
        let names = ["policy", "url", "name", "signing_key"];
        assert_eq!(nearest("polcy", names), Some("policy"));
        assert_eq!(nearest("URL", names), Some("url"));
        assert_eq!(nearest("signing_keys", names), Some("signing_key"));
        assert_eq!(nearest("secret", names), None);
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest(&"x".repeat(100_000), names), None);
    }

    #[test]
    fn shown_text_stays_on_one_line_and_short() {
        assert_eq!(quoted("a\n\"b\""), r#""a\n\"b\"""#);
        assert_eq!(quoted(&"é".repeat(500)).chars().count(), 83);
    }
}
