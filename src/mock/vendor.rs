//! What a mock of a vendor is: options in, a configuration out.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{ClockKind, RealClock};
use crate::config::{Config, EndpointEntry};
use crate::current::Current;
use crate::deliver::check::CheckFailed;
use crate::deliver::courier::Courier;
use crate::deliver::guard::AddressGuard;
use crate::deliver::transport::{Transport, TransportError};
use crate::endpoint::draft::build;
use crate::endpoint::{Check, EndpointDraft, EndpointSettings, Field, FieldError, Origin};
use crate::vendor::{Profile, builtin_policies, esputnik, hotjar, standard};

/// What the endpoint of a mock is called.
pub const RECEIVER: &str = "receiver";

/// The vendors that send webhooks, by name.
pub const VENDORS: [(&str, Profile); 3] = [
    (hotjar::NAME, Profile::Hotjar),
    (esputnik::NAME, Profile::Esputnik),
    (standard::NAME, Profile::Standard),
];

/// The name of a vendor and of its policy.
pub fn name(vendor: Profile) -> &'static str {
    match vendor {
        Profile::Hotjar => hotjar::NAME,
        Profile::Esputnik => esputnik::NAME,
        Profile::Standard => standard::NAME,
    }
}

/// The receiver of a mock, under its vendor's policy: `draft` says where it is, with what requests
/// are signed and so on; its name and policy are given here.
///
/// On a clock that runs faster than the machine's, an attempt has the vendor's time-out in real
/// time unless `draft` says otherwise: at 600x a receiver would else have 17 ms to answer.
///
/// # Errors
/// Everything that is wrong with `draft`; a vendor that signs every payload (HOT-30) needs a key.
pub fn receiver(
    vendor: Profile,
    draft: EndpointDraft,
    clock: ClockKind,
) -> Result<EndpointSettings, Vec<FieldError>> {
    let policies = builtin_policies();
    let signs = vendor != Profile::Esputnik;
    let has_key = matches!(draft.signing_key, Field::Set(_));
    let draft = EndpointDraft {
        name: Field::Set(RECEIVER.to_owned()),
        policy: Field::Set(name(vendor).to_owned()),
        // A mock never leaves the machine by mistake, and TLS on it would be in the way.
        allow_http: Field::Set(true),
        ..draft
    };
    let built = build(draft, &policies);
    let mut errors = built.as_ref().err().cloned().unwrap_or_default();
    if signs && !has_key {
        errors.push(FieldError {
            at: "/signing_key".to_owned(),
            detail: format!(
                "signing_key is missing; {} signs what it sends",
                name(vendor)
            ),
        });
    }
    let mut settings = match built {
        Ok(settings) if errors.is_empty() => settings,
        _ => return Err(errors),
    };
    if let Err(error) = vendor.check_key(&settings) {
        return Err(vec![FieldError {
            at: "/signing_key".to_owned(),
            detail: error.to_string(),
        }]);
    }
    if let (None, ClockKind::Scaled(factor)) = (settings.timeout, clock)
        && factor > 1.0
        && let Some(policy) = policies.get(&settings.policy)
    {
        let timeout = Duration::try_from_secs_f64(policy.timeout.as_secs_f64() * factor);
        settings.timeout = timeout.ok();
    }
    Ok(settings)
}

/// The configuration of a broker that is a mock with this receiver, on a free port of loopback.
/// The GET on save is for [`check`], before the broker starts.
pub fn config(receiver: EndpointSettings) -> Config {
    let mut config = Config::default();
    config.server.listen.set_port(0);
    config.endpoints.push(EndpointEntry {
        settings: EndpointSettings {
            check: Check::Off,
            origin: Origin::Config,
            ..receiver
        },
        line: 0,
    });
    config
}

/// Why a receiver did not pass the GET on save.
#[derive(Debug, thiserror::Error)]
pub enum NotChecked {
    /// It did not answer as it must (ESP-08).
    #[error(transparent)]
    Failed(#[from] CheckFailed),
    /// Nothing can be sent from here.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// Sends the GET on save (ESP-07), if the vendor sends one: within the vendor's time-out on the
/// machine's clock.
pub async fn check(receiver: &EndpointSettings, guard: AddressGuard) -> Result<(), NotChecked> {
    let transport = Transport::new(guard)?;
    let policies = Arc::new(Current::new(builtin_policies()));
    let courier = Courier::new(transport, Arc::new(RealClock), policies);
    let settings = EndpointSettings {
        timeout: None,
        ..receiver.clone()
    };
    Ok(courier.check(&settings).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn draft(key: Option<&str>) -> EndpointDraft {
        EndpointDraft {
            url: Field::Set("http://192.168.0.7:9000/hook".to_owned()),
            signing_key: key.map(Secret::new).into(),
            ..EndpointDraft::default()
        }
    }

    #[test]
    fn hot_30_a_vendor_that_signs_is_not_mocked_without_a_key() {
        let of = |vendor, key| receiver(vendor, draft(key), ClockKind::Real);
        assert_eq!(of(Profile::Hotjar, None).unwrap_err()[0].at, "/signing_key");
        assert_eq!(of(Profile::Standard, Some("x!")).unwrap_err().len(), 1);
        assert!(of(Profile::Hotjar, Some("k")).is_ok());
        assert!(of(Profile::Standard, Some("whsec_a2V5")).is_ok());
        assert_eq!(of(Profile::Esputnik, None).unwrap().check, Check::Any2xx);
    }

    #[test]
    fn on_a_fast_clock_a_receiver_has_the_vendors_time_out_in_real_time() {
        for (clock, timeout) in [
            (ClockKind::Real, None),
            (ClockKind::Manual, None),
            (ClockKind::Scaled(0.5), None),
            (ClockKind::Scaled(600.0), Some(Duration::from_secs(6000))),
        ] {
            let settings = receiver(Profile::Hotjar, draft(Some("k")), clock).unwrap();
            assert_eq!(settings.timeout, timeout, "{clock}");
        }
        let draft = EndpointDraft {
            timeout: Field::Set("7s".to_owned()),
            ..draft(Some("k"))
        };
        let given = receiver(Profile::Hotjar, draft, ClockKind::Scaled(600.0)).unwrap();
        assert_eq!(given.timeout, Some(Duration::from_secs(7)));
    }

    #[test]
    fn the_configuration_has_the_one_receiver_and_checks_it_no_second_time() {
        let settings = receiver(Profile::Esputnik, draft(None), ClockKind::Real).unwrap();
        let config = config(settings);
        assert_eq!(config.endpoints.len(), 1);
        assert_eq!(config.endpoints[0].settings.name, RECEIVER);
        assert_eq!(config.endpoints[0].settings.check, Check::Off);
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:0");
    }
}
