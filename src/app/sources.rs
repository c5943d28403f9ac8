//! The sources of the configuration, as the relay takes them.

use super::AppError;
use crate::config;
use crate::config::SourceKind;
use crate::inbound::relay::access::Access;
use crate::inbound::relay::esputnik::Esputnik;
use crate::inbound::relay::hotjar::Hotjar;
use crate::inbound::relay::source::{Kind, Source};
use crate::inbound::relay::standard::Standard;
use crate::vendor::KeyError;

/// Every source, with a key that can be used.
pub(super) fn relayed(sources: &[config::Source]) -> Result<Vec<Source>, AppError> {
    let mut mistakes = Vec::new();
    let mut relayed = Vec::new();
    for source in sources {
        match kind(source) {
            Ok(kind) => relayed.push(Source {
                name: source.name.clone(),
                kind,
            }),
            Err(mistake) => {
                let (name, line) = (&source.name, source.line);
                mistakes.push(format!("source {name} (line {line}): {mistake}"));
            }
        }
    }
    match mistakes.is_empty() {
        true => Ok(relayed),
        false => Err(AppError::Sources(mistakes)),
    }
}

fn kind(source: &config::Source) -> Result<Kind, KeyError> {
    let access = || Access {
        token: source.access_token.clone(),
        basic: source.basic_auth.clone(),
    };
    let key = || source.key.clone().ok_or(KeyError::Empty);
    Ok(match source.kind {
        SourceKind::Hotjar => {
            let hotjar = Hotjar {
                key: key()?,
                key_encoding: source.key_encoding,
                signature_encoding: source.signature_encoding,
                max_age: source.max_age,
            };
            hotjar.check_key()?;
            Kind::Hotjar(hotjar)
        }
        SourceKind::Esputnik => Kind::Esputnik(Esputnik {
            access: access(),
            split: source.split,
        }),
        SourceKind::Standard => {
            let standard = Standard {
                secret: key()?,
                max_age: source.max_age,
            };
            standard.check_key()?;
            Kind::Standard(standard)
        }
        SourceKind::Cloudevents => Kind::Cloudevents(access()),
        SourceKind::Raw => Kind::Raw(access()),
        SourceKind::Zebline => Kind::Elsewhere("send to /v1/accounts/LICENSE/events"),
        SourceKind::Zenovay => Kind::Elsewhere("it is polled, and nothing is sent to it"),
    })
}
