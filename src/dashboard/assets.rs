//! What is served, as it was when this binary was built. All files share one version, which is in
//! their path and follows from their bytes: a browser keeps them for good, and one module never
//! meets another of a different build.

use std::sync::LazyLock;

use bytes::Bytes;
use sha2::{Digest, Sha256};

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("assets/", $name)))),+]
    };
}

/// Every file but the two documents.
const FILES: &[(&str, &[u8])] = files![
    "actions.js",
    "advance.js",
    "api.js",
    "attention.js",
    "bar.js",
    "body.js",
    "bytes.js",
    "deliveries.js",
    "dialog.js",
    "focus.js",
    "format.js",
    "html.js",
    "icon.svg",
    "json.js",
    "keys.js",
    "lit/LICENSE.txt",
    "lit/directive-helpers.js",
    "lit/directive.js",
    "lit/directives/repeat.js",
    "lit/lit-html.js",
    "login.js",
    "main.js",
    "narrow.css",
    "notices.js",
    "pages/dead.js",
    "pages/deliveries.js",
    "pages/delivery.js",
    "pages/endpoint.js",
    "pages/event.js",
    "pages/events.js",
    "pages/overview.js",
    "pages/sources.js",
    "pages/websites.js",
    "parts.js",
    "plot.js",
    "router.js",
    "status.js",
    "style.css",
    "tail.js",
    "tasks.js",
    "theme.js",
    "underway.js",
];

const INDEX: &str = include_str!("assets/index.html");
const LOGIN: &str = include_str!("assets/login.html");

/// A file, ready to be answered.
pub(super) struct Asset {
    pub name: &'static str,
    pub media: &'static str,
    pub bytes: Bytes,
    /// Its `ETag`.
    pub tag: String,
}

impl Asset {
    fn new(name: &'static str, bytes: Bytes) -> Self {
        let media = match name.rsplit_once('.') {
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            Some((_, "html")) => "text/html; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        };
        let tag = format!("\"{}\"", short(Sha256::digest(&bytes).as_slice()));
        Self {
            name,
            media,
            bytes,
            tag,
        }
    }
}

/// Everything that is served.
pub(super) struct Assets {
    version: String,
    files: Vec<Asset>,
    /// The document, for where there is no login.
    pub index: Asset,
    /// The same, which offers to log out.
    pub index_with_login: Asset,
    /// The login's document, still without its message.
    pub login: String,
}

/// Made at the first request.
pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::new);

impl Assets {
    fn new() -> Self {
        let mut all = Sha256::new();
        for (name, bytes) in FILES {
            all.update(name);
            all.update((bytes.len() as u64).to_be_bytes());
            all.update(bytes);
        }
        let version = short(all.finalize().as_slice());
        let place = |document: &str| document.replace("{assets}", &format!("dashboard/{version}"));
        // Told of at once, so that none has to wait until another has named it.
        let modules = FILES.iter().filter(|(name, _)| is_module(name));
        let modules: String = modules
            .map(|(name, _)| {
                format!("<link rel=\"modulepreload\" href=\"dashboard/{version}/{name}\">\n")
            })
            .collect();
        let index = |login: &str| {
            let document = place(INDEX).replace("{modules}\n", &modules);
            Asset::new("index.html", document.replace("{login}", login).into())
        };
        let files = FILES.iter();
        let files = files.map(|(name, bytes)| Asset::new(name, Bytes::from_static(bytes)));
        Self {
            files: files.collect(),
            index: index("no"),
            index_with_login: index("yes"),
            login: place(LOGIN),
            version,
        }
    }

    /// The file of this name, if it is asked for as part of this version.
    pub(super) fn find(&self, version: &str, name: &str) -> Option<&Asset> {
        let mut files = self.files.iter();
        files.find(|file| version == self.version && file.name == name)
    }
}

/// Whether the document needs it as a module.
fn is_module(name: &str) -> bool {
    name.ends_with(".js") && !["login.js", "theme.js"].contains(&name)
}

/// Half of a digest tells builds apart.
fn short(digest: &[u8]) -> String {
    hex::encode(&digest[..digest.len().min(8)])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served_and_no_other() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dashboard/assets");
        let mut there = BTreeSet::new();
        let mut folders = vec![folder.clone()];
        while let Some(inside) = folders.pop() {
            for entry in std::fs::read_dir(inside).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|end| end != "html") {
                    let name = path.strip_prefix(&folder).unwrap();
                    there.insert(name.to_str().unwrap().to_owned());
                }
            }
        }
        let served = FILES.iter().map(|(name, _)| (*name).to_owned());
        assert_eq!(served.collect::<BTreeSet<_>>(), there);
    }

    #[test]
    fn the_template_library_is_that_of_its_release_byte_for_byte() {
        // Of lit-html 3.3.3, as `npm pack` gives it.
        for (name, digest) in [
            (
                "lit/directive-helpers.js",
                "f7fb1154b8f72ed2cc08b05eaeed71c99270e9ad2d48620ed24688a1af4c2b62",
            ),
            (
                "lit/directive.js",
                "3344c4f41c69cd0701d3937e8f9ef90bd845614bf6456d0b8314b7c51d415b9d",
            ),
            (
                "lit/directives/repeat.js",
                "083140026ecd8665fedd15b17769f9d516252a9f1502f1e91e6967686ee82626",
            ),
            (
                "lit/lit-html.js",
                "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2",
            ),
        ] {
            let (_, bytes) = FILES.iter().find(|(file, _)| *file == name).unwrap();
            assert_eq!(hex::encode(Sha256::digest(bytes)), digest, "{name}");
        }
    }

    #[test]
    fn no_file_is_longer_than_a_reader_holds_in_mind() {
        for (name, bytes) in FILES {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            let vendored = name.starts_with("lit/");
            assert!(vendored || lines <= 300, "{name}: {lines}");
        }
    }

    #[test]
    fn documents_have_nothing_inline_and_no_place_left_open() {
        let index = String::from_utf8(ASSETS.index.bytes.to_vec()).unwrap();
        for document in [&index, &ASSETS.login] {
            assert!(!document.contains("{assets}") && !document.contains("{login}"));
            assert!(!document.contains("style=") && !document.contains("<style"));
            assert!(!document.contains("{modules}"));
            for script in document.split("<script").skip(1) {
                assert!(script.contains("src=\"dashboard/"), "{script}");
            }
        }
    }
}
