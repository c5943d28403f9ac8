//! How a finding is seen again: `curl` lines, with the bodies in files.

use std::fmt::Write;
use std::io;
use std::path::Path;

use url::Url;

use super::crafted::AUTHORIZATION;
use super::finding::{Exchange, Finding};

/// Above this a body goes by file only; below it, too, for shells have their own ideas of bytes.
const HEAD: &str = "curl -i";

impl Finding {
    /// The lines that send the same again to `url`; bodies are written below `dir`, which is there.
    /// Neither key nor password is in them: the login is taken from the variable `BASIC`.
    pub fn repro(&self, url: &Url, dir: &Path) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        for (place, exchange) in self.evidence.iter().enumerate() {
            let name = format!("{}-{}.body", self.duty.id, place + 1);
            let path = dir.join(name);
            if !exchange.request.is_get {
                std::fs::write(&path, &exchange.request.body)?;
            }
            lines.push(line(exchange, url, &path));
        }
        Ok(lines)
    }
}

fn line(exchange: &Exchange, url: &Url, body: &Path) -> String {
    let request = &exchange.request;
    let mut line = HEAD.to_owned();
    for (name, value) in &request.headers {
        if *name == AUTHORIZATION && request.has_login {
            line.push_str(" -u \"$BASIC\"");
        } else if value.is_empty() {
            // curl takes `name:` for a wish to leave the header out.
            let _ = write!(line, " -H {}", quoted(&format!("{name};")));
        } else {
            let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
        }
    }
    if !request.is_get {
        let _ = write!(
            line,
            " --data-binary {}",
            quoted(&format!("@{}", body.display()))
        );
    }
    let _ = write!(line, " {}", quoted(url.as_str()));
    match exchange.at_once {
        0 | 1 => line,
        // One alone shows no race.
        copies => format!("for n in $(seq {copies}); do {line} & done; wait"),
    }
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::crafted::Crafted;
    use crate::check::judge::Reply;

    #[test]
    fn a_line_holds_the_signature_and_no_password() {
        let mut exchange = Exchange::new(
            Crafted {
                is_get: false,
                headers: vec![
                    ("content-type", "application/json".to_owned()),
                    ("com-hotjar-signature", String::new()),
                    ("authorization", "Basic c2VjcmV0".to_owned()),
                ],
                body: "{}".into(),
                has_login: true,
            },
            Reply::Status(200),
        );
        let url = Url::parse("http://127.0.0.1:9000/it's").unwrap();
        let alone = "curl -i -H 'content-type: application/json' -H 'com-hotjar-signature;' -u \"$BASIC\" \
             --data-binary '@/tmp/x.body' 'http://127.0.0.1:9000/it'\\''s'";
        let path = Path::new("/tmp/x.body");
        assert_eq!(line(&exchange, &url, path), alone);
        exchange.at_once = 8;
        assert_eq!(
            line(&exchange, &url, path),
            format!("for n in $(seq 8); do {alone} & done; wait")
        );
    }
}
