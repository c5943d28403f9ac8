//! The sources of the configuration, as the relay takes them.

use std::sync::Arc;

use super::AppError;
use crate::clock::SharedClock;
use crate::config;
use crate::config::SourceKind;
use crate::current::Current;
use crate::inbound::relay::Relay;
use crate::inbound::relay::access::Access;
use crate::inbound::relay::esputnik::Esputnik;
use crate::inbound::relay::hotjar::Hotjar;
use crate::inbound::relay::source::{Elsewhere, Kind, Source};
use crate::inbound::relay::standard::Standard;
use crate::inbound::zebline::Zebline;
use crate::secret::Secret;
use crate::vendor::KeyError;

/// A relay of every source, with a key that can be used.
pub(super) fn relay(
    sources: &[config::Source],
    clock: SharedClock,
    on_loopback: bool,
) -> Result<Relay, AppError> {
    let (mut here, mut elsewhere, mut mistakes) = (Vec::new(), Vec::new(), Vec::new());
    for source in sources {
        let name = source.name.clone();
        match kind(source) {
            Ok(Ok(kind)) => here.push(Source { name, kind }),
            Ok(Err(instead)) => elsewhere.push(Elsewhere { name, instead }),
            Err(mistake) => {
                mistakes.push(format!("source {name} (line {}): {mistake}", source.line));
            }
        }
    }
    match mistakes.is_empty() {
        true => Ok(Relay::new(here, clock, on_loopback).with_elsewhere(elsewhere)),
        false => Err(AppError::Sources(mistakes)),
    }
}

/// The standard's own form of several keys: with spaces between them.
fn several(key: &Secret, previous: &[Secret]) -> Secret {
    let keys = std::iter::once(key).chain(previous);
    Secret::new(keys.map(Secret::expose).collect::<Vec<_>>().join(" "))
}

/// What speaks to `source`, or what to do instead of speaking to it.
fn kind(source: &config::Source) -> Result<Result<Kind, &'static str>, KeyError> {
    let access = || Access {
        tokens: Arc::new(Current::new(source.access_tokens())),
        basic: source.basic_auth.clone(),
    };
    let key = || source.key.clone().ok_or(KeyError::Empty);
    Ok(Ok(match source.kind {
        SourceKind::Hotjar => {
            let hotjar = Hotjar {
                key: key()?,
                previous_keys: source.previous_keys.clone(),
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
                secret: several(&key()?, &source.previous_keys),
                max_age: source.max_age,
            };
            standard.check_key()?;
            Kind::Standard(standard)
        }
        SourceKind::Cloudevents => Kind::Cloudevents(access()),
        SourceKind::Raw => Kind::Raw(access()),
        SourceKind::Zebline => return Ok(Err("send to /v1/accounts/LICENSE/events")),
        SourceKind::Zenovay => return Ok(Err("it is polled, and nothing is sent to it")),
    }))
}

/// In the background: a long log takes a while, and deliveries need not wait for it.
pub(super) fn read_types(zebline: Arc<Zebline>) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = zebline.read_types() {
            tracing::error!(%error, "the types of attributes cannot be read from the log; Zebline's events are refused");
        }
    });
}
