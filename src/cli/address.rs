//! Where a command listens, as its option says it.

use std::net::{Ipv4Addr, SocketAddr};

/// An address with a port, or a port alone, which is one of this machine's and nobody else's.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let alone = text
        .parse()
        .map(|port: u16| (Ipv4Addr::LOCALHOST, port).into());
    let address = alone.or_else(|_| text.parse());
    address.map_err(|_| {
        "write an IP address and a port such as 127.0.0.1:9000 or [::1]:9000, or a port alone"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_loopback_and_a_wrong_address_is_told_a_right_one() {
        let read = |text| listen_address(text).map(|address| address.to_string());
        assert_eq!(read("9000").unwrap(), "127.0.0.1:9000");
        assert_eq!(read("0.0.0.0:80").unwrap(), "0.0.0.0:80");
        assert_eq!(read("[::1]:80").unwrap(), "[::1]:80");
        for text in ["", "localhost", "localhost:9000", "70000", "127.0.0.1"] {
            assert!(read(text).unwrap_err().contains("127.0.0.1:9000"), "{text}");
        }
    }
}
