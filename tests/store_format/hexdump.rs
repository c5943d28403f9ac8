//! Keys and values as text: a key in text and hex, then its value, 32 bytes a line. `* N` stands
//! for N more lines like the one above it.

use std::collections::BTreeMap;
use std::fmt::Write;

const BYTES_PER_LINE: usize = 32;

pub fn print(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> String {
    let mut text = String::new();
    for (key, value) in records {
        writeln!(text, "{}", hex::encode(key)).unwrap();
        let mut lines = value.chunks(BYTES_PER_LINE).peekable();
        while let Some(line) = lines.next() {
            writeln!(text, "  {}", hex::encode(line)).unwrap();
            let mut more = 0;
            while lines.next_if_eq(&line).is_some() {
                more += 1;
            }
            if more > 0 {
                writeln!(text, "  * {more}").unwrap();
            }
        }
    }
    text
}

pub fn parse(text: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut above = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("  "), records.last_mut()) {
            (None, _) => records.push((hex::decode(line).unwrap(), Vec::new())),
            (Some(line), Some((_, value))) => match line.strip_prefix("* ") {
                Some(more) => value.extend(above.repeat(more.parse().unwrap())),
                None => {
                    above = hex::decode(line).unwrap();
                    value.extend(&above);
                }
            },
            (Some(_), None) => panic!("a value without a key"),
        }
    }
    records
}

#[test]
fn what_is_printed_is_parsed_as_itself() {
    let records = BTreeMap::from([
        (b"a".to_vec(), vec![]),
        (b"b".to_vec(), [vec![7; 100], (0..=255).collect()].concat()),
        (b"c".to_vec(), vec![7; 32]),
    ]);
    let text = print(&records);
    assert_eq!(BTreeMap::from_iter(parse(&text)), records, "{text}");
}
