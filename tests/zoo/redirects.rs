//! Animals that point elsewhere.

use tokio::net::TcpListener;

use crate::animal::{Animal, Ends};
use crate::cage;

/// Where no redirect may lead: the receiver's neighbours, and what clouds answer from inside only.
fn targets(trap: &TcpListener) -> Vec<(&'static str, String)> {
    let port = trap.local_addr().unwrap().port();
    vec![
        ("to_loopback", format!("http://127.0.0.1:{port}/")),
        ("to_localhost", format!("http://localhost:{port}/")),
        ("to_itself", "/hook".to_owned()),
        (
            "to_metadata",
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ),
        ("to_metadata_v6", "http://[fd00:ec2::254]/".to_owned()),
        ("to_a_file", "file:///etc/passwd".to_owned()),
        ("to_nowhere", "http://[".to_owned()),
    ]
}

fn redirects(trap: &TcpListener) -> Vec<Animal> {
    let mut animals = Vec::new();
    for status in [301, 302, 303, 307, 308] {
        for (name, to) in targets(trap) {
            let name: &'static str = format!("redirects_by_{status}_{name}").leak();
            let answer = format!(
                "HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
            );
            animals.push(Animal::saying(name, Ends::Answered(status), answer));
        }
    }
    animals
}

pub fn animals() -> Vec<Animal> {
    redirects(&crate::animal::listener(16))
}

#[test]
fn no_redirect_is_followed_and_each_is_a_failure() {
    let trap = crate::animal::listener(16);
    let animals = redirects(&trap);
    cage::visit(animals);
    let trap = trap.into_std().unwrap();
    let caught = trap.accept().unwrap_err();
    assert_eq!(caught.kind(), std::io::ErrorKind::WouldBlock, "followed");
}
