//! Ids in the form of UUIDs (RFC 9562).

/// What the bits of a UUID are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// By chance: version 4.
    Random = 4,
    /// Of a hash: version 8, of the maker's own making.
    Hashed = 8,
}

/// The UUID of these bits, six of which give way to the version and the variant.
pub fn uuid(made: Made, bits: u128) -> String {
    let version = (made as u128) << 76;
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | version | (0x2 << 62);
    let text = format!("{bits:032x}");
    let parts = [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_the_form_the_version_and_the_variant_of_a_uuid() {
        let zeros = uuid(Made::Hashed, 0);
        assert_eq!(zeros, "00000000-0000-8000-8000-000000000000");
        let ones = uuid(Made::Random, u128::MAX);
        assert_eq!(ones, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
