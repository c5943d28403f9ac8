//! Which addresses a receiver may be at, told from IANA's registries by arithmetic and the
//! standard library, and the many ways to write one address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arbitrary::Arbitrary;

/// Whether `ip`, or the address that it stands for, is not for the public.
pub fn is_forbidden(ip: IpAddr) -> bool {
    match judged(ip) {
        IpAddr::V4(v4) => v4_is_forbidden(v4),
        IpAddr::V6(v6) => v6_is_forbidden(v6),
    }
}

/// The address where a packet to `ip` ends up.
pub fn judged(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else {
        return ip;
    };
    let bits = v6.to_bits();
    let low = Ipv4Addr::from_bits(bits as u32);
    match bits >> 32 {
        0 if bits > 1 => low.into(),
        0xffff | 0xffff_0000 => low.into(),
        0x0064_ff9b_0000_0000_0000_0000 => low.into(),
        high if high >> 80 == 0x2002 => Ipv4Addr::from_bits((bits >> 80) as u32).into(),
        _ => ip,
    }
}

fn v4_is_forbidden(ip: Ipv4Addr) -> bool {
    let [a, b, c, d] = ip.octets();
    a == 0
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || (a == 100 && b & 0b1100_0000 == 64)
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && b & 0b1111_1110 == 18)
        // Azure's metadata and DNS.
        || [a, b, c, d] == [168, 63, 129, 16]
        || a >= 224
}

fn v6_is_forbidden(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only 2000::/3 is given to anybody.
    !(0x2000..0x4000).contains(&a)
        || (a == 0x2001 && b < 0x200)
        || (a == 0x2001 && b == 0xdb8)
        || (a == 0x3fff && b < 0x1000)
}

/// How a URL writes an address.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Spelling {
    Plain,
    /// Each of the four parts by itself.
    Parts([Base; 4]),
    /// The last three, two or no parts joined to one number.
    Joined(u8, Base),
    Mapped,
    MappedInHex,
    Compatible,
    Translated,
    Nat64,
    SixToFour(u16),
    Expanded,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Base {
    Decimal,
    Octal,
    Hex,
    UpperHex,
    LongOctal,
}

impl Base {
    fn write(self, number: u32) -> String {
        match self {
            Self::Decimal => number.to_string(),
            Self::Octal => format!("0{number:o}"),
            Self::Hex => format!("0x{number:x}"),
            Self::UpperHex => format!("0X{number:08X}"),
            Self::LongOctal => format!("000000{number:o}"),
        }
    }
}

impl Spelling {
    /// The host part of a URL, and the address that it names.
    pub fn write(self, bits: u128, is_v4: bool) -> (String, IpAddr) {
        if !is_v4 {
            let v6 = Ipv6Addr::from_bits(bits);
            let segments = v6.segments().map(|segment| format!("{segment:04X}"));
            let text = match self {
                Self::Expanded => segments.join(":"),
                _ => v6.to_string(),
            };
            return (format!("[{text}]"), v6.into());
        }
        let v4 = Ipv4Addr::from_bits(bits as u32);
        let bits = v4.to_bits();
        let [a, b, c, d] = v4.octets().map(u32::from);
        let v6 = |high: u128| Ipv6Addr::from_bits((high << 32) | u128::from(bits));
        let embedded = |v6: Ipv6Addr| (format!("[{v6}]"), IpAddr::V6(v6));
        match self {
            Self::Plain | Self::Expanded => (v4.to_string(), v4.into()),
            Self::Parts(bases) => {
                let parts = [a, b, c, d].into_iter().zip(bases);
                let parts: Vec<_> = parts.map(|(part, base)| base.write(part)).collect();
                (parts.join("."), v4.into())
            }
            Self::Joined(how, base) => {
                let text = match how % 3 {
                    0 => base.write(bits),
                    1 => format!("{a}.{}", base.write(bits & 0xff_ffff)),
                    _ => format!("{a}.{b}.{}", base.write(bits & 0xffff)),
                };
                (text, v4.into())
            }
            Self::Mapped => (format!("[::ffff:{v4}]"), v6(0xffff).into()),
            Self::MappedInHex => (
                format!("[0:0:0:0:0:FFFF:{:x}:{:x}]", bits >> 16, bits & 0xffff),
                v6(0xffff).into(),
            ),
            Self::Compatible => embedded(v6(0)),
            Self::Translated => embedded(v6(0xffff_0000)),
            Self::Nat64 => embedded(v6(0x0064_ff9b_0000_0000_0000_0000)),
            Self::SixToFour(rest) => embedded(Ipv6Addr::from_bits(
                (0x2002 << 112) | (u128::from(bits) << 80) | u128::from(rest),
            )),
        }
    }
}
