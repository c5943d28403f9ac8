//! The source files as the house rules look at them: code apart from comments, strings and tests.

use std::fs;
use std::path::Path;

/// One file.
pub struct Source {
    /// From the package's root, such as `src/store/log.rs`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// Without comments and the insides of strings, line for line.
    pub code: String,
    /// Without the modules of tests either; empty if the whole file is one.
    pub product: String,
}

/// Every Rust file below `dir`, in alphabetical order.
pub fn sources(dir: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), dir, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "there are no Rust files in {dir}");
    found
}

fn collect(root: &Path, dir: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(root.join(dir)).expect("a directory of sources") {
        let entry = entry.expect("an entry of a directory");
        let path = format!("{dir}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(root, &path, found);
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("a source file");
            found.push(Source::new(path, text));
        }
    }
}

impl Source {
    fn new(path: String, text: String) -> Self {
        let code = without_comments_and_strings(&text);
        let is_test = path.ends_with("tests.rs") || path.contains("/tests/");
        let product = if is_test {
            String::new()
        } else {
            without_test_modules(&code)
        };
        Self {
            path,
            text,
            code,
            product,
        }
    }

    /// The room that the file is in: `store` for `src/store/log.rs` and for `src/store.rs`.
    pub fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let room = inside.split('/').next().unwrap_or(inside);
        room.strip_suffix(".rs").unwrap_or(room)
    }
}

/// Blanks comments and the insides of strings and characters, and keeps every line where it is.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let in_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            string_len(rest)
        } else if c == 'r' && !in_word && rest[1..].trim_start_matches('#').starts_with('"') {
            raw_string_len(rest)
        } else if c == '\'' {
            character_len(rest)
        } else {
            0
        };
        let (gone, kept) = rest.split_at(skipped);
        code.extend(gone.chars().filter(|c| *c == '\n'));
        match kept.chars().next() {
            Some(c) if skipped == 0 => {
                code.push(c);
                rest = &kept[c.len_utf8()..];
            }
            _ => rest = kept,
        }
    }
    code
}

fn string_len(text: &str) -> usize {
    let mut escaped = true; // The quotation mark that opens it.
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string_len(text: &str) -> usize {
    let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = 2 + hashes;
    text[start..]
        .find(&end)
        .map_or(text.len(), |at| start + at + end.len())
}

/// Zero for a lifetime.
fn character_len(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |at| at + 4),
        Some(_) => chars
            .next()
            .filter(|(_, c)| *c == '\'')
            .map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

fn without_test_modules(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]\nmod ";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let module = &rest[at..];
        let mut depth = 0;
        let end = module.char_indices().skip(MARK.len()).find(|(_, c)| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            depth == 0 && matches!(c, '}' | ';')
        });
        rest = end.map_or("", |(end, _)| &module[end + 1..]);
        kept.extend(
            module[..module.len() - rest.len()]
                .chars()
                .filter(|c| *c == '\n'),
        );
    }
    kept.push_str(rest);
    kept
}

/// The number and text of each line of `code` for which `is_wanted` holds.
pub fn lines<'a>(
    code: &'a str,
    is_wanted: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = (usize, &'a str)> {
    (1..)
        .zip(code.lines())
        .filter(move |(_, line)| is_wanted(line))
}

/// Whether `code` names `crate_name` at the beginning of a path.
pub fn names_crate(code: &str, crate_name: &str) -> bool {
    code.match_indices(crate_name).any(|(at, _)| {
        let before = code[..at].trim_end_matches("::");
        let global = before.len() < at && !before.ends_with(|c: char| is_word(c) || c == '>');
        let begins = global || !code[..at].ends_with(|c: char| is_word(c) || c == ':');
        let after = &code[at + crate_name.len()..];
        let used = code[..at].ends_with("use ") && after.starts_with([';', ' ']);
        begins && (after.starts_with("::") || used)
    })
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text up to the first character that is not of a word.
pub fn word(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or(text)
}

#[test]
fn comments_strings_and_test_modules_are_no_code() {
    let text = "//! sled::Db\nfn a<'a>() { let _ = ('\"', '\\'', r#\"\"sled::\"#, \"\\\"sled::\"); } /* sled:: */\n#[cfg(test)]\nmod tests {\n    use sled::Db;\n}\nuse x;\n";
    let source = Source::new("src/a.rs".to_owned(), text.to_owned());
    assert_eq!(source.code.lines().count(), text.lines().count());
    assert!(
        names_crate(&source.code, "sled"),
        "the test's own use is code"
    );
    assert!(!names_crate(&source.product, "sled"), "{}", source.product);
    assert_eq!(
        lines(&source.product, |line| line == "use x;").next(),
        Some((7, "use x;"))
    );
}

#[test]
fn a_crate_is_known_by_the_beginning_of_a_path() {
    for named in [
        "sled::Db",
        "use sled;",
        "::sled::Db",
        "Option<sled::Db>",
        "(::sled::Db)",
    ] {
        assert!(names_crate(named, "sled"), "{named}");
    }
    for other in [
        "store::sled::Db",
        "self::sled::x",
        "unsled::x",
        "sled_x::y",
        "let sled = 1;",
    ] {
        assert!(!names_crate(other, "sled"), "{other}");
    }
}
