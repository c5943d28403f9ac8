//! The option that has the exact requests of attempts kept.

use crate::deliver::recorder;

/// What is kept of attempts.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct RecordArgs {
    /// Keep the exact requests of attempts in memory, up to so many bytes such as 64MiB, and show
    /// them with their deliveries; for tests
    #[arg(long, value_name = "SIZE", num_args = 0..=1, require_equals = true,
        default_missing_value = "64MiB", value_parser = size)]
    pub record: Option<usize>,
}

/// What `64MiB` is written for.
const _: () = assert!(recorder::DEFAULT_BYTES == 64 << 20);

fn size(text: &str) -> Result<usize, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let unit = units.iter().find(|(unit, _)| text.ends_with(unit));
    let (digits, shift) = match unit {
        Some((unit, shift)) => (text.trim_end_matches(unit), *shift),
        None => (text, 0),
    };
    let bytes = digits.trim().parse::<usize>().ok();
    bytes
        .and_then(|bytes| bytes.checked_mul(1 << shift))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "write a number of bytes such as 64MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_of_bytes_with_or_without_a_unit() {
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1 GiB"), Ok(1 << 30));
        assert_eq!(size("700"), Ok(700));
        for text in [
            "",
            "0",
            "MiB",
            "-1",
            "1MB",
            "99999999999999999999",
            "18446744073709551615KiB",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
